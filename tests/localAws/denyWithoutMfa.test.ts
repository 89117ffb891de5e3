import * as cloudformation from "@aws-sdk/client-cloudformation";
import * as cloudtrail from "@aws-sdk/client-cloudtrail";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as ec2 from "@aws-sdk/client-ec2";
import * as events from "@aws-sdk/client-eventbridge";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import * as secrets from "@aws-sdk/client-secrets-manager";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import * as ssm from "@aws-sdk/client-ssm";
import * as sts from "@aws-sdk/client-sts";
import { expect } from "chai";
import { denyWithoutMfaStatements } from "../../components/breakGlassAccount/denyWithoutMfa";
import type { LocalAws } from "../../local/aws/launch";
import {
  type Credentials,
  createConsoleUser,
  EAST,
  iamClient,
  launch,
  rootOf,
  SECURITY,
  settings,
  signIn,
  stsClient,
} from "./support";

/** The product's own policy. */
const DENY_WITHOUT_MFA = JSON.stringify({ Version: "2012-10-17", Statement: denyWithoutMfaStatements() });
const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";
const USER = "grace";
/** S3 looks for the bucket before it looks at permissions, so there is one. */
const BUCKET = "bulkhead-deny-test";

/** Clients are made anew for each session: their settings hold its credentials. */
type Settings = ReturnType<typeof settings>;
type Call = (settings: Settings) => Promise<unknown>;

const via =
  <Client extends { send(command: Command): Promise<unknown>; destroy(): void }, Command>(
    create: new (settings: Settings) => Client,
    command: Command,
  ): Call =>
  async (given) => {
    const client = new create(given);
    try {
      return await client.send(command);
    } finally {
      client.destroy();
    }
  };

/** Reading and writing calls of many services; what does not exist is asked for too, since denials come before that is looked at. */
const CALLS: Record<string, Call> = {
  "iam:ListUsers": via(iam.IAMClient as never, new iam.ListUsersCommand()),
  "iam:GetUser": via(iam.IAMClient as never, new iam.GetUserCommand({ UserName: USER })),
  "iam:CreateUser": via(iam.IAMClient as never, new iam.CreateUserCommand({ UserName: "thief" })),
  "iam:CreateAccessKey": via(iam.IAMClient as never, new iam.CreateAccessKeyCommand({ UserName: USER })),
  "iam:ListAccessKeys": via(iam.IAMClient as never, new iam.ListAccessKeysCommand({ UserName: USER })),
  "iam:ListMFADevices": via(iam.IAMClient as never, new iam.ListMFADevicesCommand({ UserName: USER })),
  "iam:CreateVirtualMFADevice": via(
    iam.IAMClient as never,
    new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "thief" }),
  ),
  "iam:EnableMFADevice": via(
    iam.IAMClient as never,
    new iam.EnableMFADeviceCommand({
      UserName: USER,
      SerialNumber: `arn:aws:iam::${SECURITY}:mfa/none`,
      AuthenticationCode1: "000000",
      AuthenticationCode2: "000001",
    }),
  ),
  "iam:DeactivateMFADevice": via(
    iam.IAMClient as never,
    new iam.DeactivateMFADeviceCommand({
      UserName: USER,
      SerialNumber: `arn:aws:iam::${SECURITY}:mfa/none`,
    }),
  ),
  "iam:UpdateLoginProfile": via(
    iam.IAMClient as never,
    new iam.UpdateLoginProfileCommand({ UserName: "nobody", Password: "Other-Horse-Battery-8" }),
  ),
  "iam:AttachUserPolicy": via(
    iam.IAMClient as never,
    new iam.AttachUserPolicyCommand({ UserName: "nobody", PolicyArn: ADMINISTRATOR }),
  ),
  "iam:DetachUserPolicy": via(
    iam.IAMClient as never,
    new iam.DetachUserPolicyCommand({ UserName: "nobody", PolicyArn: ADMINISTRATOR }),
  ),
  "iam:DeleteUserPolicy": via(
    iam.IAMClient as never,
    new iam.DeleteUserPolicyCommand({ UserName: "nobody", PolicyName: "mfa" }),
  ),
  "iam:ListRoles": via(iam.IAMClient as never, new iam.ListRolesCommand()),
  "s3:ListBuckets": via(s3.S3Client as never, new s3.ListBucketsCommand()),
  "s3:GetObject": via(s3.S3Client as never, new s3.GetObjectCommand({ Bucket: BUCKET, Key: "none" })),
  "s3:DeleteBucket": via(s3.S3Client as never, new s3.DeleteBucketCommand({ Bucket: "none" })),
  "ec2:DescribeInstances": via(ec2.EC2Client as never, new ec2.DescribeInstancesCommand()),
  "ec2:DescribeVpcs": via(ec2.EC2Client as never, new ec2.DescribeVpcsCommand()),
  "ec2:TerminateInstances": via(
    ec2.EC2Client as never,
    new ec2.TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] }),
  ),
  "ec2:CreateVpc": via(ec2.EC2Client as never, new ec2.CreateVpcCommand({ CidrBlock: "10.9.0.0/16" })),
  "dynamodb:ListTables": via(dynamodb.DynamoDBClient as never, new dynamodb.ListTablesCommand()),
  "dynamodb:GetItem": via(
    dynamodb.DynamoDBClient as never,
    new dynamodb.GetItemCommand({ TableName: "none", Key: { id: { S: "1" } } }),
  ),
  "dynamodb:DeleteTable": via(
    dynamodb.DynamoDBClient as never,
    new dynamodb.DeleteTableCommand({ TableName: "none" }),
  ),
  "sns:ListTopics": via(sns.SNSClient as never, new sns.ListTopicsCommand()),
  "sns:CreateTopic": via(sns.SNSClient as never, new sns.CreateTopicCommand({ Name: "thief" })),
  "sqs:ListQueues": via(sqs.SQSClient as never, new sqs.ListQueuesCommand()),
  "sqs:CreateQueue": via(sqs.SQSClient as never, new sqs.CreateQueueCommand({ QueueName: "thief" })),
  "kms:ListKeys": via(kms.KMSClient as never, new kms.ListKeysCommand()),
  "kms:CreateKey": via(kms.KMSClient as never, new kms.CreateKeyCommand()),
  "lambda:ListFunctions": via(lambda.LambdaClient as never, new lambda.ListFunctionsCommand()),
  "lambda:InvokeFunction": via(
    lambda.LambdaClient as never,
    new lambda.InvokeCommand({ FunctionName: "none" }),
  ),
  "ssm:DescribeParameters": via(ssm.SSMClient as never, new ssm.DescribeParametersCommand()),
  "ssm:PutParameter": via(
    ssm.SSMClient as never,
    new ssm.PutParameterCommand({ Name: "/thief", Value: "x", Type: "String", Overwrite: true }),
  ),
  "secretsmanager:ListSecrets": via(secrets.SecretsManagerClient as never, new secrets.ListSecretsCommand()),
  "secretsmanager:GetSecretValue": via(
    secrets.SecretsManagerClient as never,
    new secrets.GetSecretValueCommand({ SecretId: "none" }),
  ),
  "logs:DescribeLogGroups": via(logs.CloudWatchLogsClient as never, new logs.DescribeLogGroupsCommand()),
  "logs:DeleteLogGroup": via(
    logs.CloudWatchLogsClient as never,
    new logs.DeleteLogGroupCommand({ logGroupName: "/none" }),
  ),
  "cloudwatch:DescribeAlarms": via(
    cloudwatch.CloudWatchClient as never,
    new cloudwatch.DescribeAlarmsCommand(),
  ),
  "events:ListRules": via(events.EventBridgeClient as never, new events.ListRulesCommand()),
  "events:DisableRule": via(
    events.EventBridgeClient as never,
    new events.DisableRuleCommand({ Name: "none" }),
  ),
  "cloudtrail:DescribeTrails": via(
    cloudtrail.CloudTrailClient as never,
    new cloudtrail.DescribeTrailsCommand(),
  ),
  "cloudtrail:StopLogging": via(
    cloudtrail.CloudTrailClient as never,
    new cloudtrail.StopLoggingCommand({ Name: "none" }),
  ),
  "cloudformation:ListStacks": via(
    cloudformation.CloudFormationClient as never,
    new cloudformation.ListStacksCommand(),
  ),
};

/** Whether a call was denied; every other error means that it was allowed to be tried. */
async function isDenied(call: Call, given: Settings): Promise<boolean> {
  try {
    await call(given);
    return false;
  } catch (error) {
    const { name = "" } = error as { name?: string };
    if (
      /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError|NotAuthorized)/.test(
        name,
      )
    ) {
      return true;
    }
    const answered = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (!answered) throw error;
    return false;
  }
}

describe("the policy that denies everything without MFA", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let withoutMfa: Credentials;
  let withMfa: Credentials;

  before(async () => {
    aws = await launch();
    const root = iamClient(aws, rootOf(SECURITY));
    await via(
      s3.S3Client as never,
      new s3.CreateBucketCommand({ Bucket: BUCKET }),
    )(settings(aws, rootOf(SECURITY)));
    const user = await createConsoleUser(root, USER);
    await root.send(new iam.AttachUserPolicyCommand({ UserName: USER, PolicyArn: ADMINISTRATOR }));
    await root.send(
      new iam.PutUserPolicyCommand({ UserName: USER, PolicyName: "mfa", PolicyDocument: DENY_WITHOUT_MFA }),
    );
    for (const name of ["plain", "conditioned"]) {
      await root.send(
        new iam.CreateRoleCommand({
          RoleName: name,
          AssumeRolePolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { AWS: `arn:aws:iam::${SECURITY}:root` },
                Action: "sts:AssumeRole",
              },
            ],
          }),
        }),
      );
      await root.send(new iam.AttachRolePolicyCommand({ RoleName: name, PolicyArn: ADMINISTRATOR }));
    }
    await root.send(
      new iam.PutRolePolicyCommand({
        RoleName: "conditioned",
        PolicyName: "mfa",
        PolicyDocument: DENY_WITHOUT_MFA,
      }),
    );
    withMfa = (await signIn(aws, user, { mfaCode: await user.code() })).body;
    // The session of somebody who has the password and no device: a user without devices is not asked for a code.
    const thief = await createConsoleUser(root, "hopper");
    await root.send(new iam.AttachUserPolicyCommand({ UserName: "hopper", PolicyArn: ADMINISTRATOR }));
    await root.send(
      new iam.PutUserPolicyCommand({
        UserName: "hopper",
        PolicyName: "mfa",
        PolicyDocument: DENY_WITHOUT_MFA,
      }),
    );
    await root.send(
      new iam.DeactivateMFADeviceCommand({ UserName: "hopper", SerialNumber: thief.serialNumber }),
    );
    withoutMfa = (await signIn(aws, thief)).body;
  });
  after(() => aws?.stop());

  const assume = async (credentials: Credentials, role: string): Promise<Credentials> => {
    const { Credentials: given } = await stsClient(aws, credentials, EAST).send(
      new sts.AssumeRoleCommand({ RoleArn: `arn:aws:iam::${SECURITY}:role/${role}`, RoleSessionName: USER }),
    );
    return {
      accessKeyId: given!.AccessKeyId!,
      secretAccessKey: given!.SecretAccessKey!,
      sessionToken: given!.SessionToken!,
    };
  };
  const denials = async (credentials: Credentials): Promise<string[]> => {
    const denied: string[] = [];
    for (const [action, call] of Object.entries(CALLS)) {
      if (await isDenied(call, settings(aws, credentials))) denied.push(action);
    }
    return denied;
  };
  const all = Object.keys(CALLS);

  it(`is tried with at least 40 actions`, () => expect(all.length).to.be.at.least(40));

  it("denies each of them to a session without MFA, the enrolment of a device too", async () => {
    expect(await denials(withoutMfa)).to.deep.equal(all);
  });

  it("denies the second hop to a session without MFA", async () => {
    const error = await assume(withoutMfa, "plain").catch((reason: Error) => reason);
    expect((error as Error).name).to.match(/^AccessDenied/);
  });

  it("denies none of them to a session with MFA", async () => {
    expect(await denials(withMfa)).to.deep.equal([]);
  });

  it("denies none of them to the role that a session with MFA switched into", async () => {
    expect(await denials(await assume(withMfa, "plain"))).to.deep.equal([]);
  });

  it("denies each of them where the role itself demands MFA, which the second hop no longer carries (fact 29)", async () => {
    expect(await denials(await assume(withMfa, "conditioned"))).to.deep.equal(all);
  });
});
