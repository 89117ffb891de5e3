import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { REQUEST_TABLE_KEYS, REQUEST_TABLE_TTL } from "../../functions/approval/links/dynamoDbRequestTable";
import { AUDIT_TABLE_INDEXES, AUDIT_TABLE_KEYS } from "../../functions/approval/settings";
import { type Cell, cellIamArn, cellScopedName } from "../regional/cell";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { tableKeyStatements } from "../regional/tableKey";
import { type ApprovalTable, approvalTableArn, approvalTableName } from "./names";

/** What the tables are made of. */
export interface ApprovalTablesParts {
  /** The parent; the children are named after it: `NAME-requests` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  peer: Cell;
  deletionProtection: boolean;
}

/** The tables, and the resources that have to stand before anything is written. */
export interface ApprovalTables {
  requests: aws.dynamodb.Table;
  audit: aws.dynamodb.Table;
}

/**
 * The cell's two tables, each with a replica in the other cell's region, where the other cell's functions read it when this region is lost (fact 31).
 * One cell writes a table, so that last-writer-wins has nothing to decide (fact 32).
 *
 * They are encrypted with a key of their own, of which a replica stands in the other region, too: it needs nothing of the other cell, which may be
 * deployed later or be dead. The replica of a multi-Region key works by itself when the region of the primary key is lost.
 */
export function createApprovalTables(parts: ApprovalTablesParts): ApprovalTables {
  const { name, parent, cell, peer } = parts;
  const policy = policyDocument([
    {
      Sid: "AccountDecidesByIamPolicies",
      Effect: "Allow",
      Principal: { AWS: cellIamArn(cell, "root") },
      Action: "kms:*",
      Resource: "*",
    },
  ]);
  const key = new aws.kms.Key(
    `${name}-tables-key`,
    {
      description: `Approval requests and their audit, of cell ${cell.name}`,
      multiRegion: true,
      enableKeyRotation: true,
      deletionWindowInDays: 30,
      policy,
    },
    { parent },
  );
  const alias = `alias/${cellScopedName(cell, "approval")}`;
  new aws.kms.Alias(`${name}-tables-key-alias`, { name: alias, targetKeyId: key.keyId }, { parent });
  const replicaKey = new aws.kms.ReplicaKey(
    `${name}-tables-key-replica`,
    {
      region: peer.region,
      primaryKeyArn: key.arn,
      description: `Approval requests and their audit, of cell ${cell.name}, as read by cell ${peer.name}`,
      deletionWindowInDays: 30,
      policy,
    },
    { parent },
  );
  const table = (
    which: ApprovalTable,
    args: Pick<aws.dynamodb.TableArgs, "hashKey" | "attributes"> & Partial<aws.dynamodb.TableArgs>,
  ) =>
    new aws.dynamodb.Table(
      `${name}-${which}`,
      {
        name: approvalTableName(cell, which),
        billingMode: "PAY_PER_REQUEST",
        serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: parts.deletionProtection,
        // What replication reads.
        streamEnabled: true,
        streamViewType: "NEW_AND_OLD_IMAGES",
        replicas: [{ regionName: peer.region, kmsKeyArn: replicaKey.arn, pointInTimeRecovery: true }],
        ...args,
      },
      { parent },
    );
  const text = (...names: string[]) =>
    [...new Set(names)].map((attribute) => ({ name: attribute, type: "S" }));
  const indexes = Object.entries(AUDIT_TABLE_INDEXES);
  return {
    requests: table("requests", {
      ...REQUEST_TABLE_KEYS,
      attributes: text(REQUEST_TABLE_KEYS.hashKey, REQUEST_TABLE_KEYS.rangeKey),
      ttl: { attributeName: REQUEST_TABLE_TTL, enabled: true },
    }),
    audit: table("audit", {
      ...AUDIT_TABLE_KEYS,
      attributes: text(
        AUDIT_TABLE_KEYS.hashKey,
        AUDIT_TABLE_KEYS.rangeKey,
        ...indexes.flatMap(([, { hashKey, rangeKey }]) => [hashKey, rangeKey]),
      ),
      globalSecondaryIndexes: indexes.map(([index, keys]) => ({
        name: index,
        ...keys,
        projectionType: "ALL",
      })),
    }),
  };
}

/**
 * What the functions of a cell may do to its tables: everything that the workflow needs of the requests; of the audit, read and append. An
 * overwrite is refused by the writers' own condition, which IAM cannot ask for; point-in-time recovery is there for whoever leaves it out.
 */
export function ownTableStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "OwnRequests",
      Effect: "Allow",
      Action: [
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      Resource: approvalTableArn(cell, "requests", cell.region),
    },
    {
      Sid: "AppendToAudit",
      Effect: "Allow",
      Action: "dynamodb:PutItem",
      Resource: approvalTableArn(cell, "audit", cell.region),
    },
    ...readAudit("ReadAudit", cell, cell.region),
    ...tableKeys("UseTableKey", cell, cell.region),
  ];
}

/** What the functions of a cell may do to the replicas of the other cell's tables in their own region: read. */
export function peerTableStatements(cell: Cell, peer: Cell): PolicyStatement[] {
  return [
    {
      Sid: "ReadPeersRequests",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:Query"],
      Resource: approvalTableArn(peer, "requests", cell.region),
    },
    ...readAudit("ReadPeersAudit", peer, cell.region),
    ...tableKeys("UsePeersTableKey", peer, cell.region),
  ];
}

function readAudit(sid: string, owner: Cell, region: string): PolicyStatement[] {
  const table = approvalTableArn(owner, "audit", region);
  return [{ Sid: sid, Effect: "Allow", Action: "dynamodb:Query", Resource: [table, `${table}/index/*`] }];
}

/** The use of the key of a cell's tables, in either of its regions. */
function tableKeys(sid: string, owner: Cell, region: string): PolicyStatement[] {
  const there = { ...owner, region };
  return (["requests", "audit"] as const).flatMap((table) =>
    tableKeyStatements(`${sid}${table === "audit" ? "Audit" : "Requests"}`, [there], () =>
      approvalTableName(owner, table),
    ),
  );
}
