/** What the rotator's functions may do besides what every function may. */
import type * as pulumi from "@pulumi/pulumi";
import { activationReaderStatements, activationWorkerStatements } from "../activation/activationPolicy";
import { DEFAULT_EMERGENCY_PATH } from "../breakGlassAccount/emergencyUsers";
import { organizationReaderRoleArn } from "../memberAccess/organizationReader";
import { type Cell, cellArn } from "../regional/cell";
import { arn, dnsSuffix } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { tableKeyStatements } from "../regional/tableKey";
import {
  bucketArn,
  memberRolePathAndName,
  recordsTableArn,
  recordsTableName,
  secretsKeyAlias,
} from "./names";
import { SECRET_ACTIONS, secretsRoot } from "./requests";
import { BUCKET_PREFIX, type Normalized } from "./settings";

/** No function of the rotator may do anything to an emergency user, in any account, whatever else a policy says. */
function neverEmergencyUsers(cell: Cell, path: string): PolicyStatement {
  return {
    Sid: "NeverEmergencyUsers",
    Effect: "Deny",
    Action: "iam:*",
    Resource: arn({ partition: cell.partition, service: "iam", account: "*", resource: `user${path}*` }),
  };
}

function readAndWriteObjects(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "ReadAndWriteObjects",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject"],
      Resource: bucketArn(cell, `${BUCKET_PREFIX}*`),
    },
    {
      // Without it, an object that is missing looks like one that may not be read.
      Sid: "ListObjects",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: bucketArn(cell),
      Condition: { StringLike: { "s3:prefix": `${BUCKET_PREFIX}*` } },
    },
  ];
}

function readObjects(cell: Cell, folder: string): PolicyStatement {
  return {
    Sid: "ReadObjects",
    Effect: "Allow",
    Action: "s3:GetObject",
    Resource: bucketArn(cell, `${BUCKET_PREFIX}${folder}*`),
  };
}

function tellOperators(alertTopicArn: pulumi.Input<string>): PolicyStatement {
  return { Sid: "TellOperators", Effect: "Allow", Action: "sns:Publish", Resource: alertTopicArn };
}

function readRecords(cells: Cell[]): PolicyStatement[] {
  return [
    {
      Sid: "ReadRotationRecords",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
      Resource: cells.map(recordsTableArn),
    },
    ...tableKeyStatements("UseRecordTableKey", cells, recordsTableName),
  ];
}

function writeRecords(cells: Cell[]): PolicyStatement {
  return {
    Sid: "WriteRotationRecords",
    Effect: "Allow",
    Action: ["dynamodb:DeleteItem", "dynamodb:PutItem"],
    Resource: cells.map(recordsTableArn),
  };
}

/** The inventory: lists accounts, keeps the last list, and brings the cell's records up to date with the other cell's. */
export function inventoryStatements(
  { cell, peer, managementAccountId }: Normalized,
  alertTopicArn: pulumi.Input<string>,
): PolicyStatement[] {
  return [
    ...(managementAccountId
      ? [
          {
            Sid: "ReadOrganization",
            Effect: "Allow" as const,
            Action: "sts:AssumeRole",
            Resource: organizationReaderRoleArn(cell, managementAccountId),
          },
        ]
      : []),
    ...activationReaderStatements(cell, peer),
    ...readRecords([cell, peer]),
    writeRecords([cell]),
    ...readAndWriteObjects(cell),
    tellOperators(alertTopicArn),
  ];
}

/** The rotation itself. */
export function accountStatements(
  normalized: Normalized,
  parts: {
    emergencyPath: string | undefined;
    alertTopicArn: pulumi.Input<string>;
    notifyQueueArn: pulumi.Input<string> | undefined;
  },
): PolicyStatement[] {
  const { cell, peer, mode, storage } = normalized;
  return [
    {
      Sid: "WorkInMemberAccounts",
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Resource: arn({
        partition: cell.partition,
        service: "iam",
        account: "*",
        resource: `role/${memberRolePathAndName(cell)}`,
      }),
    },
    neverEmergencyUsers(cell, parts.emergencyPath ?? DEFAULT_EMERGENCY_PATH),
    ...activationWorkerStatements(cell, peer),
    ...readRecords([cell, peer]),
    writeRecords([cell, peer]),
    ...readAndWriteObjects(cell),
    ...(mode === "enforce" && storage === "central" ? centralSecretStatements(normalized) : []),
    ...(parts.notifyQueueArn === undefined
      ? []
      : [
          {
            Sid: "HandOverNotices",
            Effect: "Allow" as const,
            Action: "sqs:SendMessage",
            Resource: parts.notifyQueueArn,
          },
        ]),
    tellOperators(parts.alertTopicArn),
  ];
}

/** Secrets below the prefix only, with the rotator's own keys only; no value is ever read. */
function centralSecretStatements({
  cell,
  secretsPrefix,
  secretsRegion,
  replicas,
}: Normalized): PolicyStatement[] {
  const regions = [secretsRegion, ...replicas.map(({ region }) => region)];
  const at = (region: string) => ({ ...cell, region });
  const secrets = regions.map((region) =>
    cellArn(at(region), "secretsmanager", `secret:${secretsRoot(secretsPrefix)}*`),
  );
  const through = (region: string) => `secretsmanager.${region}.${dnsSuffix(cell.partition)}`;
  const named = replicas.slice(1).flatMap(({ kmsKeyArn }) => (kmsKeyArn ? [kmsKeyArn] : []));
  // A key's id is known only to the cell that has it, which may be the other one: so it is named by its alias.
  const own = [secretsRegion, replicas[0]!.region];
  return [
    { Sid: "StoreKeys", Effect: "Allow", Action: SECRET_ACTIONS, Resource: secrets },
    {
      Sid: "NameWhoReadsThem",
      Effect: "Allow",
      Action: "secretsmanager:PutResourcePolicy",
      Resource: secrets,
      Condition: { Bool: { "secretsmanager:BlockPublicPolicy": "true" } },
    },
    {
      Sid: "EncryptThem",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      Resource: own.map((region) => cellArn(at(region), "kms", "key/*")),
      Condition: {
        StringEquals: { "kms:ViaService": own.map(through) },
        "ForAnyValue:StringEquals": { "kms:ResourceAliases": secretsKeyAlias(cell) },
      },
    },
    ...(named.length > 0
      ? [
          {
            Sid: "EncryptFurtherReplicas",
            Effect: "Allow" as const,
            Action: ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            Resource: named,
            Condition: { StringLike: { "kms:ViaService": through("*") } },
          },
        ]
      : []),
  ];
}

/** The summary: reads the results, writes the report. */
export function summaryStatements(
  { cell }: Normalized,
  alertTopicArn: pulumi.Input<string>,
): PolicyStatement[] {
  return [...readAndWriteObjects(cell), tellOperators(alertTopicArn)];
}

/** The notifier: takes notices from its queue, reads templates, sends mail. */
export function notifyStatements(
  { cell, mailStatements = [] }: Normalized,
  notifyQueueArn: pulumi.Input<string>,
): PolicyStatement[] {
  return [
    {
      Sid: "TakeNotices",
      Effect: "Allow",
      Action: ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
      Resource: notifyQueueArn,
    },
    readObjects(cell, "templates/"),
    // Beside the records it remembers what was mailed, so that nothing is mailed twice.
    writeRecords([cell]),
    ...mailStatements,
  ];
}
