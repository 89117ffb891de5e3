import { type Cell, cellArn, cellScopedName } from "../regional/cell";
import type { PolicyStatement } from "../regional/policyDocument";
import { tableKeyStatements } from "../regional/tableKey";

/** Name of a cell's table of evidence: deterministic, since the other cell reads it although this one may be dead. */
export function evidenceTableName(cell: Cell): string {
  return cellScopedName(cell, "breakglass-records");
}

function evidenceTableArn(cell: Cell): string {
  return cellArn(cell, "dynamodb", `table/${evidenceTableName(cell)}`);
}

/** Reads the evidence of these cells. */
export function evidenceReaderStatements(cells: readonly Cell[]): PolicyStatement[] {
  return [
    {
      Sid: "ReadEvidence",
      Effect: "Allow",
      Action: "dynamodb:Query",
      Resource: cells.map(evidenceTableArn),
    },
    ...tableKeyStatements("UseEvidenceTableKey", cells, evidenceTableName),
  ];
}

/** Reads the evidence of these cells and appends to it. Nothing that is there can be changed or deleted. */
export function evidenceWriterStatements(cells: readonly Cell[]): PolicyStatement[] {
  return [
    ...evidenceReaderStatements(cells),
    {
      // An overwrite is refused by the writer's own condition; point-in-time recovery is there for whoever leaves it out.
      Sid: "AppendEvidence",
      Effect: "Allow",
      Action: "dynamodb:PutItem",
      Resource: cells.map(evidenceTableArn),
    },
  ];
}
