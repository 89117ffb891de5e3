import type { Cell } from "../regional/cell";
import { arn } from "../regional/partition";
import { memberRolePath } from "./plan";

/** Name of the role that reads the organization. */
export function organizationReaderRoleName(namePrefix: string): string {
  return `${namePrefix}-organization-reader`;
}

/** ARN of the role that reads the organization, for functions that assume it. */
export function organizationReaderRoleArn(cell: Cell, managementAccountId: string): string {
  const resource = `role${memberRolePath(cell.namePrefix)}${organizationReaderRoleName(cell.namePrefix)}`;
  return arn({ partition: cell.partition, service: "iam", account: managementAccountId, resource });
}
