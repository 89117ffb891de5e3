import * as aws from "@pulumi/aws";
import { expect } from "chai";
import type { KeyRotatorArgs } from "../../components/keyRotator/args";
import { KeyRotator } from "../../components/keyRotator/keyRotator";
import { type KeyRotatorAccess, keyRotatorRoleRequests } from "../../components/keyRotator/requests";
import { planRole } from "../../components/memberAccess/plan";
import { parseSettings } from "../../functions/keyRotation/settings";
import { ensureBuilt } from "../support/builtFunctions";
import { jsonInput, type PulumiMocks, startMocks } from "../support/pulumiMocks";

const ACCOUNT = "222222222222";
const PROD = { name: "prod", region: "us-east-1", accountId: ACCOUNT };
const DR = { name: "dr", region: "us-west-2", accountId: ACCOUNT };
const BUNDLES = ["inventory", "account", "summary", "notify"].map((name) => `keyRotation-${name}`);

type Statement = {
  Sid: string;
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: object;
};

async function created(change: Partial<KeyRotatorArgs> = {}): Promise<PulumiMocks> {
  const mocks = await startMocks();
  const cell = change.cell ?? PROD;
  const args: KeyRotatorArgs = {
    cell,
    peer: { name: "dr", region: "us-west-2" },
    kmsKeyArn: `arn:aws:kms:${cell.region}:${ACCOUNT}:key/cell`,
    alertTopicArn: `arn:aws:sns:${cell.region}:${ACCOUNT}:alerts`,
    externalId: "bulkhead-4f1c",
    managementAccountId: "111111111111",
    organizationId: "o-a1b2c3d4e5",
    emergencyUserNames: ["breakglass-admin-1", "breakglass-admin-2"],
    ...change,
  };
  const provider = new aws.Provider("cell", { region: cell.region });
  await mocks.outputsOf(new KeyRotator("keys", args, { provider }));
  await mocks.settle();
  return mocks;
}

const MAIL: KeyRotatorArgs["mail"] = {
  transport: "ses",
  from: "keys@example.com",
  central: ["a@example.com"],
};

function settingsOf(mocks: PulumiMocks, which: string) {
  const lambda = mocks.find("aws:lambda/function:Function", `keys-${which}-function`);
  return parseSettings(JSON.parse(lambda.inputs.environment.variables.KEY_ROTATION_SETTINGS));
}

function statements(mocks: PulumiMocks, which: string): Statement[] {
  return jsonInput(mocks.find("aws:iam/rolePolicy:RolePolicy", `keys-${which}-policy`), "policy").Statement;
}

const sid = (all: Statement[], name: string) => all.find(({ Sid }) => Sid === name);

async function refusal(change: Partial<KeyRotatorArgs>): Promise<string> {
  try {
    await created(change);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`taken: ${JSON.stringify(change)}`);
}

describe("KeyRotator", () => {
  before(() => ensureBuilt(...BUNDLES));

  for (const cell of [PROD, DR]) {
    it(`stands in ${cell.region} whole, by the given provider`, async () => {
      const peer =
        cell === PROD ? { name: "dr", region: "us-west-2" } : { name: "prod", region: "us-east-1" };
      const mocks = await created({ cell, peer, mail: MAIL, secretsRegion: "us-east-1" });
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      const custom = mocks.resources.filter((each) => each.custom && !each.type.startsWith("pulumi:"));
      for (const each of custom)
        expect(each, each.name).to.include({ providerName: "cell", region: cell.region });
      const counts: Record<string, number> = {};
      for (const { type } of custom) counts[type] = (counts[type] ?? 0) + 1;
      expect(counts).to.include({
        "aws:dynamodb/table:Table": 1,
        "aws:lambda/function:Function": 4,
        "aws:lambda/eventSourceMapping:EventSourceMapping": 1,
        "aws:sfn/stateMachine:StateMachine": 1,
        "aws:s3/bucket:Bucket": 1,
        "aws:kms/key:Key": 1,
        "aws:cloudwatch/eventRule:EventRule": 1,
        // Four functions, the state machine, the schedule.
        "aws:iam/role:Role": 6,
      });
    });
  }

  it("tells the functions everything in one variable", async () => {
    const mocks = await created({ mail: MAIL, mode: "enforce", rotateDays: 60, exemptGroup: "exempt" });
    const settings = settingsOf(mocks, "account");
    expect(settings).to.deep.include({
      mode: "enforce",
      cell: { name: "prod", region: "us-east-1", accountId: ACCOUNT, namePrefix: "bulkhead" },
      peer: { name: "dr", region: "us-west-2" },
      policy: { rotate: 60, deactivate: 100, delete: 110, idle: 3 },
      exemptGroup: "exempt",
      breakGlass: { users: ["breakglass-admin-1", "breakglass-admin-2"], path: "/break-glass/" },
      memberRole: { name: "bulkhead/bulkhead-key-rotator-member", externalId: "bulkhead-4f1c" },
      organization: {
        managementAccountId: "111111111111",
        readerRoleArn: "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader",
      },
      records: { tableName: "bulkhead-key-rotations-prod", peerTableName: "bulkhead-key-rotations-dr" },
      bucket: { name: "bulkhead-keys-prod-222222222222-us-east-1", prefix: "key-rotation/" },
      notifyQueueUrl: "https://sqs.us-east-1.amazonaws.com/222222222222/bulkhead-key-rotator-notices",
      alertTopicArn: "arn:aws:sns:us-east-1:222222222222:alerts",
      concurrency: 5,
    });
    expect(settings.secrets).to.deep.equal({
      storage: "central",
      region: "us-east-1",
      kmsKeyId: "arn:aws:kms:us-east-1:222222222222:alias/bulkhead-rotated-keys",
      replicas: [
        { region: "us-west-2", kmsKeyId: "arn:aws:kms:us-west-2:222222222222:alias/bulkhead-rotated-keys" },
      ],
      prefix: "/bulkhead/keys",
      readers: ["{userArn}"],
    });
    expect(settings.mail.transport).to.deep.equal({ kind: "ses", from: "keys@example.com" });
    for (const which of ["inventory", "summary", "notify"]) {
      expect(settingsOf(mocks, which)).to.deep.equal(settings);
    }
  });

  it("has the secrets in one region from both cells, so that each secret has one home", async () => {
    const mocks = await created({
      cell: DR,
      peer: { name: "prod", region: "us-east-1" },
      secretsRegion: "us-east-1",
      secretReplicas: [{ region: "eu-west-1", kmsKeyArn: "arn:aws:kms:eu-west-1:222222222222:key/eu" }],
    });
    const { secrets } = settingsOf(mocks, "account");
    expect(secrets.region).to.equal("us-east-1");
    expect(secrets.replicas.map(({ region }) => region)).to.deep.equal(["us-west-2", "eu-west-1"]);
    const alias = mocks.find("aws:kms/alias:Alias");
    expect(alias).to.deep.include({ region: "us-west-2" });
    expect(alias.inputs.name).to.equal("alias/bulkhead-rotated-keys");
  });

  it("audits by default, and then its roles can write no secret and no key", async () => {
    const mocks = await created();
    expect(settingsOf(mocks, "account").mode).to.equal("audit");
    const all = statements(mocks, "account");
    expect(JSON.stringify(all)).to.not.contain("secretsmanager:");
    const [request] = keyRotatorRoleRequests({ cell: PROD, externalId: "x-1" });
    const actions = request!.statements
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action }) => Action);
    expect(actions.filter((action) => !/:(Get|List|Generate)/.test(action))).to.deep.equal([]);
  });

  it("gives the account function exactly what rotation needs", async () => {
    const all = statements(await created({ mode: "enforce", mail: MAIL }), "account");
    expect(sid(all, "WorkInMemberAccounts")).to.deep.include({
      Action: "sts:AssumeRole",
      Resource: "arn:aws:iam::*:role/bulkhead/bulkhead-key-rotator-member",
    });
    expect(sid(all, "NeverEmergencyUsers")).to.deep.include({
      Effect: "Deny",
      Action: "iam:*",
      Resource: "arn:aws:iam::*:user/break-glass/*",
    });
    const secrets = ["us-east-1", "us-west-2"].map(
      (region) => `arn:aws:secretsmanager:${region}:222222222222:secret:/bulkhead/keys/*`,
    );
    expect(sid(all, "StoreKeys")!.Resource).to.deep.equal(secrets);
    expect(sid(all, "StoreKeys")!.Action).to.not.include.members(["secretsmanager:GetSecretValue"]);
    expect(sid(all, "NameWhoReadsThem")).to.deep.include({
      Resource: secrets,
      Condition: { Bool: { "secretsmanager:BlockPublicPolicy": "true" } },
    });
    expect(sid(all, "EncryptThem")!.Condition).to.deep.equal({
      StringEquals: {
        "kms:ViaService": [
          "secretsmanager.us-east-1.amazonaws.com",
          "secretsmanager.us-west-2.amazonaws.com",
        ],
      },
      "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/bulkhead-rotated-keys" },
    });
    // Records of both cells; the activation record of the own cell only.
    expect(sid(all, "WriteRotationRecords")!.Resource).to.deep.equal([
      "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-key-rotations-prod",
      "arn:aws:dynamodb:us-west-2:222222222222:table/bulkhead-key-rotations-dr",
    ]);
    expect(sid(all, "WriteOwnActivationRecord")!.Resource).to.deep.equal([
      "arn:aws:dynamodb:us-east-1:222222222222:table/bulkhead-activation-prod",
    ]);
    const wide = all.filter(({ Effect, Resource }) => Effect === "Allow" && [Resource].flat().includes("*"));
    expect(wide.map(({ Sid }) => Sid)).to.deep.equal(["Traces"]);
  });

  it("lets only the inventory read the organization, and nobody but the account function assume member roles", async () => {
    const mocks = await created({ mail: MAIL });
    const assumed = (which: string) =>
      statements(mocks, which)
        .filter(({ Action }) => [Action].flat().includes("sts:AssumeRole"))
        .map(({ Resource }) => Resource);
    expect(assumed("inventory")).to.deep.equal([
      "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader",
    ]);
    expect(assumed("account")).to.deep.equal(["arn:aws:iam::*:role/bulkhead/bulkhead-key-rotator-member"]);
    expect(assumed("summary")).to.deep.equal([]);
    expect(assumed("notify")).to.deep.equal([]);
  });

  it("keeps central secrets under a key by which each member account reads its own only", async () => {
    const mocks = await created();
    const policy = jsonInput(mocks.find("aws:kms/key:Key"), "policy");
    expect(policy.Statement).to.deep.equal([
      {
        Sid: "AccountDecidesByIamPolicies",
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::222222222222:root" },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "MembersReadTheirOwnThroughSecretsManager",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: "kms:Decrypt",
        Resource: "*",
        Condition: {
          StringEquals: {
            "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
            "aws:PrincipalOrgID": "o-a1b2c3d4e5",
          },
          StringLike: {
            "kms:EncryptionContext:SecretARN":
              "arn:aws:secretsmanager:*:222222222222:secret:/bulkhead/keys/${aws:PrincipalAccount}/*",
          },
        },
      },
    ]);
    expect(mocks.find("aws:kms/key:Key").inputs).to.include({ enableKeyRotation: true });
  });

  it("names single accounts in the key's policy where there is no organization", async () => {
    const mocks = await created({
      managementAccountId: undefined,
      organizationId: undefined,
      accountIds: ["333333333333"],
    });
    const [, members] = jsonInput(mocks.find("aws:kms/key:Key"), "policy").Statement;
    expect(members.Principal).to.deep.equal({ AWS: ["arn:aws:iam::333333333333:root"] });
    expect(members.Condition.StringEquals).to.not.have.property("aws:PrincipalOrgID");
    expect(settingsOf(mocks, "account").organization).to.equal(undefined);
    expect(sid(statements(mocks, "inventory"), "ReadOrganization")).to.equal(undefined);
  });

  it("makes no key when secrets stay in the member accounts", async () => {
    const mocks = await created({ storage: "member", mode: "enforce" });
    expect(mocks.ofType("aws:kms/key:Key")).to.deep.equal([]);
    expect(settingsOf(mocks, "account").secrets).to.deep.include({
      kmsKeyId: "",
      replicas: [{ region: "us-west-2", kmsKeyId: "" }],
    });
    expect(JSON.stringify(statements(mocks, "account"))).to.not.contain("secretsmanager:");
  });

  it("encrypts, closes and versions its bucket, and lets reports expire but not templates", async () => {
    const mocks = await created({ reportRetentionDays: 90 });
    expect(mocks.find("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs).to.deep.include({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const { rules } = mocks.find(
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    ).inputs;
    expect(rules[0].applyServerSideEncryptionByDefault).to.deep.equal({
      sseAlgorithm: "aws:kms",
      kmsMasterKeyId: "arn:aws:kms:us-east-1:222222222222:key/cell",
    });
    const [tls] = jsonInput(mocks.find("aws:s3/bucketPolicy:BucketPolicy"), "policy").Statement;
    expect(tls).to.deep.include({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } });
    const lifecycle = mocks.find("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
      .rules;
    const expiring = lifecycle.filter((rule: { expiration?: object }) => rule.expiration);
    expect(
      expiring.map((rule: { filter: object; expiration: object }) => [rule.filter, rule.expiration]),
    ).to.deep.equal([
      [{ prefix: "key-rotation/runs/" }, { days: 90 }],
      [{ prefix: "key-rotation/reports/" }, { days: 90 }],
    ]);
  });

  it("uploads the templates of the mails, its own unless others are given", async () => {
    const mocks = await created({ mail: { ...MAIL!, auditTemplate: "<p>{{count}} {{entries}}</p>" } });
    const objects = mocks.ofType("aws:s3/bucketObjectv2:BucketObjectv2").map(({ inputs }) => inputs);
    expect(objects.map(({ key }) => key)).to.deep.equal([
      "key-rotation/templates/audit.html",
      "key-rotation/templates/audit.txt",
      "key-rotation/templates/enforce.html",
      "key-rotation/templates/enforce.txt",
    ]);
    expect(objects[0]).to.deep.equal({
      bucket: "bulkhead-keys-prod-222222222222-us-east-1",
      key: "key-rotation/templates/audit.html",
      content: "<p>{{count}} {{entries}}</p>",
      contentType: "text/html; charset=utf-8",
    });
    for (const { content } of objects) expect(content).to.contain("{{entries}}");
    expect(objects[3]!.contentType).to.equal("text/plain; charset=utf-8");
  });

  it("keeps its records as the other cell expects them", async () => {
    const mocks = await created();
    expect(mocks.find("aws:dynamodb/table:Table").inputs).to.deep.include({
      name: "bulkhead-key-rotations-prod",
      hashKey: "accountId",
      rangeKey: "userName",
      deletionProtectionEnabled: true,
      pointInTimeRecovery: { enabled: true },
    });
    const trial = await created({ deletionProtection: false });
    expect(trial.find("aws:dynamodb/table:Table").inputs.deletionProtectionEnabled).to.equal(false);
    expect(trial.find("aws:s3/bucket:Bucket").inputs.forceDestroy).to.equal(true);
  });

  it("starts a run every 24 hours, by a role that can do nothing else", async () => {
    const mocks = await created();
    expect(mocks.find("aws:cloudwatch/eventRule:EventRule").inputs).to.deep.include({
      name: "bulkhead-key-rotator",
      scheduleExpression: "rate(24 hours)",
      state: "ENABLED",
    });
    const target = mocks.find("aws:cloudwatch/eventTarget:EventTarget").inputs;
    expect(target).to.deep.include({
      arn: "arn:aws:states:us-east-1:222222222222:stateMachine:bulkhead-key-rotator",
      roleArn: "arn:aws:iam::222222222222:role/bulkhead/bulkhead-key-rotator-schedule-prod",
      deadLetterConfig: {
        arn: "arn:aws:sqs:us-east-1:222222222222:bulkhead-key-rotator-schedule-dead-letters",
      },
    });
    expect(statements(mocks, "schedule")).to.deep.equal([
      {
        Sid: "StartRuns",
        Effect: "Allow",
        Action: "states:StartExecution",
        Resource: "arn:aws:states:us-east-1:222222222222:stateMachine:bulkhead-key-rotator",
      },
    ]);
    const hourly = await created({ intervalHours: 1, scheduleEnabled: false });
    expect(hourly.find("aws:cloudwatch/eventRule:EventRule").inputs).to.deep.include({
      scheduleExpression: "rate(1 hour)",
      state: "DISABLED",
    });
  });

  it("is encrypted, logged without data, and traced", async () => {
    const mocks = await created();
    expect(mocks.find("aws:sfn/stateMachine:StateMachine").inputs).to.deep.include({
      type: "STANDARD",
      encryptionConfiguration: {
        type: "CUSTOMER_MANAGED_KMS_KEY",
        kmsKeyId: "arn:aws:kms:us-east-1:222222222222:key/cell",
        kmsDataKeyReusePeriodSeconds: 300,
      },
      loggingConfiguration: {
        level: "ALL",
        includeExecutionData: false,
        logDestination:
          "arn:aws:logs:us-east-1:222222222222:log-group:/aws/vendedlogs/states/bulkhead-key-rotator:*",
      },
      tracingConfiguration: { enabled: true },
    });
    const trust = jsonInput(mocks.find("aws:iam/role:Role", "keys-machine-role"), "assumeRolePolicy");
    expect(trust.Statement).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Service: "states.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": "222222222222" },
          ArnLike: {
            "aws:SourceArn": "arn:aws:states:us-east-1:222222222222:stateMachine:bulkhead-key-rotator",
          },
        },
      },
    ]);
  });

  it("alarms on runs that failed, were stopped or are missing, and on everything that was put aside", async () => {
    const mocks = await created({ mail: MAIL });
    const alarms = mocks.ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
    for (const { inputs } of alarms) {
      expect(inputs.alarmActions).to.deep.equal(["arn:aws:sns:us-east-1:222222222222:alerts"]);
    }
    const names = alarms.map(({ inputs }) => inputs.name);
    expect(names).to.include.members([
      "bulkhead-key-rotator-runs-failed",
      "bulkhead-key-rotator-runs-timed-out",
      "bulkhead-key-rotator-runs-aborted",
      "bulkhead-key-rotator-runs-missed",
      "bulkhead-key-rotator-schedule-dead-letters",
      "bulkhead-key-rotator-notices-dead-letters",
      "bulkhead-key-rotator-account-errors",
    ]);
    const missed = alarms.find(({ inputs }) => inputs.name.endsWith("-missed"))!.inputs;
    expect(missed).to.deep.include({
      period: 3600,
      evaluationPeriods: 26,
      treatMissingData: "missing",
      insufficientDataActions: ["arn:aws:sns:us-east-1:222222222222:alerts"],
    });
    const idle = await created({ scheduleEnabled: false });
    expect(JSON.stringify(idle.ofType("aws:cloudwatch/metricAlarm:MetricAlarm"))).to.not.contain(
      "runs-missed",
    );
  });

  it("mails through SES as the sender only, or by SMTP with the two parameters only; without mail there is no notifier", async () => {
    const ses = statements(await created({ mail: MAIL }), "notify");
    expect(sid(ses, "SendMail")!.Condition).to.deep.equal({
      StringEquals: { "ses:FromAddress": "keys@example.com" },
    });
    const smtp = {
      host: "mail.example.com",
      userParameter: "/smtp/user",
      passwordParameter: "/smtp/password",
    };
    const mocks = await created({ mail: { transport: "smtp", from: "keys@example.com", smtp } });
    expect(sid(statements(mocks, "notify"), "ReadSecrets")!.Resource).to.deep.equal([
      "arn:aws:ssm:us-east-1:222222222222:parameter/smtp/user",
      "arn:aws:ssm:us-east-1:222222222222:parameter/smtp/password",
    ]);
    expect(settingsOf(mocks, "notify").mail.transport).to.deep.equal({
      kind: "smtp",
      from: "keys@example.com",
      host: "mail.example.com",
      port: 587,
      login: { userParameter: "/smtp/user", passwordParameter: "/smtp/password" },
    });
    const silent = await created();
    expect(silent.ofType("aws:lambda/eventSourceMapping:EventSourceMapping")).to.deep.equal([]);
    expect(settingsOf(silent, "account").notifyQueueUrl).to.equal("");
    expect(sid(statements(silent, "account"), "HandOverNotices")).to.equal(undefined);
  });

  it("puts all of its functions into a network", async () => {
    const vpc = { subnetIds: ["subnet-1", "subnet-2"], securityGroupIds: ["sg-1"] };
    const mocks = await created({ vpc, mail: MAIL });
    for (const { inputs, name } of mocks.ofType("aws:lambda/function:Function")) {
      expect(inputs.vpcConfig, name).to.deep.equal(vpc);
    }
  });

  it("is right in China and GovCloud", async () => {
    for (const [region, other, partition, suffix] of [
      ["cn-north-1", "cn-northwest-1", "aws-cn", "amazonaws.com.cn"],
      ["us-gov-west-1", "us-gov-east-1", "aws-us-gov", "amazonaws.com"],
    ] as const) {
      const mocks = await created({
        cell: { ...PROD, region },
        peer: { name: "dr", region: other },
        kmsKeyArn: `arn:${partition}:kms:${region}:${ACCOUNT}:key/cell`,
        alertTopicArn: `arn:${partition}:sns:${region}:${ACCOUNT}:alerts`,
        mode: "enforce",
      });
      const [, members] = jsonInput(mocks.find("aws:kms/key:Key"), "policy").Statement;
      expect(members.Condition.StringEquals["kms:ViaService"]).to.equal(`secretsmanager.${region}.${suffix}`);
      const texts = mocks.resources
        .filter(({ custom }) => custom)
        .map(({ inputs }) => JSON.stringify(inputs));
      expect(texts.filter((text) => text.includes("arn:aws:"))).to.deep.equal([]);
    }
    expect(
      await refusal({
        cell: { ...PROD, region: "cn-north-1" },
        peer: { name: "dr", region: "cn-northwest-1" },
        mail: MAIL,
      }),
    ).to.contain("has no Amazon SES");
  });

  const WRONG: [Partial<KeyRotatorArgs>, RegExp][] = [
    [{ mode: "on" }, /^mode is "on": "audit" or "enforce"$/],
    [{ storage: "s3" }, /^storage is "s3": "central" or "member"$/],
    [{ secretsRegion: "eu-west-1" }, /^secretsRegion is "eu-west-1": the region of one of the two cells/],
    [{ organizationId: "org" }, /^organizationId is "org"/],
    [{ managementAccountId: undefined }, /^neither managementAccountId nor accountIds is given/],
    [{ managementAccountId: "12" }, /managementAccountId: an account id of 12 digits/],
    [{ accountIds: ["12"] }, /accountIds\.0: an account id of 12 digits/],
    [{ excludedAccountIds: ["12"] }, /excludedAccountIds\.0: an account id of 12 digits/],
    [{ logRetentionDays: 4 }, /^logRetentionDays is 4/],
    [{ intervalHours: 0 }, /^intervalHours is 0: a whole number from 1 to 144$/],
    [{ accountConcurrency: 1001 }, /^accountConcurrency is 1001/],
    [{ toleratedFailurePercentage: 101 }, /^toleratedFailurePercentage is 101: a number from 0 to 100$/],
    [{ reportRetentionDays: 1 }, /^reportRetentionDays is 1/],
    [{ userConcurrency: 51 }, /userConcurrency: /],
    [{ deactivateDays: 80 }, /deactivateDays: 80 days: more than rotate \(90 days\)/],
    [{ deleteDays: 95 }, /deleteDays: 95 days: more than deactivate \(100 days\)/],
    [{ rotateDays: -1 }, /rotateDays: more than 0 days/],
    [{ idleDays: -1 }, /idleDays: 0 days or more/],
    [{ shortestRotateDays: 91 }, /shortestRotateDays is 91/],
    [{ externalId: "" }, /externalId: /],
    [{ emergencyPath: "/" }, /^emergencyPath is "\/": it begins and ends with a slash and is not the root/],
    [{ secretsPrefix: "/keys/" }, /secretsPrefix: a path without a slash at its end/],
    [{ secretReaders: [] }, /secretReaders: /],
    [
      { secretReplicas: [{ region: "us-west-2" }] },
      /^secretReplicas\[0\]\.region is "us-west-2": that region has/,
    ],
    [
      { secretReplicas: [{ region: "cn-north-1" }] },
      /^secretReplicas\[0\]\.region is "cn-north-1": a region of partition aws$/,
    ],
    [{ peer: { name: "prod", region: "us-west-2" } }, /^peer\.name is "prod"/],
    [
      { mail: { ...MAIL!, enforceTextTemplate: "{{name}}" } },
      /^mail\.enforceTextTemplate: \{\{name\}\} is not known/,
    ],
    [{ mail: { transport: "fax", from: "a@example.com" } }, /^mail\.transport is "fax"/],
    [{ mail: { transport: "smtp", from: "a@example.com" } }, /^mail\.smtp is not given/],
    [{ mail: { transport: "ses", from: "nobody" } }, /^mail\.from is "nobody"/],
    [{ mail: { transport: "ses", from: "a@example.com", to: ["pigeon"] } }, /mail\.to\.0: /],
    [
      { accountIds: Array.from({ length: 300 }, (_, n) => String(300_000_000_000 + n)) },
      /more than a function's environment holds/,
    ],
    [
      { cell: { ...PROD, name: "a-very-long-name-ab", namePrefix: "another-long-name-ab" } },
      /63 are allowed/,
    ],
  ];
  for (const [change, message] of WRONG) {
    it(`refuses ${JSON.stringify(change).slice(0, 90)}`, async () => {
      expect(await refusal(change)).to.match(message);
    });
  }
});

describe("keyRotatorRoleRequests", () => {
  const peer = { name: "dr", region: "us-west-2" };
  const request = (change: Partial<KeyRotatorAccess> = {}) =>
    keyRotatorRoleRequests({ cell: PROD, peer, externalId: "bulkhead-4f1c", ...change })[0]!;

  it("asks for one role, which the account functions of both cells assume with the external id", () => {
    const role = planRole(request({ mode: "enforce" }), "bulkhead");
    expect(role).to.deep.include({ name: "bulkhead-key-rotator-member", path: "/bulkhead/" });
    expect(role.trust.Statement).to.have.length(1);
    const text = JSON.stringify(role.trust);
    expect(text).to.contain("role/bulkhead/bulkhead-key-rotator-account-prod");
    expect(text).to.contain("role/bulkhead/bulkhead-key-rotator-account-dr");
    expect(text).to.contain('"sts:ExternalId":"bulkhead-4f1c"');
  });

  it("allows what rotation is made of, on users of the account, and denies emergency users everything", () => {
    const { statements: all } = request({ mode: "enforce" });
    expect(all).to.deep.equal([
      {
        Sid: "ReadAccount",
        Effect: "Allow",
        Action: [
          "iam:GenerateCredentialReport",
          "iam:GetAccountAuthorizationDetails",
          "iam:GetCredentialReport",
        ],
        Resource: ["*"],
      },
      {
        Sid: "ReadKeys",
        Effect: "Allow",
        Action: ["iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"],
        Resource: ["arn:${AWS::Partition}:iam::${AWS::AccountId}:user/*"],
      },
      {
        Sid: "RotateKeys",
        Effect: "Allow",
        Action: ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey"],
        Resource: ["arn:${AWS::Partition}:iam::${AWS::AccountId}:user/*"],
      },
      {
        Sid: "NeverEmergencyUsers",
        Effect: "Deny",
        Action: ["iam:*"],
        Resource: ["arn:${AWS::Partition}:iam::${AWS::AccountId}:user/break-glass/*"],
      },
    ]);
  });

  it("reaches secrets below the prefix only when they are stored in the member accounts", () => {
    const { statements: all } = request({ mode: "enforce", storage: "member", secretsPrefix: "/acme/keys" });
    const store = all.find(({ Sid }) => Sid === "StoreKeys")!;
    expect(store.Resource).to.deep.equal(
      ["us-east-1", "us-west-2"].map(
        (region) => `arn:\${AWS::Partition}:secretsmanager:${region}:\${AWS::AccountId}:secret:/acme/keys/*`,
      ),
    );
    expect(JSON.stringify(all)).to.not.contain("GetSecretValue");
    expect(JSON.stringify(request({ storage: "member" }).statements)).to.not.contain("secretsmanager");
  });

  it("refuses what it does not know", () => {
    expect(() => request({ mode: "on" })).to.throw('mode is "on"');
    expect(() => request({ storage: "s3" })).to.throw('storage is "s3"');
  });
});
