import { type Cell, cellArn, cellScopedName } from "../regional/cell";

/** Name of a cell's table: deterministic, since the other cell reads it although this one may be dead. */
export function activationTableName(cell: Cell): string {
  return cellScopedName(cell, "activation");
}

/** ARN of a cell's table. */
export function activationTableArn(cell: Cell): string {
  return cellArn(cell, "dynamodb", `table/${activationTableName(cell)}`);
}
