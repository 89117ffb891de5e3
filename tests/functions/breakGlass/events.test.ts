import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { actorOf, classify, type Verdict, WATCH_RULES } from "../../../functions/breakGlass/events/classify";
import { meets } from "../../../functions/breakGlass/events/condition";
import { eventList } from "../../../functions/breakGlass/events/eventList";
import { DEFAULT_WATCH_NAMES, type WatchNames } from "../../../functions/breakGlass/events/names";
import { openRecord } from "../../../functions/breakGlass/events/openRecord";
import {
  callPatterns,
  directSignInPatterns,
  eventPatterns,
  PATTERN_LIMIT,
  signInPatterns,
  WILDCARD_LIMIT,
} from "../../../functions/breakGlass/events/patterns";
import { ensurePython } from "../../../local/aws/python";
import { combinations, matchesPattern } from "../../support/eventPattern";
import { FIXTURES, fixture, NAMES, wrapped } from "./fixtures";

const root = path.join(__dirname, "../../..");
const GROUPS = ["use", "tamper-users", "tamper-watch"] as const;
const patternsOf = (names: WatchNames) => GROUPS.flatMap((group) => eventPatterns(names, group));
const ALL_PATTERNS = patternsOf(NAMES);
const isMatched = (event: Record<string, unknown>) =>
  ALL_PATTERNS.some((pattern) => matchesPattern(pattern, wrapped(event)));
const isAlert = (verdict: Verdict) => "alert" in verdict;

describe("break-glass events", () => {
  describe("fixtures", () => {
    for (const { name, about, event, verdict } of FIXTURES) {
      it(`${name}: ${about}`, () => {
        const found = classify(event, NAMES);
        const { why, ...rest } = found;
        expect(rest).to.deep.equal(verdict);
        expect(why).to.match(/^[A-Z].{10,}\.$/);
        expect(classify(wrapped(event), NAMES)).to.deep.equal(found);
      });
    }

    it("cover every rule of the table, and every narrower name", () => {
      const seen = new Set(FIXTURES.map(({ verdict }) => verdict.rule));
      const ids = WATCH_RULES.flatMap(({ id, refinements = [] }) => [
        id,
        ...refinements.map((one) => one.id),
      ]);
      // The whole of a user's changes is named more narrowly wherever AWS has such a call today.
      expect(ids.filter((id) => !seen.has(id))).to.deep.equal(["emergency-user-changed"]);
      expect(new Set(ids).size).to.equal(ids.length);
      for (const id of ids) expect(id).to.match(/^[a-z]+(-[a-z]+)*$/);
    });

    it("are matched by the event rules exactly if they alert", () => {
      const wrong = FIXTURES.filter(
        ({ event, verdict }) => isMatched(event) !== (verdict.alert !== undefined),
      );
      expect(wrong.map(({ name }) => name)).to.deep.equal([]);
    });
  });

  describe("verdicts", () => {
    it("hold for calls that AWS has yet to invent", () => {
      const event = { ...fixture("userTagged"), eventName: "SetUserSomething" };
      expect(classify(event, NAMES)).to.include({ alert: "high", rule: "emergency-user-changed" });
    });

    it("take a user of that name in any account, in any case", () => {
      const identity = { type: "IAMUser", accountId: "999999999999", userName: "BREAKGLASS-Admin-1" };
      const event = { ...fixture("signInFailed"), userIdentity: identity };
      expect(classify(event, NAMES)).to.include({ alert: "critical" });
      expect(actorOf(event, NAMES)).to.equal("breakglass-admin-1");
    });

    it("go by the names that are given", () => {
      const names = { userNames: ["rescue-1", "rescue-2"], path: "/rescue/", namePrefix: "acme" };
      expect(classify(fixture("signInWithMfa"), names)).to.include({ quiet: true });
      expect(classify(fixture("ruleDisabled"), names)).to.include({ quiet: true });
      const rule = { ...fixture("ruleDisabled"), requestParameters: { name: "acme-breakglass-signin" } };
      expect(classify(rule, names)).to.include({ rule: "event-rule-changed" });
      // Without an account, keys of any account count.
      expect(classify(fixture("keyElsewhere"), names)).to.include({ rule: "cell-key-changed" });
    });

    it("tell an emergency user's event even if the record lacks everything else", () => {
      expect(classify({ userIdentity: { userName: "breakglass-admin-2" } }, NAMES)).to.include({
        alert: "critical",
      });
    });

    for (const event of [
      undefined,
      null,
      5,
      "text",
      [],
      {},
      { detail: 5 },
      { detail: {}, source: "aws.iam" },
      { Records: [] },
    ]) {
      it(`call ${JSON.stringify(event)} no record`, () => {
        expect(classify(event, NAMES)).to.include({ quiet: true, rule: "not-a-record" });
      });
    }

    it("name the actor of every critical event, spelled as configured", () => {
      for (const { name, event, verdict } of FIXTURES) {
        const opened = openRecord(event);
        if (verdict.alert !== "critical" || !("record" in opened)) continue;
        expect(actorOf(opened.record, NAMES), name).to.equal("breakglass-admin-1");
      }
    });
  });

  describe("lists of events", () => {
    const event = fixture("checkMfa");
    it("are taken as such, as a trail's file, and as looked-up events", () => {
      expect(eventList(event)).to.deep.equal({ events: [event], isList: false });
      expect(eventList([event, 5])).to.deep.equal({ events: [event, 5], isList: true });
      expect(eventList({ Records: [event] })).to.deep.equal({ events: [event], isList: true });
      const lookedUp = {
        Events: [{ EventId: "1", CloudTrailEvent: JSON.stringify(event) }, { CloudTrailEvent: "{" }],
      };
      expect(eventList(lookedUp)).to.deep.equal({ events: [event, { CloudTrailEvent: "{" }], isList: true });
    });
  });

  describe("event patterns", () => {
    const many: WatchNames = {
      ...NAMES,
      userNames: Array.from(
        { length: 8 },
        (_, n) => `${"emergency-administrator-of-the-organization-".padEnd(62, "x")}-${n}`,
      ),
      path: `/${"a".repeat(100)}/`,
      namePrefix: "twenty-letter-prefix",
    };

    it("are as few as they can be for the usual names", () => {
      expect(GROUPS.map((group) => eventPatterns(NAMES, group).length)).to.deep.equal([1, 3, 4]);
      for (const patterns of [directSignInPatterns, callPatterns, signInPatterns])
        expect(patterns(NAMES)).to.have.length(1);
    });

    for (const [what, names] of [
      ["the usual names", NAMES],
      ["the most and longest names", many],
    ] as const) {
      it(`keep within EventBridge's limits for ${what}`, () => {
        const patterns = [
          ...patternsOf(names),
          ...directSignInPatterns(names),
          ...callPatterns(names),
          ...signInPatterns(names),
        ];
        for (const pattern of patterns) {
          const text = JSON.stringify(pattern);
          expect(text.length).to.be.at.most(PATTERN_LIMIT);
          expect(text.split("*").length - 1).to.be.at.most(WILDCARD_LIMIT);
          expect(combinations(pattern)).to.be.at.most(1_000);
          expect(pattern).not.to.have.property("detail-type");
        }
      });
    }

    it("match every user although they are spread over several patterns", () => {
      const patterns = patternsOf(many);
      for (const userName of many.userNames) {
        const event = { ...fixture("signInFailed"), userIdentity: { type: "IAMUser", userName } };
        expect(patterns.some((pattern) => matchesPattern(pattern, wrapped(event)))).to.equal(true);
        const changed = { ...fixture("accessKey"), requestParameters: { userName } };
        expect(patterns.some((pattern) => matchesPattern(pattern, wrapped(changed)))).to.equal(true);
      }
    });

    it("send on each event of a user once: calls and sign-ins are apart, and together are all", () => {
      for (const { name, event, verdict } of FIXTURES) {
        const matched = [...callPatterns(NAMES), ...signInPatterns(NAMES)].filter((pattern) =>
          matchesPattern(pattern, wrapped(event)),
        );
        expect(matched.length, name).to.equal(verdict.alert === "critical" ? 1 : 0);
      }
    });

    it("send straight to the topic what signs in, succeeded or failed, and nothing else", () => {
      const direct = FIXTURES.filter(({ event }) =>
        directSignInPatterns(NAMES).some((pattern) => matchesPattern(pattern, wrapped(event))),
      );
      expect(direct.map(({ name }) => name)).to.deep.equal([
        "signInChina",
        "signInFailed",
        "signInFailedSecondFactor",
        "signInWithMfa",
        "signInWithoutMfa",
        "wrappedSignIn",
      ]);
    });

    it("agree with what the local AWS makes of them", async function () {
      this.timeout(120_000);
      const { python } = await ensurePython({ root });
      const names = [NAMES, many].flatMap((one) => [
        ...patternsOf(one),
        ...directSignInPatterns(one),
        ...callPatterns(one),
        ...signInPatterns(one),
      ]);
      const events = [...FIXTURES.map(({ event }) => event), ...mutations(300)].map(wrapped);
      const script = `
import json, sys
from ministack.services import eventbridge as e
given = json.load(sys.stdin)
compiled = [e._compiled_pattern(p) for p in given["patterns"]]
def view(v):
    return e._EventView({k: x for k, x in v.items() if k != "detail"}, v["detail"])
print(json.dumps([[None if c is None else any(e._matches_alternative(view(v), a) for a in c) for v in given["events"]] for c in compiled]))
`;
      const { stdout, stderr, status } = spawnSync(python, ["-c", script], {
        input: JSON.stringify({ patterns: names.map((pattern) => JSON.stringify(pattern)), events }),
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      });
      expect(status, stderr).to.equal(0);
      const found: (boolean | null)[][] = JSON.parse(stdout);
      names.forEach((pattern, index) => {
        const ours = events.map((event) => matchesPattern(pattern, event));
        expect(found[index], JSON.stringify(pattern).slice(0, 200)).to.deep.equal(ours);
      });
    });
  });

  describe("classification and event rules", () => {
    /** Values of the kinds that decide, near to them, and strange ones. */
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...interesting()) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    );
    const generated = fc.record(
      {
        eventSource: fc.constantFrom(
          "iam.amazonaws.com",
          "signin.amazonaws.com",
          "sts.amazonaws.com",
          "events.amazonaws.com",
          "sns.amazonaws.com",
          "monitoring.amazonaws.com",
          "logs.amazonaws.com",
          "s3.amazonaws.com",
          "kms.amazonaws.com",
          "lambda.amazonaws.com",
          "dynamodb.amazonaws.com",
          "sqs.amazonaws.com",
          "cloudtrail.amazonaws.com",
          "organizations.amazonaws.com",
        ),
        eventName: fc.constantFrom(...new Set(FIXTURES.map(({ event }) => String(event.eventName)))),
        recipientAccountId: fc.constantFrom("222222222222", "333333333333"),
        errorMessage: value,
        userIdentity: fc.record(
          {
            type: value,
            arn: value,
            userName: value,
            invokedBy: value,
            sessionContext: fc.record(
              {
                sourceIdentity: value,
                sessionIssuer: fc.record({ arn: value, userName: value }, { requiredKeys: [] }),
              },
              { requiredKeys: [] },
            ),
          },
          { requiredKeys: [] },
        ),
        additionalEventData: fc.record({ SwitchFrom: value }, { requiredKeys: [] }),
        requestParameters: fc.oneof(
          fc.constant(null),
          fc.dictionary(
            fc.constantFrom(
              "userName",
              "newUserName",
              "serialNumber",
              "virtualMFADeviceName",
              "path",
              "policyArn",
              "roleName",
              "name",
              "rule",
              "eventBusName",
              "topicArn",
              "resourceArn",
              "subscriptionArn",
              "alarmName",
              "alarmNames",
              "logGroupName",
              "bucketName",
              "functionName",
              "tableName",
              "queueUrl",
              "roleSessionName",
            ),
            fc.oneof(value, fc.array(value, { maxLength: 3 })),
            { maxKeys: 4 },
          ),
        ),
      },
      { requiredKeys: ["eventSource", "eventName"] },
    );

    it("alert for the same generated events", () => {
      fc.assert(
        fc.property(generated, (event) => {
          expect(isAlert(classify(event, NAMES))).to.equal(isMatched(event));
        }),
        { seed: 40, numRuns: 3_000 },
      );
    });

    it("alert for the same mutations of genuine events, and never throw: 10,000 of them", () => {
      let alerts = 0;
      for (const event of mutations(10_000)) {
        const verdict = classify(event, NAMES);
        if (isAlert(verdict)) alerts += 1;
        if (isPlainRecord(event)) expect(isAlert(verdict), JSON.stringify(event)).to.equal(isMatched(event));
      }
      expect(alerts).to.be.within(2_000, 9_500);
    });

    it("take values that are no JSON without a word", () => {
      fc.assert(
        fc.property(
          fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
          (event) => {
            expect(classify(event, NAMES)).to.have.property("why");
          },
        ),
        { seed: 41, numRuns: 2_000 },
      );
    });

    it("evaluate wildcards as a regular expression would", () => {
      const part = fc.string({ unit: fc.constantFrom("a", "b", ":", "/"), maxLength: 3 });
      fc.assert(
        fc.property(
          fc.array(part, { minLength: 1, maxLength: 4 }),
          fc.string({ unit: fc.constantFrom("a", "b", ":", "/"), maxLength: 12 }),
          (parts, text) => {
            const wildcard = parts.join("*");
            expect(meets({ v: text }, { v: [{ wildcard }] })).to.equal(
              matchesPattern({ v: [{ wildcard }] }, { v: text }),
            );
          },
        ),
        { seed: 42, numRuns: 2_000 },
      );
    });
  });

  it("is quiet about nothing but what the defaults leave quiet", () => {
    const loud = FIXTURES.filter(({ event }) => isAlert(classify(event, DEFAULT_WATCH_NAMES))).map(
      ({ name }) => name,
    );
    const alerts = FIXTURES.filter(({ verdict }) => verdict.alert).map(({ name }) => name);
    // Without an account in the names, any account's key counts.
    expect(loud).to.deep.equal([...alerts, "keyElsewhere"].sort());
  });
});

function isPlainRecord(event: unknown): event is Record<string, unknown> {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return false;
  return !("problem" in openRecord(event)) && !("detail" in event);
}

/** Texts that decide, and their neighbours. */
function interesting(): unknown[] {
  const names = [
    "breakglass-admin-1",
    "BREAKGLASS-ADMIN-2",
    "breakglass-admin-10",
    "not-breakglass-admin-1",
    "anaya",
  ];
  return [
    ...names,
    ...names.map((name) => `arn:aws:iam::222222222222:user/break-glass/${name}`),
    ...names.map((name) => `arn:aws:sts::333333333333:assumed-role/R/${name}`),
    ...names.map(
      (name) =>
        `User: arn:aws:iam::1:user/x is not authorized to perform: iam:X on resource: user ${name} because`,
    ),
    ...names.map(
      (name) =>
        `User: x is not authorized to perform: iam:X on resource: arn:aws:iam::1:user/break-glass/${name}`,
    ),
    "arn:aws:iam::222222222222:mfa/break-glass/breakglass-admin-1-totp",
    "arn:aws:iam::222222222222:policy/break-glass/bulkhead-deny-without-mfa",
    "breakglass-admin-1-totp",
    "/break-glass/",
    "bulkhead-breakglass-use",
    "bulkhead-organization-events-forward",
    "bulkhead-hub",
    "bulkhead-other",
    "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts",
    "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts:0f5c",
    "arn:aws:lambda:us-west-2:222222222222:function:bulkhead-breakglass-use",
    "https://sqs.us-west-2.amazonaws.com/222222222222/bulkhead-breakglass-undelivered",
    "/bulkhead/bulkhead-trail-prod",
    "bulkhead-trail-prod-222222222222-us-east-1",
    "BreakglassAccountUsed-breakglass-admin-1",
    "User: x is not authorized to perform: events:DisableRule on resource: arn:aws:events:us-west-2:1:rule/bulkhead-breakglass-use because",
    "HIDDEN_DUE_TO_SECURITY_REASONS",
    "",
    null,
    5,
    true,
  ];
}

/** Genuine events with one to three places changed: removed, emptied, of another type, another text, wrapped in a list. */
function mutations(count: number): Record<string, unknown>[] {
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const texts = interesting();
  const bare = FIXTURES.filter(({ event }) => !("detail" in event));
  const mutate = (target: unknown, depth: number): void => {
    if (typeof target !== "object" || target === null) return;
    const keys = Object.keys(target);
    const key = keys[random(keys.length)];
    if (key === undefined) return;
    const holder = target as Record<string, unknown>;
    if (depth > 0 && typeof holder[key] === "object" && holder[key] !== null && random(4) > 0)
      mutate(holder[key], depth - 1);
    else change(holder, key);
  };
  const change = (holder: Record<string, unknown>, key: string): void => {
    switch (random(6)) {
      case 0:
        delete holder[key];
        break;
      case 1:
        holder[key] = [null, {}, [], 0, false, ""][random(6)];
        break;
      case 2:
        holder[key] = [holder[key], texts[random(texts.length)]];
        break;
      case 3:
        holder[key] = { [key]: holder[key] };
        break;
      default:
        holder[key] = texts[random(texts.length)];
    }
  };
  return Array.from({ length: count }, () => {
    const event = structuredClone(bare[random(bare.length)]!.event);
    for (let changes = 1 + random(3); changes > 0; changes--) mutate(event, 3);
    return event;
  });
}
