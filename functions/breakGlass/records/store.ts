import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { EvidenceKind, EvidenceOf, EvidenceRecord } from "./record";

/** Keeps the evidence of one cell. */
export interface EvidenceStore {
  /**
   * Appends a record. One that is there already under the same kind and id stays as it is: appending is idempotent.
   * @throws EvidenceUnavailable when no answer came; whether it was appended is not known, and appending again is right.
   */
  append(record: EvidenceRecord): Promise<void>;
  /**
   * All records of a kind, oldest first.
   * @param since only those whose `at` is not before this time, ISO 8601 in UTC
   * @throws EvidenceUnavailable when no answer came or what is stored cannot be understood.
   */
  list<Kind extends EvidenceKind>(kind: Kind, since?: string): Promise<EvidenceOf<Kind>[]>;
}

/** A cell's store does not answer, or not as it should. */
export class EvidenceUnavailable extends BulkheadError {
  override readonly name = "EvidenceUnavailable";
  constructor(message: string, options?: ErrorOptions) {
    super("evidence-unavailable", message, options);
  }
}
