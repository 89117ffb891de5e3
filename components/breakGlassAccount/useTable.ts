import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { USE_TABLE_KEYS, USE_TABLE_TTL } from "../../functions/breakGlass/use/dynamoDbUseStore";
import { type Cell, cellArn } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";
import { useTableName } from "./useNames";

/** What the table is made of. */
export interface UseTableParts {
  /** The parent; the table is named after it: `NAME-uses`. */
  parent: pulumi.Resource;
  name: string;
  cell: Cell;
  kmsKeyArn: pulumi.Input<string>;
  deletionProtection: boolean;
}

/**
 * The table in which a cell follows uses: plain and of its own region, since each cell tells by itself of what it sees. Part of BreakGlassMonitor;
 * not a component of its own.
 */
export function createUseTable({
  parent,
  name,
  cell,
  kmsKeyArn,
  deletionProtection,
}: UseTableParts): aws.dynamodb.Table {
  return new aws.dynamodb.Table(
    `${name}-uses`,
    {
      name: useTableName(cell),
      billingMode: "PAY_PER_REQUEST",
      hashKey: USE_TABLE_KEYS.hashKey,
      rangeKey: USE_TABLE_KEYS.rangeKey,
      attributes: Object.values(USE_TABLE_KEYS).map((key) => ({ name: key, type: "S" })),
      ttl: { attributeName: USE_TABLE_TTL, enabled: true },
      serverSideEncryption: { enabled: true, kmsKeyArn },
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: deletionProtection,
    },
    { parent },
  );
}

/** What the function may do with the table. */
export function useTableStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "FollowUses",
      Effect: "Allow",
      Action: [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
      ],
      Resource: cellArn(cell, "dynamodb", `table/${useTableName(cell)}`),
    },
  ];
}
