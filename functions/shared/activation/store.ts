import type { ActivationRecord } from "./record";

/**
 * Where one cell's record is kept: a table in the cell's own region.
 */
export interface ActivationStore {
  /**
   * The record as it is now (a strongly consistent read); undefined when the table holds none.
   * @throws ActivationUnreadable when the region or the table does not answer, or answers with something that is no record.
   */
  read(cell: string): Promise<ActivationRecord | undefined>;
  /**
   * Writes the record if the stored one still is `expected`. Succeeds, too, when the stored one already is `record`.
   * @throws ActivationConflict when another record is stored: nothing was written.
   * @throws ActivationUnreadable when no answer came: whether it was written is not known. Read again to find out.
   */
  write(record: ActivationRecord, expected: ActivationRecord): Promise<void>;
}

/** Why a store gave no record. */
export type UnreadableCode =
  /** No answer in time: what a lost region looks like. */
  | "Timeout"
  /** No connection, or a server error. */
  | "Unavailable"
  /** The region answers, but there is no such table: the cell was never deployed, or under another name. */
  | "TableMissing"
  /** The caller may not read or write the record. */
  | "Denied"
  /** What is stored is not an activation record. */
  | "Malformed";

/** Base of this module's errors; `code` is for programs, the message for people. */
export class ActivationError extends Error {
  constructor(
    message: string,
    readonly code: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A store did not answer with a record. */
export class ActivationUnreadable extends ActivationError {
  constructor(
    message: string,
    override readonly code: UnreadableCode,
    options?: { cause?: unknown },
  ) {
    super(message, code, options);
  }
}

/** A conditional write found another record than expected: someone else changed it in between. Nothing was written. */
export class ActivationConflict extends ActivationError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, "Conflict", options);
  }
}

/** Whether two records are the same in every field. */
export function sameRecord(a: ActivationRecord | undefined, b: ActivationRecord | undefined): boolean {
  if (!a || !b) return a === b;
  return (Object.keys(a) as (keyof ActivationRecord)[]).every((key) => a[key] === b[key]);
}
