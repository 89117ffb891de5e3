/** Trails, metric filters and alarms of the local AWS, with the product's own policies where it has any. */
import { gunzipSync } from "node:zlib";
import {
  CloudTrail,
  type CreateTrailCommandInput,
  type GetTrailStatusResponse,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatch, type PutMetricAlarmCommandInput } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { Lambda } from "@aws-sdk/client-lambda";
import { S3 } from "@aws-sdk/client-s3";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { strToU8, zipSync } from "fflate";
import { trailBucketStatements } from "../../components/breakGlassAccount/trailBucket";
import {
  trailBucketName,
  trailLogGroupName,
  trailName,
  useFilterPattern,
} from "../../components/breakGlassAccount/trailNames";
import { topicStatements } from "../../components/notification/topicPolicy";
import { type Cell, normalizeCell } from "../../components/regional/cell";
import { cellKeyStatements } from "../../components/regional/cellKey";
import type { PolicyStatement } from "../../components/regional/policyDocument";
import { readInbox } from "../../local/aws/inbox";
import type { LocalAws } from "../../local/aws/launch";
import {
  createConsoleUser,
  EAST,
  failure,
  iamClient,
  Listener,
  launch,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  signIn,
  WEST,
  waitFor,
} from "./support";

const cell: Cell = normalizeCell({ name: "dr", region: WEST, accountId: SECURITY });
const USER = "breakglass-admin-1";

// biome-ignore lint/suspicious/noExplicitAny: the shapes of CloudTrail's records differ call by call
type CloudTrailRecord = any;

function policy(statements: PolicyStatement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

describe("the local AWS's trails, metric filters and alarms", () => {
  let aws: LocalAws;
  let trails: CloudTrail;
  let logs: CloudWatchLogs;
  let cloudwatch: CloudWatch;
  let sns: SNS;
  let sqs: SQS;
  let s3: S3;
  let iam: IAM;
  before(async () => {
    aws = await launch();
    const of = settings(aws, rootOf(SECURITY), WEST);
    trails = new CloudTrail(of);
    logs = new CloudWatchLogs(of);
    cloudwatch = new CloudWatch(of);
    sns = new SNS(of);
    sqs = new SQS(of);
    s3 = new S3({ ...of, forcePathStyle: true });
    iam = new IAM(of);
  });
  after(() => aws.stop());

  /** Puts an outage in place, or ends it. */
  async function outage(regions: string[]): Promise<void> {
    const response = await fetch(`${aws.url}/_bulkhead/outage`, {
      method: "PUT",
      body: JSON.stringify({ regions }),
    });
    expect(response.status).to.equal(200);
  }

  describe("filter patterns", () => {
    const EVENT = {
      userIdentity: { type: "IAMUser", userName: USER, arn: `arn:aws:iam::1:user/break-glass/${USER}` },
      eventName: "ConsoleLogin",
      sourceIPAddress: "123.123.4.5",
      readOnly: false,
      errorCode: null,
      count: 42,
      ratio: 1.5,
      tags: ["red", "green"],
      items: [{ id: 7 }, { id: 8 }],
      "odd.name": "x",
    };
    const TABLE: [string, boolean][] = [
      ["", true],
      [`{ $.userIdentity.userName = "${USER}" }`, true],
      [`{$.userIdentity.userName="${USER}"}`, true],
      [`{ $.userIdentity.userName = ${USER} }`, true],
      ['{ $.userIdentity.userName = "breakglass-admin-2" }', false],
      ['{ $.userIdentity.userName = "breakglass-*" }', true],
      ['{ $.userIdentity.arn = "*/breakglass-admin-1" }', true],
      ['{ $.userIdentity.arn = "*/admin-1" }', false],
      ['{ $.userIdentity.arn = "arn:*:user/*-1" }', true],
      ['{ $.eventName = "consolelogin" }', false],
      ['{ $.eventName != "ConsoleLogin" }', false],
      ['{ $.eventName != "StopLogging" }', true],
      ['{ $.absent != "StopLogging" }', false],
      ["{ $.sourceIPAddress = 123.123.* }", true],
      ["{ $.sourceIPAddress != 123.123.* }", false],
      ["{ $.count = 42 }", true],
      ["{ $.count = 4.2e1 }", true],
      ["{ $.count != 42 }", false],
      ["{ $.count > 41 }", true],
      ["{ $.count >= 42 }", true],
      ["{ $.count < 42 }", false],
      ["{ $.ratio <= 1.5 }", true],
      ["{ $.eventName > 1 }", false],
      ["{ $.readOnly IS FALSE }", true],
      ["{ $.readOnly IS TRUE }", false],
      ["{ $.errorCode IS NULL }", true],
      ["{ $.eventName IS NULL }", false],
      ["{ $.absent IS NULL }", false],
      ["{ $.absent NOT EXISTS }", true],
      ["{ $.errorCode NOT EXISTS }", false],
      ['{ $.tags[1] = "green" }', true],
      ['{ $.tags[0] = "green" }', false],
      ['{ $.tags[*] = "green" }', true],
      ["{ $.items[*].id = 8 }", true],
      ['{ $.tags = "green" }', false],
      [`{ $.['odd.name'] = "x" }`, true],
      ['{ ($.eventName = "ConsoleLogin") && ($.count = 1) }', false],
      ['{ ($.eventName = "ConsoleLogin") || ($.count = 1) }', true],
      ['{ $.count = 1 && $.count = 1 || $.eventName = "ConsoleLogin" }', true],
      ['{ $.count = 1 && ($.count = 1 || $.eventName = "ConsoleLogin") }', false],
      [useFilterPattern(USER), true],
      [useFilterPattern("breakglass-admin-2"), false],
      ["ConsoleLogin", true],
      ["ConsoleLogin -readOnly", false],
      ["?absent ?ConsoleLogin", true],
      ['"ConsoleLogin absent"', false],
    ];
    for (const [filterPattern, expected] of TABLE) {
      it(`${filterPattern || "(nothing)"} ${expected ? "matches" : "does not match"}`, async () => {
        const { matches } = await logs.testMetricFilter({
          filterPattern,
          logEventMessages: [JSON.stringify(EVENT), "no JSON at all"],
        });
        const isFirst = matches!.some((match) => match.eventNumber === 1);
        expect(isFirst).to.equal(expected);
      });
    }

    it("match the session of a role that the user has switched to", async () => {
      const arn = `arn:aws:sts::1:assumed-role/Auditor/${USER}`;
      const other = { userIdentity: { type: "AssumedRole", arn: `${arn}-x` } };
      const { matches } = await logs.testMetricFilter({
        filterPattern: useFilterPattern(USER),
        logEventMessages: [
          JSON.stringify({ userIdentity: { type: "AssumedRole", arn } }),
          JSON.stringify(other),
        ],
      });
      expect(matches!.map((match) => match.eventNumber)).to.deep.equal([1]);
    });

    for (const filterPattern of [
      "{ $.a = }",
      "{ $.a EXISTS }",
      '{ $.a = "x"',
      "{ a = 1 }",
      "{ $.a > x }",
      "[a, b]",
    ]) {
      it(`${filterPattern} is refused`, async () => {
        const error = await failure(logs.testMetricFilter({ filterPattern, logEventMessages: ["x"] }));
        expect(error.name).to.equal("InvalidParameterException");
      });
    }
  });

  describe("a trail", () => {
    let keyArn: string;
    let roleArn: string;
    let groupArn: string;
    const bucket = trailBucketName(cell);
    const group = trailLogGroupName(cell);
    const trust = policy([
      { Effect: "Allow", Principal: { Service: "cloudtrail.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
    const delivery = policy([
      {
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: `arn:aws:logs:${WEST}:${SECURITY}:log-group:${group}:log-stream:${SECURITY}_CloudTrail_*`,
      },
    ]);
    const input = (): CreateTrailCommandInput => ({
      Name: trailName(cell),
      S3BucketName: bucket,
      KmsKeyId: keyArn,
      IsMultiRegionTrail: true,
      IncludeGlobalServiceEvents: true,
      EnableLogFileValidation: true,
      CloudWatchLogsLogGroupArn: groupArn,
      CloudWatchLogsRoleArn: roleArn,
      TagsList: [{ Key: "project", Value: "bulkhead" }],
    });

    before(async () => {
      await s3.createBucket({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: WEST } });
      await s3.putBucketPolicy({ Bucket: bucket, Policy: policy(trailBucketStatements(cell)) });
      const kms = new KMS(settings(aws, rootOf(SECURITY), WEST));
      const { KeyMetadata } = await kms.createKey({ Policy: policy(cellKeyStatements(cell)) });
      keyArn = KeyMetadata!.Arn!;
      await logs.createLogGroup({ logGroupName: group });
      groupArn = `arn:aws:logs:${WEST}:${SECURITY}:log-group:${group}:*`;
      const { Role } = await iam.createRole({ RoleName: trailName(cell), AssumeRolePolicyDocument: trust });
      await iam.putRolePolicy({ RoleName: trailName(cell), PolicyName: "write", PolicyDocument: delivery });
      roleArn = Role!.Arn!;
      const events = await trails.createTrail(input());
      expect(events).to.deep.include({ CloudWatchLogsLogGroupArn: groupArn, KmsKeyId: keyArn });
      await trails.startLogging({ Name: trailName(cell) });
    });

    async function records(): Promise<CloudTrailRecord[]> {
      const { events = [] } = await logs.filterLogEvents({ logGroupName: group, limit: 10_000 });
      return events.map((event) => JSON.parse(event.message!));
    }
    const recorded = (accepts: (record: CloudTrailRecord) => boolean) =>
      waitFor(async () => (await records()).find(accepts));

    const status = (): Promise<GetTrailStatusResponse> => trails.getTrailStatus({ Name: trailName(cell) });

    /** Creates a queue: a call that trails record. */
    async function call(region: string, QueueName: string): Promise<void> {
      await new SQS(settings(aws, rootOf(SECURITY), region)).createQueue({ QueueName });
    }
    const made = (name: string) => (record: CloudTrailRecord) =>
      record.eventName === "CreateQueue" && record.requestParameters.queueName === name;

    it("is told of in every region, and changed in its home only", async () => {
      const east = new CloudTrail(settings(aws, rootOf(SECURITY), EAST));
      const { trailList } = await east.describeTrails({});
      expect(trailList!.map((trail) => `${trail.Name} ${trail.HomeRegion}`)).to.deep.equal([
        `${trailName(cell)} ${WEST}`,
      ]);
      expect((await failure(east.stopLogging({ Name: trailName(cell) }))).name).to.equal(
        "InvalidHomeRegionException",
      );
      const arn = trailList![0]!.TrailARN!;
      const { ResourceTagList } = await trails.listTags({ ResourceIdList: [arn] });
      expect(ResourceTagList![0]!.TagsList).to.deep.equal([{ Key: "project", Value: "bulkhead" }]);
    });

    it("writes what happens in any region, and IAM's calls, to the log group of its home", async () => {
      await call(WEST, "of-west");
      await call("eu-west-1", "of-europe");
      await iam.createUser({ UserName: "recorded" });
      expect((await recorded(made("of-west"))).awsRegion).to.equal(WEST);
      expect((await recorded(made("of-europe"))).awsRegion).to.equal("eu-west-1");
      const user = await recorded((record) => record.eventName === "CreateUser");
      expect(user).to.deep.include({ awsRegion: EAST, eventSource: "iam.amazonaws.com" });
      const { logStreams } = await logs.describeLogStreams({ logGroupName: group });
      expect(logStreams!.map((stream) => stream.logStreamName)).to.deep.equal([
        `${SECURITY}_CloudTrail_${WEST}`,
      ]);
      const east = new CloudWatchLogs(settings(aws, rootOf(SECURITY), EAST));
      expect((await east.describeLogGroups({})).logGroups ?? []).to.deep.equal([]);
    });

    it("writes the same to the bucket: gzipped, by account, region and day, encrypted with its key", async () => {
      await call("eu-west-1", "of-the-bucket");
      await recorded(made("of-the-bucket"));
      const { Contents = [] } = await s3.listObjectsV2({
        Bucket: bucket,
        Prefix: `AWSLogs/${SECURITY}/CloudTrail/eu-west-1/`,
      });
      const found: CloudTrailRecord[] = [];
      for (const { Key } of Contents) {
        expect(Key).to.match(
          /eu-west-1\/\d{4}\/\d\d\/\d\d\/222222222222_CloudTrail_eu-west-1_\d{8}T\d{4}Z_[\w-]{16}\.json\.gz$/,
        );
        const object = await s3.getObject({ Bucket: bucket, Key });
        expect(object.ServerSideEncryption).to.equal("aws:kms");
        const bytes = await object.Body!.transformToByteArray();
        found.push(...JSON.parse(gunzipSync(bytes).toString("utf8")).Records);
      }
      expect(found.filter(made("of-the-bucket"))).to.have.length(1);
      const delivered = await status();
      expect(delivered.LatestDeliveryTime).to.be.instanceOf(Date);
      expect(delivered.LatestCloudWatchLogsDeliveryTime).to.be.instanceOf(Date);
      expect(delivered.LatestDeliveryError).to.equal(undefined);
    });

    it("delivers nothing while its home region is gone, and the rest of the world's events afterwards", async () => {
      await outage([WEST]);
      await call(EAST, "during-the-outage");
      await call(EAST, "later-in-the-outage");
      await outage([]);
      // Both were waiting for one delivery.
      await recorded(made("later-in-the-outage"));
      expect((await records()).filter(made("during-the-outage"))).to.have.length(1);
    });

    it("says in its status what keeps it from delivering", async () => {
      await iam.deleteRolePolicy({ RoleName: trailName(cell), PolicyName: "write" });
      await s3.deleteBucketPolicy({ Bucket: bucket });
      await call(WEST, "undeliverable");
      const failed = await waitFor(async () => {
        const now = await status();
        return now.LatestCloudWatchLogsDeliveryError && now.LatestDeliveryError ? now : undefined;
      });
      expect(failed).to.include({
        LatestCloudWatchLogsDeliveryError: "AccessDenied",
        LatestDeliveryError: "AccessDenied",
      });
      await iam.putRolePolicy({ RoleName: trailName(cell), PolicyName: "write", PolicyDocument: delivery });
      await s3.putBucketPolicy({ Bucket: bucket, Policy: policy(trailBucketStatements(cell)) });
      await call(WEST, "deliverable");
      await recorded(made("deliverable"));
      expect((await status()).LatestDeliveryError).to.equal(undefined);
      expect((await records()).some(made("undeliverable"))).to.equal(false);
    });

    it("records its own stop, and nothing after it", async () => {
      await trails.stopLogging({ Name: trailName(cell) });
      await recorded((record) => record.eventName === "StopLogging");
      await call(WEST, "while-stopped");
      await trails.startLogging({ Name: trailName(cell) });
      await call(WEST, "after-the-stop");
      await recorded(made("after-the-stop"));
      expect((await records()).some(made("while-stopped"))).to.equal(false);
    });

    it("records what its selectors leave in", async () => {
      const TrailName = trailName(cell);
      const EventSelectors = [{ ReadWriteType: "ReadOnly" as const, IncludeManagementEvents: true }];
      await trails.putEventSelectors({ TrailName, EventSelectors });
      await call(WEST, "a-write");
      await sqs.listQueues({ QueueNamePrefix: "a-read" });
      await recorded((record) => record.requestParameters?.queueNamePrefix === "a-read");
      expect((await records()).some(made("a-write"))).to.equal(false);
      await trails.putEventSelectors({
        TrailName,
        EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true }],
      });
    });

    it("is what lets event rules see calls, where one is required (fact 20)", async () => {
      await aws.requireTrails([SECURITY]);
      const pattern = { source: ["aws.sqs"], detail: { eventName: ["CreateQueue"] } };
      const listener = await Listener.open(aws, { name: "needs-trail", region: EAST, pattern });
      const seen = (name: string) => (event: { detail: CloudTrailRecord }) =>
        event.detail.requestParameters.queueName === name;
      await call(EAST, "seen-by-rule");
      await listener.next(seen("seen-by-rule"));
      await trails.stopLogging({ Name: trailName(cell) });
      await call(EAST, "unseen-by-rule");
      await trails.startLogging({ Name: trailName(cell) });
      await call(EAST, "seen-again");
      await listener.next(seen("seen-again"));
      expect((await listener.drain()).some(seen("unseen-by-rule"))).to.equal(false);
      await aws.requireTrails([]);
    });

    it("lets a rule see the call that stops it", async () => {
      await aws.requireTrails([SECURITY]);
      const pattern = { source: ["aws.cloudtrail"], detail: { eventName: ["StopLogging"] } };
      const listener = await Listener.open(aws, { name: "tampering", region: WEST, pattern });
      await trails.stopLogging({ Name: trailName(cell) });
      await listener.next();
      await trails.startLogging({ Name: trailName(cell) });
      await aws.requireTrails([]);
    });

    describe("is refused", () => {
      const CASES: [string, (wanted: CreateTrailCommandInput) => unknown, string][] = [
        ["without a bucket", (t) => (t.S3BucketName = "no-such-bucket"), "S3BucketDoesNotExistException"],
        ["that the bucket's policy does not name", (t) => (t.Name = "other"), "InsufficientS3Bucket"],
        ["with a prefix that the policy lacks", (t) => (t.S3KeyPrefix = "audit"), "InsufficientS3Bucket"],
        ["with a key that there is not", (t) => (t.KmsKeyId = `${keyArn}x`), "KmsKeyNotFoundException"],
        ["with a log group and no role", (t) => (t.CloudWatchLogsRoleArn = ""), "InvalidCloudWatchLogsRole"],
        [
          "with a log group that there is not",
          (t) => (t.CloudWatchLogsLogGroupArn = groupArn.replace("dr", "x")),
          "InvalidCloudWatchLogsLogGroup",
        ],
        [
          "with a role that there is not",
          (t) => (t.CloudWatchLogsRoleArn = `${roleArn}x`),
          "InvalidCloudWatchLogsRole",
        ],
        ["of all regions without global services", (t) => (t.IncludeGlobalServiceEvents = false), "Invalid"],
        ["for a whole organization by a member", (t) => (t.IsOrganizationTrail = true), "NotOrganization"],
        ["with two hyphens in its name", (t) => (t.Name = "a--b"), "InvalidTrailNameException"],
      ];
      for (const [what, change, code] of CASES) {
        it(what, async () => {
          // Changes are held to the same rules as new trails; that leaves the one trail that the policies name.
          const wanted = input();
          change(wanted);
          const isRenamed = wanted.Name !== trailName(cell);
          const { TagsList: _, ...settingsOfIt } = wanted;
          const error = await failure(
            isRenamed ? trails.createTrail(wanted) : trails.updateTrail(settingsOfIt),
          );
          expect(error.name).to.contain(code);
        });
      }

      it("when the key's policy does not let CloudTrail use it for this trail", async () => {
        const kms = new KMS(settings(aws, rootOf(SECURITY), WEST));
        const { KeyMetadata } = await kms.createKey({
          Policy: policy(cellKeyStatements({ ...cell, name: "other" })),
        });
        const error = await failure(
          trails.updateTrail({ Name: trailName(cell), KmsKeyId: KeyMetadata!.Arn }),
        );
        expect(error.name).to.equal("InsufficientEncryptionPolicyException");
      });

      it("when the role does not trust CloudTrail", async () => {
        const { Role } = await iam.createRole({
          RoleName: "trusts-lambda",
          AssumeRolePolicyDocument: trust.replace("cloudtrail", "lambda"),
        });
        const error = await failure(
          trails.updateTrail({ Name: trailName(cell), CloudWatchLogsRoleArn: Role!.Arn }),
        );
        expect(error.name).to.equal("InvalidCloudWatchLogsRoleArnException");
        expect(error.message).to.contain("does not trust cloudtrail.amazonaws.com");
      });
    });

    it("ends in a mail when an emergency user signs in: filter, metric, alarm, topic", async () => {
      const { TopicArn } = await sns.createTopic({
        Name: "alerts",
        Attributes: { KmsMasterKeyId: keyArn },
      });
      await sns.setTopicAttributes({
        TopicArn,
        AttributeName: "Policy",
        AttributeValue: policy(topicStatements(cell, TopicArn!)),
      });
      for (const Endpoint of ["told@example.com", "unconfirmed@example.com"]) {
        await sns.subscribe({ TopicArn, Protocol: "email", Endpoint, ReturnSubscriptionArn: true });
      }
      const { Subscriptions } = await sns.listSubscriptionsByTopic({ TopicArn });
      expect(Subscriptions!.map((one) => one.SubscriptionArn)).to.deep.equal([
        "PendingConfirmation",
        "PendingConfirmation",
      ]);
      await confirm("told@example.com");
      await logs.putMetricFilter({
        logGroupName: group,
        filterName: `BreakglassLogin-${USER}`,
        filterPattern: useFilterPattern(USER),
        metricTransformations: [
          {
            metricName: `BreakglassLoginCount-${USER}`,
            metricNamespace: "Security/BreakglassMonitoring",
            metricValue: "1",
          },
        ],
      });
      await putAlarm({
        AlarmName: `BreakglassAccountUsed-${USER}`,
        Namespace: "Security/BreakglassMonitoring",
        MetricName: `BreakglassLoginCount-${USER}`,
        TreatMissingData: "notBreaching",
        AlarmActions: [TopicArn!],
      });
      await reaches(`BreakglassAccountUsed-${USER}`, "OK");

      const user = await createConsoleUser(iamClient(aws, rootOf(SECURITY)), USER);
      const { status: answered } = await signIn(aws, user, {
        region: "eu-north-1",
        mfaCode: await user.code(),
      });
      expect(answered).to.equal(200);
      const mail = await waitFor(async () =>
        (await readInbox(aws.url)).find((one) => one.subject.startsWith("ALARM")),
      );
      expect(mail.to).to.deep.equal(["told@example.com"]);
      expect(mail.subject).to.equal(`ALARM: "BreakglassAccountUsed-${USER}" in ${WEST}`);
      const mails = (await readInbox(aws.url)).filter((one) => one.to.includes("unconfirmed@example.com"));
      expect(mails.map((one) => one.subject)).to.deep.equal(["AWS Notification - Subscription Confirmation"]);
    });

    /** Confirms one address's subscription, as its owner would. */
    async function confirm(address: string): Promise<void> {
      const asked = (await readInbox(aws.url)).find((mail) => mail.to.includes(address))!;
      const [, topicArn, token] = /TopicArn=([^&\s]+)&Token=([^&\s]+)/.exec(asked.text)!;
      await sns.confirmSubscription({ TopicArn: topicArn!, Token: token! });
    }
  });

  const METRIC = { Namespace: "Test", MetricName: "Failures" };

  async function putAlarm(
    change: Partial<PutMetricAlarmCommandInput> & { AlarmName: string },
  ): Promise<void> {
    await cloudwatch.putMetricAlarm({
      ...METRIC,
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      ...change,
    });
  }

  /** Waits until an alarm is in a state. */
  const reaches = (AlarmName: string, wanted: string) =>
    waitFor(async () => {
      const { MetricAlarms } = await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] });
      return MetricAlarms?.[0]?.StateValue === wanted ? MetricAlarms[0] : undefined;
    });

  async function put(
    MetricName: string,
    Value: number,
    secondsAgo = 0,
    dimensions: object = {},
  ): Promise<void> {
    const Dimensions = Object.entries(dimensions).map(([Name, value]) => ({ Name, Value: value }));
    const Timestamp = new Date(Date.now() - secondsAgo * 1000);
    await cloudwatch.putMetricData({
      Namespace: METRIC.Namespace,
      MetricData: [{ MetricName, Value, Timestamp, Dimensions }],
    });
  }

  /** A topic with a queue that its messages arrive at. */
  async function topicWithQueue(name: string, statements: (arn: string) => PolicyStatement[]) {
    const { TopicArn } = await sns.createTopic({ Name: name });
    await sns.setTopicAttributes({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: policy(statements(TopicArn!)),
    });
    const { QueueUrl } = await sqs.createQueue({ QueueName: name });
    const Endpoint = `arn:aws:sqs:${WEST}:${SECURITY}:${name}`;
    const Policy = policy([
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: Endpoint,
      },
    ]);
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy } });
    await sns.subscribe({
      TopicArn,
      Protocol: "sqs",
      Endpoint,
      Attributes: { RawMessageDelivery: "true" },
    });
    return { topicArn: TopicArn!, queueUrl: QueueUrl! };
  }

  describe("an alarm", () => {
    it("begins without data, goes to ALARM, and back by itself, and tells its topics of both", async () => {
      const { topicArn, queueUrl } = await topicWithQueue("both-ways", (arn) => topicStatements(cell, arn));
      await putAlarm({
        AlarmName: "both-ways",
        TreatMissingData: "notBreaching",
        AlarmActions: [topicArn],
        OKActions: [topicArn],
      });
      const { AlarmHistoryItems } = await cloudwatch.describeAlarmHistory({ AlarmName: "both-ways" });
      expect(AlarmHistoryItems!.at(-1)!.HistorySummary).to.contain("INSUFFICIENT_DATA");
      await reaches("both-ways", "OK");
      // It leaves the alarm's only period in a moment.
      await put(METRIC.MetricName, 1, 58);
      const alarm = await reaches("both-ways", "ALARM");
      expect(alarm.StateReason).to.contain("Threshold Crossed");
      await reaches("both-ways", "OK");
      const told = (await receiveAll(sqs, queueUrl)).map((text) => JSON.parse(text));
      expect(told.map((message) => `${message.OldStateValue} to ${message.NewStateValue}`)).to.deep.equal([
        "INSUFFICIENT_DATA to OK",
        "OK to ALARM",
        "ALARM to OK",
      ]);
      expect(told[1]).to.deep.include({
        AlarmName: "both-ways",
        AWSAccountId: SECURITY,
        AlarmArn: `arn:aws:cloudwatch:${WEST}:${SECURITY}:alarm:both-ways`,
      });
    });

    it("tells no topic whose policy does not let alarms in", async () => {
      const { topicArn, queueUrl } = await topicWithQueue("closed", (arn) =>
        topicStatements(cell, arn).filter(({ Sid }) => Sid !== "AlarmsOfTheAccount"),
      );
      await putAlarm({ AlarmName: "closed", MetricName: "Closed", AlarmActions: [topicArn] });
      await put("Closed", 1);
      await reaches("closed", "ALARM");
      expect(await receiveAll(sqs, queueUrl)).to.deep.equal([]);
      const { AlarmHistoryItems } = await cloudwatch.describeAlarmHistory({
        AlarmName: "closed",
        HistoryItemType: "Action",
      });
      expect(AlarmHistoryItems![0]!.HistorySummary).to.contain("Failed to execute action");
    });

    const MISSING: [string, string][] = [
      ["missing", "INSUFFICIENT_DATA"],
      ["notBreaching", "OK"],
      ["breaching", "ALARM"],
    ];
    for (const [treatment, expected] of MISSING) {
      it(`is ${expected} without data that are treated as ${treatment}`, async () => {
        const AlarmName = `missing-${treatment}`;
        await putAlarm({ AlarmName, MetricName: "Silence", TreatMissingData: treatment });
        await reaches(AlarmName, expected);
      });
    }

    it("that ignores missing data stays as it is", async () => {
      await putAlarm({ AlarmName: "ignoring", MetricName: "Ignored", TreatMissingData: "ignore" });
      await put("Ignored", 1, 58);
      await reaches("ignoring", "ALARM");
      await putAlarm({ AlarmName: "beside", MetricName: "Ignored", TreatMissingData: "notBreaching" });
      // The other alarm sees that the data are gone.
      await reaches("beside", "OK");
      await reaches("ignoring", "ALARM");
    });

    it("needs as many breaching periods as it says", async () => {
      const periods = { EvaluationPeriods: 3, DatapointsToAlarm: 2, TreatMissingData: "notBreaching" };
      await putAlarm({ AlarmName: "two-of-three", MetricName: "Often", ...periods });
      await put("Often", 1, 10);
      await reaches("two-of-three", "OK");
      await put("Often", 1, 130);
      await reaches("two-of-three", "ALARM");
    });

    it("sees data of its own dimensions only", async () => {
      const Dimensions = [{ Name: "cell", Value: "dr" }];
      await putAlarm({ AlarmName: "of-dr", MetricName: "Of", Dimensions, TreatMissingData: "notBreaching" });
      await putAlarm({ AlarmName: "of-none", MetricName: "Of", TreatMissingData: "notBreaching" });
      await put("Of", 1, 0, { cell: "dr" });
      await reaches("of-dr", "ALARM");
      await reaches("of-none", "OK");
    });

    it("sees how many messages wait in a queue", async () => {
      const { QueueUrl } = await sqs.createQueue({ QueueName: "dead-letters" });
      await putAlarm({
        AlarmName: "dead-letters",
        Namespace: "AWS/SQS",
        MetricName: "ApproximateNumberOfMessagesVisible",
        Dimensions: [{ Name: "QueueName", Value: "dead-letters" }],
        Statistic: "Maximum",
        TreatMissingData: "notBreaching",
      });
      await reaches("dead-letters", "OK");
      await sqs.sendMessage({ QueueUrl, MessageBody: "left over" });
      await reaches("dead-letters", "ALARM");
      await sqs.purgeQueue({ QueueUrl });
      await reaches("dead-letters", "OK");
    });
  });

  describe("metrics out of logs", () => {
    async function statistics(MetricName: string, Dimensions: { Name: string; Value: string }[] = []) {
      const { Datapoints } = await cloudwatch.getMetricStatistics({
        Namespace: "Logs",
        MetricName,
        Dimensions,
        StartTime: new Date(Date.now() - 600_000),
        EndTime: new Date(Date.now() + 60_000),
        Period: 3600,
        Statistics: ["Sum", "SampleCount"],
      });
      return Datapoints?.map(({ Sum, SampleCount }) => `${Sum} of ${SampleCount}`) ?? [];
    }

    it("take value and dimensions from the line, or the default where none matches", async () => {
      await logs.createLogGroup({ logGroupName: "app" });
      await logs.createLogStream({ logGroupName: "app", logStreamName: "one" });
      const filter = (metricName: string, filterPattern: string, change: object) =>
        logs.putMetricFilter({
          logGroupName: "app",
          filterName: metricName,
          filterPattern,
          metricTransformations: [
            { metricName, metricNamespace: "Logs", metricValue: "$.latency", ...change },
          ],
        });
      await filter("Latency", "{ $.latency >= 10 }", { dimensions: { path: "$.path" } });
      await filter("Slow", "{ $.latency > 1000 }", { metricValue: "1", defaultValue: 0 });
      const lines = [
        { latency: 5, path: "/" },
        { latency: 10, path: "/" },
        { latency: 30, path: "/" },
      ];
      await logs.putLogEvents({
        logGroupName: "app",
        logStreamName: "one",
        logEvents: [...lines, { latency: 99 }].map((line) => ({
          timestamp: Date.now(),
          message: JSON.stringify(line),
        })),
      });
      expect(await statistics("Latency", [{ Name: "path", Value: "/" }])).to.deep.equal(["40 of 2"]);
      const { Metrics } = await cloudwatch.listMetrics({ Namespace: "Logs", MetricName: "Latency" });
      expect(Metrics!.map((metric) => metric.Dimensions)).to.deep.equal([[{ Name: "path", Value: "/" }]]);
      expect(await statistics("Slow")).to.deep.equal(["0 of 1"]);
    });

    it("refuse a filter that AWS would refuse", async () => {
      const error = await failure(
        logs.putMetricFilter({
          logGroupName: "app",
          filterName: "bad",
          filterPattern: "{ $.a = }",
          metricTransformations: [{ metricName: "Bad", metricNamespace: "Logs", metricValue: "1" }],
        }),
      );
      expect(error.name).to.equal("InvalidParameterException");
    });

    it("come from a function that writes the embedded metric format", async () => {
      const lambda = new Lambda(settings(aws, rootOf(SECURITY), WEST));
      const trust = policy([
        { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
      ]);
      const { Role } = await iam.createRole({ RoleName: "emits", AssumeRolePolicyDocument: trust });
      const code = `export const handler = async () => {
        console.log(JSON.stringify({
          _aws: { Timestamp: Date.now(), CloudWatchMetrics: [
            { Namespace: "Logs", Dimensions: [["service"]], Metrics: [{ Name: "Failed", Unit: "Count" }] },
          ] },
          service: "steward", Failed: [1, 1],
        }));
      };`;
      await lambda.createFunction({
        FunctionName: "emits",
        Role: Role!.Arn,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { ZipFile: zipSync({ "index.mjs": strToU8(code) }) },
      });
      await putAlarm({
        AlarmName: "steward-failed",
        Namespace: "Logs",
        MetricName: "Failed",
        Dimensions: [{ Name: "service", Value: "steward" }],
        Threshold: 2,
        TreatMissingData: "notBreaching",
      });
      await lambda.invoke({ FunctionName: "emits" });
      await reaches("steward-failed", "ALARM");
      expect(await statistics("Failed", [{ Name: "service", Value: "steward" }])).to.deep.equal(["2 of 2"]);
    });
  });
});
