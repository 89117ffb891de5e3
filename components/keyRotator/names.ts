import { functionNames } from "../lambda/functionNames";
import { memberRolePath } from "../memberAccess/plan";
import { type Cell, cellArn, cellScopedName, regionalName } from "../regional/cell";
import { arn } from "../regional/partition";
import { stateMachineArn } from "../stateMachine/machineArn";

/** The functions' own names: `PREFIX-NAME` is the function, `PREFIX-NAME-CELL` its role. */
export const KEY_ROTATOR_FUNCTIONS = {
  inventory: "key-rotator-inventory",
  account: "key-rotator-account",
  summary: "key-rotator-summary",
  notify: "key-rotator-notify",
} as const;

/** The state machine's own name, without prefix. */
export const MACHINE = "key-rotator";

/** Name of the state machine. Equal in every cell. */
export function machineName(cell: Cell): string {
  return regionalName(cell, MACHINE);
}

/** ARN of the state machine: its own role has to name it. */
export function machineArn(cell: Cell): string {
  return stateMachineArn(cell, MACHINE);
}

/** Name of the rule that starts the runs. Equal in every cell. */
export function scheduleName(cell: Cell): string {
  return regionalName(cell, "key-rotator");
}

/** Name of a cell's table of rotation records: deterministic, since the other cell reads and writes it although this one may be dead. */
export function recordsTableName(cell: Cell): string {
  return cellScopedName(cell, "key-rotations");
}

/** ARN of a cell's table of rotation records. */
export function recordsTableArn(cell: Cell): string {
  return cellArn(cell, "dynamodb", `table/${recordsTableName(cell)}`);
}

/**
 * Name of a cell's bucket for account lists, results, reports and mail templates, such as `bulkhead-keys-prod-222222222222-us-east-1`.
 * @throws Error when it would be longer than S3 allows (63 characters).
 */
export function bucketName(cell: Cell): string {
  const name = `${cellScopedName(cell, "keys")}-${cell.accountId}-${cell.region}`;
  if (name.length > 63) {
    throw new Error(
      `the key rotator's bucket would be named "${name}", ${name.length} characters, 63 are allowed: shorten cell.namePrefix or cell.name`,
    );
  }
  return name;
}

/** ARN of a cell's bucket, or of what is in it. */
export function bucketArn(cell: Cell, key?: string): string {
  const resource = key === undefined ? bucketName(cell) : `${bucketName(cell)}/${key}`;
  return arn({ partition: cell.partition, service: "s3", resource });
}

/** Alias of the key that rotated keys are encrypted with; the same in both cells' regions, so that each can name the other's. */
export function secretsKeyAlias(cell: Cell): string {
  return `alias/${regionalName(cell, "rotated-keys")}`;
}

/** The alias as an ARN, in any region. */
export function secretsKeyAliasArn(cell: Cell, region: string): string {
  return cellArn({ ...cell, region }, "kms", secretsKeyAlias(cell));
}

/** Name of the role in every member account. */
export function memberRoleName(cell: Cell): string {
  return regionalName(cell, "key-rotator-member");
}

/** The role's path and name without the first slash, as an ARN has it after `role/`. */
export function memberRolePathAndName(cell: Cell): string {
  return `${memberRolePath(cell.namePrefix).slice(1)}${memberRoleName(cell)}`;
}

/** Name of the schedule's role. */
export function scheduleRoleName(cell: Cell): string {
  return cellScopedName(cell, "key-rotator-schedule");
}

/** ARN of one of the functions. */
export function rotatorFunctionArn(cell: Cell, which: keyof typeof KEY_ROTATOR_FUNCTIONS): string {
  return functionNames(cell, KEY_ROTATOR_FUNCTIONS[which]).functionArn;
}
