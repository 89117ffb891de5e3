/** A case for every resource type: what the life-cycle suite makes, changes, and changes behind the provider's back. */
import { zipArchive } from "../../local/provider/archive";
import type { AwsContext } from "../../local/provider/context";
import type { Props } from "../../local/provider/types";
import { APPROVAL_CASES } from "./approvalCases";
import { KEY_ROTATION_CASES } from "./keyRotationCases";
import { ACCOUNT, type Deployed, type Deployment, MANAGEMENT_ACCOUNT, REGION } from "./support";
import { TRAIL_CASES } from "./trailCases";

/** What the steps of a case can use. */
export interface World {
  deployment: Deployment;
  /** SDK clients of the same account. */
  aws: AwsContext;
  /** Resources of another type that the case needs, by a name of its choice. */
  needs: Record<string, Deployed>;
}

export interface LifeCase {
  type: string;
  /** Account whose root user runs the case. @default the security account */
  account?: string;
  /** Makes what the resource needs. */
  needs?(deployment: Deployment, aws: AwsContext): Promise<Record<string, Deployed>>;
  inputs(world: World): Props;
  /** Outputs that must have a value after create. */
  outputs: string[];
  /** Inputs to change in place; undefined takes one away. Absent: every input of the type replaces. */
  update?(world: World): Props;
  /** Changes something behind the provider's back. */
  drift?(world: World, resource: Deployed): Promise<unknown>;
  /** Inputs in which that must show after a refresh. */
  driftShows?: string[];
  /** Inputs whose change must replace, with another value each. */
  replaces: Props;
}

/** The organizational unit of the local organization that stack instances go to; the suite looks its id up. */
export const WORKLOADS = { name: "Workloads", id: "" };

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** A policy that allows actions; `n` makes different ones. */
function allow(n: number, extra: Props = {}): string {
  const statement = { Effect: "Allow", Action: `sqs:Action${n}`, Resource: "*", ...extra };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}

const code = (text: string) => ({
  "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
  assets: {
    "index.mjs": { "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", text },
  },
});

async function lambdaFunction(deployment: Deployment): Promise<Deployed> {
  const role = await deployment.make("aws:iam/role:Role", "fn-role", { assumeRolePolicy: trust });
  return deployment.make("aws:lambda/function:Function", "fn", {
    role: role.outputs.arn,
    runtime: "nodejs24.x",
    handler: "index.handler",
    code: code("export const handler = async () => 1;"),
  });
}

async function network(aws: AwsContext): Promise<{ vpcId: string; subnets: string[] }> {
  const ec2 = await aws.client("ec2");
  const vpcId = (await ec2.describeVpcs({})).Vpcs![0]!.VpcId!;
  const { Subnets } = await ec2.describeSubnets({ Filters: [{ Name: "vpc-id", Values: [vpcId] }] });
  return { vpcId, subnets: Subnets!.map((subnet) => subnet.SubnetId!) };
}

const tagCases = {
  tags: { project: "bulkhead", purpose: "test" },
  newTags: { project: "bulkhead", owner: "identity" },
};

async function topicAndQueue(deployment: Deployment): Promise<Record<string, Deployed>> {
  const topic = await deployment.make("aws:sns/topic:Topic", "topic", {});
  const queue = await deployment.make("aws:sqs/queue:Queue", "queue", {});
  return { topic, queue };
}

async function ruleAndQueue(deployment: Deployment): Promise<Record<string, Deployed>> {
  const eventPattern = '{"source": ["aws.iam"]}';
  const rule = await deployment.make("aws:cloudwatch/eventRule:EventRule", "rule", { eventPattern });
  const queue = await deployment.make("aws:sqs/queue:Queue", "queue", {});
  return { rule, queue };
}

async function twoGroups(deployment: Deployment, aws: AwsContext): Promise<Record<string, Deployed>> {
  const { vpcId } = await network(aws);
  return {
    group: await deployment.make("aws:ec2/securityGroup:SecurityGroup", "group", { vpcId }),
    other: await deployment.make("aws:ec2/securityGroup:SecurityGroup", "other", { vpcId }),
  };
}

/** A template whose stack holds one resource; `n` makes different ones. */
function template(n: number): string {
  return JSON.stringify({
    AWSTemplateFormatVersion: "2010-09-09",
    Parameters: { Suffix: { Type: "String", Default: "a" } },
    Resources: {
      Queue: {
        Type: "AWS::SQS::Queue",
        Properties: { DelaySeconds: n, QueueName: { "Fn::Sub": "set-${Suffix}" } },
      },
    },
  });
}

const serviceManaged = {
  permissionModel: "SERVICE_MANAGED",
  autoDeployment: { enabled: true, retainStacksOnAccountRemoval: false },
  capabilities: ["CAPABILITY_NAMED_IAM"],
};

function singleRuleCase(type: string, isEgress: boolean): LifeCase {
  return {
    type,
    needs: twoGroups,
    inputs: ({ needs }) => ({
      securityGroupId: needs.group!.id,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      referencedSecurityGroupId: needs.other!.id,
      description: "first",
    }),
    outputs: ["arn", "securityGroupRuleId", "tagsAll"],
    update: () => ({ description: "second", tags: tagCases.tags }),
    drift: async ({ aws, needs }, rule) => {
      const ec2 = await aws.client("ec2");
      const SecurityGroupRule = {
        IpProtocol: "tcp",
        FromPort: 443,
        ToPort: 443,
        ReferencedGroupId: needs.other!.id,
        Description: "third",
      };
      await ec2.modifySecurityGroupRules({
        GroupId: needs.group!.id,
        SecurityGroupRules: [{ SecurityGroupRuleId: rule.id, SecurityGroupRule }],
      });
      const { SecurityGroupRules } = await ec2.describeSecurityGroupRules({
        SecurityGroupRuleIds: [rule.id],
      });
      if (SecurityGroupRules?.[0]?.IsEgress !== isEgress)
        throw new Error("the rule is of the wrong direction");
    },
    driftShows: ["description"],
    replaces: { securityGroupId: "sg-00000000000000000" },
  };
}

export const LIFE_CASES: readonly LifeCase[] = [
  ...TRAIL_CASES,
  ...KEY_ROTATION_CASES,
  ...APPROVAL_CASES,
  {
    type: "aws:iam/user:User",
    needs: async (deployment) => ({
      boundary: await deployment.make("aws:iam/policy:Policy", "boundary", { policy: allow(1) }),
    }),
    inputs: () => ({ path: "/break-glass/", tags: tagCases.tags }),
    outputs: ["arn", "uniqueId", "name", "tagsAll"],
    update: ({ needs }) => ({ permissionsBoundary: needs.boundary!.id, tags: tagCases.newTags }),
    drift: async ({ aws }, user) =>
      (await aws.client("iam")).tagUser({
        UserName: user.outputs.name,
        Tags: [{ Key: "stray", Value: "1" }],
      }),
    driftShows: ["tags"],
    replaces: {},
  },
  {
    type: "aws:iam/userLoginProfile:UserLoginProfile",
    needs: async (deployment) => ({ user: await deployment.make("aws:iam/user:User", "console", {}) }),
    inputs: ({ needs }) => ({ user: needs.user!.id, passwordResetRequired: false }),
    outputs: ["password"],
    drift: async ({ aws, needs }) =>
      (await aws.client("iam")).updateLoginProfile({ UserName: needs.user!.id, PasswordResetRequired: true }),
    driftShows: ["passwordResetRequired"],
    replaces: { user: "another", pgpKey: "a2V5", passwordLength: 30, passwordResetRequired: false },
  },
  {
    type: "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    needs: async (deployment) => ({
      user: await deployment.make("aws:iam/user:User", "attached", {}),
      policy: await deployment.make("aws:iam/policy:Policy", "attached", { policy: allow(1) }),
    }),
    inputs: ({ needs }) => ({ user: needs.user!.id, policyArn: needs.policy!.id }),
    outputs: ["user", "policyArn"],
    replaces: { user: "another", policyArn: `arn:aws:iam::${ACCOUNT}:policy/another` },
  },
  {
    type: "aws:iam/policy:Policy",
    inputs: () => ({
      path: "/break-glass/",
      description: "What is allowed",
      policy: allow(1),
      tags: tagCases.tags,
    }),
    outputs: ["arn", "policyId", "attachmentCount", "name"],
    update: () => ({ policy: allow(2), tags: tagCases.newTags }),
    drift: async ({ aws }, policy) => {
      const iam = await aws.client("iam");
      await iam.createPolicyVersion({ PolicyArn: policy.id, PolicyDocument: allow(3), SetAsDefault: true });
    },
    driftShows: ["policy"],
    replaces: { name: "another", path: "/", description: "Something else" },
  },
  {
    type: "aws:iam/role:Role",
    inputs: () => ({
      assumeRolePolicy: trust,
      description: "first",
      maxSessionDuration: 7200,
      tags: tagCases.tags,
    }),
    outputs: ["arn", "uniqueId", "createDate", "name"],
    update: () => ({
      assumeRolePolicy: trust.replace("lambda", "events"),
      description: undefined,
      maxSessionDuration: undefined,
      tags: tagCases.newTags,
    }),
    drift: async ({ aws }, role) =>
      (await aws.client("iam")).updateRole({ RoleName: role.id, MaxSessionDuration: 43200 }),
    driftShows: ["maxSessionDuration"],
    replaces: { name: "another", path: "/other/" },
  },
  {
    type: "aws:iam/rolePolicy:RolePolicy",
    needs: async (deployment) => ({
      role: await deployment.make("aws:iam/role:Role", "inline", { assumeRolePolicy: trust }),
    }),
    inputs: ({ needs }) => ({ role: needs.role!.id, policy: allow(1) }),
    outputs: ["name", "role", "policy"],
    update: () => ({ policy: allow(2) }),
    drift: async ({ aws }, policy) => {
      const iam = await aws.client("iam");
      const { role, name } = policy.outputs;
      await iam.putRolePolicy({ RoleName: role, PolicyName: name, PolicyDocument: allow(3) });
    },
    driftShows: ["policy"],
    replaces: { name: "another", role: "another" },
  },
  {
    type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    needs: async (deployment) => ({
      role: await deployment.make("aws:iam/role:Role", "attached", { assumeRolePolicy: trust }),
      policy: await deployment.make("aws:iam/policy:Policy", "attached", { policy: allow(1) }),
    }),
    inputs: ({ needs }) => ({ role: needs.role!.id, policyArn: needs.policy!.id }),
    outputs: ["role", "policyArn"],
    replaces: { role: "another", policyArn: `arn:aws:iam::${ACCOUNT}:policy/another` },
  },
  {
    type: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
    inputs: () => ({ minimumPasswordLength: 20, requireSymbols: true, maxPasswordAge: 90 }),
    outputs: ["expirePasswords"],
    update: () => ({ minimumPasswordLength: 24, requireNumbers: true }),
    drift: async ({ aws }) =>
      (await aws.client("iam")).updateAccountPasswordPolicy({ MinimumPasswordLength: 8 }),
    driftShows: ["minimumPasswordLength"],
    replaces: {},
  },
  {
    type: "aws:sns/topic:Topic",
    inputs: () => ({ displayName: "Alerts", tags: tagCases.tags }),
    outputs: ["arn", "owner", "name", "policy"],
    update: () => ({ displayName: "Alarms", kmsMasterKeyId: "alias/aws/sns", tags: tagCases.newTags }),
    drift: async ({ aws }, topic) =>
      (await aws.client("sns")).setTopicAttributes({
        TopicArn: topic.id,
        AttributeName: "DisplayName",
        AttributeValue: "Stray",
      }),
    driftShows: ["displayName"],
    replaces: { name: "another", fifoTopic: true },
  },
  {
    type: "aws:sns/topicPolicy:TopicPolicy",
    needs: topicAndQueue,
    inputs: ({ needs }) => ({
      arn: needs.topic!.id,
      policy: allow(1, { Action: "SNS:Publish", Principal: { AWS: ACCOUNT }, Resource: needs.topic!.id }),
    }),
    outputs: ["owner"],
    update: ({ needs }) => ({
      policy: allow(1, { Action: "SNS:Subscribe", Principal: { AWS: ACCOUNT }, Resource: needs.topic!.id }),
    }),
    drift: async ({ aws, needs }) =>
      (await aws.client("sns")).setTopicAttributes({
        TopicArn: needs.topic!.id,
        AttributeName: "Policy",
        AttributeValue: allow(3, {
          Action: "SNS:Publish",
          Principal: { AWS: "*" },
          Resource: needs.topic!.id,
        }),
      }),
    driftShows: ["policy"],
    replaces: { arn: `arn:aws:sns:${REGION}:${ACCOUNT}:another` },
  },
  {
    type: "aws:sns/topicSubscription:TopicSubscription",
    needs: topicAndQueue,
    inputs: ({ needs }) => ({
      topic: needs.topic!.id,
      protocol: "sqs",
      endpoint: needs.queue!.outputs.arn,
      filterPolicy: '{"kind": ["use"]}',
    }),
    outputs: ["arn", "ownerId"],
    update: () => ({ rawMessageDelivery: true, filterPolicy: '{"kind": ["use", "signin"]}' }),
    drift: async ({ aws }, subscription) =>
      (await aws.client("sns")).setSubscriptionAttributes({
        SubscriptionArn: subscription.id,
        AttributeName: "RawMessageDelivery",
        AttributeValue: "false",
      }),
    driftShows: ["rawMessageDelivery"],
    replaces: { protocol: "lambda", endpoint: "another", topic: "another" },
  },
  {
    type: "aws:sqs/queue:Queue",
    inputs: () => ({ messageRetentionSeconds: 1209600, tags: tagCases.tags }),
    outputs: ["arn", "url", "name"],
    update: () => ({ visibilityTimeoutSeconds: 60, messageRetentionSeconds: 86400, tags: tagCases.newTags }),
    drift: async ({ aws }, queue) =>
      (await aws.client("sqs")).setQueueAttributes({
        QueueUrl: queue.id,
        Attributes: { VisibilityTimeout: "90" },
      }),
    driftShows: ["visibilityTimeoutSeconds"],
    replaces: { name: "another", fifoQueue: true },
  },
  {
    type: "aws:sqs/queuePolicy:QueuePolicy",
    needs: topicAndQueue,
    inputs: ({ needs }) => ({
      queueUrl: needs.queue!.id,
      policy: allow(1, { Action: "sqs:SendMessage", Principal: { Service: "events.amazonaws.com" } }),
    }),
    outputs: ["policy"],
    update: () => ({ policy: allow(1, { Action: "sqs:*", Principal: { Service: "events.amazonaws.com" } }) }),
    drift: async ({ aws, needs }) =>
      (await aws.client("sqs")).setQueueAttributes({
        QueueUrl: needs.queue!.id,
        Attributes: { Policy: allow(3, { Principal: "*" }) },
      }),
    driftShows: ["policy"],
    replaces: { queueUrl: "another" },
  },
  {
    type: "aws:cloudwatch/eventBus:EventBus",
    inputs: () => ({ description: "first", tags: tagCases.tags }),
    outputs: ["arn", "name"],
    update: () => ({ description: "second", tags: tagCases.newTags }),
    drift: async ({ aws }, bus) =>
      (await aws.client("events")).updateEventBus({ Name: bus.id, Description: "third" }),
    driftShows: ["description"],
    replaces: { name: "another" },
  },
  {
    type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
    needs: async (deployment) => ({
      bus: await deployment.make("aws:cloudwatch/eventBus:EventBus", "hub", {}),
    }),
    inputs: ({ needs }) => ({
      eventBusName: needs.bus!.id,
      policy: allow(1, {
        Sid: "a",
        Action: "events:PutEvents",
        Principal: "*",
        Resource: needs.bus!.outputs.arn,
      }),
    }),
    outputs: ["policy"],
    update: ({ needs }) => ({
      policy: allow(1, {
        Sid: "a",
        Action: "events:PutEvents",
        Principal: { AWS: ACCOUNT },
        Resource: needs.bus!.outputs.arn,
      }),
    }),
    drift: async ({ aws, needs }) => {
      const events = await aws.client("events");
      await events.removePermission({ EventBusName: needs.bus!.id, RemoveAllPermissions: true });
      const Policy = allow(1, { Sid: "b", Action: "events:PutRule", Principal: "*", Resource: "*" });
      await events.putPermission({ EventBusName: needs.bus!.id, Policy });
    },
    driftShows: ["policy"],
    replaces: { eventBusName: "another" },
  },
  {
    type: "aws:cloudwatch/eventRule:EventRule",
    inputs: () => ({
      eventPattern: JSON.stringify({ source: ["aws.signin"], detail: { eventName: ["ConsoleLogin"] } }),
      state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
      tags: tagCases.tags,
    }),
    outputs: ["arn", "name"],
    update: () => ({
      description: "second",
      eventPattern: '{"source": ["aws.iam"]}',
      tags: tagCases.newTags,
    }),
    drift: async ({ aws }, rule) => (await aws.client("events")).disableRule({ Name: rule.outputs.name }),
    driftShows: ["state"],
    replaces: { name: "another", eventBusName: "another" },
  },
  {
    type: "aws:cloudwatch/eventTarget:EventTarget",
    needs: ruleAndQueue,
    inputs: ({ needs }) => ({
      rule: needs.rule!.outputs.name,
      arn: needs.queue!.outputs.arn,
      deadLetterConfig: { arn: needs.queue!.outputs.arn },
      retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 600 },
    }),
    outputs: ["targetId"],
    update: () => ({
      inputTransformer: { inputPaths: { name: "$.detail.eventName" }, inputTemplate: '"<name>"' },
      retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 600 },
    }),
    drift: async ({ aws, needs }, target) => {
      const events = await aws.client("events");
      const Targets = [{ Id: target.outputs.targetId, Arn: needs.queue!.outputs.arn, Input: "{}" }];
      await events.putTargets({ Rule: needs.rule!.outputs.name, Targets });
    },
    driftShows: ["inputTransformer", "input"],
    replaces: { rule: "another", eventBusName: "another", targetId: "another" },
  },
  {
    type: "aws:cloudwatch/logGroup:LogGroup",
    inputs: () => ({ name: "/bulkhead/test", retentionInDays: 30, tags: tagCases.tags }),
    outputs: ["arn", "logGroupClass"],
    update: () => ({ retentionInDays: 90, tags: tagCases.newTags }),
    drift: async ({ aws }, group) =>
      (await aws.client("logs")).deleteRetentionPolicy({ logGroupName: group.id }),
    driftShows: ["retentionInDays"],
    replaces: { name: "another", logGroupClass: "INFREQUENT_ACCESS" },
  },
  {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs: () => ({
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: 1,
      metricName: "Errors",
      namespace: "AWS/Lambda",
      period: 60,
      statistic: "Sum",
      threshold: 0,
      dimensions: { FunctionName: "fn" },
      treatMissingData: "notBreaching",
      alarmActions: [`arn:aws:sns:${REGION}:${ACCOUNT}:alerts`],
      tags: tagCases.tags,
    }),
    outputs: ["arn", "name"],
    update: () => ({ threshold: 5, alarmDescription: "second", tags: tagCases.newTags }),
    drift: async ({ aws }, alarm) =>
      (await aws.client("cloudwatch")).disableAlarmActions({ AlarmNames: [alarm.id] }),
    driftShows: ["actionsEnabled"],
    replaces: { name: "another" },
  },
  {
    type: "aws:kms/key:Key",
    inputs: () => ({
      description: "first",
      deletionWindowInDays: 7,
      enableKeyRotation: true,
      tags: tagCases.tags,
    }),
    outputs: ["arn", "keyId", "policy"],
    update: () => ({ description: "second", enableKeyRotation: false, tags: tagCases.newTags }),
    drift: async ({ aws }, key) => (await aws.client("kms")).disableKey({ KeyId: key.id }),
    driftShows: ["isEnabled"],
    replaces: { keyUsage: "SIGN_VERIFY", customerMasterKeySpec: "ECC_NIST_P256", multiRegion: true },
  },
  {
    type: "aws:kms/alias:Alias",
    needs: async (deployment) => ({
      key: await deployment.make("aws:kms/key:Key", "first", {}),
      other: await deployment.make("aws:kms/key:Key", "second", {}),
    }),
    inputs: ({ needs }) => ({ targetKeyId: needs.key!.outputs.arn }),
    outputs: ["arn", "targetKeyArn", "name"],
    update: ({ needs }) => ({ targetKeyId: needs.other!.id }),
    drift: async ({ aws, needs }, alias) =>
      (await aws.client("kms")).updateAlias({ AliasName: alias.id, TargetKeyId: needs.key!.id }),
    driftShows: ["targetKeyId"],
    replaces: { name: "alias/another" },
  },
  {
    type: "aws:lambda/function:Function",
    needs: async (deployment) => ({
      role: await deployment.make("aws:iam/role:Role", "fn", { assumeRolePolicy: trust }),
      queue: await deployment.make("aws:sqs/queue:Queue", "dead", {}),
    }),
    inputs: ({ needs }) => ({
      role: needs.role!.outputs.arn,
      runtime: "nodejs24.x",
      handler: "index.handler",
      architectures: ["arm64"],
      code: code("export const handler = async () => 1;"),
      environment: { variables: { STAGE: "test" } },
      deadLetterConfig: { targetArn: needs.queue!.outputs.arn },
      tracingConfig: { mode: "Active" },
      loggingConfig: { logFormat: "JSON", logGroup: "/bulkhead/fn" },
      reservedConcurrentExecutions: 5,
      tags: tagCases.tags,
    }),
    outputs: ["arn", "invokeArn", "version", "lastModified", "codeSha256", "sourceCodeSize"],
    update: () => ({
      code: code("export const handler = async () => 2;"),
      environment: undefined,
      memorySize: 256,
      reservedConcurrentExecutions: undefined,
      tags: tagCases.newTags,
    }),
    drift: async ({ aws }, fn) => {
      const lambda = await aws.client("lambda");
      await lambda.updateFunctionConfiguration({ FunctionName: fn.id, Timeout: 30 });
      const ZipFile = await zipArchive(code("export const handler = async () => 3;"));
      await lambda.updateFunctionCode({ FunctionName: fn.id, ZipFile });
    },
    driftShows: ["timeout", "code"],
    replaces: { name: "another" },
  },
  {
    type: "aws:lambda/permission:Permission",
    needs: async (deployment) => ({ fn: await lambdaFunction(deployment) }),
    inputs: ({ needs }) => ({
      function: needs.fn!.id,
      action: "lambda:InvokeFunction",
      principal: "events.amazonaws.com",
      sourceArn: `arn:aws:events:${REGION}:${ACCOUNT}:rule/rule`,
      sourceAccount: ACCOUNT,
    }),
    outputs: ["statementId"],
    replaces: {
      function: "another",
      action: "lambda:GetFunction",
      principal: "sns.amazonaws.com",
      sourceArn: `arn:aws:events:${REGION}:${ACCOUNT}:rule/another`,
      sourceAccount: "333333333333",
      statementId: "another",
    },
  },
  {
    type: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    needs: async (deployment) => ({
      fn: await lambdaFunction(deployment),
      queue: await deployment.make("aws:sqs/queue:Queue", "failed", {}),
    }),
    inputs: ({ needs }) => ({
      functionName: needs.fn!.id,
      maximumRetryAttempts: 1,
      destinationConfig: { onFailure: { destination: needs.queue!.outputs.arn } },
    }),
    outputs: ["functionName"],
    update: () => ({ maximumRetryAttempts: 0, maximumEventAgeInSeconds: 3600 }),
    drift: async ({ aws, needs }) =>
      (await aws.client("lambda")).putFunctionEventInvokeConfig({
        FunctionName: needs.fn!.id,
        MaximumRetryAttempts: 2,
        MaximumEventAgeInSeconds: 3600,
      }),
    driftShows: ["maximumRetryAttempts", "destinationConfig"],
    replaces: { functionName: "another", qualifier: "1" },
  },
  {
    type: "aws:dynamodb/table:Table",
    inputs: () => ({
      attributes: [
        { name: "pk", type: "S" },
        { name: "sk", type: "S" },
      ],
      hashKey: "pk",
      rangeKey: "sk",
      billingMode: "PAY_PER_REQUEST",
      pointInTimeRecovery: { enabled: true },
      serverSideEncryption: { enabled: true },
      ttl: { attributeName: "expires", enabled: true },
      tags: tagCases.tags,
    }),
    outputs: ["arn", "name"],
    update: () => ({
      attributes: [
        { name: "pk", type: "S" },
        { name: "sk", type: "S" },
        { name: "owner", type: "S" },
      ],
      globalSecondaryIndexes: [{ name: "byOwner", hashKey: "owner", projectionType: "ALL" }],
      pointInTimeRecovery: { enabled: false },
      ttl: undefined,
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
      replicas: [{ regionName: "us-east-1", pointInTimeRecovery: true }],
      tags: tagCases.newTags,
    }),
    drift: async ({ aws }, table) =>
      (await aws.client("dynamodb")).updateTable({ TableName: table.id, DeletionProtectionEnabled: true }),
    driftShows: ["deletionProtectionEnabled"],
    replaces: { name: "another", hashKey: "sk", rangeKey: "pk" },
  },
  {
    type: "aws:dynamodb/tableItem:TableItem",
    needs: async (deployment) => ({
      table: await deployment.make("aws:dynamodb/table:Table", "items", {
        attributes: [{ name: "cell", type: "S" }],
        hashKey: "cell",
        billingMode: "PAY_PER_REQUEST",
      }),
    }),
    inputs: ({ needs }) => ({
      tableName: needs.table!.id,
      hashKey: "cell",
      item: '{"cell": {"S": "dr"}, "active": {"BOOL": false}, "epoch": {"N": "0"}}',
    }),
    outputs: ["item"],
    update: () => ({ item: '{"cell": {"S": "dr"}, "active": {"BOOL": true}, "reason": {"S": "drill"}}' }),
    drift: async ({ aws, needs }) =>
      (await aws.client("dynamodb")).updateItem({
        TableName: needs.table!.id,
        Key: { cell: { S: "dr" } },
        UpdateExpression: "SET active = :no",
        ExpressionAttributeValues: { ":no": { BOOL: false } },
      }),
    driftShows: ["item"],
    replaces: { tableName: "another", hashKey: "active", rangeKey: "epoch" },
  },
  {
    type: "aws:cloudformation/stackSet:StackSet",
    account: MANAGEMENT_ACCOUNT,
    inputs: () => ({
      ...serviceManaged,
      description: "first",
      templateBody: template(1),
      parameters: { Suffix: "a" },
      managedExecution: { active: true },
      tags: tagCases.tags,
    }),
    outputs: ["arn", "stackSetId", "name"],
    update: () => ({ description: "second", templateBody: template(2), parameters: { Suffix: "b" } }),
    drift: async ({ aws }, set) => {
      const cloudformation = await aws.client("cloudformation");
      await cloudformation.updateStackSet({
        StackSetName: set.id,
        Description: "third",
        UsePreviousTemplate: true,
        Parameters: [{ ParameterKey: "Suffix", UsePreviousValue: true }],
        Capabilities: ["CAPABILITY_NAMED_IAM"],
        PermissionModel: "SERVICE_MANAGED",
        AutoDeployment: { Enabled: true, RetainStacksOnAccountRemoval: false },
      });
    },
    driftShows: ["description"],
    replaces: { name: "another", permissionModel: "SELF_MANAGED", callAs: "DELEGATED_ADMIN" },
  },
  {
    type: "aws:cloudformation/stackSetInstance:StackSetInstance",
    account: MANAGEMENT_ACCOUNT,
    needs: async (deployment) => ({
      set: await deployment.make("aws:cloudformation/stackSet:StackSet", "set", {
        ...serviceManaged,
        templateBody: template(1),
      }),
    }),
    inputs: ({ needs }) => ({
      stackSetName: needs.set!.id,
      deploymentTargets: { organizationalUnitIds: [WORKLOADS.id] },
      stackSetInstanceRegion: "us-east-1",
      operationPreferences: { failureToleranceCount: 0, maxConcurrentCount: 5 },
    }),
    outputs: ["stackId", "organizationalUnitId", "stackInstanceSummaries"],
    update: () => ({ parameterOverrides: { Suffix: "b" } }),
    replaces: {
      stackSetName: "another",
      stackSetInstanceRegion: "us-west-2",
      deploymentTargets: { organizationalUnitIds: ["ou-0000-00000000"] },
      callAs: "DELEGATED_ADMIN",
    },
  },
  {
    type: "aws:ec2/securityGroup:SecurityGroup",
    needs: async () => ({}),
    inputs: () => ({
      description: "Endpoints",
      ingress: [
        {
          protocol: "tcp",
          fromPort: 443,
          toPort: 443,
          cidrBlocks: ["10.0.0.0/16", "10.1.0.0/16"],
          description: "in",
        },
        { protocol: "tcp", fromPort: 443, toPort: 443, self: true },
      ],
      tags: tagCases.tags,
    }),
    outputs: ["arn", "ownerId", "vpcId", "name"],
    update: () => ({
      ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["10.2.0.0/16"] }],
      egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
      tags: tagCases.newTags,
    }),
    drift: async ({ aws }, group) =>
      (await aws.client("ec2")).authorizeSecurityGroupIngress({
        GroupId: group.id,
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
      }),
    driftShows: ["ingress"],
    replaces: { name: "another", description: "Something else", vpcId: "vpc-00000000" },
  },
  {
    type: "aws:ec2/vpcEndpoint:VpcEndpoint",
    needs: twoGroups,
    inputs: ({ needs }) => ({
      vpcId: needs.group!.outputs.vpcId,
      serviceName: `com.amazonaws.${REGION}.sts`,
      vpcEndpointType: "Interface",
      privateDnsEnabled: true,
      securityGroupIds: [needs.group!.id],
      tags: tagCases.tags,
    }),
    outputs: ["arn", "state", "ownerId"],
    update: () => ({ policy: allow(1, { Principal: "*" }), tags: tagCases.newTags }),
    drift: async ({ aws }, endpoint) =>
      (await aws.client("ec2")).createTags({
        Resources: [endpoint.id],
        Tags: [{ Key: "stray", Value: "1" }],
      }),
    driftShows: ["tags"],
    replaces: {
      vpcId: "vpc-00000000",
      serviceName: `com.amazonaws.${REGION}.kms`,
      vpcEndpointType: "Gateway",
    },
  },
  singleRuleCase("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", false),
  singleRuleCase("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", true),
  {
    type: "aws:ssm/parameter:Parameter",
    inputs: () => ({ type: "SecureString", value: "first", description: "first", tags: tagCases.tags }),
    outputs: ["arn", "version", "name"],
    update: () => ({ value: "second", description: "second", tags: tagCases.newTags }),
    drift: async ({ aws }, parameter) =>
      (await aws.client("ssm")).putParameter({
        Name: parameter.id,
        Value: "third",
        Type: "SecureString",
        Overwrite: true,
      }),
    driftShows: ["value"],
    replaces: { name: "another", type: "String", dataType: "aws:ec2:image" },
  },
];
