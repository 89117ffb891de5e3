import { type Policy, readTags, type TagVerdict } from "./policy";
import type { KeyState, RecordState, UserState } from "./state";

/** Ages that differ by no more than this, in days, count as the same: clocks differ, and a record is written a little after the key. */
const TOLERANCE_DAYS = 1;
/** How far in the future, in days, a time may lie: the difference of two clocks. */
const SKEW_DAYS = 1 / 24;

/** What the rows of the table ask about a state: worked out once, each under one name. */
export interface Facts {
  state: UserState;
  enforce: boolean;
  tags: TagVerdict | { error: string };
  /** With what the user's tags say. */
  policy: Policy;
  /** The record; undefined: there is none. Only to be asked after the row of unreadable records. */
  record: RecordState | undefined;
  /** Keys that a rotation made, that no secret holds, and that nobody was given: left by a crash between two calls. */
  orphans: KeyState[];
  /** The other keys. */
  rest: KeyState[];
  /** The rotation that is on record and not finished: the replaced key is still there. */
  rotation: Rotation | undefined;
  /** Keys among the rest that are active and old enough to be replaced. */
  due: KeyState[];
  /** Why the times cannot all be true, each as `KEY` or `record`. */
  implausible: string[];
  /** Keys whose last use could not be read. */
  unknownUse: KeyState[];
}

/** A rotation: the key that was replaced and what replaced it. */
export interface Rotation {
  old: KeyState;
  /** Undefined: the new key is gone. */
  fresh: KeyState | undefined;
  /** Id of the new key. */
  freshId: string;
  rotatedDaysAgo: number;
  /** Undefined: the rotation has not deactivated the old key. */
  deactivatedDaysAgo: number | undefined;
  /** Days that have to lie between rotation and deactivation, rotation and deletion, deactivation and deletion. */
  wait: { deactivate: number; delete: number; afterDeactivation: number };
}

/** Works out the facts about a state. */
export function factsOf(state: UserState): Facts {
  const { user, keys, mode } = state;
  const tags: Facts["tags"] = isError(user.tags)
    ? user.tags
    : readTags(user.tags as Record<string, string>, state.policy);
  const policy = "policy" in tags ? tags.policy : state.policy;
  const record = state.record === null || isError(state.record) ? undefined : adopt(state.record, keys);
  const orphans = keys.filter((key) => isOrphan(key, keys, record));
  const rest = keys.filter((key) => !orphans.includes(key));
  return {
    state,
    enforce: mode === "enforce",
    tags,
    policy,
    record,
    orphans,
    rest,
    rotation: rotationOf(record, rest, policy),
    due: rest.filter((key) => key.status === "Active" && key.ageDays >= policy.rotate),
    implausible: implausible(keys, record),
    unknownUse: keys.filter((key) => key.lastUsedDaysAgo === "unknown"),
  };
}

/** Whether something could not be read. */
export function isError(value: unknown): value is { error: string } {
  return typeof value === "object" && value !== null && "error" in value && typeof value.error === "string";
}

/** The words of lastAction for what was announced before it was begun; see `recordSchema`. */
const IN_PROGRESS = /^(rotating|creating|created?|announced?|started|pending|intent)\b/i;
const DEACTIVATING = /^deactivat/i;

/**
 * The record with what a crash kept from being written, so far as the keys prove it: a new key that the secret holds completes a
 * rotation; an announced deactivation whose key is inactive was made, and counts from now.
 */
function adopt(record: RecordState, keys: KeyState[]): RecordState {
  let adopted = record;
  const announced = record.newKey === null && record.oldKey !== null && record.lastAction !== null;
  if (announced && IN_PROGRESS.test(record.lastAction ?? "")) {
    const stored = keys.filter((key) => key.createdByUs && key.inSecret && key.id !== record.oldKey);
    const [fresh] = stored;
    if (fresh && stored.length === 1) {
      const lastAction = `rotate:${record.oldKey}`;
      adopted = { ...adopted, newKey: fresh.id, rotatedDaysAgo: Math.max(0, fresh.ageDays), lastAction };
    }
  }
  const old = keys.find((key) => key.id === record.oldKey);
  if (
    record.deactivatedDaysAgo === null &&
    DEACTIVATING.test(record.lastAction ?? "") &&
    old?.status === "Inactive"
  ) {
    adopted = { ...adopted, deactivatedDaysAgo: 0, lastAction: `deactivate:${old.id}` };
  }
  return adopted;
}

/**
 * Whether a key was left by a crash. All of it has to be so: made by a rotation, in no secret, never used, and not handed over, which is
 * what the record's newKey says once the rotation is done. With no record at all, the only key of a user is not taken for one.
 */
function isOrphan(key: KeyState, keys: KeyState[], record: RecordState | undefined): boolean {
  if (!key.createdByUs || key.inSecret || key.lastUsedDaysAgo !== null) return false;
  if (!record) return keys.length > 1;
  if (key.id === record.oldKey) return false;
  return key.id !== record.newKey || IN_PROGRESS.test(record.lastAction ?? "");
}

function rotationOf(record: RecordState | undefined, rest: KeyState[], policy: Policy): Rotation | undefined {
  if (!record?.oldKey || !record.newKey || record.rotatedDaysAgo === null) return undefined;
  const old = rest.find((key) => key.id === record.oldKey);
  if (!old) return undefined;
  return {
    old,
    fresh: rest.find((key) => key.id === record.newKey),
    freshId: record.newKey,
    rotatedDaysAgo: record.rotatedDaysAgo,
    deactivatedDaysAgo: record.deactivatedDaysAgo ?? undefined,
    wait: {
      deactivate: policy.deactivate - policy.rotate,
      delete: policy.delete - policy.rotate,
      afterDeactivation: policy.delete - policy.deactivate,
    },
  };
}

/** Times that contradict each other or lie in the future: a clock has jumped, or a record belongs to another key. */
function implausible(keys: KeyState[], record: RecordState | undefined): string[] {
  const wrong = keys.filter(({ ageDays, lastUsedDaysAgo }) => {
    if (ageDays < -SKEW_DAYS) return true;
    if (typeof lastUsedDaysAgo !== "number") return false;
    return lastUsedDaysAgo < -SKEW_DAYS || lastUsedDaysAgo > Math.max(0, ageDays) + TOLERANCE_DAYS;
  });
  return [...wrong.map(({ id }) => id), ...(record && recordImplausible(record, keys) ? ["record"] : [])];
}

function recordImplausible(
  { oldKey, newKey, rotatedDaysAgo, deactivatedDaysAgo }: RecordState,
  keys: KeyState[],
): boolean {
  if (oldKey !== null && oldKey === newKey) return true;
  if (deactivatedDaysAgo !== null && deactivatedDaysAgo < -SKEW_DAYS) return true;
  if (rotatedDaysAgo === null) {
    // Counted from the record, not guessed: a rotation without its time is none.
    return oldKey !== null && newKey !== null && keys.some(({ id }) => id === oldKey);
  }
  if (rotatedDaysAgo < -SKEW_DAYS) return true;
  if (deactivatedDaysAgo !== null && deactivatedDaysAgo > rotatedDaysAgo + TOLERANCE_DAYS) return true;
  // A key cannot be younger than the rotation that made it, or that replaced it.
  return keys.some(
    (key) => [oldKey, newKey].includes(key.id) && key.ageDays < rotatedDaysAgo - TOLERANCE_DAYS,
  );
}
