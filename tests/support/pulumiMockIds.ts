import { arn, dnsSuffix, type Partition } from "../../components/regional/partition";

/** What an id or ARN is derived from. */
export interface MockIdContext {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: inputs of any resource type, as tests read them
  inputs: Record<string, any>;
  region: string;
  accountId: string;
  partition: Partition;
}

/** The id and the computed outputs that a provider would add to the inputs. */
export interface MockIdentity {
  id: string;
  state: Record<string, unknown>;
}

type Shape = (context: MockIdContext) => MockIdentity;

/** The physical name: the input of that key, else the logical name with a fixed suffix as if Pulumi had chosen it. */
function physicalName(context: MockIdContext, key = "name"): string {
  const given = context.inputs[key];
  return typeof given === "string" ? given : `${context.name}-auto`;
}

function regionalArn(context: MockIdContext, service: string, resource: string): string {
  const { partition, region, accountId } = context;
  return arn({ partition, service, region, account: accountId, resource });
}

function iamArn(context: MockIdContext, kind: string): string {
  const { partition, accountId, inputs } = context;
  const path = typeof inputs.path === "string" ? inputs.path : "/";
  return arn({
    partition,
    service: "iam",
    account: accountId,
    resource: `${kind}${path}${physicalName(context)}`,
  });
}

/** A shape whose id is the name and whose ARN is `service:kind<separator>name`. */
function named(service: string, prefix: string): Shape {
  return (context) => {
    const name = physicalName(context);
    return { id: name, state: { name, arn: regionalArn(context, service, `${prefix}${name}`) } };
  };
}

/** A shape whose id is a generated one, such as `vpc-NAME`. */
function generated(service: string, kind: string, idPrefix: string): Shape {
  return (context) => {
    const id = `${idPrefix}-${context.name}`;
    return { id, state: { arn: regionalArn(context, service, `${kind}/${id}`) } };
  };
}

const SHAPES: Record<string, Shape> = {
  "aws:apigatewayv2/api:Api": (context) => {
    const id = `api-${context.name}`;
    return {
      id,
      state: {
        name: physicalName(context),
        apiEndpoint: `https://${id}.execute-api.${context.region}.${dnsSuffix(context.partition)}`,
        executionArn: regionalArn(context, "execute-api", id),
      },
    };
  },
  "aws:cloudtrail/trail:Trail": (context) => {
    const name = physicalName(context);
    const trailArn = regionalArn(context, "cloudtrail", `trail/${name}`);
    return { id: trailArn, state: { name, arn: trailArn, homeRegion: context.region } };
  },
  "aws:cloudwatch/eventBus:EventBus": named("events", "event-bus/"),
  "aws:cloudwatch/eventRule:EventRule": (context) => {
    const name = physicalName(context);
    const bus = context.inputs.eventBusName;
    const resource = bus === undefined || bus === "default" ? `rule/${name}` : `rule/${bus}/${name}`;
    return { id: name, state: { name, arn: regionalArn(context, "events", resource) } };
  },
  "aws:cloudwatch/logGroup:LogGroup": named("logs", "log-group:"),
  "aws:cloudwatch/metricAlarm:MetricAlarm": named("cloudwatch", "alarm:"),
  "aws:dynamodb/table:Table": (context) => {
    const name = physicalName(context);
    const tableArn = regionalArn(context, "dynamodb", `table/${name}`);
    return {
      id: name,
      state: { name, arn: tableArn, streamArn: `${tableArn}/stream/2026-01-01T00:00:00.000` },
    };
  },
  "aws:ec2/securityGroup:SecurityGroup": (context) => {
    const shape = generated("ec2", "security-group", "sg")(context);
    return { id: shape.id, state: { ...shape.state, name: physicalName(context) } };
  },
  "aws:ec2/subnet:Subnet": generated("ec2", "subnet", "subnet"),
  "aws:ec2/vpc:Vpc": generated("ec2", "vpc", "vpc"),
  "aws:ec2/vpcEndpoint:VpcEndpoint": generated("ec2", "vpc-endpoint", "vpce"),
  "aws:iam/group:Group": (context) => ({
    id: physicalName(context),
    state: { name: physicalName(context), arn: iamArn(context, "group") },
  }),
  "aws:iam/policy:Policy": (context) => {
    const policyArn = iamArn(context, "policy");
    return { id: policyArn, state: { name: physicalName(context), arn: policyArn } };
  },
  "aws:iam/role:Role": (context) => ({
    id: physicalName(context),
    state: {
      name: physicalName(context),
      arn: iamArn(context, "role"),
      uniqueId: `AROA${context.name.toUpperCase()}`,
    },
  }),
  "aws:iam/user:User": (context) => ({
    id: physicalName(context),
    state: {
      name: physicalName(context),
      arn: iamArn(context, "user"),
      uniqueId: `AIDA${context.name.toUpperCase()}`,
    },
  }),
  "aws:iam/userLoginProfile:UserLoginProfile": (context) => ({
    id: String(context.inputs.user),
    state: { encryptedPassword: "ZW5jcnlwdGVk", keyFingerprint: "0".repeat(40) },
  }),
  "aws:kms/alias:Alias": (context) => {
    const name = physicalName(context);
    return { id: name, state: { name, arn: regionalArn(context, "kms", name) } };
  },
  "aws:kms/key:Key": (context) => {
    const keyId = `key-${context.name}`;
    return { id: keyId, state: { keyId, arn: regionalArn(context, "kms", `key/${keyId}`) } };
  },
  "aws:kms/replicaKey:ReplicaKey": (context) => {
    const keyId = String(context.inputs.primaryKeyArn).split("/").at(-1)!;
    const region = typeof context.inputs.region === "string" ? context.inputs.region : context.region;
    return { id: keyId, state: { keyId, arn: regionalArn({ ...context, region }, "kms", `key/${keyId}`) } };
  },
  "aws:lambda/function:Function": (context) => {
    const name = physicalName(context);
    const functionArn = regionalArn(context, "lambda", `function:${name}`);
    return { id: name, state: { name, arn: functionArn, qualifiedArn: `${functionArn}:$LATEST` } };
  },
  "aws:s3/bucket:Bucket": (context) => {
    const bucket = physicalName(context, "bucket");
    const { partition } = context;
    return {
      id: bucket,
      state: {
        bucket,
        arn: arn({ partition, service: "s3", resource: bucket }),
        bucketRegionalDomainName: `${bucket}.s3.${context.region}.${dnsSuffix(partition)}`,
      },
    };
  },
  "aws:secretsmanager/secret:Secret": (context) => {
    const secretArn = regionalArn(context, "secretsmanager", `secret:${physicalName(context)}-AbCdEf`);
    return { id: secretArn, state: { name: physicalName(context), arn: secretArn } };
  },
  "aws:sfn/stateMachine:StateMachine": (context) => {
    const machineArn = regionalArn(context, "states", `stateMachine:${physicalName(context)}`);
    return { id: machineArn, state: { name: physicalName(context), arn: machineArn } };
  },
  "aws:sns/topic:Topic": (context) => {
    const topicArn = regionalArn(context, "sns", physicalName(context));
    return { id: topicArn, state: { name: physicalName(context), arn: topicArn } };
  },
  "aws:sns/topicSubscription:TopicSubscription": (context) => {
    const subscriptionArn = `${context.inputs.topic}:${context.name}`;
    return { id: subscriptionArn, state: { arn: subscriptionArn } };
  },
  "aws:sqs/queue:Queue": (context) => {
    const name = physicalName(context);
    const url = `https://sqs.${context.region}.${dnsSuffix(context.partition)}/${context.accountId}/${name}`;
    return { id: url, state: { name, url, arn: regionalArn(context, "sqs", name) } };
  },
  "aws:ssm/parameter:Parameter": (context) => {
    const name = physicalName(context);
    return {
      id: name,
      state: { name, arn: regionalArn(context, "ssm", `parameter/${name.replace(/^\//, "")}`) },
    };
  },
};

/**
 * The deterministic id and computed outputs of a resource. Types without a shape of their own get the id `NAME-id` and, in package
 * aws, the ARN `arn:PARTITION:MODULE:REGION:ACCOUNT:KIND/NAME`.
 */
export function mockIdentity(context: MockIdContext): MockIdentity {
  const shape = SHAPES[context.type];
  if (shape) return shape(context);
  const id = `${context.name}-id`;
  const parts = /^aws:([^/]+)\/([^:]+):/.exec(context.type);
  if (!parts) return { id, state: {} };
  return {
    id,
    state: { arn: regionalArn(context, parts[1]!, `${parts[2]}/${physicalName(context)}`) },
  };
}
