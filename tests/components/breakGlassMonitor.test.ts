import { expect } from "chai";
import {
  alertTemplate,
  BreakGlassMonitor,
  monitorForwardingRequests,
} from "../../components/breakGlassAccount/breakGlassMonitor";
import { SignInForwarding } from "../../components/breakGlassAccount/signInForwarding";
import { normalizeCell } from "../../components/regional/cell";
import { signInRegions } from "../../components/regional/partition";
import { RegionalProvider } from "../../components/regional/regionalProvider";
import { classify } from "../../functions/breakGlass/events/classify";
import { readUseSettings, USE_VARIABLE } from "../../functions/breakGlass/use/settings";
import { FIXTURES, NAMES, wrapped } from "../functions/breakGlass/fixtures";
import { ensureBuilt } from "../support/builtFunctions";
import { matchesPattern } from "../support/eventPattern";
import { type PulumiMocks, type Recorded, startMocks } from "../support/pulumiMocks";

const dr = { name: "dr", region: "us-west-2", accountId: "222222222222" };
const prod = { name: "prod", region: "us-east-1", accountId: "222222222222" };
const kmsKeyArn = "arn:aws:kms:us-west-2:222222222222:key/k";
const alertTopicArn = "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts";
const userNames = ["breakglass-admin-1", "breakglass-admin-2"];
const RULE = "aws:cloudwatch/eventRule:EventRule";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const users = { userNames, path: "/break-glass/", accountId: "222222222222" };

/** Logical names of all rules that a monitor has, on the default bus. */
const TRACKED = [
  "m-use",
  "m-tamper-users",
  "m-tamper-users-2",
  "m-tamper-users-3",
  "m-tamper-watch",
  "m-tamper-watch-2",
  "m-tamper-watch-3",
  "m-tamper-watch-4",
];

let mocks: PulumiMocks;
before(() => ensureBuilt("breakGlass-use"));
beforeEach(async () => {
  mocks = await startMocks();
});
const names = (resources: Recorded[]) => resources.map(({ name }) => name).sort();

describe("BreakGlassMonitor", () => {
  const create = (change = {}) =>
    new BreakGlassMonitor(
      "m",
      { cell: dr, userNames, alertTopicArn, kmsKeyArn, ...change },
      { provider: new RegionalProvider("dr", { cell: dr }) },
    );

  it("sends sign-ins straight to the topic, with no function in between", async () => {
    const outputs = await mocks.outputsOf(create());
    const rule = mocks.find(RULE, "m-signin");
    expect(rule.inputs).to.include({ name: "bulkhead-breakglass-signin", state: "ENABLED" });
    expect(rule.region).to.equal("us-west-2");
    const targets = mocks.ofType(TARGET).filter(({ inputs }) => inputs.rule === "bulkhead-breakglass-signin");
    expect(targets.map(({ inputs }) => [inputs.targetId, inputs.arn, inputs.deadLetterConfig])).to.deep.equal(
      [["alert-topic", alertTopicArn, { arn: outputs.undeliveredQueueArn }]],
    );
  });

  it("hands every use and all tampering to the function of the cell's region", async () => {
    const outputs = await mocks.outputsOf(create());
    const tracker = mocks.find("aws:lambda/function:Function");
    expect(tracker.inputs.name).to.equal("bulkhead-breakglass-use");
    expect(tracker.region).to.equal("us-west-2");
    const targets = mocks.ofType(TARGET).filter(({ inputs }) => inputs.targetId === "use-tracker");
    expect(names(targets)).to.deep.equal([...TRACKED, "m-sweep"].map((name) => `${name}-tracker`).sort());
    for (const { inputs, name } of targets) {
      expect(inputs.arn).to.match(/:function:bulkhead-breakglass-use$/);
      expect(inputs.inputTransformer, name).to.equal(undefined);
      if (name !== "m-sweep-tracker")
        expect(inputs.deadLetterConfig).to.deep.equal({ arn: outputs.undeliveredQueueArn });
    }
    // Read-only calls come with this state only (fact 20); tampering changes something.
    const states = Object.fromEntries(mocks.ofType(RULE).map(({ name, inputs }) => [name, inputs.state]));
    expect(states["m-use"]).to.equal("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
    expect(new Set(TRACKED.slice(1).map((name) => states[name]))).to.deep.equal(new Set(["ENABLED"]));
  });

  it("watches by patterns that match exactly what the function and the command call an alert", async () => {
    await mocks.outputsOf(create());
    const patterns = mocks
      .ofType(RULE)
      .filter(({ inputs }) => inputs.eventPattern)
      .map(({ inputs }) => JSON.parse(inputs.eventPattern));
    const settings = readUseSettings(mocks.find("aws:lambda/function:Function").inputs.environment.variables);
    expect(settings.names).to.deep.equal(NAMES);
    for (const { name, event } of FIXTURES) {
      const isMatched = patterns.some((pattern) => matchesPattern(pattern, wrapped(event)));
      expect(isMatched, name).to.equal("alert" in classify(event, settings.names));
    }
  });

  it("lets only its own rules call the function", async () => {
    await mocks.outputsOf(create({ hubBusName: "bulkhead-hub" }));
    expect(mocks.ofType("aws:lambda/permission:Permission").map(({ inputs }) => inputs)).to.deep.equal(
      [
        ["RulesOfTheAccount", "rule/bulkhead-breakglass-*"],
        ["RulesOfTheHub", "rule/bulkhead-hub/bulkhead-breakglass-*"],
      ].map(([statementId, rules]) => ({
        statementId,
        action: "lambda:InvokeFunction",
        function: "bulkhead-breakglass-use",
        principal: "events.amazonaws.com",
        sourceArn: `arn:aws:events:us-west-2:222222222222:${rules}`,
      })),
    );
    const permitted = mocks.ofType(TARGET).filter(({ inputs }) => inputs.targetId === "use-tracker");
    for (const { name, dependencyNames } of permitted) {
      const wanted = name.includes("member") ? "m-member-tracker-permission" : "m-tracker-permission";
      expect(dependencyNames, name).to.include(wanted);
    }
  });

  it("looks every minute what is due", async () => {
    await mocks.outputsOf(create());
    expect(mocks.find(RULE, "m-sweep").inputs).to.deep.include({
      name: "bulkhead-breakglass-sweep",
      scheduleExpression: "rate(1 minute)",
    });
    const target = mocks.find(TARGET, "m-sweep-tracker").inputs;
    expect(JSON.parse(target.input)).to.deep.equal({ bulkhead: "sweep-uses" });
    expect(target.retryPolicy).to.deep.equal({ maximumEventAgeInSeconds: 60, maximumRetryAttempts: 1 });
  });

  it("watches the hub bus too when member accounts send their events, by the same patterns", async () => {
    await mocks.outputsOf(create({ hubBusName: "bulkhead-hub" }));
    const rules = mocks.ofType(RULE);
    for (const name of [...TRACKED, "m-signin"]) {
      const own = rules.find((rule) => rule.name === name)!.inputs;
      const members = rules.find((rule) => rule.name === name.replace("m-", "m-member-"))!.inputs;
      expect(members).to.deep.equal({ ...own, eventBusName: "bulkhead-hub" });
    }
    for (const { name, inputs } of mocks.ofType(TARGET)) {
      expect(inputs.eventBusName, name).to.equal(name.includes("member") ? "bulkhead-hub" : undefined);
    }
    expect(rules).to.have.length(2 * (TRACKED.length + 1) + 1);
  });

  it("follows uses in a table of the cell, encrypted, recoverable and protected from deletion", async () => {
    const outputs = await mocks.outputsOf(create());
    expect(mocks.find("aws:dynamodb/table:Table").inputs).to.deep.equal({
      name: "bulkhead-breakglass-uses-dr",
      billingMode: "PAY_PER_REQUEST",
      hashKey: "pk",
      rangeKey: "sk",
      attributes: [
        { name: "pk", type: "S" },
        { name: "sk", type: "S" },
      ],
      ttl: { attributeName: "expiresAt", enabled: true },
      serverSideEncryption: { enabled: true, kmsKeyArn },
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: true,
    });
    expect(outputs.useTableName).to.equal("bulkhead-breakglass-uses-dr");
    mocks = await startMocks();
    await mocks.outputsOf(create({ tracking: { deletionProtection: false } }));
    expect(mocks.find("aws:dynamodb/table:Table").inputs.deletionProtectionEnabled).to.equal(false);
  });

  it("lets the function do what it has to and no more", async () => {
    await mocks.outputsOf(
      create({ tracking: { recordEvidence: true, peer: { name: "prod", region: "us-east-1" } } }),
    );
    const { Statement } = JSON.parse(mocks.find("aws:iam/rolePolicy:RolePolicy").inputs.policy);
    const bySid = Object.fromEntries(Statement.map((one: { Sid: string }) => [one.Sid, one]));
    expect(bySid.TellPeople).to.deep.include({ Action: "sns:Publish", Resource: alertTopicArn });
    expect(bySid.FollowUses.Resource).to.equal(
      "arn:aws:dynamodb:us-west-2:222222222222:table/bulkhead-breakglass-uses-dr",
    );
    expect(bySid.AppendEvidence).to.deep.include({
      Action: "dynamodb:PutItem",
      Resource: [
        "arn:aws:dynamodb:us-west-2:222222222222:table/bulkhead-breakglass-records-dr",
        "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-breakglass-records-prod",
      ],
    });
    for (const { Action, Resource } of Statement) {
      if (Resource === "*") expect([Action].flat().join()).to.match(/^xray:/);
    }
  });

  it("records evidence only where there are tables for it", async () => {
    await mocks.outputsOf(create());
    const { environment } = mocks.find("aws:lambda/function:Function").inputs;
    expect(readUseSettings(environment.variables).evidence).to.deep.equal([]);
    expect(mocks.find("aws:iam/rolePolicy:RolePolicy").inputs.policy).not.to.include("records");
  });

  it("tells the function how it is to tell", async () => {
    const tracking = {
      digestSeconds: 300,
      idleSeconds: 600,
      runbookUrl: "https://runbooks.example.com/x",
      recordEvidence: true,
      logRetentionDays: 90,
    };
    await mocks.outputsOf(create({ tracking }));
    const { variables } = mocks.find("aws:lambda/function:Function").inputs.environment;
    expect(JSON.parse(variables[USE_VARIABLE])).to.deep.equal({
      cell: "dr",
      region: "us-west-2",
      accountId: "222222222222",
      names: NAMES,
      topicArn: alertTopicArn,
      tableName: "bulkhead-breakglass-uses-dr",
      digestSeconds: 300,
      idleSeconds: 600,
      evidence: [{ cell: "dr", region: "us-west-2", tableName: "bulkhead-breakglass-records-dr" }],
      runbookUrl: "https://runbooks.example.com/x",
    });
    expect(mocks.find("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays).to.equal(90);
  });

  for (const [what, tracking, message] of [
    [
      "a digest every second",
      { digestSeconds: 1 },
      "tracking.digestSeconds is 1: a whole number from 60 to 86400",
    ],
    [
      "a use that ends at once",
      { idleSeconds: 60 },
      "tracking.idleSeconds is 60: a whole number from 120 to 86400",
    ],
    ["half a second", { idleSeconds: 180.5 }, "tracking.idleSeconds is 180.5"],
    ["a runbook without TLS", { runbookUrl: "http://x.example" }, "an https address without a login"],
    [
      "the cell as its own peer",
      { recordEvidence: true, peer: { name: "dr", region: "us-east-1" } },
      "the cell's own",
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => create({ tracking })).to.throw(message);
    });
  }

  it("alarms when an alert or an event could not be delivered, and when the function fails", async () => {
    await mocks.outputsOf(create());
    const alarms = mocks.ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
    expect(alarms.map(({ inputs }) => inputs.name).sort()).to.deep.equal([
      "bulkhead-breakglass-undelivered",
      "bulkhead-breakglass-use-dead-letters",
      "bulkhead-breakglass-use-duration",
      "bulkhead-breakglass-use-errors",
      "bulkhead-breakglass-use-throttles",
    ]);
    for (const { inputs } of alarms) expect(inputs.alarmActions, inputs.name).to.deep.equal([alertTopicArn]);
  });

  it("asks member accounts for the same events, each once, the read-only ones among them (fact 20)", () => {
    const requests = monitorForwardingRequests(normalizeCell(dr), users);
    expect(
      requests.map(({ name, allManagementEvents }) => [name, allManagementEvents ?? false]),
    ).to.deep.equal([
      ["bulkhead-breakglass-use", true],
      ["bulkhead-breakglass-signin", false],
      ...TRACKED.slice(1).map((name) => [name.replace("m-", "bulkhead-breakglass-"), false]),
    ]);
    for (const { name, event, verdict } of FIXTURES) {
      const [use, signIn, ...tamper] = requests.map(({ eventPattern }) =>
        matchesPattern(eventPattern, wrapped(event)),
      );
      expect(use && signIn, name).to.equal(false);
      expect(use || signIn, name).to.equal(verdict.alert === "critical");
      if (verdict.alert === "high") expect(tamper, name).to.include(true);
    }
  });

  it("writes its template as one JSON string a line, with every place filled from the event", async () => {
    for (const line of alertTemplate("Sign-in").split("\n")) expect(JSON.parse(line)).to.be.a("string");
    await mocks.outputsOf(create());
    const { inputPaths, inputTemplate } = mocks.find(TARGET, "m-signin-alert").inputs.inputTransformer;
    const places = new Set(
      [...inputTemplate.matchAll(/<(\w+)>/g)].map((match: RegExpMatchArray) => match[1]),
    );
    expect([...places].sort()).to.deep.equal(Object.keys(inputPaths).sort());
  });

  it("makes everything by the cell's own provider", async () => {
    await mocks.outputsOf(create({ hubBusName: "bulkhead-hub" }));
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });
});

describe("SignInForwarding", () => {
  const create = (change = {}) =>
    new SignInForwarding(
      "f",
      { cell: prod, peer: { name: "dr", region: "us-west-2" }, region: "us-east-2", userNames, ...change },
      { provider: new RegionalProvider("us-east-2", { cell: prod, region: "us-east-2" }) },
    );
  const targets = () => mocks.ofType(TARGET).map(({ inputs }) => inputs);

  it("sends what the monitors watch from the region to both cells' buses, directly (fact 24)", async () => {
    const outputs = await mocks.outputsOf(create());
    expect(outputs.ruleNames).to.deep.equal(
      ["use", "signin"].map((name) => `bulkhead-breakglass-${name}-relay`),
    );
    expect(new Set(mocks.ofType(RULE).map(({ region }) => region))).to.deep.equal(new Set(["us-east-2"]));
    const role = "arn:aws:iam::222222222222:role/bulkhead/bulkhead-event-forwarder-own-us-east-2";
    for (const rule of outputs.ruleNames as string[]) {
      expect(
        targets()
          .filter((target) => target.rule === rule)
          .map(({ arn, roleArn, targetId }) => [targetId, arn, roleArn]),
      ).to.have.deep.members([
        ["prod", "arn:aws:events:us-east-1:222222222222:event-bus/default", role],
        ["dr", "arn:aws:events:us-west-2:222222222222:event-bus/default", role],
      ]);
    }
    const use = mocks.ofType(RULE).find(({ inputs }) => inputs.name === "bulkhead-breakglass-use-relay")!;
    expect(use.inputs.state).to.equal("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
  });

  // In us-east-1 IAM's events are recorded too (fact 16); what watches the users stands where the cells do.
  for (const [region, groups] of [
    ["us-east-1", ["signin", "tamper-users", "tamper-watch", "use"]],
    ["us-west-2", ["signin", "tamper-watch", "use"]],
    ["us-east-2", ["signin", "use"]],
  ] as const) {
    it(`sends from ${region} what is recorded there: ${groups.join(", ")}`, async () => {
      const { ruleNames } = await mocks.outputsOf(create({ region }));
      const sent = (ruleNames as string[]).map((name) => /breakglass-(.*?)(-\d)?-relay$/.exec(name)![1]);
      expect([...new Set(sent)].sort()).to.deep.equal([...groups]);
    });
  }

  for (const [region, told] of [
    ["us-east-1", "arn:aws:events:us-west-2:222222222222:event-bus/default"],
    ["us-west-2", "arn:aws:events:us-east-1:222222222222:event-bus/default"],
  ] as const) {
    it(`tells the other cell what is recorded in ${region}, where one stands itself`, async () => {
      await mocks.outputsOf(create({ region }));
      expect([...new Set(targets().map(({ arn }) => arn))]).to.deep.equal([told]);
    });
  }

  it("sends to the hubs where there is an organization", async () => {
    await mocks.outputsOf(create({ toHubs: true }));
    expect(new Set(targets().map(({ arn }) => arn))).to.deep.equal(
      new Set([
        "arn:aws:events:us-east-1:222222222222:event-bus/bulkhead-hub",
        "arn:aws:events:us-west-2:222222222222:event-bus/bulkhead-hub",
      ]),
    );
  });

  it("sends by a role of its own that EventBridge may use for these rules only, and only for these buses", async () => {
    await mocks.outputsOf(create());
    const role = mocks.find("aws:iam/role:Role").inputs;
    expect(role).to.include({ name: "bulkhead-event-forwarder-own-us-east-2", path: "/bulkhead/" });
    expect(JSON.parse(role.assumeRolePolicy).Statement[0].Condition).to.deep.equal({
      StringEquals: { "aws:SourceAccount": "222222222222" },
      ArnLike: { "aws:SourceArn": "arn:aws:events:us-east-2:222222222222:rule/bulkhead-*" },
    });
    expect(JSON.parse(mocks.find("aws:iam/rolePolicy:RolePolicy").inputs.policy).Statement).to.deep.equal([
      {
        Sid: "SendToHubs",
        Effect: "Allow",
        Action: ["events:PutEvents"],
        Resource: [
          "arn:aws:events:us-east-1:222222222222:event-bus/default",
          "arn:aws:events:us-west-2:222222222222:event-bus/default",
        ],
      },
    ]);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });

  it("forwards each alert once", async () => {
    await mocks.outputsOf(create({ region: "us-east-1" }));
    const patterns = mocks.ofType(RULE).map(({ inputs }) => JSON.parse(inputs.eventPattern));
    for (const { name, event, verdict } of FIXTURES) {
      const [use, signIn, ...tamper] = patterns.map((pattern) => matchesPattern(pattern, wrapped(event)));
      expect(Number(use) + Number(signIn), name).to.equal(verdict.alert === "critical" ? 1 : 0);
      if (verdict.alert === "high") expect(tamper, name).to.include(true);
    }
  });

  for (const [what, change, message] of [
    ["the only cell's own region", { region: "us-east-1", peer: undefined }, "in which the only cell stands"],
    ["a region of another partition", { region: "cn-north-1" }, "a region in partition aws"],
    ["one user", { userNames: ["breakglass-admin-1"] }, "at least 2"],
  ] as const) {
    it(`refuses ${what}`, () => expect(() => create(change)).to.throw(message));
  }

  it("has regions to be put into in every partition (facts 16 and 17)", () => {
    expect(signInRegions("aws")).to.include.members([
      "us-east-1",
      "us-east-2",
      "eu-north-1",
      "ap-southeast-2",
      "us-west-2",
    ]);
    expect(signInRegions("aws-us-gov")).to.include("us-gov-west-1");
    expect(signInRegions("aws-cn")).to.include("cn-north-1");
  });
});
