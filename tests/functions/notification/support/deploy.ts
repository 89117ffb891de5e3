import * as fs from "node:fs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateTopicCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import { zipSync } from "fflate";
import { Notification, type NotificationArgs } from "../../../../components/notification/notification";
import { type CellArgs, normalizeCell } from "../../../../components/regional/cell";
import { cellKeyStatements } from "../../../../components/regional/cellKey";
import type { LocalAws } from "../../../../local/aws/launch";
import { type Recorded, startMocks } from "../../../support/pulumiMocks";

/** What was made. */
export interface Deployed {
  topicArn: string;
  /** Addresses of the queues, by name. */
  queues: Record<string, string>;
}

/**
 * Makes the Notification component's resources in the local AWS, with exactly the inputs that the component gives them: what Pulumi would
 * do, without an engine. Alarms and log groups are left out.
 */
export async function deployNotification(
  local: LocalAws,
  cell: CellArgs,
  args: Omit<NotificationArgs, "cell" | "kmsKeyArn">,
): Promise<Deployed> {
  const settings = {
    endpoint: local.url,
    region: cell.region,
    credentials: { accessKeyId: cell.accountId, secretAccessKey: "test" },
    maxAttempts: 1,
  };
  const [iam, lambda, sns, sqs] = [
    new IAMClient(settings),
    new LambdaClient(settings),
    new SNSClient(settings),
    new SQSClient(settings),
  ];
  const keyPolicy = { Version: "2012-10-17", Statement: cellKeyStatements(normalizeCell(cell)) };
  const { KeyMetadata } = await new KMSClient(settings).send(
    new CreateKeyCommand({ Policy: JSON.stringify(keyPolicy) }),
  );

  const mocks = await startMocks({ accountId: cell.accountId });
  const provider = new aws.Provider("cell", { region: cell.region });
  new Notification("n", { ...args, cell, kmsKeyArn: KeyMetadata!.Arn! }, { provider });
  await mocks.settle();

  const queues: Record<string, string> = {};
  const urls: Record<string, string> = {};
  const make: Record<string, (inputs: Recorded["inputs"], resource: Recorded) => Promise<unknown>> = {
    "aws:sns/topic:Topic": (inputs) =>
      sns.send(
        new CreateTopicCommand({ Name: inputs.name, Attributes: { KmsMasterKeyId: inputs.kmsMasterKeyId } }),
      ),
    "aws:sns/topicPolicy:TopicPolicy": (inputs) =>
      sns.send(
        new SetTopicAttributesCommand({
          TopicArn: inputs.arn,
          AttributeName: "Policy",
          AttributeValue: inputs.policy,
        }),
      ),
    "aws:sqs/queue:Queue": async (inputs, resource) => {
      const { QueueUrl } = await sqs.send(
        new CreateQueueCommand({
          QueueName: inputs.name,
          Attributes: { KmsMasterKeyId: inputs.kmsMasterKeyId },
        }),
      );
      queues[inputs.name] = QueueUrl!;
      urls[resource.id!] = QueueUrl!;
    },
    "aws:sqs/queuePolicy:QueuePolicy": (inputs) =>
      sqs.send(
        new SetQueueAttributesCommand({
          QueueUrl: urls[inputs.queueUrl],
          Attributes: { Policy: inputs.policy },
        }),
      ),
    "aws:iam/role:Role": (inputs) =>
      iam.send(
        new CreateRoleCommand({
          RoleName: inputs.name,
          Path: inputs.path,
          AssumeRolePolicyDocument: inputs.assumeRolePolicy,
        }),
      ),
    "aws:iam/rolePolicy:RolePolicy": (inputs) =>
      iam.send(
        new PutRolePolicyCommand({
          RoleName: inputs.role,
          PolicyName: inputs.name,
          PolicyDocument: inputs.policy,
        }),
      ),
    "aws:lambda/function:Function": (inputs) =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName: inputs.name,
          Role: inputs.role,
          Runtime: inputs.runtime,
          Architectures: inputs.architectures,
          Handler: inputs.handler,
          Timeout: inputs.timeout,
          MemorySize: inputs.memorySize,
          KMSKeyArn: inputs.kmsKeyArn,
          Environment: { Variables: inputs.environment.variables },
          DeadLetterConfig: { TargetArn: inputs.deadLetterConfig.targetArn },
          Code: {
            ZipFile: zipSync({
              "index.mjs": fs.readFileSync(inputs.code.archive.assets["index.mjs"].asset.path),
            }),
          },
        }),
      ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (inputs) =>
      lambda.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName: inputs.functionName,
          MaximumRetryAttempts: inputs.maximumRetryAttempts,
          MaximumEventAgeInSeconds: inputs.maximumEventAgeInSeconds,
        }),
      ),
    "aws:lambda/permission:Permission": (inputs) =>
      lambda.send(
        new AddPermissionCommand({
          FunctionName: inputs.function,
          StatementId: inputs.statementId,
          Action: inputs.action,
          Principal: inputs.principal,
          SourceArn: inputs.sourceArn,
        }),
      ),
    "aws:sns/topicSubscription:TopicSubscription": (inputs) =>
      sns.send(
        new SubscribeCommand({
          TopicArn: inputs.topic,
          Protocol: inputs.protocol,
          Endpoint: inputs.endpoint,
          ...(inputs.redrivePolicy && { Attributes: { RedrivePolicy: inputs.redrivePolicy } }),
        }),
      ),
  };
  // Kind by kind in the order above: each kind needs earlier ones only.
  for (const [type, create] of Object.entries(make)) {
    for (const resource of mocks.ofType(type)) await create(resource.inputs, resource);
  }
  return { topicArn: mocks.find("aws:sns/topic:Topic").id!, queues };
}
