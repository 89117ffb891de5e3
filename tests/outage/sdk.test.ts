import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateVpcEndpointCommand, EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { ListAccountsCommand, OrganizationsClient } from "@aws-sdk/client-organizations";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { AssumeRoleWithSAMLCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { type RegionProxy, startRegionProxy } from "../../local/outage/proxy";
import { type FakeAws, startFakeAws } from "./support/fakeAws";

describe("Region proxy with the true AWS SDK", () => {
  let aws: FakeAws;
  let proxy: RegionProxy;

  before(async () => {
    aws = await startFakeAws();
    // The answer does not matter: each call is to fail at once, after it was seen.
    aws.answer = (_request, response) => response.writeHead(400).end("{}");
    proxy = await startRegionProxy({ target: aws.url });
  });
  after(async () => {
    await proxy.stop();
    await aws.stop();
  });
  beforeEach(() => proxy.reset());

  const config = () => ({
    region: "us-west-2",
    endpoint: proxy.url,
    credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token" },
    maxAttempts: 1,
  });

  const cases: [string, () => Promise<unknown>][] = [
    [
      "sts us-west-2 GetCallerIdentity regional",
      () => new STSClient(config()).send(new GetCallerIdentityCommand({})),
    ],
    [
      "sts unknown AssumeRoleWithSAML regional",
      () =>
        new STSClient(config()).send(
          new AssumeRoleWithSAMLCommand({
            RoleArn: "a".repeat(20),
            PrincipalArn: "a".repeat(20),
            SAMLAssertion: "x",
          }),
        ),
    ],
    ["iam us-east-1 ListUsers global", () => new IAMClient(config()).send(new ListUsersCommand({}))],
    [
      "organizations us-east-1 ListAccounts global",
      () => new OrganizationsClient(config()).send(new ListAccountsCommand({})),
    ],
    [
      "s3 us-west-2 CreateBucket both",
      () => new S3Client(config()).send(new CreateBucketCommand({ Bucket: "some-bucket" })),
    ],
    [
      "s3 us-west-2 PutObject regional",
      () =>
        new S3Client(config()).send(new PutObjectCommand({ Bucket: "some-bucket", Key: "a/b", Body: "x" })),
    ],
    [
      "dynamodb us-west-2 GetItem regional",
      () =>
        new DynamoDBClient(config()).send(new GetItemCommand({ TableName: "t", Key: { id: { S: "1" } } })),
    ],
    [
      "lambda us-west-2 Invoke regional",
      () => new LambdaClient(config()).send(new InvokeCommand({ FunctionName: "f" })),
    ],
    [
      "monitoring us-west-2 DescribeAlarms regional",
      () => new CloudWatchClient(config()).send(new DescribeAlarmsCommand({})),
    ],
    [
      "sns us-west-2 Publish regional",
      () => new SNSClient(config()).send(new PublishCommand({ Message: "m", TopicArn: "t" })),
    ],
    [
      "ses us-west-2 SendEmail regional",
      () =>
        new SESv2Client(config()).send(
          new SendEmailCommand({ Content: { Raw: { Data: new Uint8Array(1) } } }),
        ),
    ],
    [
      "ec2 us-west-2 CreateVpcEndpoint both",
      () =>
        new EC2Client(config()).send(
          new CreateVpcEndpointCommand({ VpcId: "v", ServiceName: "s", VpcEndpointType: "Interface" }),
        ),
    ],
  ];
  for (const [expected, send] of cases) {
    it(expected, async () => {
      await send().catch(() => undefined);
      const calls = proxy.calls();
      expect(calls.map((call) => `${call.service} ${call.region} ${call.action} ${call.home}`)).to.deep.equal(
        [expected],
      );
    });
  }

  it("is felt by a client as a connection error in an outage", async () => {
    await proxy.setOutage({ regions: ["us-east-1"], globalServices: true, mode: "refuse" });
    const error = await new IAMClient(config()).send(new ListUsersCommand({})).catch((caught) => caught);
    expect(error.code).to.equal("ECONNRESET");
    await proxy.setOutage(undefined);
  });
});
