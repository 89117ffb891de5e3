import { type Cell, cellArn, regionalName } from "../regional/cell";
import { arn } from "../regional/partition";

/** The steward's own name: functionNames makes the function's and the role's of it. */
export const STEWARD = "breakglass-steward";

/** Metric that is 1 while a requirement is not met, else 0. */
export const UNREADY_METRIC = "EmergencyAccessUnready";
/** Metric that is 1 while a requirement cannot be checked, else 0. */
export const UNKNOWN_METRIC = "EmergencyAccessUnknown";
/** Metric that counts the steward's runs. */
export const STEWARD_RUNS_METRIC = "EmergencyAccessChecked";
/** Dimension of the first two: the requirement's id. Without it, they tell of all requirements together. */
export const REQUIREMENT_DIMENSION = "requirement";

/**
 * Name of the bucket of a cell's reports, such as `bulkhead-reports-222222222222-us-east-1`: bucket names are shared by all accounts of a partition.
 */
export function reportsBucketName(cell: Cell): string {
  return `${regionalName(cell, "reports")}-${cell.accountId}-${cell.region}`;
}

/** ARN of the bucket of a cell's reports. */
export function reportsBucketArn(cell: Cell): string {
  return arn({ partition: cell.partition, service: "s3", resource: reportsBucketName(cell) });
}

/** Name of the alarm on a requirement that is not met. Equal in every cell. */
export function readinessAlarmName(cell: Cell, requirement: string): string {
  return regionalName(cell, `readiness-${requirement}`);
}

/** Name of the alarm on a steward that has stopped. */
export function stewardStoppedAlarmName(cell: Cell): string {
  return regionalName(cell, "readiness-steward-stopped");
}

/** Name of the alarm on requirements that could not be checked for days. */
export function uncheckedAlarmName(cell: Cell): string {
  return regionalName(cell, "readiness-unchecked");
}

/** Name of the rule that starts the steward. */
export function stewardScheduleName(cell: Cell): string {
  return regionalName(cell, STEWARD);
}

/** ARN of an event rule of the cell's account, on the default bus or another. */
export function eventRuleArn(cell: Cell, rule: { region: string; bus: string; name: string }): string {
  const path = rule.bus === "default" ? rule.name : `${rule.bus}/${rule.name}`;
  return cellArn({ ...cell, region: rule.region }, "events", `rule/${path}`);
}
