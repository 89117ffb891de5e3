import type { OperationDefinition } from "./definition";
import { exactly, text, wholeNumber } from "./values";

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/**
 * Calls of further services, watched when the configuration names them. CloudFormation's DeleteStack is not among them on purpose: it
 * deletes whatever the stack holds, with permissions that no exact list can name.
 */
export const OTHER_OPERATIONS: readonly OperationDefinition[] = [
  {
    event: "dynamodb:DeleteTable",
    eventSource: "dynamodb.amazonaws.com",
    eventName: "DeleteTable",
    byDefault: false,
    service: "dynamodb",
    api: "DeleteTable",
    client: "@aws-sdk/client-dynamodb",
    danger: "data",
    title: "Delete a DynamoDB table",
    parameters: [
      {
        key: "tableName",
        input: "TableName",
        kind: text("a table's name", /^[A-Za-z0-9_.-]{3,255}$/),
        required: true,
      },
    ],
    harmless: [],
    grants: [
      {
        actions: ["dynamodb:DeleteTable"],
        resource: { service: "dynamodb", regional: true, ofAccount: true, resource: "table/{TableName}" },
      },
    ],
    fromArn: true,
  },
  {
    event: "kms:ScheduleKeyDeletion",
    eventSource: "kms.amazonaws.com",
    eventName: "ScheduleKeyDeletion",
    byDefault: false,
    service: "kms",
    api: "ScheduleKeyDeletion",
    client: "@aws-sdk/client-kms",
    danger: "data",
    title: "Schedule the deletion of a KMS key",
    parameters: [
      {
        key: "keyId",
        input: "KeyId",
        kind: text("a key's id", new RegExp(`^(?:${UUID}|mrk-[0-9a-f]{32})$`)),
        required: true,
      },
      { key: "pendingWindowInDays", input: "PendingWindowInDays", kind: wholeNumber(7, 30) },
    ],
    harmless: [{ key: "overridePendingWindowCheck", kind: exactly(false) }],
    grants: [
      {
        actions: ["kms:ScheduleKeyDeletion"],
        resource: { service: "kms", regional: true, ofAccount: true, resource: "key/{KeyId}" },
      },
    ],
    // Without a window KMS waits 30 days, the longest there is.
    fromArn: true,
  },
  {
    event: "lambda:DeleteFunction",
    eventSource: "lambda.amazonaws.com",
    eventName: "DeleteFunction20150331",
    byDefault: false,
    service: "lambda",
    api: "DeleteFunction",
    client: "@aws-sdk/client-lambda",
    danger: "service",
    title: "Delete a Lambda function",
    parameters: [
      {
        key: "functionName",
        input: "FunctionName",
        kind: text("a function's name", /^[A-Za-z0-9_-]{1,64}$/),
        required: true,
      },
    ],
    harmless: [],
    grants: [
      {
        actions: ["lambda:DeleteFunction"],
        resource: { service: "lambda", regional: true, ofAccount: true, resource: "function:{FunctionName}" },
      },
    ],
    fromArn: true,
  },
];
