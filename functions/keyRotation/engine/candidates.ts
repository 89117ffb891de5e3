import type { Policy } from "../decide/policy";
import type { ReportedUser } from "./credentialReport";
import { daysBetween, isUnfinished, type StoredRecord } from "./record";

/** The part of a day by which ages of the report may be too small: it is up to 4 hours old, and its times are in whole seconds. */
const MARGIN_DAYS = 0.25;

/** Whether anything could be due for a user, going by the credential report alone. Too often yes is a few calls; a wrong no would be a fault. */
export function mayBeDue(user: ReportedUser, shortestRotateDays: number, now: Date): boolean {
  // Two keys: a rotation may be under way. One: it may have to begin.
  if (user.keys.length > 1) return true;
  return user.keys.some(
    (key) => key.active && daysBetween(key.createdAt, now) >= shortestRotateDays - MARGIN_DAYS,
  );
}

/**
 * Whether a rotation that is on record only waits: then nothing can be due, and the user's keys need not be listed. Only when the report
 * shows what the record says, and nothing is unfinished or untold.
 */
export function onlyWaits(
  user: ReportedUser,
  record: StoredRecord | undefined,
  policy: Policy,
  now: Date,
): boolean {
  if (!record?.rotatedAt || !record.oldKey || !record.newKey || isUnfinished(record)) return false;
  if (user.keys.length !== 2 || untold(record)) return false;
  const rotatedDaysAgo = daysBetween(record.rotatedAt, now);
  if (rotatedDaysAgo < 0) return false;
  const active = user.keys.filter((key) => key.active).length;
  if (record.deactivatedAt === null) {
    return active === 2 && rotatedDaysAgo < policy.deactivate - policy.rotate - MARGIN_DAYS;
  }
  const deactivatedDaysAgo = daysBetween(record.deactivatedAt, now);
  const wait = Math.max(
    policy.delete - policy.rotate - rotatedDaysAgo,
    policy.delete - policy.deactivate - deactivatedDaysAgo,
  );
  return (
    active === 1 &&
    deactivatedDaysAgo >= 0 &&
    wait > MARGIN_DAYS &&
    rotatedDaysAgo < policy.rotate - MARGIN_DAYS
  );
}

/** Whether what was done last has not been told. */
function untold({ lastAction, mailed }: StoredRecord): boolean {
  const done = /^(rotate|deactivate|delete)(:.+)$/.exec(lastAction ?? "");
  return done !== null && !mailed.includes(`${done[1]}d${done[2]}`);
}
