import * as fs from "node:fs";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client, RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { zipSync } from "fflate";
import { approvalDefinition } from "../../components/approvalWorkflow/machine";
import {
  APPROVAL,
  type ApprovalFunction,
  approvalFunctionArn,
} from "../../components/approvalWorkflow/names";
import { bundlePath } from "../../components/lambda/bundle";
import { normalizeCell } from "../../components/regional/cell";
import { stateMachineArn } from "../../components/stateMachine/machineArn";
import { REQUEST_TABLE_KEYS } from "../../functions/approval/links/dynamoDbRequestTable";
import {
  APPROVAL_SETTINGS_VARIABLE,
  type ApprovalSettingsInput,
  AUDIT_TABLE_INDEXES,
  AUDIT_TABLE_KEYS,
} from "../../functions/approval/settings";
import { CELLS, CENTRAL, rootClient } from "./keysOnLocalAws";

const CELL = normalizeCell({ name: "prod", region: CELLS.prod, accountId: CENTRAL });
const FUNCTIONS: readonly ApprovalFunction[] = [
  "approval-intake",
  "approval-step",
  "approval-wait",
  "approval-work",
];
const ROLE = `arn:aws:iam::${CENTRAL}:role/bench`;

/** Approval with its true functions and state machine, in one account of a local AWS. */
export interface ApprovalOnLocalAws {
  /** Instances to be terminated. */
  instances(count: number): Promise<string[]>;
  /** A call of the operator's that is denied. */
  deniedCall(instanceId: string): Promise<void>;
}

/** Makes tables, roles, functions, the state machine and the rule. One role with all permissions stands for all functions' roles. */
export async function createApproval(url: string): Promise<ApprovalOnLocalAws> {
  const root = rootClient(url, CENTRAL);
  await createTables(new DynamoDBClient(root));
  const operator = await createIdentities(new IAMClient(root));
  await new SSMClient(root).send(
    new PutParameterCommand({ Name: "/bench/directory", Type: "String", Value: JSON.stringify(DIRECTORY) }),
  );
  await new SESv2Client(root).send(new CreateEmailIdentityCommand({ EmailIdentity: "approval@example.com" }));
  await createFunctions(new LambdaClient(root));
  await new SFNClient(root).send(
    new CreateStateMachineCommand({
      name: stateMachineArn(CELL, APPROVAL).split(":").at(-1)!,
      roleArn: ROLE,
      definition: JSON.stringify(approvalDefinition(CELL)),
    }),
  );
  await createRule(new EventBridgeClient(root), new LambdaClient(root));
  const ec2 = new EC2Client(root);
  const own = new EC2Client({ ...root, credentials: operator, maxAttempts: 1 });
  return {
    async instances(count) {
      const { Instances = [] } = await ec2.send(
        new RunInstancesCommand({
          ImageId: "ami-12345678",
          MinCount: count,
          MaxCount: count,
          InstanceType: "t3.micro",
        }),
      );
      return Instances.flatMap(({ InstanceId }) => InstanceId ?? []);
    },
    async deniedCall(instanceId) {
      const answer = await own
        .send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }))
        .catch((error: Error) => error.name);
      if (answer !== "UnauthorizedOperation") throw new Error("the operator's call was not denied");
    },
  };
}

const DIRECTORY = {
  version: 1,
  people: [
    {
      id: "alice",
      name: "Alice",
      mail: "alice@example.com",
      identities: [`arn:aws:iam::${CENTRAL}:user/alice`],
    },
    { id: "bob", name: "Bob", mail: "bob@example.com", groups: ["leads"] },
  ],
  rules: [
    {
      name: "everything",
      thresholds: [
        { atLeast: 0, name: "any", levels: [{ group: "leads", quorum: 1, timeoutSeconds: 3600 }] },
      ],
    },
  ],
};

const SETTINGS: ApprovalSettingsInput = {
  cell: { name: CELL.name, region: CELL.region, accountId: CELL.accountId },
  tables: { requests: "requests", audit: "audit" },
  stateMachineArn: stateMachineArn(CELL, APPROVAL),
  directory: "ssm:/bench/directory",
  messages: {
    baseUrl: "https://approval.example.com",
    mail: { kind: "ses", from: "approval@example.com" },
  },
  roles: { reader: "bench", executor: "bench" },
};

async function createTables(client: DynamoDBClient): Promise<void> {
  const schema = ({ hashKey, rangeKey }: { hashKey: string; rangeKey: string }) => [
    { AttributeName: hashKey, KeyType: "HASH" as const },
    { AttributeName: rangeKey, KeyType: "RANGE" as const },
  ];
  const indexes = Object.entries(AUDIT_TABLE_INDEXES);
  const attributes = (keys: readonly { hashKey: string; rangeKey: string }[]) =>
    [...new Set(keys.flatMap(({ hashKey, rangeKey }) => [hashKey, rangeKey]))].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S" as const,
    }));
  await client.send(
    new CreateTableCommand({
      TableName: "requests",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: schema(REQUEST_TABLE_KEYS),
      AttributeDefinitions: attributes([REQUEST_TABLE_KEYS]),
    }),
  );
  await client.send(
    new CreateTableCommand({
      TableName: "audit",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: schema(AUDIT_TABLE_KEYS),
      AttributeDefinitions: attributes([AUDIT_TABLE_KEYS, ...indexes.map(([, keys]) => keys)]),
      GlobalSecondaryIndexes: indexes.map(([IndexName, keys]) => ({
        IndexName,
        KeySchema: schema(keys),
        Projection: { ProjectionType: "ALL" },
      })),
    }),
  );
}

async function createIdentities(iam: IAMClient) {
  const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(
    new CreateRoleCommand({
      RoleName: "bench",
      AssumeRolePolicyDocument: document(
        {
          Effect: "Allow",
          Principal: { Service: ["lambda.amazonaws.com", "states.amazonaws.com"] },
          Action: "sts:AssumeRole",
        },
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${CENTRAL}:root` },
          Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
        },
      ),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: "bench",
      PolicyName: "everything",
      PolicyDocument: document({ Effect: "Allow", Action: "*", Resource: "*" }),
    }),
  );
  await iam.send(new CreateUserCommand({ UserName: "alice" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "alice" }));
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
}

async function createFunctions(lambda: LambdaClient): Promise<void> {
  for (const name of FUNCTIONS) {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: approvalFunctionArn(CELL, name).split(":").at(-1)!,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: ROLE,
        Timeout: 60,
        MemorySize: 512,
        Code: { ZipFile: zipSync({ "index.mjs": fs.readFileSync(bundlePath(name)) }) },
        Environment: {
          Variables: { BULKHEAD_CELL: CELL.name, [APPROVAL_SETTINGS_VARIABLE]: JSON.stringify(SETTINGS) },
        },
      }),
    );
  }
}

async function createRule(events: EventBridgeClient, lambda: LambdaClient): Promise<void> {
  const arn = approvalFunctionArn(CELL, "approval-intake");
  const { RuleArn } = await events.send(
    new PutRuleCommand({
      Name: "denied",
      EventPattern: JSON.stringify({
        source: ["aws.ec2"],
        detail: { errorCode: ["Client.UnauthorizedOperation"] },
      }),
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: arn,
      StatementId: "rule",
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: RuleArn,
    }),
  );
  await events.send(new PutTargetsCommand({ Rule: "denied", Targets: [{ Id: "intake", Arn: arn }] }));
}
