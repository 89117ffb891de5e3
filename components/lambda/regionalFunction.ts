import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Cell, type CellArgs, normalizeCell } from "../regional/cell";
import { stsEndpointUrl } from "../regional/partition";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { bundlePath } from "./bundle";
import { createDeadLetterQueue } from "./deadLetterQueue";
import { type FunctionNames, functionNames } from "./functionNames";
import { functionBaseStatements, functionNetworkStatements, functionTrustStatements } from "./functionPolicy";
import { LOG_RETENTION_DAYS } from "./logRetention";

// A value or a list of values, of resources perhaps. Pulumi's schemas have no unions, so the nearest type that they have.
// biome-ignore lint/suspicious/noExplicitAny: see above
type PolicyValue = any;

/**
 * One statement of a function's policy, in the form of IAM's JSON. Statements made for {@link policyDocument} fit.
 *
 * @example { Sid: "SendMail", Effect: "Allow", Action: "ses:SendEmail", Resource: identityArn }
 */
export interface FunctionStatement {
  /**
   * Name of the statement within the policy.
   * @default none
   */
  Sid?: string;
  /** Required. `Allow` or `Deny`. */
  Effect: string;
  /**
   * One action or several.
   * @default none: then give NotAction
   */
  Action?: PolicyValue;
  /**
   * All actions but these.
   * @default none
   */
  NotAction?: PolicyValue;
  /**
   * One resource or several.
   * @default none: then give NotResource
   */
  Resource?: PolicyValue;
  /**
   * All resources but these.
   * @default none
   */
  NotResource?: PolicyValue;
  /**
   * Conditions by operator and key.
   * @default none
   */
  Condition?: PolicyValue;
}

/** The network that a function runs in. */
export interface FunctionVpcArgs {
  /**
   * Required. Subnets, in two availability zones or more.
   * @example network.subnetIds
   */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Required. Security groups of the function.
   * @example [network.functionSecurityGroupId]
   */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
}

/** Arguments of {@link RegionalFunction}. */
export interface RegionalFunctionArgs {
  /**
   * Required. The cell that the function works for.
   * @example { name: "dr", region: "us-west-2", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Required. The function's own name, without prefix: lower-case letters, digits and hyphens.
   * @example "breakglass-steward" (the function is bulkhead-breakglass-steward, its role bulkhead-breakglass-steward-dr)
   */
  functionName: string;
  /**
   * Required. Name of the bundle below dist/functions: the function's folder below functions/.
   * @example "notification"
   */
  bundle: string;
  /**
   * Required. What the function does, in a sentence.
   * @example "Tells people of alerts by mail"
   */
  description: string;
  /**
   * Required. ARN of the cell's key: it encrypts the environment, the logs and the dead letters.
   * @example cellKey.keyArn
   */
  kmsKeyArn: pulumi.Input<string>;
  /**
   * What the function may do besides writing its own logs, traces and dead letters.
   * @default nothing
   * @example [{ Sid: "ReadRecord", Effect: "Allow", Action: "dynamodb:GetItem", Resource: table.arn }]
   */
  statements?: FunctionStatement[];
  /**
   * Environment variables. They are encrypted by the cell's key; still no place for secrets: name an SSM parameter here instead.
   * @default none besides those that every function gets
   * @example { ACTIVATION_TABLE: activation.tableName }
   */
  environment?: Record<string, pulumi.Input<string>>;
  /**
   * Memory in MB, 128 to 10,240; processing power grows with it.
   * @default 256
   * @example 1024
   */
  memorySize?: number;
  /**
   * Seconds until a run is stopped, 1 to 900.
   * @default 30
   * @example 300
   */
  timeout?: number;
  /**
   * How many runs there can be at the same time; they are set aside from the account's quota.
   * @default none: no limit, nothing set aside
   * @example 1
   */
  reservedConcurrency?: number;
  /**
   * How often an asynchronous run that failed is tried again, 0 to 2.
   * @default 2
   * @example 0
   */
  maximumRetryAttempts?: number;
  /**
   * Seconds after which an asynchronous event is given up and goes to the dead letters, 60 to 21,600.
   * @default 21600
   * @example 3600
   */
  maximumEventAge?: number;
  /**
   * Days that logs are kept: a number that CloudWatch Logs knows.
   * @default 365
   * @example 90
   */
  logRetentionDays?: number;
  /**
   * ARN of the topic that the function's alarms tell.
   * @default none: the alarms only show in CloudWatch
   * @example notification.topicArn
   */
  alarmTopicArn?: pulumi.Input<string>;
  /**
   * Network that the function runs in.
   * @default none: Lambda's own network, with a way to the internet
   * @example { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] }
   */
  vpc?: FunctionVpcArgs;
}

/** Share of the timeout at which a run counts as too long. */
const NEAR_TIMEOUT = 0.9;

interface Normalized {
  cell: Cell;
  names: FunctionNames;
  file: string;
  memorySize: number;
  timeout: number;
  maximumRetryAttempts: number;
  maximumEventAge: number;
  logRetentionDays: number;
  environment: Record<string, pulumi.Input<string>>;
}

/** The variables that every function of a cell gets; they cannot be given otherwise. */
function functionBaseEnvironment(cell: Cell, functionName: string): Record<string, string> {
  return {
    // Facts 1 and 6: said twice, for SDKs that know only one of them. Never the global endpoint, never another region's.
    AWS_STS_REGIONAL_ENDPOINTS: "regional",
    AWS_ENDPOINT_URL_STS: stsEndpointUrl(cell.region, cell.stsEndpoint),
    POWERTOOLS_SERVICE_NAME: functionName,
    POWERTOOLS_METRICS_NAMESPACE: "Bulkhead",
    POWERTOOLS_LOG_LEVEL: "INFO",
    BULKHEAD_CELL: cell.name,
  };
}

function wholeNumber(argument: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new Error(`${argument} is ${value}: a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

function normalize(args: RegionalFunctionArgs): Normalized {
  const cell = normalizeCell(args.cell);
  const names = functionNames(cell, args.functionName);
  const logRetentionDays = args.logRetentionDays ?? 365;
  if (!LOG_RETENTION_DAYS.includes(logRetentionDays)) {
    throw new Error(`logRetentionDays is ${logRetentionDays}: one of ${LOG_RETENTION_DAYS.join(", ")}`);
  }
  if (args.reservedConcurrency !== undefined) {
    wholeNumber("reservedConcurrency", args.reservedConcurrency, 1, 1000);
  }
  const base = functionBaseEnvironment(cell, names.functionName);
  for (const key of Object.keys(args.environment ?? {})) {
    if (key in base) throw new Error(`environment.${key} is set by the component: leave it out`);
  }
  for (const statement of args.statements ?? []) {
    if (statement.Effect !== "Allow" && statement.Effect !== "Deny") {
      throw new Error(`statements: Effect is "${statement.Effect}": "Allow" or "Deny"`);
    }
  }
  return {
    cell,
    names,
    file: bundlePath(args.bundle),
    memorySize: wholeNumber("memorySize", args.memorySize ?? 256, 128, 10_240),
    timeout: wholeNumber("timeout", args.timeout ?? 30, 1, 900),
    maximumRetryAttempts: wholeNumber("maximumRetryAttempts", args.maximumRetryAttempts ?? 2, 0, 2),
    maximumEventAge: wholeNumber("maximumEventAge", args.maximumEventAge ?? 21_600, 60, 21_600),
    logRetentionDays,
    environment: { ...base, ...args.environment },
  };
}

/**
 * A function of a cell with all that belongs to one: its own least-privilege role, an encrypted log group with retention, tracing, a
 * dead-letter queue for asynchronous runs, and alarms. It asks for credentials at its own region's STS endpoint and nowhere else. All names
 * are known beforehand ({@link functionRoleArn}).
 *
 * @throws Error naming the argument, its value and what is allowed; or that the bundle is not built.
 * @example
 * new RegionalFunction("steward", {
 *   cell,
 *   functionName: "breakglass-steward",
 *   bundle: "breakGlass",
 *   description: "Keeps the emergency users' passwords fresh",
 *   kmsKeyArn: key.keyArn,
 *   statements: [{ Sid: "Users", Effect: "Allow", Action: "iam:UpdateLoginProfile", Resource: userArns }],
 *   alarmTopicArn: alerts.topicArn,
 * }, { provider });
 */
export class RegionalFunction extends pulumi.ComponentResource {
  /** ARN of the function. */
  readonly functionArn: pulumi.Output<string>;
  /** Name of the function. */
  readonly functionName: pulumi.Output<string>;
  /** ARN of the function's role. */
  readonly roleArn: pulumi.Output<string>;
  /** Name of the function's role. */
  readonly roleName: pulumi.Output<string>;
  /** ARN of the queue that keeps asynchronous events which were given up. */
  readonly deadLetterQueueArn: pulumi.Output<string>;
  /** Name of the log group. */
  readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: RegionalFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:RegionalFunction", name, {}, opts);
    const normalized = normalize(args);
    const { cell, names } = normalized;
    const alarmActions = args.alarmTopicArn === undefined ? [] : [args.alarmTopicArn];

    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: names.logGroupName,
        kmsKeyId: args.kmsKeyArn,
        retentionInDays: normalized.logRetentionDays,
      },
      { parent: this },
    );
    const deadLetters = createDeadLetterQueue({
      parent: this,
      name,
      queueName: names.deadLetterQueueName,
      kmsKeyArn: args.kmsKeyArn,
      alarmDescription: `Events that ${names.functionName} failed on wait in the queue of the same name.`,
      alarmActions,
    });
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: names.roleName,
        path: names.rolePath,
        description: `Function ${names.functionName} in ${cell.region}`,
        assumeRolePolicy: policyDocument(functionTrustStatements(cell)),
      },
      { parent: this },
    );
    const rolePolicy = new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        name: "function",
        role: role.name,
        policy: policyDocument([
          ...functionBaseStatements(cell, names, deadLetters.arn, args.kmsKeyArn),
          ...(args.vpc ? functionNetworkStatements(names) : []),
          ...((args.statements ?? []) as PolicyStatement[]),
        ]),
      },
      { parent: this },
    );
    const lambda = new aws.lambda.Function(
      `${name}-function`,
      {
        name: names.functionName,
        description: args.description,
        role: role.arn,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        // Only the bundle is uploaded: its source map lies in the same folder.
        code: new pulumi.asset.AssetArchive({ "index.mjs": new pulumi.asset.FileAsset(normalized.file) }),
        memorySize: normalized.memorySize,
        timeout: normalized.timeout,
        environment: { variables: normalized.environment },
        kmsKeyArn: args.kmsKeyArn,
        deadLetterConfig: { targetArn: deadLetters.arn },
        loggingConfig: { logFormat: "JSON", logGroup: logGroup.name },
        tracingConfig: { mode: "Active" },
        ...(args.reservedConcurrency !== undefined && {
          reservedConcurrentExecutions: args.reservedConcurrency,
        }),
        ...(args.vpc && {
          vpcConfig: { subnetIds: args.vpc.subnetIds, securityGroupIds: args.vpc.securityGroupIds },
        }),
      },
      // The log group first, or Lambda makes one without encryption and retention; the permissions first, or Lambda cannot make the
      // network interfaces nor accept the dead-letter queue.
      { parent: this, dependsOn: [logGroup, rolePolicy] },
    );
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-async`,
      {
        functionName: lambda.name,
        maximumRetryAttempts: normalized.maximumRetryAttempts,
        maximumEventAgeInSeconds: normalized.maximumEventAge,
      },
      { parent: this },
    );
    this.createAlarms(name, normalized, alarmActions);

    this.functionArn = lambda.arn;
    this.functionName = lambda.name;
    this.roleArn = role.arn;
    this.roleName = role.name;
    this.deadLetterQueueArn = deadLetters.arn;
    this.logGroupName = logGroup.name;
    this.registerOutputs({
      functionArn: this.functionArn,
      functionName: this.functionName,
      roleArn: this.roleArn,
      roleName: this.roleName,
      deadLetterQueueArn: this.deadLetterQueueArn,
      logGroupName: this.logGroupName,
    });
  }

  private createAlarms(name: string, normalized: Normalized, alarmActions: pulumi.Input<string>[]): void {
    const { functionName } = normalized.names;
    const alarm = (suffix: string, args: Partial<aws.cloudwatch.MetricAlarmArgs>) =>
      new aws.cloudwatch.MetricAlarm(
        `${name}-${suffix}-alarm`,
        {
          name: `${functionName}-${suffix}`,
          namespace: "AWS/Lambda",
          dimensions: { FunctionName: functionName },
          period: 300,
          evaluationPeriods: 1,
          comparisonOperator: "GreaterThanOrEqualToThreshold",
          treatMissingData: "notBreaching",
          alarmActions,
          ...args,
        },
        { parent: this },
      );
    alarm("errors", {
      alarmDescription: `${functionName} failed. Its log group says why.`,
      metricName: "Errors",
      statistic: "Sum",
      threshold: 1,
    });
    alarm("throttles", {
      alarmDescription: `${functionName} was not started: the account's or the function's concurrency is used up.`,
      metricName: "Throttles",
      statistic: "Sum",
      threshold: 1,
    });
    alarm("duration", {
      alarmDescription: `${functionName} took nearly as long as its timeout of ${normalized.timeout} s allows.`,
      metricName: "Duration",
      statistic: "Maximum",
      threshold: normalized.timeout * 1000 * NEAR_TIMEOUT,
    });
  }
}
