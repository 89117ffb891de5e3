import { expect } from "chai";
import { assess, type Row } from "../../../functions/breakGlass/readiness/assess";
import { collect } from "../../../functions/breakGlass/readiness/collect";
import { parseCredentialReport } from "../../../functions/breakGlass/readiness/credentialReport";
import { Source } from "../../../functions/breakGlass/readiness/source";
import { CASES } from "./readiness/cases";
import { AwsError, type Fault, fakeAws } from "./readiness/fakeAws";
import { ALICE, NOW, readyObservations, readyPolicy } from "./readiness/ready";

/** The rows behind a fault. */
async function rowsBehind(
  fault?: Fault,
  change: (typeof CASES)[number]["change"] = () => {},
  deadlineMilliseconds?: number,
): Promise<Row[]> {
  const policy = readyPolicy();
  const ready = readyObservations(policy);
  change(ready, policy);
  const { ports } = fakeAws(ready, policy, fault, deadlineMilliseconds);
  return assess(await collect(ports, policy), policy, NOW);
}

/** Requirements by verdict, each once. */
function ids(rows: Row[], verdict: Row["verdict"]): string[] {
  return [...new Set(rows.filter((row) => row.verdict === verdict).map(({ id }) => id))];
}

const refused = () => Object.assign(new Error("refused"), { code: "ECONNREFUSED" });

/** What IAM decides. */
const IAM_ROWS = [
  "at-least-two-users",
  "no-unlisted-users",
  "user-under-path",
  "owner-and-purpose-tags",
  "no-access-key",
  "rotation-exempt-tag",
  "console-password",
  "no-password-reset",
  "password-young",
  "password-not-expired",
  "password-changed-since-use",
  "account-password-policy",
  "no-rotation-due",
  "two-mfa-devices",
  "totp-device",
  "fido-key",
  "devices-recorded",
  "devices-held-apart",
  "administrator-access",
  "deny-policy-attached",
  "deny-policy-unedited",
  "no-other-policies",
  "no-permissions-boundary",
  "allowed-with-mfa",
  "denied-without-mfa",
  "scp-simulation",
  "scp-exempts",
  "custodian-recorded",
];
const EVIDENCE_ROWS = [
  "no-rotation-due",
  "devices-recorded",
  "devices-held-apart",
  "drill-held",
  "custodian-recorded",
];
const REGION_ROWS = [
  "event-rules",
  "alert-topic",
  "alert-subscription",
  "no-pending-subscription",
  "trail",
  "trail-events",
  "trail-logging",
  "trail-delivery",
  "trail-bucket",
  "metric-filters",
  "alarms",
  "readiness-alarms",
  "dead-letters",
  "steward-ran",
  "sts-endpoint",
];

describe("readiness: what is observed", () => {
  it("is what AWS says, word for word", async () => {
    const policy = readyPolicy();
    const ready = readyObservations(policy);
    const { ports, most } = fakeAws(ready, policy);
    const observations = await collect(ports, policy);
    // Both cells' rules of a sign-in region are one rule with two targets.
    for (const { rules } of Object.values(observations.cells)) {
      for (const [key, rule] of Object.entries(rules)) {
        if (key.startsWith("eu-north-1") && "value" in rule) rule.value!.targetArns.sort();
      }
    }
    expect(observations.account).to.deep.equal(ready.account);
    expect(observations.users).to.deep.equal(ready.users);
    expect(observations.evidence).to.deep.equal(ready.evidence);
    expect(observations.stewards).to.deep.equal(ready.stewards);
    expect(observations.sts).to.deep.equal(ready.sts);
    for (const [source, count] of most) expect(count, source).to.be.at.most(4);
  });

  it("leads to the same verdicts as the truth table, wherever AWS can be made to say so", async () => {
    const observable = CASES.filter(
      ({ name, rows }) =>
        !Object.values(rows).includes("unknown") &&
        !/bucket|cannot write|cannot feed|switched off|without service control|that is not there/.test(name),
    );
    expect(observable.length).to.be.greaterThan(50);
    for (const { name, change, rows } of observable) {
      const wrong = (await rowsBehind(undefined, change)).filter(({ verdict }) => verdict !== "pass");
      const expected = Object.keys(rows).map((key) => key.split(" ")[0]!);
      expect(ids(wrong, "fail"), name).to.have.members([...new Set(expected)]);
      expect(ids(wrong, "unknown"), name).to.deep.equal([]);
    }
  });
});

describe("readiness: faults", () => {
  for (const [how, outcome, deadline] of [
    ["refuses", refused, undefined],
    ["hangs", () => "hang" as const, 500],
    ["denies", () => new AwsError("AccessDenied"), undefined],
  ] as const) {
    it(`IAM ${how}: its rows are unknown, all others as before`, async () => {
      const rows = await rowsBehind(
        ({ service }) => (service === "iam" ? outcome() : undefined),
        undefined,
        deadline,
      );
      expect(ids(rows, "fail")).to.deep.equal([]);
      expect(ids(rows, "unknown")).to.have.members(IAM_ROWS);
      expect(ids(rows, "pass")).not.to.include.members(["password-young"]);
    });

    it(`Organizations ${how}: its rows are unknown, all others as before`, async () => {
      const rows = await rowsBehind(
        ({ service }) => (service === "organizations" ? outcome() : undefined),
        undefined,
        deadline,
      );
      expect(ids(rows, "fail")).to.deep.equal([]);
      expect(ids(rows, "unknown")).to.deep.equal(["scp-exempts"]);
    });

    it(`a region ${how}: the rows of its cell and of the records are unknown, all others as before`, async () => {
      const rows = await rowsBehind(
        ({ region }) => (region === "us-west-2" ? outcome() : undefined),
        undefined,
        deadline,
      );
      expect(ids(rows, "fail")).to.deep.equal([]);
      expect(ids(rows, "unknown")).to.have.members([...EVIDENCE_ROWS, ...REGION_ROWS]);
      const others = rows.filter(
        ({ verdict, subject }) => verdict === "unknown" && /^prod:|us-east-1/.test(subject),
      );
      expect(others).to.deep.equal([]);
    });
  }

  for (const [name, change, failing] of [
    [
      "one trail gone",
      (cells) => {
        cells.trail = { value: null };
        cells.trailStatus = { value: null };
        cells.trailRecordsManagementEvents = { value: null };
      },
      ["trail", "trail-events", "trail-logging", "trail-delivery"],
    ],
    [
      "one topic gone",
      (cells) => {
        cells.topic = { value: null };
        cells.subscriptions = { value: null };
      },
      ["alert-topic", "alert-subscription", "no-pending-subscription"],
    ],
    [
      "one rule disabled",
      (cells) => {
        cells.rules["us-west-2 default bulkhead-breakglass-use"] = {
          value: { state: "DISABLED", targetArns: [] },
        };
      },
      ["event-rules"],
    ],
    [
      "one subscription unconfirmed",
      (cells) => {
        if ("value" in cells.subscriptions) cells.subscriptions.value![0]!.confirmed = false;
      },
      ["no-pending-subscription"],
    ],
  ] as [string, (cell: ReturnType<typeof readyObservations>["cells"][string]) => void, string[]][]) {
    it(`${name}: its rows fail in that cell, and nothing else changes`, async () => {
      const rows = await rowsBehind(undefined, ({ cells }) => change(cells.dr!));
      const failed = rows.filter(({ verdict }) => verdict === "fail");
      expect(ids(rows, "fail")).to.have.members(failing);
      for (const { subject } of failed) expect(subject).to.match(/^dr: /);
      expect(ids(rows, "unknown")).to.deep.equal([]);
    });
  }

  it("a bucket's settings that were never made are no settings, not unknown", async () => {
    const rows = await rowsBehind(({ operation, region }) =>
      region === "us-west-2" && operation === "GetPublicAccessBlock"
        ? new AwsError("NoSuchPublicAccessBlockConfiguration")
        : undefined,
    );
    expect(ids(rows, "fail")).to.deep.equal(["trail-bucket"]);
  });

  it("STS that is switched off is a failure, and says where to switch it on", async () => {
    const rows = await rowsBehind(({ operation, region }) =>
      region === "us-west-2" && operation === "GetCallerIdentity"
        ? new AwsError("RegionDisabledException")
        : undefined,
    );
    expect(
      rows.filter(({ verdict }) => verdict !== "pass").map(({ id, subject }) => `${id} ${subject}`),
    ).to.deep.equal(["sts-endpoint us-west-2"]);
  });

  it("the second way to read the organization is taken when the first is closed", async () => {
    const policy = readyPolicy();
    const { ports } = fakeAws(readyObservations(), policy);
    const [reader] = ports.organization.readers;
    ports.organization.readers = [
      async () => {
        throw new AwsError("AccessDenied");
      },
      reader!,
    ];
    const rows = assess(await collect(ports, policy), policy, NOW);
    expect(rows.filter(({ verdict }) => verdict !== "pass")).to.deep.equal([]);
  });

  it("gives reasons that name the service, never what AWS wrote", async () => {
    const rows = await rowsBehind(({ service }) =>
      service === "iam"
        ? Object.assign(new Error("User: arn:aws:sts::1:x is not authorized"), { name: "AccessDenied" })
        : undefined,
    );
    const row = rows.find(({ id, subject }) => id === "no-access-key" && subject === ALICE)!;
    expect(row.found).to.equal("IAM: iam:ListAccessKeys gives AccessDenied");
  });
});

describe("readiness: a source", () => {
  const hang = () => new Promise<never>(() => {});

  it("is left alone once it does not answer, so that an outage costs one deadline", async () => {
    const source = new Source("IAM", { deadlineMilliseconds: 100, parallel: 2 });
    let asked = 0;
    const started = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        source.observe("iam:GetUser", () => {
          asked += 1;
          return hang();
        }),
      ),
    );
    expect(asked).to.equal(2);
    expect(Date.now() - started).to.be.lessThan(1_000);
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).to.deep.equal(
      new Set(['{"unreadable":"IAM does not answer"}']),
    );
  });

  it("is asked again after a single call without an answer, and after any answer", async () => {
    const source = new Source("SNS in us-west-2", { deadlineMilliseconds: 100, parallel: 1 });
    const answers = [];
    for (const ask of [
      async () => 0,
      hang,
      async () => 1,
      hang,
      async () => Promise.reject(new AwsError("Throttling")),
      hang,
    ]) {
      answers.push(await source.observe("sns:X", ask));
    }
    expect(answers).to.deep.equal([
      { value: 0 },
      { unreadable: "SNS in us-west-2 does not answer" },
      { value: 1 },
      { unreadable: "SNS in us-west-2 does not answer" },
      { unreadable: "SNS in us-west-2: sns:X gives Throttling" },
      { unreadable: "SNS in us-west-2 does not answer" },
    ]);
  });
});

describe("IAM's credential report", () => {
  it("says when passwords were changed, in UTC, and leaves out who has none", () => {
    const report = [
      "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active",
      "<root_account>,arn:aws:iam::1:root,2020-01-01T00:00:00+00:00,not_supported,no_information,not_supported,true",
      "a,arn:aws:iam::1:user/a,2020-01-01T00:00:00+00:00,true,no_information,2026-01-02T03:04:05+00:00,true",
      "b,arn:aws:iam::1:user/b,2020-01-01T00:00:00+00:00,false,N/A,N/A,false",
      "",
    ].join("\r\n");
    expect(parseCredentialReport(report)).to.deep.equal({ a: "2026-01-02T03:04:05.000Z" });
    expect(parseCredentialReport("")).to.deep.equal({});
  });
});
