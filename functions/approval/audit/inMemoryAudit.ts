import { type AuditReader, type AuditTrail, byTime } from "./auditTrail";
import { type AuditEntry, auditEntrySchema } from "./entry";

/** An audit in the memory of the process: for tests and simulations. */
export class InMemoryAudit implements AuditTrail, AuditReader {
  readonly entries: AuditEntry[] = [];

  async append(entry: AuditEntry): Promise<void> {
    this.entries.push(auditEntrySchema.parse(entry));
  }

  async ofRequest(requestId: string): Promise<AuditEntry[]> {
    return this.entries.filter((entry) => entry.requestId === requestId).sort(byTime);
  }

  async *between(since: Date, until: Date): AsyncIterable<AuditEntry> {
    const [from, to] = [since.toISOString(), until.toISOString()];
    yield* this.entries.filter(({ at }) => at >= from && at < to).sort(byTime);
  }

  async ofRequester(names: readonly string[], since: Date): Promise<AuditEntry[]> {
    const from = since.toISOString();
    return this.entries.filter(({ requester, at }) => names.includes(requester[0]!) && at >= from);
  }

  async countOfCall(call: string, what: string, since: Date): Promise<number> {
    const from = since.toISOString();
    return this.entries.filter((entry) => entry.call === call && entry.what === what && entry.at >= from)
      .length;
  }
}
