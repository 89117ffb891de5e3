import type * as pulumi from "@pulumi/pulumi";
import { type Cell, cellArn } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";
import type { FunctionNames } from "./functionNames";

/** What Lambda's network interfaces need; Lambda makes these calls with the function's role. */
const NETWORK_INTERFACE_ACTIONS = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

/**
 * Who may assume a function's role: Lambda, for functions of this account only. (aws:SourceAccount works for execution roles, AWS's own
 * serverless templates use it; a condition on the function's ARN could not be met while Lambda checks the role on creation.)
 */
export function functionTrustStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": cell.accountId } },
    },
  ];
}

/** What every function may do by being one: write its own logs, traces and dead letters, and use the cell's key for them. */
export function functionBaseStatements(
  cell: Cell,
  names: FunctionNames,
  deadLetterQueueArn: pulumi.Input<string>,
  kmsKeyArn: pulumi.Input<string>,
): PolicyStatement[] {
  return [
    {
      Sid: "OwnLogs",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: cellArn(cell, "logs", `log-group:${names.logGroupName}:*`),
    },
    {
      Sid: "OwnDeadLetters",
      Effect: "Allow",
      Action: "sqs:SendMessage",
      Resource: deadLetterQueueArn,
    },
    {
      Sid: "Traces",
      Effect: "Allow",
      // X-Ray has no resources to name.
      Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
      Resource: "*",
    },
    {
      Sid: "CellKey",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: kmsKeyArn,
    },
  ];
}

/**
 * What a function in a VPC needs in addition. Lambda manages the interfaces with the function's role; the function's own code, which has the
 * same role, is refused these calls (`lambda:SourceFunctionArn` is there for calls from inside the function only).
 */
export function functionNetworkStatements(names: FunctionNames): PolicyStatement[] {
  return [
    {
      Sid: "NetworkInterfacesByLambda",
      Effect: "Allow",
      Action: NETWORK_INTERFACE_ACTIONS,
      Resource: "*",
    },
    {
      Sid: "NoNetworkInterfacesByTheCode",
      Effect: "Deny",
      Action: NETWORK_INTERFACE_ACTIONS,
      Resource: "*",
      Condition: { ArnEquals: { "lambda:SourceFunctionArn": names.functionArn } },
    },
  ];
}

/** A queue's statement that refuses unencrypted connections. */
export function queueTlsOnlyStatement(queueArn: pulumi.Input<string>): PolicyStatement {
  return {
    Sid: "OnlyOverTls",
    Effect: "Deny",
    Principal: "*",
    Action: "sqs:*",
    Resource: queueArn,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}
