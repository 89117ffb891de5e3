import { DEFAULT_EXECUTOR_ROLE } from "../../functions/approval/intake/settings";
import { functionNames } from "../lambda/functionNames";
import { memberRolePath } from "../memberAccess/plan";
import { type Cell, cellArn, cellScopedName, regionalName } from "../regional/cell";

/** The functions' own names, which are their bundles' too: `PREFIX-NAME` is the function, `PREFIX-NAME-CELL` its role. */
export const APPROVAL_FUNCTIONS = [
  "approval-intake",
  "approval-step",
  "approval-wait",
  "approval-work",
  "approval-sweep",
  "approval-engine",
  "approval-desk",
  "approval-http",
] as const;
export type ApprovalFunction = (typeof APPROVAL_FUNCTIONS)[number];

/** Own name of the state machine, of the rule on events and of the API. */
export const APPROVAL = "approval";

/** ARN of a function of a cell. */
export function approvalFunctionArn(cell: Cell, name: ApprovalFunction): string {
  return functionNames(cell, name).functionArn;
}

/** ARNs of a function's roles in the cells. */
export function approvalFunctionRoleArns(cells: readonly Cell[], name: ApprovalFunction): string[] {
  return cells.map((cell) => functionNames(cell, name).roleArn);
}

/** The two tables that a cell writes. */
export type ApprovalTable = "requests" | "audit";

/**
 * Name of a cell's table, the same for both of its replicas: deterministic, since the other cell reads it although this one may be dead.
 */
export function approvalTableName(cell: Cell, table: ApprovalTable): string {
  return cellScopedName(cell, `approval-${table}`);
}

/** ARN of the replica of a cell's table in a region. */
export function approvalTableArn(cell: Cell, table: ApprovalTable, region: string): string {
  return cellArn({ ...cell, region }, "dynamodb", `table/${approvalTableName(cell, table)}`);
}

/** The roles that stand in every account. */
export const ACCOUNT_ROLES = {
  executor: DEFAULT_EXECUTOR_ROLE.replace(/^bulkhead-/, ""),
  reader: "approval-reader",
  snapshot: "approval-snapshot",
  identityReader: "approval-identity-reader",
  roleManager: "approval-role-manager",
  boundary: "approval-boundary",
} as const;
export type AccountRole = keyof typeof ACCOUNT_ROLES;

/** Name of a role in every account, such as `bulkhead-approval-executor`. */
export function accountRoleName(cell: Cell, role: AccountRole): string {
  return regionalName(cell, ACCOUNT_ROLES[role]);
}

/** Its path and name without the first slash, as an ARN has it after `role/`. */
export function accountRolePathAndName(cell: Cell, role: AccountRole): string {
  return `${memberRolePath(cell.namePrefix).slice(1)}${accountRoleName(cell, role)}`;
}
