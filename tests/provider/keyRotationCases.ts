/** Cases of the types that key rotation is run by: state machines, and queues that feed functions. */
import type { LifeCase } from "./lifeCases";
import { ACCOUNT, type Deployed, type Deployment, REGION } from "./support";

const tags = { project: "bulkhead", purpose: "test" };
const newTags = { project: "bulkhead", owner: "identity" };

const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

async function machineRole(deployment: Deployment): Promise<Record<string, Deployed>> {
  const role = await deployment.make("aws:iam/role:Role", "machine", {
    assumeRolePolicy: trust("states.amazonaws.com"),
  });
  const logs = { Effect: "Allow", Action: "logs:*", Resource: "*" };
  await deployment.make("aws:iam/rolePolicy:RolePolicy", "machine", {
    role: role.id,
    policy: JSON.stringify({ Version: "2012-10-17", Statement: [logs] }),
  });
  const key = await deployment.make("aws:kms/key:Key", "key", { deletionWindowInDays: 7 });
  return { role, key };
}

const definition = (comment: string) =>
  JSON.stringify({ Comment: comment, StartAt: "Done", States: { Done: { Type: "Succeed" } } });

async function queueAndFunction(deployment: Deployment): Promise<Record<string, Deployed>> {
  const queue = await deployment.make("aws:sqs/queue:Queue", "source", { visibilityTimeoutSeconds: 60 });
  const role = await deployment.make("aws:iam/role:Role", "consumer", {
    assumeRolePolicy: trust("lambda.amazonaws.com"),
  });
  const receive = {
    Effect: "Allow",
    Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    Resource: queue.outputs.arn,
  };
  await deployment.make("aws:iam/rolePolicy:RolePolicy", "consumer", {
    role: role.id,
    policy: JSON.stringify({ Version: "2012-10-17", Statement: [receive] }),
  });
  const consumer = await deployment.make("aws:lambda/function:Function", "consumer", {
    role: role.outputs.arn,
    runtime: "nodejs24.x",
    handler: "index.handler",
    code: {
      "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
      assets: {
        "index.mjs": {
          "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
          text: "export const handler = async () => ({ batchItemFailures: [] });",
        },
      },
    },
  });
  return { queue, consumer };
}

export const KEY_ROTATION_CASES: readonly LifeCase[] = [
  {
    type: "aws:sfn/stateMachine:StateMachine",
    needs: machineRole,
    inputs: ({ needs }) => ({
      definition: definition("first"),
      roleArn: needs.role!.outputs.arn,
      loggingConfiguration: {
        level: "ERROR",
        includeExecutionData: false,
        logDestination: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/machines:*`,
      },
      tracingConfiguration: { enabled: true },
      tags,
    }),
    outputs: ["arn", "creationDate", "name", "revisionId", "status"],
    update: ({ needs }) => ({
      definition: definition("second"),
      loggingConfiguration: { level: "OFF", includeExecutionData: false },
      tracingConfiguration: { enabled: false },
      encryptionConfiguration: {
        type: "CUSTOMER_MANAGED_KMS_KEY",
        kmsKeyId: needs.key!.outputs.arn,
        kmsDataKeyReusePeriodSeconds: 300,
      },
      tags: newTags,
    }),
    drift: async ({ aws }, machine) =>
      (await aws.client("sfn")).updateStateMachine({
        stateMachineArn: machine.id,
        definition: definition("by hand"),
      }),
    driftShows: ["definition"],
    replaces: { name: "other", type: "EXPRESS" },
  },
  {
    type: "aws:lambda/eventSourceMapping:EventSourceMapping",
    needs: queueAndFunction,
    inputs: ({ needs }) => ({
      functionName: needs.consumer!.outputs.name,
      eventSourceArn: needs.queue!.outputs.arn,
      functionResponseTypes: ["ReportBatchItemFailures"],
      batchSize: 5,
    }),
    outputs: ["arn", "functionArn", "state", "uuid"],
    update: () => ({ batchSize: 1, enabled: false }),
    drift: async ({ aws }, mapping) =>
      (await aws.client("lambda")).updateEventSourceMapping({ UUID: mapping.id, BatchSize: 7 }),
    driftShows: ["batchSize"],
    replaces: { eventSourceArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:another` },
  },
];
