import type * as pulumi from "@pulumi/pulumi";
import { type Cell, cellArn } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";

/**
 * Who may publish to an alert topic besides principals of the account whose own policies allow it: event rules and alarms of this account.
 * And that nobody may without TLS.
 */
export function topicStatements(cell: Cell, topicArn: pulumi.Input<string>): PolicyStatement[] {
  const ofThisAccount = { "aws:SourceAccount": cell.accountId };
  return [
    {
      Sid: "EventRulesOfTheAccount",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "sns:Publish",
      Resource: topicArn,
      // The account, as in the cell's key policy. Rules may be on any bus and have any name.
      Condition: { StringEquals: ofThisAccount },
    },
    {
      Sid: "AlarmsOfTheAccount",
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: "sns:Publish",
      Resource: topicArn,
      Condition: {
        StringEquals: ofThisAccount,
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
