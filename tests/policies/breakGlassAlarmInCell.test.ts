import { expect } from "chai";
import * as fc from "fast-check";
import { callPatterns, directSignInPatterns } from "../../functions/breakGlass/events/patterns";
import { patternMatches } from "../../policypacks/identity-dr/lib/eventPattern";
import type { PlainObject } from "../../policypacks/identity-dr/lib/walk";
import { type TestResource, UNKNOWN_VALUE, urnOf } from "./support/analyze";
import { type Case, itJudges } from "./support/cases";

const RULE = "break-glass-alarm-in-cell";
const NAMES = {
  userNames: ["breakglass-admin-1", "breakglass-admin-2"],
  path: "/break-glass/",
  accountId: "222222222222",
};
const emergencyUsePattern = (names: typeof NAMES) => callPatterns({ ...names, namePrefix: "bulkhead" })[0]!;
const emergencySignInPattern = (names: typeof NAMES) =>
  directSignInPatterns({ ...names, namePrefix: "bulkhead" })[0]!;
const TOPIC_ARN = "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts";
const provider = { props: { region: "us-west-2" } };
const elsewhere = { props: { region: "us-east-1" } };

const TOPIC: TestResource = {
  type: "aws:sns/topic:Topic",
  name: "alerts",
  props: { arn: TOPIC_ARN, name: "bulkhead-breakglass-alerts" },
  provider,
};

/** The table of an activation record: a stack that has it is a cell. */
const RECORD: TestResource = {
  type: "aws:dynamodb/table:Table",
  name: "activation-table",
  urn: "urn:pulumi:dr::bulkhead::bulkhead:index:ActivationRecord$aws:dynamodb/table:Table::activation-table",
  props: {},
  provider,
};
const USER: TestResource = {
  type: "aws:iam/user:User",
  name: "user",
  props: { name: "breakglass-admin-1", path: "/break-glass/" },
  provider,
};

const rule = (name: string, pattern: unknown, props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:cloudwatch/eventRule:EventRule",
  name,
  props: { name, eventPattern: typeof pattern === "string" ? pattern : JSON.stringify(pattern), ...props },
  provider,
});
const target = (
  of: string,
  props: Record<string, unknown> = {},
  dependencies?: TestResource["propertyDependencies"],
): TestResource => ({
  type: "aws:cloudwatch/eventTarget:EventTarget",
  name: `${of}-target`,
  props: { rule: of, arn: TOPIC_ARN, ...props },
  provider,
  ...(dependencies && { propertyDependencies: dependencies }),
});
const ALL = { state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" };
const USE = rule("use", emergencyUsePattern(NAMES), ALL);
const SIGN_IN = rule("signin", emergencySignInPattern(NAMES));
const RULES = [TOPIC, USE, target("use"), SIGN_IN, target("signin")];

const alarm = (user: string, props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  name: `alarm-${user}`,
  props: {
    name: `BreakglassAccountUsed-${user}`,
    namespace: "Security/BreakglassMonitoring",
    metricName: `BreakglassLoginCount-${user}`,
    statistic: "Sum",
    period: 60,
    evaluationPeriods: 1,
    threshold: 1,
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    alarmActions: [TOPIC_ARN],
    ...props,
  },
  provider,
});
const filter = (user: string, props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  name: `filter-${user}`,
  props: {
    pattern: `{ $.userIdentity.userName = "${user}" }`,
    metricTransformation: {
      name: `BreakglassLoginCount-${user}`,
      namespace: "Security/BreakglassMonitoring",
      value: "1",
    },
    ...props,
  },
  provider,
});
const ALARMS = NAMES.userNames.flatMap((user) => [alarm(user), filter(user)]);
const CELL = [RECORD, ...RULES, ...ALARMS];

/** The cell with some resources in place of those of the same name. */
const with_ = (...changed: TestResource[]) => [
  ...CELL.filter(({ name }) => !changed.some((one) => one.name === name)),
  ...changed,
];
const without = (...names: string[]) => CELL.filter(({ name }) => !names.includes(name ?? ""));
const SEES = /no enabled event rule with (?:a topic|anything) as target sees/;
const twice = (part: string | RegExp) => [part, part];

describe(RULE, () => {
  itJudges(RULE, [
    { title: "accepts a cell with rules, alarms and filters", resources: CELL },
    {
      title: "leaves stacks that are no cell and own no emergency user alone",
      resources: [TOPIC, { ...RECORD, urn: undefined }],
    },
    {
      title: "rejects a cell that watches nobody",
      resources: [RECORD],
      reports: ['"activation-table": no event rule of us-west-2 watches an emergency user'],
    },
    {
      title: "rejects a stack that owns users and does not watch them",
      resources: [USER],
      reports: [
        /"user": in us-west-2, no enabled event rule with a topic as target sees a sign-in or a failed sign-in of/,
        "with anything as target sees a call that changes something or AssumeRole of",
        "there is no alarm",
      ],
    },
    {
      title: "takes the cell from a component of its own choice",
      resources: [{ ...RECORD, urn: urnOf({ type: "acme:index:Cell$aws:dynamodb/table:Table" }) }],
      config: { cellComponents: ["acme:index:Cell"] },
      reports: ["watches an emergency user"],
    },
  ]);

  describe("event rules", () => {
    itJudges(RULE, [
      {
        title: "misses sign-ins",
        resources: without("signin", "signin-target"),
        reports: twice(/sees a sign-in or a failed sign-in of/),
      },
      {
        title: "misses uses",
        resources: without("use", "use-target"),
        reports: twice(/sees a call that changes something or AssumeRole of/),
      },
      { title: "misses a target", resources: without("use-target"), reports: twice(SEES) },
      {
        title: "misses read-only calls without the state that asks for them",
        resources: with_(rule("use", emergencyUsePattern(NAMES))),
        reports: twice(/sees AssumeRole of/),
      },
      {
        title: "counts no disabled rule",
        resources: with_(rule("use", emergencyUsePattern(NAMES), { state: "DISABLED" })),
        reports: twice(SEES),
      },
      {
        title: "counts no rule of another region",
        resources: with_({ ...USE, provider: elsewhere }),
        reports: twice(SEES),
      },
      {
        title: "counts no rule of another bus",
        resources: with_(
          rule("use", emergencyUsePattern(NAMES), { ...ALL, eventBusName: "hub" }),
          target("use", { eventBusName: "hub" }),
        ),
        reports: twice(SEES),
      },
      {
        title: "counts no queue for sign-ins",
        resources: with_(target("signin", { arn: "arn:aws:sqs:us-west-2:222222222222:q" })),
        reports: twice(SEES),
      },
      {
        title: "counts no FIFO topic for sign-ins",
        resources: with_(target("signin", { arn: `${TOPIC_ARN}.fifo` })),
        reports: twice(SEES),
      },
      {
        title: "tells a rule for other users from one for these",
        resources: with_(
          rule("signin", emergencySignInPattern({ ...NAMES, userNames: ["breakglass-admin-1", "alice"] })),
        ),
        reports: [/sees a sign-in or a failed sign-in of "breakglass-admin-2"/],
      },
      {
        title: "misses failed sign-ins when only the ARN is asked for (fact 19)",
        resources: with_(
          rule("signin", {
            source: ["aws.signin"],
            detail: { userIdentity: { arn: NAMES.userNames.map((name) => ({ suffix: `/${name}` })) } },
          }),
        ),
        reports: twice(/sees a failed sign-in of/),
      },
      {
        title: "misses sign-ins when a detail-type is asked for (fact 18)",
        resources: with_(
          rule("signin", {
            ...emergencySignInPattern(NAMES),
            "detail-type": ["AWS API Call via CloudTrail"],
          }),
        ),
        reports: twice(/sees a sign-in or a failed sign-in of/),
      },
      {
        title: "sees through names and ARNs that are compared without case",
        resources: with_(
          rule("signin", {
            source: ["aws.signin"],
            detail: {
              eventName: ["ConsoleLogin"],
              userIdentity: {
                userName: NAMES.userNames.map((name) => ({ "equals-ignore-case": name.toUpperCase() })),
              },
            },
          }),
        ),
      },
      {
        title: "lets a function stand between calls and topic",
        resources: with_(target("use", { arn: "arn:aws:lambda:us-west-2:222222222222:function:f" })),
      },
      {
        title: "waits for a pattern that is not known",
        resources: with_({ ...SIGN_IN, props: { name: "signin", eventPattern: UNKNOWN_VALUE } }),
      },
      {
        title: "waits for a target that is not known",
        resources: with_(target("use", { arn: UNKNOWN_VALUE })),
      },
      {
        title: "follows a target that is not known to its topic",
        resources: with_(target("use", { arn: UNKNOWN_VALUE }, { arn: [urnOf(TOPIC)] })),
      },
      {
        title: "follows a target that is not known to something else",
        resources: [
          ...with_(
            target(
              "signin",
              { arn: UNKNOWN_VALUE },
              { arn: [urnOf({ type: "aws:sqs/queue:Queue", name: "q" })] },
            ),
          ),
          { type: "aws:sqs/queue:Queue", name: "q", provider },
        ],
        reports: twice(SEES),
      },
    ]);
  });

  describe("alarms", () => {
    const first = (props: Record<string, unknown>) => with_(alarm("breakglass-admin-1", props));
    const cases: Case[] = [
      {
        title: "misses one user's alarm",
        resources: without("alarm-breakglass-admin-2"),
        reports: ['in us-west-2, there is no alarm "BreakglassAccountUsed-breakglass-admin-2"'],
      },
      {
        title: "counts no alarm of another region",
        resources: with_({ ...alarm("breakglass-admin-2"), provider: elsewhere }),
        reports: ["there is no alarm"],
      },
      {
        title: "misses a metric filter",
        resources: without("filter-breakglass-admin-1"),
        reports: ["no metric filter feeds the alarm"],
      },
      {
        title: "misses a filter of another metric",
        resources: with_(
          filter("breakglass-admin-1", { metricTransformation: { name: "x", namespace: "y", value: "1" } }),
        ),
        reports: ["no metric filter feeds"],
      },
      {
        title: "rejects weaker settings, all at once",
        resources: first({ statistic: "Average", period: 300, threshold: 2 }),
        reports: [/has statistic Average, period 300, threshold 2\. Instead: write statistic Sum/],
      },
      {
        title: "rejects an alarm without actions",
        resources: first({ alarmActions: [] }),
        reports: ["no topic in alarmActions"],
      },
      {
        title: "rejects switched-off actions",
        resources: first({ actionsEnabled: false }),
        reports: ["actionsEnabled false"],
      },
      {
        title: "rejects two periods",
        resources: first({ evaluationPeriods: 2 }),
        reports: ["evaluationPeriods 2"],
      },
      {
        title: "waits for what is not known",
        resources: first({
          threshold: UNKNOWN_VALUE,
          alarmActions: [UNKNOWN_VALUE],
          metricName: UNKNOWN_VALUE,
        }),
      },
      {
        title: "waits for an alarm's name",
        resources: with_({ ...alarm("breakglass-admin-1"), props: { name: UNKNOWN_VALUE } }),
      },
    ];
    itJudges(RULE, cases);
  });
});

describe("event patterns", () => {
  const event: PlainObject = {
    source: "aws.iam",
    detail: { eventName: "CreateUser", n: 3, list: ["a", "b"], ok: true },
  };
  const cases: [string, PlainObject, boolean][] = [
    ["an exact value", { source: ["aws.iam"] }, true],
    ["one of several", { source: ["aws.s3", "aws.iam"] }, true],
    ["another value", { source: ["aws.s3"] }, false],
    ["a number", { detail: { n: [3] } }, true],
    ["a truth value", { detail: { ok: [false] } }, false],
    ["an element of a list", { detail: { list: ["b"] } }, true],
    ["a prefix", { source: [{ prefix: "aws." }] }, true],
    ["a prefix without case", { source: [{ prefix: { "equals-ignore-case": "AWS." } }] }, true],
    ["a suffix", { detail: { eventName: [{ suffix: "User" }] } }, true],
    ["a wildcard", { detail: { eventName: [{ wildcard: "Cr*User" }] } }, true],
    ["equality without case", { detail: { eventName: [{ "equals-ignore-case": "createuser" }] } }, true],
    ["anything but another", { source: [{ "anything-but": ["aws.s3"] }] }, true],
    ["anything but this", { source: [{ "anything-but": "aws.iam" }] }, false],
    ["anything but a prefix", { source: [{ "anything-but": { prefix: "aws." } }] }, false],
    ["anything but, of what is absent", { detail: { none: [{ "anything-but": ["x"] }] } }, false],
    ["existence", { detail: { eventName: [{ exists: true }], none: [{ exists: false }] } }, true],
    ["existence below what is absent", { nothing: { below: [{ exists: false }] } }, true],
    ["one of two alternatives", { $or: [{ source: ["aws.s3"] }, { detail: { n: [3] } }] }, true],
    ["none of two alternatives", { $or: [{ source: ["aws.s3"] }, { detail: { n: [4] } }] }, false],
    ["addresses, which count as not matching", { source: [{ cidr: "10.0.0.0/8" }] }, false],
  ];
  for (const [what, pattern, matches] of cases) {
    it(`${matches ? "match" : "do not match"}: ${what}`, () =>
      expect(patternMatches(pattern, event)).to.equal(matches));
  }

  it("of several values match what one of them matches", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.string(), (values, actual) => {
        const together = patternMatches({ a: values }, { a: actual });
        expect(together).to.equal(values.some((value) => patternMatches({ a: [value] }, { a: actual })));
      }),
      { seed: 20251020 },
    );
  });
});
