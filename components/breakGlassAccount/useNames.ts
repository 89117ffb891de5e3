import { type Cell, cellScopedName } from "../regional/cell";

/** Name of the table in which a cell follows uses. */
export function useTableName(cell: Cell): string {
  return cellScopedName(cell, "breakglass-uses");
}
