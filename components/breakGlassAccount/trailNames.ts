import { type Cell, cellArn, cellScopedName } from "../regional/cell";

/** CloudWatch namespace of the emergency users' metrics, as in the first source document. */
export const BREAK_GLASS_METRIC_NAMESPACE = "Security/BreakglassMonitoring";

/**
 * Name of a cell's trail, such as `bulkhead-trail-prod`: unique in the account, since a multi-region trail is seen in every region.
 * @throws Error when CloudTrail would refuse it: no two hyphens in a row, none at the end.
 */
export function trailName(cell: Cell): string {
  const name = cellScopedName(cell, "trail");
  if (/--|-$/.test(name)) {
    throw new Error(
      `the trail's name would be "${name}": CloudTrail takes neither two hyphens in a row nor one at the end; change cell.name or cell.namePrefix`,
    );
  }
  return name;
}

/** ARN of a cell's trail: known before the trail exists, so that key and bucket can name it. */
export function trailArn(cell: Cell): string {
  return cellArn(cell, "cloudtrail", `trail/${trailName(cell)}`);
}

/**
 * Name of the bucket of a cell's trail, such as `bulkhead-trail-prod-222222222222-us-east-1`: bucket names are shared by all accounts of a
 * partition.
 * @throws Error when it would be longer than S3 allows (63 characters).
 */
export function trailBucketName(cell: Cell): string {
  const name = `${cellScopedName(cell, "trail")}-${cell.accountId}-${cell.region}`;
  if (name.length > 63) {
    throw new Error(
      `the trail's bucket would be named "${name}", ${name.length} characters, 63 are allowed: shorten cell.namePrefix or cell.name`,
    );
  }
  return name;
}

/** Name of the log group that a cell's trail writes to, such as `/bulkhead/bulkhead-trail-prod`. */
export function trailLogGroupName(cell: Cell): string {
  return `/${cell.namePrefix}/${trailName(cell)}`;
}

/** Name of the role by which CloudTrail writes to the log group: the trail's own, below the functions' path. */
export function trailRoleName(cell: Cell): string {
  return trailName(cell);
}

/** Name of the metric that counts what an emergency user did, as in the first source document. */
export function useMetricName(userName: string): string {
  return `BreakglassLoginCount-${userName}`;
}

/** Name of the metric filter on the trail's log group, as in the first source document. */
export function useFilterName(userName: string): string {
  return `BreakglassLogin-${userName}`;
}

/** Name of the alarm on the metric, as in the first source document. Equal in every cell. */
export function useAlarmName(userName: string): string {
  return `BreakglassAccountUsed-${userName}`;
}

/**
 * The filter pattern of everything that an emergency user does. By name, as in the first source document; and by the end of the ARN, which for
 * a session of a role that the user has switched to is the user's name too. One asterisk, at the beginning, is what AWS's own examples have
 * (CloudWatch Logs user guide, "Filter pattern syntax"; names cannot hold a quotation mark or an asterisk).
 */
export function useFilterPattern(userName: string): string {
  return `{ ($.userIdentity.userName = "${userName}") || ($.userIdentity.arn = "*/${userName}") }`;
}
