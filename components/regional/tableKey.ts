import { type Cell, cellArn } from "./cell";
import { dnsSuffix } from "./partition";
import type { PolicyStatement } from "./policyDocument";

/**
 * The use of tables' keys, through DynamoDB and for these tables only. A key of the other region is named by its table, since its own id is
 * known only to the other cell, which may be dead.
 *
 * @param sid begins the statements' ids
 * @param cells the cells whose tables they are
 * @param tableName a cell's table
 */
export function tableKeyStatements(
  sid: string,
  cells: readonly Cell[],
  tableName: (cell: Cell) => string,
): PolicyStatement[] {
  return cells.map((cell, index) => ({
    Sid: `${sid}${index + 1}`,
    Effect: "Allow",
    Action: "kms:Decrypt",
    Resource: cellArn(cell, "kms", "key/*"),
    Condition: {
      StringEquals: {
        "kms:ViaService": `dynamodb.${cell.region}.${dnsSuffix(cell.partition)}`,
        "kms:EncryptionContext:aws:dynamodb:subscriberId": cell.accountId,
        "kms:EncryptionContext:aws:dynamodb:tableName": tableName(cell),
      },
    },
  }));
}
