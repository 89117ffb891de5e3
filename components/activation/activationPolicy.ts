import type { Cell } from "../regional/cell";
import { arn, dnsSuffix } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { activationTableArn, activationTableName } from "./names";

/** For whoever only looks, such as a status page: reads both cells' records. */
export function activationReaderStatements(cell: Cell, peer: Cell): PolicyStatement[] {
  return [
    {
      Sid: "ReadActivationRecords",
      Effect: "Allow",
      Action: "dynamodb:GetItem",
      Resource: [activationTableArn(cell), activationTableArn(peer)],
    },
    ...keyStatements([cell, peer]),
  ];
}

/**
 * For a cell's workers, which check before they act: read both records and write their own cell's, to stand down to a higher
 * epoch and to note that the peer was seen. They cannot touch the peer's record.
 */
export function activationWorkerStatements(cell: Cell, peer: Cell): PolicyStatement[] {
  return [...activationReaderStatements(cell, peer), writeStatement("WriteOwnActivationRecord", [cell])];
}

/** For whoever promotes and fails back: reads and writes both cells' records. */
export function activationPromoterStatements(cell: Cell, peer: Cell): PolicyStatement[] {
  return [...activationReaderStatements(cell, peer), writeStatement("WriteActivationRecords", [cell, peer])];
}

function writeStatement(sid: string, cells: Cell[]): PolicyStatement {
  return {
    Sid: sid,
    Effect: "Allow",
    Action: "dynamodb:PutItem",
    Resource: cells.map(activationTableArn),
  };
}

/**
 * The use of the tables' keys, through DynamoDB and for these tables only. The other region's key is named by its table, since its own
 * id is known only to the other cell, which may be dead.
 */
function keyStatements(cells: Cell[]): PolicyStatement[] {
  return cells.map((cell, index) => ({
    Sid: `UseActivationTableKey${index + 1}`,
    Effect: "Allow",
    Action: "kms:Decrypt",
    Resource: arn({
      partition: cell.partition,
      service: "kms",
      region: cell.region,
      account: cell.accountId,
      resource: "key/*",
    }),
    Condition: {
      StringEquals: {
        "kms:ViaService": `dynamodb.${cell.region}.${dnsSuffix(cell.partition)}`,
        "kms:EncryptionContext:aws:dynamodb:subscriberId": cell.accountId,
        "kms:EncryptionContext:aws:dynamodb:tableName": activationTableName(cell),
      },
    },
  }));
}
