import type { EvidenceKind, EvidenceOf, EvidenceRecord } from "./record";
import type { EvidenceStore } from "./store";

/** A store in the memory of the process: for tests and simulations. */
export class InMemoryEvidenceStore implements EvidenceStore {
  private readonly records = new Map<string, EvidenceRecord>();

  constructor(...records: EvidenceRecord[]) {
    for (const record of records) this.put(record);
  }

  private put(record: EvidenceRecord): void {
    const key = `${record.kind} ${record.id}`;
    if (!this.records.has(key)) this.records.set(key, structuredClone(record));
  }

  async append(record: EvidenceRecord): Promise<void> {
    this.put(record);
  }

  async list<Kind extends EvidenceKind>(kind: Kind, since = ""): Promise<EvidenceOf<Kind>[]> {
    return [...this.records.values()]
      .filter((record): record is EvidenceOf<Kind> => record.kind === kind && record.at >= since)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((record) => structuredClone(record));
  }
}
