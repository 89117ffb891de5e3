import type { Policy } from "../decide/policy";
import type { KeyState } from "../decide/state";
import type { BackOff } from "./backOff";
import { ANNOUNCED_MILLISECONDS } from "./carryOut";
import type { ReportedUser } from "./credentialReport";
import { failureKind } from "./failure";
import type { Iam, ListedKey, Secrets } from "./ports";
import { daysBetween, type StoredRecord } from "./record";
import { versionOf } from "./secret";

/** A user's keys as they are now. */
export interface UserKeys {
  listed: ListedKey[];
  /** For the decision, in the same order. */
  states: KeyState[];
  /** Ids in the order of the report's keys; undefined: the report's key is not there any more. */
  bySlot: (string | undefined)[];
  /** Whether another run announced work on this user a short while ago. */
  busy: boolean;
}

const MINUTE = 60_000;
/** How long a run that announced something may still be at it: longer than any function runs. */
const RUN_MILLISECONDS = 25 * MINUTE;
/** How far this machine's clock may be ahead of IAM's. */
const SKEW_MILLISECONDS = 5 * MINUTE;

/** What {@link readUserKeys} needs. */
export interface UserKeysInput {
  iam: Iam;
  secrets: Secrets;
  backOff: BackOff;
  user: ReportedUser;
  record: StoredRecord | undefined;
  accountId: string;
  secretName: string;
  policy: Policy;
  runId: string;
  now: Date;
}

/**
 * Reads a user's keys: always the list, since the report is hours old and has no ids; whether the secret holds them and when they were last
 * used only where the decision asks for it. Everything that is not read is of a key about which nothing is decided by it.
 *
 * @throws CallFailure when the keys or the secret cannot be read; a last use that cannot be read is "unknown"
 */
export async function readUserKeys(input: UserKeysInput): Promise<UserKeys> {
  const { iam, secrets, backOff, user, record, now } = input;
  const listed = await backOff.call(() => iam.listKeys(user.userName));
  const seconds = (at: Date) => Math.floor(at.getTime() / 1000);
  const slotOf = (key: ListedKey) =>
    user.keys.find((each) => seconds(each.createdAt) === seconds(key.createdAt));
  const bySlot = user.keys.map((slot) => listed.find((key) => slotOf(key) === slot)?.id);
  const busy =
    record?.announced != null &&
    record.announced.runId !== input.runId &&
    Math.abs(now.getTime() - Date.parse(record.announced.at)) < RUN_MILLISECONDS;
  if (busy) return { listed, states: [], bySlot, busy };

  const suspects = listed.filter((key) => wasAnnounced(key, record));
  const old = listed.find(({ id }) => id === record?.oldKey);
  const fresh = listed.find(({ id }) => id === record?.newKey);
  const versions =
    (old && fresh) || suspects.length > 0
      ? await backOff.call(() => secrets.versions(input.secretName))
      : undefined;
  const readUse = new Set(suspects.map(({ id }) => id));
  if (old && fresh && nextStepMayBeDue(input)) readUse.add(old.id);

  const states: KeyState[] = [];
  for (const key of listed) {
    const made = key.id === record?.newKey || suspects.includes(key);
    const reported = slotOf(key)?.lastUsedAt ?? null;
    const used = readUse.has(key.id) ? await lastUse(input, key.id) : reported;
    states.push({
      id: key.id,
      status: key.status,
      ageDays: daysBetween(key.createdAt, now),
      lastUsedDaysAgo: used === "unknown" || used === null ? used : Math.max(0, daysBetween(used, now)),
      // Not asked about a new key that stands alone: the record says that it was handed over.
      inSecret: versions
        ? versions.includes(versionOf(input.accountId, user.userName, key.id))
        : made && suspects.length === 0 && !old,
      createdByUs: made,
    });
  }
  return { listed, states, bySlot, busy };
}

/**
 * Whether a rotation that was announced and never finished made the key: it was not there before, and came while the run was at work. A
 * secret that holds it proves it, too, but is not needed.
 */
function wasAnnounced(key: ListedKey, record: StoredRecord | undefined): boolean {
  if (!record?.announced || key.id === record.oldKey || key.id === record.newKey) return false;
  if (!/^rotating\b/.test(record.lastAction ?? "") || record.announced.keysBefore.includes(key.id))
    return false;
  return record.announced.attempts.some((attempt) => {
    const after = key.createdAt.getTime() - Date.parse(attempt);
    return after >= -SKEW_MILLISECONDS && after <= ANNOUNCED_MILLISECONDS + SKEW_MILLISECONDS;
  });
}

/** Whether deactivation or deletion could be due by time: only then does the last use count. */
function nextStepMayBeDue({ record, policy, now }: UserKeysInput): boolean {
  if (!record?.rotatedAt) return false;
  return daysBetween(record.rotatedAt, now) >= policy.deactivate - policy.rotate;
}

async function lastUse({ iam, backOff }: UserKeysInput, keyId: string): Promise<Date | null | "unknown"> {
  try {
    return await backOff.call(() => iam.lastUsed(keyId));
  } catch (error) {
    // An error is not the same as never used.
    if (failureKind(error) === "unreachable") throw error;
    return "unknown";
  }
}
