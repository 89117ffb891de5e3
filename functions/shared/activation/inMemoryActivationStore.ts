import type { ActivationRecord } from "./record";
import { ActivationConflict, type ActivationStore, sameRecord } from "./store";

/** A store in the memory of the process, with the same conditions as the one on DynamoDB: for tests and simulations. */
export class InMemoryActivationStore implements ActivationStore {
  private readonly records = new Map<string, ActivationRecord>();

  constructor(...records: ActivationRecord[]) {
    for (const record of records) this.records.set(record.cell, record);
  }

  async read(cell: string): Promise<ActivationRecord | undefined> {
    return this.records.get(cell);
  }

  async write(record: ActivationRecord, expected: ActivationRecord): Promise<void> {
    const stored = this.records.get(record.cell);
    if (sameRecord(stored, record)) return;
    if (!sameRecord(stored, expected)) {
      throw new ActivationConflict(`the record of ${record.cell} changed in between: nothing was written`);
    }
    this.records.set(record.cell, record);
  }
}
