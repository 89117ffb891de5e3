import { type Cell, cellArn, regionalName } from "../regional/cell";

/** ARN of a cell's state machine: its own role has to name it. @param name its own name, without prefix */
export function stateMachineArn(cell: Cell, name: string): string {
  return cellArn(cell, "states", `stateMachine:${regionalName(cell, name)}`);
}
