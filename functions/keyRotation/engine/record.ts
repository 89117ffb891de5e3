import * as z from "zod";
import type { RecordState } from "../decide/state";

const time = z.iso.datetime();

/** A user's rotation record as it is stored. It names keys; it never holds one. */
export const storedRecordSchema = z.strictObject({
  accountId: z.string().regex(/^\d{12}$/),
  userName: z.string().min(1),
  /** Grows with every write, in whichever cell's table. */
  version: z.int().min(1),
  oldKey: z.string().nullable(),
  newKey: z.string().nullable(),
  /** When IAM made newKey, by IAM's clock. */
  rotatedAt: time.nullable(),
  deactivatedAt: time.nullable(),
  /** See `recordSchema` of the decision. */
  lastAction: z.string().nullable(),
  /** What owners have been told since the rotation. */
  mailed: z.array(z.string()),
  /** What was announced and is not finished: when, and by which run. */
  announced: z
    .strictObject({
      at: time,
      runId: z.string(),
      /** Ids of the keys that the user had before the first attempt. */
      keysBefore: z.array(z.string()),
      /** When each attempt was announced, the first one first. */
      attempts: z.array(time),
    })
    .nullable(),
  /** Digest of the policy that the user's secret has; null: the secret may not exist. */
  secretPolicy: z.string().nullable(),
  updatedAt: time,
  updatedBy: z.string(),
});

export type StoredRecord = z.infer<typeof storedRecordSchema>;

const DAY = 86_400_000;

/** Days from a time to another. */
export function daysBetween(from: Date | string, to: Date): number {
  return (to.getTime() - new Date(from).getTime()) / DAY;
}

/** The record as the decision sees it. */
export function recordState(record: StoredRecord, now: Date): RecordState {
  const ago = (at: string | null) => (at === null ? null : daysBetween(at, now));
  return {
    oldKey: record.oldKey,
    newKey: record.newKey,
    rotatedDaysAgo: ago(record.rotatedAt),
    deactivatedDaysAgo: ago(record.deactivatedAt),
    lastAction: record.lastAction,
    mailed: record.mailed,
  };
}

/** A record of a user of whom there was none. */
export function emptyRecord(accountId: string, userName: string): StoredRecord {
  return {
    accountId,
    userName,
    version: 0,
    oldKey: null,
    newKey: null,
    rotatedAt: null,
    deactivatedAt: null,
    lastAction: null,
    mailed: [],
    announced: null,
    secretPolicy: null,
    updatedAt: new Date(0).toISOString(),
    updatedBy: "",
  };
}

/** The next version of a record. */
export function nextRecord(
  record: StoredRecord,
  change: Partial<StoredRecord>,
  by: { now: Date; cell: string },
): StoredRecord {
  return {
    ...record,
    ...change,
    version: record.version + 1,
    updatedAt: by.now.toISOString(),
    updatedBy: by.cell,
  };
}

/** Whether something was announced and not finished. */
export function isUnfinished(record: StoredRecord): boolean {
  return record.announced !== null || /^(rotating|deactivating|deleting)\b/.test(record.lastAction ?? "");
}
