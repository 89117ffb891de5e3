import type { Cell } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";
import { tableKeyStatements } from "../regional/tableKey";
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
    ...tableKeyStatements("UseActivationTableKey", [cell, peer], activationTableName),
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
