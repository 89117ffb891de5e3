import type * as pulumi from "@pulumi/pulumi";
import { type Cell, cellArn } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";

/**
 * Who may publish to an alert topic besides principals of the account whose own policies allow it: event rules, and alarms of this account. And that
 * nobody may without TLS. An event rule of another account that knows the topic's ARN could publish too; what it sends is a false alarm, never a
 * missing one.
 */
export function topicStatements(cell: Cell, topicArn: pulumi.Input<string>): PolicyStatement[] {
  return [
    {
      Sid: "EventRules",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "sns:Publish",
      Resource: topicArn,
      // No condition, on purpose: EventBridge fills in none of the keys when it publishes to a topic, so a condition would never be met and
      // every alert would be lost without a word (EventBridge user guide, "Using resource-based policies"; SNS developer guide, "Key management").
    },
    {
      Sid: "AlarmsOfTheAccount",
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: "sns:Publish",
      Resource: topicArn,
      Condition: {
        StringEquals: { "aws:SourceAccount": cell.accountId },
        ArnLike: { "aws:SourceArn": cellArn(cell, "cloudwatch", "alarm:*") },
      },
    },
    {
      Sid: "OnlyOverTls",
      Effect: "Deny",
      Principal: "*",
      Action: "sns:Publish",
      Resource: topicArn,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ];
}
