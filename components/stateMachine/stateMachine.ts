/** What every state machine of a cell has in common: a role, a log without data, encryption with the cell's key, traces. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Cell, cellScopedName, regionalName } from "../regional/cell";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { stateMachineArn } from "./machineArn";

/** One state of the Amazon States Language. */
export type State = { Type: string; Next?: string; End?: boolean } & Record<string, unknown>;

/** A definition, or what a map runs for each item. */
export interface Definition {
  StartAt: string;
  States: Record<string, State>;
}

/** Retries an invocation that Lambda lost or had no room for: the function has not begun, or has to be able to run twice. */
export const RETRY_LOST_INVOCATION = {
  ErrorEquals: [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: "FULL",
};

/** Who may assume a role that a service of AWS works with, for one resource of this account. */
export function serviceTrustStatement(cell: Cell, service: string, sourceArn: string): PolicyStatement {
  return {
    Effect: "Allow",
    Principal: { Service: service },
    Action: "sts:AssumeRole",
    Condition: {
      StringEquals: { "aws:SourceAccount": cell.accountId },
      ArnLike: { "aws:SourceArn": sourceArn },
    },
  };
}

/** What every state machine's role may do besides its work: use the cell's key, log and trace. */
export function machineBaseStatements(kmsKeyArn: PolicyStatement["Resource"]): PolicyStatement[] {
  return [
    {
      Sid: "CellKey",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: kmsKeyArn,
    },
    {
      Sid: "LogDelivery",
      Effect: "Allow",
      // CloudWatch Logs knows no resources for these (Step Functions developer guide, "Logging using CloudWatch Logs").
      Action: [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
      ],
      Resource: "*",
    },
    {
      Sid: "Traces",
      Effect: "Allow",
      // X-Ray has no resources to name.
      Action: [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ],
      Resource: "*",
    },
  ];
}

/** What a state machine is made of. */
export interface StateMachineParts {
  /** The parent; the children are named after it: `NAME-machine` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  /** The machine's own name, without prefix: `approval`. */
  machineName: string;
  /** For the role: what runs are, as in `Runs of the key rotator`. */
  description: string;
  definition: object;
  /** What its role may do; {@link machineBaseStatements} are added. */
  statements: PolicyStatement[];
  kmsKeyArn: pulumi.Input<string>;
  logRetentionDays: number;
  /** What executions need. */
  dependsOn: pulumi.Resource[];
}

/** Makes a Standard state machine with its role and its log. */
export function createStateMachine(parts: StateMachineParts): aws.sfn.StateMachine {
  const { name, parent, cell, kmsKeyArn } = parts;
  const machineName = regionalName(cell, parts.machineName);
  const logGroup = new aws.cloudwatch.LogGroup(
    `${name}-runs-logs`,
    {
      // Under this prefix, log deliveries share one resource policy instead of using up the ten that a region may have.
      name: `/aws/vendedlogs/states/${machineName}`,
      kmsKeyId: kmsKeyArn,
      retentionInDays: parts.logRetentionDays,
    },
    { parent },
  );
  const role = new aws.iam.Role(
    `${name}-machine-role`,
    {
      name: cellScopedName(cell, `${parts.machineName}-machine`),
      path: `/${cell.namePrefix}/`,
      description: `${parts.description} in ${cell.region}`,
      assumeRolePolicy: policyDocument([
        serviceTrustStatement(cell, "states.amazonaws.com", stateMachineArn(cell, parts.machineName)),
      ]),
    },
    { parent },
  );
  const rolePolicy = new aws.iam.RolePolicy(
    `${name}-machine-policy`,
    {
      name: "runs",
      role: role.name,
      policy: policyDocument([...parts.statements, ...machineBaseStatements(kmsKeyArn)]),
    },
    { parent },
  );
  return new aws.sfn.StateMachine(
    `${name}-machine`,
    {
      name: machineName,
      type: "STANDARD",
      definition: JSON.stringify(parts.definition),
      roleArn: role.arn,
      encryptionConfiguration: {
        type: "CUSTOMER_MANAGED_KMS_KEY",
        kmsKeyId: kmsKeyArn,
        kmsDataKeyReusePeriodSeconds: 300,
      },
      loggingConfiguration: {
        level: "ALL",
        // What goes from state to state has names of users and accounts, and task tokens: it stays in the history.
        includeExecutionData: false,
        logDestination: pulumi.interpolate`${logGroup.arn}:*`,
      },
      tracingConfiguration: { enabled: true },
    },
    // Step Functions looks at the role when the machine is made; runs need what they call.
    { parent, dependsOn: [rolePolicy, ...parts.dependsOn] },
  );
}
