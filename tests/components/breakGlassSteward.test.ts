import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { AuditTrail } from "../../components/breakGlassAccount/auditTrail";
import { BreakGlassMonitor } from "../../components/breakGlassAccount/breakGlassMonitor";
import {
  BreakGlassSteward,
  type BreakGlassStewardArgs,
} from "../../components/breakGlassAccount/breakGlassSteward";
import { SignInForwarding } from "../../components/breakGlassAccount/signInForwarding";
import { EventHub } from "../../components/memberAccess/eventHub";
import { Notification } from "../../components/notification/notification";
import { readinessConfigSchema, readinessPolicy } from "../../functions/breakGlass/readiness/config";
import { REQUIREMENTS } from "../../functions/breakGlass/readiness/requirements";
import { readStewardSettings } from "../../functions/breakGlass/steward/settings";
import { ensureBuilt } from "../support/builtFunctions";
import { jsonInput, type PulumiMocks, startMocks } from "../support/pulumiMocks";

const CELL = { name: "dr", region: "us-west-2", accountId: "222222222222" };
const PEER = { name: "prod", region: "us-east-1" };
const USERS = ["breakglass-admin-1", "breakglass-admin-2"];
const KEY = "arn:aws:kms:us-west-2:222222222222:key/cell";
const TOPIC = "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts";
const READER = "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader";

const ARGS: BreakGlassStewardArgs = {
  cell: CELL,
  peer: PEER,
  ownerCell: "prod",
  userNames: USERS,
  alertTopicArn: TOPIC,
  kmsKeyArn: KEY,
  organizationRoleArn: READER,
};

async function created(overrides: Partial<BreakGlassStewardArgs> = {}): Promise<PulumiMocks> {
  const mocks = await startMocks();
  const provider = new aws.Provider("cell", { region: CELL.region });
  await mocks.outputsOf(new BreakGlassSteward("s", { ...ARGS, ...overrides }, { provider }));
  return mocks;
}

const settingsOf = (mocks: PulumiMocks) =>
  readStewardSettings(mocks.find("aws:lambda/function:Function").inputs.environment.variables);

// biome-ignore lint/suspicious/noExplicitAny: a policy's statement
function statements(mocks: PulumiMocks): any[] {
  return jsonInput(mocks.find("aws:iam/rolePolicy:RolePolicy"), "policy").Statement;
}

describe("BreakGlassSteward", () => {
  before(() => ensureBuilt("breakGlass-steward", "breakGlass-use", "notification"));

  it("makes a bucket for reports that is encrypted, closed, versioned, over TLS only, and forgets in time", async () => {
    const mocks = await created({ reportExpiryDays: 100 });
    const bucket = "bulkhead-reports-222222222222-us-west-2";
    expect(mocks.find("aws:s3/bucket:Bucket").inputs).to.deep.equal({ bucket, forceDestroy: false });
    const find = (kind: string) => mocks.find(`aws:s3/bucket${kind}:Bucket${kind}`).inputs;
    expect(find("PublicAccessBlock")).to.deep.equal({
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(find("Versioning").versioningConfiguration).to.deep.equal({ status: "Enabled" });
    expect(
      find("ServerSideEncryptionConfiguration").rules[0].applyServerSideEncryptionByDefault,
    ).to.deep.equal({ sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY });
    expect(find("LifecycleConfiguration").rules[0].expiration).to.deep.equal({ days: 100 });
    expect(JSON.parse(find("Policy").policy).Statement[0]).to.include({ Effect: "Deny", Sid: "OnlyOverTls" });
    expect(find("OwnershipControls").rule).to.deep.equal({ objectOwnership: "BucketOwnerEnforced" });
  });

  it("runs daily, by a rule that may start this function only", async () => {
    const mocks = await created();
    expect(mocks.find("aws:cloudwatch/eventRule:EventRule").inputs).to.deep.equal({
      name: "bulkhead-breakglass-steward",
      description: "Starts the daily check of emergency access",
      scheduleExpression: "cron(17 6 * * ? *)",
    });
    expect(mocks.find("aws:lambda/permission:Permission").inputs).to.include({
      function: "bulkhead-breakglass-steward",
      principal: "events.amazonaws.com",
      sourceArn: "arn:aws:events:us-west-2:222222222222:rule/bulkhead-breakglass-steward",
    });
    expect(mocks.find("aws:cloudwatch/eventTarget:EventTarget").inputs.arn).to.equal(
      "arn:aws:lambda:us-west-2:222222222222:function:bulkhead-breakglass-steward",
    );
  });

  it("has an alarm for each requirement, for a steward that has stopped and for what stays unchecked", async () => {
    const mocks = await created();
    const alarms = mocks
      .ofType("aws:cloudwatch/metricAlarm:MetricAlarm")
      .map(({ inputs }) => inputs)
      .filter(({ namespace }) => namespace === "Bulkhead");
    expect(alarms).to.have.length(REQUIREMENTS.length + 2);
    for (const alarm of alarms) expect(alarm.alarmActions, alarm.name).to.deep.equal([TOPIC]);
    for (const { id } of REQUIREMENTS) {
      const alarm = alarms.find(({ name }) => name === `bulkhead-readiness-${id}`)!;
      expect(alarm.dimensions).to.deep.equal({ service: "bulkhead-breakglass-steward", requirement: id });
      expect(alarm).to.include({
        metricName: "EmergencyAccessUnready",
        statistic: "Maximum",
        period: 86_400,
        threshold: 1,
        treatMissingData: "ignore",
      });
    }
    const stopped = alarms.find(({ name }) => name === "bulkhead-readiness-steward-stopped")!;
    expect(stopped).to.include({
      metricName: "EmergencyAccessChecked",
      statistic: "Sum",
      period: 3600,
      evaluationPeriods: 26,
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "breaching",
    });
    expect(stopped.period * stopped.evaluationPeriods).to.be.at.most(7 * 86_400);
    const unchecked = alarms.find(({ name }) => name === "bulkhead-readiness-unchecked")!;
    expect(unchecked).to.include({ statistic: "Minimum", evaluationPeriods: 3, threshold: 1 });
  });

  it("may look at what it checks, and write reports; nothing else", async () => {
    const mocks = await created();
    const allowed = statements(mocks);
    expect(allowed.every(({ Effect }) => Effect === "Allow")).to.equal(true);
    const actions = allowed.flatMap(({ Action }) => [Action].flat() as string[]);
    const writing = actions.filter((action) => !/:(Describe|Get|List|Simulate|Query|Generate)/.test(action));
    expect(writing).to.have.members([
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:SendMessage",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
      "kms:Decrypt",
      "kms:Decrypt",
      "kms:Decrypt",
      "s3:PutObject",
      "sts:AssumeRole",
    ]);
    const of = (sid: string) => allowed.find(({ Sid }) => Sid === sid);
    expect(of("WriteReports").Resource).to.equal(
      "arn:aws:s3:::bulkhead-reports-222222222222-us-west-2/readiness/*",
    );
    expect(of("SeeReportsOfThePeer")).to.deep.include({
      Resource: ["arn:aws:s3:::bulkhead-reports-222222222222-us-east-1"],
      Condition: { StringEquals: { "s3:prefix": "readiness/latest.json" } },
    });
    expect(of("ReadOrganization").Resource).to.deep.equal([READER]);
    expect(of("ReadEmergencyUsers").Resource).to.deep.equal(
      USERS.map((user) => `arn:aws:iam::222222222222:user/break-glass/${user}`),
    );
    for (const { Sid, Resource } of allowed) {
      if (["Traces", "ReadAccount"].includes(Sid)) continue;
      expect([Resource].flat(), Sid).not.to.include("*");
    }
    expect(JSON.stringify(allowed).length).to.be.lessThan(10_240);
  });

  it("hands its settings to the function, within what Lambda's environment can hold", async () => {
    const mocks = await created({
      hubBusName: "bulkhead-hub",
      signInRegions: ["us-east-2", "eu-north-1", "ap-southeast-2"],
      channels: ["mail", "slack", "teams"],
      toleratedScpStatements: ["p-1a2b3c4d/DenyLeaving"],
      passwordPolicy: { minimumLength: 32, maximumAgeDays: 60 },
    });
    const { cell, config } = settingsOf(mocks);
    expect(cell).to.equal("dr");
    expect(config.cells).to.deep.equal([PEER, { name: "dr", region: "us-west-2" }]);
    expect(config).to.deep.include({
      passwordMaxAgeDays: 90,
      drillMaxAgeDays: 90,
      passwordPolicy: { minimumLength: 32, maximumAgeDays: 60 },
      organizationRoleArns: [READER],
    });
    const variables = mocks.find("aws:lambda/function:Function").inputs.environment.variables;
    expect(JSON.stringify(variables).length).to.be.lessThan(4096);
  });

  it("looks at exactly the rules, alarms, filters and queues that the other components make", async () => {
    const mocks = await startMocks();
    const provider = new aws.Provider("cell", { region: CELL.region });
    const opts = { provider };
    const alerts = new Notification(
      "alerts",
      {
        cell: CELL,
        topicName: "bulkhead-breakglass-alerts",
        kmsKeyArn: KEY,
        mail: { transport: "ses", from: "a@example.com", to: ["b@example.com"] },
        chat: [{ kind: "slack", webhookParameter: "/slack" }],
      },
      opts,
    );
    const common = { cell: CELL, userNames: USERS, alertTopicArn: alerts.topicArn, kmsKeyArn: KEY };
    new EventHub("hub", { ...common, organizationId: "o-a1b2c3d4e5" }, opts);
    new BreakGlassMonitor("monitor", { ...common, hubBusName: "bulkhead-hub" }, opts);
    new AuditTrail("trail", common, opts);
    new BreakGlassSteward(
      "steward",
      {
        ...ARGS,
        channels: ["mail", "slack"],
        hubBusName: "bulkhead-hub",
        signInRegions: ["us-east-2"],
      },
      opts,
    );
    new SignInForwarding(
      "signin",
      { cell: CELL, peer: PEER, region: "us-east-2", userNames: USERS, toHubs: true },
      { provider: new aws.Provider("us-east-2", { region: "us-east-2" }) },
    );
    await mocks.settle();

    const variables = mocks
      .ofType("aws:lambda/function:Function")
      .find(({ inputs }) => inputs.name === "bulkhead-breakglass-steward")!.inputs.environment.variables;
    const [expected] = readinessPolicy(settingsOfVariables(variables), "dr").cells;
    const targets = mocks.ofType("aws:cloudwatch/eventTarget:EventTarget");
    const made = mocks.ofType("aws:cloudwatch/eventRule:EventRule").map(({ inputs, region }) => ({
      name: inputs.name,
      region,
      bus: inputs.eventBusName ?? "default",
      state: inputs.state ?? "ENABLED",
      targetArns: targets
        .filter(
          (target) =>
            target.inputs.rule === inputs.name &&
            target.region === region &&
            (target.inputs.eventBusName ?? "default") === (inputs.eventBusName ?? "default"),
        )
        .map((target) => target.inputs.arn)
        // A rule of a sign-in region sends to both cells.
        .filter((arn) => !arn.includes(":us-east-1:")),
    }));
    expect(expected!.rules).to.have.deep.members(made);
    const names = (type: string) => mocks.ofType(type).map(({ inputs }) => inputs.name);
    expect(expected!.queues).to.have.members(names("aws:sqs/queue:Queue"));
    expect(expected!.metricFilters).to.have.members(names("aws:cloudwatch/logMetricFilter:LogMetricFilter"));
    const alarms = names("aws:cloudwatch/metricAlarm:MetricAlarm").filter(
      (name) => !/-(throttles|duration)$/.test(name),
    );
    expect([...expected!.alarms, ...expected!.readinessAlarms]).to.have.members(alarms);
    expect(expected!.trail).to.deep.equal({
      name: mocks.find("aws:cloudtrail/trail:Trail").inputs.name,
      bucketName: mocks.find("aws:cloudtrail/trail:Trail").inputs.s3BucketName,
      logGroupName: mocks
        .ofType("aws:cloudwatch/logGroup:LogGroup")
        .find(({ name }) => name === "trail-log-group")!.inputs.name,
    });
  });

  it("works in China, and without another cell or an organization", async () => {
    const mocks = await startMocks();
    const cell = { name: "prod", region: "cn-north-1", accountId: "222222222222" };
    const provider = new aws.Provider("cell", { region: cell.region });
    new BreakGlassSteward(
      "s",
      {
        cell,
        userNames: USERS,
        alertTopicArn: "arn:aws-cn:sns:cn-north-1:222222222222:bulkhead-breakglass-alerts",
        kmsKeyArn: "arn:aws-cn:kms:cn-north-1:222222222222:key/cell",
      },
      { provider },
    );
    await mocks.settle();
    const policy = readinessPolicy(settingsOf(mocks).config, "prod");
    expect(policy).to.deep.include({
      demandsFido: false,
      stewards: [],
      stsRegions: ["cn-north-1"],
      administratorPolicyArn: "arn:aws-cn:iam::aws:policy/AdministratorAccess",
    });
    const sids = statements(mocks).map(({ Sid }) => Sid);
    expect(sids).not.to.include.members(["SeeReportsOfThePeer"]);
    expect(sids).not.to.include.members(["ReadOrganization"]);
    expect(JSON.stringify(statements(mocks))).not.to.contain("arn:aws:");
  });

  for (const [overrides, message] of [
    [{ userNames: ["breakglass-admin-1"] }, /at least 2 are needed/],
    [{ ownerCell: "staging" }, /ownerCell is "staging": one of dr, prod/],
    [{ signInRegions: ["cn-north-1"] }, /signInRegions has "cn-north-1"/],
    [{ toleratedScpStatements: ["DenyAll"] }, /toleratedScpStatements has "DenyAll"/],
    [{ passwordMaxAgeDays: 0 }, /passwordMaxAgeDays is 0/],
    [{ drillMaxAgeDays: 2000 }, /drillMaxAgeDays is 2000/],
    [{ reportExpiryDays: 1 }, /reportExpiryDays is 1/],
  ] as const) {
    it(`refuses ${JSON.stringify(overrides)}`, async () => {
      await startMocks();
      const provider = new aws.Provider("cell", { region: CELL.region });
      expect(() => new BreakGlassSteward("s", { ...ARGS, ...(overrides as object) }, { provider })).to.throw(
        message,
      );
    });
  }
});

function settingsOfVariables(variables: Record<string, string>) {
  return readinessConfigSchema.parse(JSON.parse(variables.READINESS!));
}
