import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trailArn } from "../breakGlassAccount/trailNames";
import { type Cell, type CellArgs, cellArn, cellIamArn, cellScopedName, normalizeCell } from "./cell";
import { arn, dnsSuffix } from "./partition";
import { type PolicyStatement, policyDocument } from "./policyDocument";

/** Arguments of {@link CellKey}. */
export interface CellKeyArgs {
  /**
   * Required. The cell whose data the key encrypts.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * Days between a deletion's order and the deletion, 7 to 30.
   * @default 30
   * @example 7
   */
  deletionWindowInDays?: number;
}

/**
 * The statements of a cell's key policy. IAM policies of the account decide who else may use the key; the services that act by
 * themselves may use it: logs (state machines' too), alarms and topics for resources of this account only, the cell's trail, event rules for any.
 */
export function cellKeyStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "AccountDecidesByIamPolicies",
      Effect: "Allow",
      Principal: { AWS: cellIamArn(cell, "root") },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "LogGroupsOfTheCell",
      Effect: "Allow",
      Principal: { Service: `logs.${cell.region}.${dnsSuffix(cell.partition)}` },
      Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      Resource: "*",
      Condition: {
        ArnLike: { "kms:EncryptionContext:aws:logs:arn": cellArn(cell, "logs", "log-group:*") },
      },
    },
    {
      // No condition, on purpose: EventBridge fills in none of the keys on its way to an encrypted topic, so a condition would lose every alert
      // without a word (SNS developer guide, "Key management").
      Sid: "EventRulesReachEncryptedTopicsAndQueues",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
    },
    {
      Sid: "AlarmsAndTopicsReachEncryptedTopicsAndQueues",
      Effect: "Allow",
      Principal: { Service: ["cloudwatch.amazonaws.com", "sns.amazonaws.com"] },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceAccount": cell.accountId } },
    },
    {
      // The conditions are AWS's own (CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail"): for this trail only, and
      // only for data that are marked as a trail's of this account.
      Sid: "TrailEncryptsItsLogFiles",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "kms:GenerateDataKey*",
      Resource: "*",
      Condition: {
        StringEquals: { "aws:SourceArn": trailArn(cell) },
        StringLike: {
          "kms:EncryptionContext:aws:cloudtrail:arn": arn({
            partition: cell.partition,
            service: "cloudtrail",
            region: "*",
            account: cell.accountId,
            resource: "trail/*",
          }),
        },
      },
    },
    {
      Sid: "TrailLooksAtTheKey",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "kms:DescribeKey",
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceArn": trailArn(cell) } },
    },
    {
      // A state machine whose data the key encrypts hands its log entries over encrypted (Step Functions developer guide, "Data at rest
      // encryption in Step Functions").
      Sid: "LogDeliveryOfStateMachines",
      Effect: "Allow",
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Action: "kms:Decrypt",
      Resource: "*",
      Condition: {
        StringEquals: { "aws:SourceAccount": cell.accountId },
        ArnLike: { "kms:EncryptionContext:SourceArn": cellArn(cell, "logs", "*") },
      },
    },
  ];
}

/**
 * A cell's own customer-managed key, rotated yearly by KMS. It is regional on purpose: a key that is replicated from elsewhere would be
 * one thing more that a lost region can take along.
 *
 * @throws Error when deletionWindowInDays is not from 7 to 30, or the cell's name cannot be part of a trail's.
 * @example
 * const key = new CellKey("prod-key", { cell }, { provider });
 */
export class CellKey extends pulumi.ComponentResource {
  /** ARN of the key. */
  readonly keyArn: pulumi.Output<string>;
  /** Name of the key's alias, with `alias/`. */
  readonly aliasName: pulumi.Output<string>;

  constructor(name: string, args: CellKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:CellKey", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const deletionWindowInDays = args.deletionWindowInDays ?? 30;
    if (!Number.isInteger(deletionWindowInDays) || deletionWindowInDays < 7 || deletionWindowInDays > 30) {
      throw new Error(`deletionWindowInDays is ${deletionWindowInDays}: a whole number from 7 to 30`);
    }
    const key = new aws.kms.Key(
      `${name}-key`,
      {
        description: `Data of Bulkhead's cell ${cell.name}`,
        enableKeyRotation: true,
        deletionWindowInDays,
        policy: policyDocument(cellKeyStatements(cell)),
      },
      { parent: this },
    );
    const alias = new aws.kms.Alias(
      `${name}-alias`,
      { name: `alias/${cellScopedName(cell, "cell")}`, targetKeyId: key.keyId },
      { parent: this },
    );
    this.keyArn = key.arn;
    this.aliasName = alias.name;
    this.registerOutputs({ keyArn: this.keyArn, aliasName: this.aliasName });
  }
}
