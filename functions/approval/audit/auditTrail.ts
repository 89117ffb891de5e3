import type { AuditEntry } from "./entry";

/** Keeps the audit. Entries are added and never changed. */
export interface AuditTrail {
  /** Adds an entry. */
  append(entry: AuditEntry): Promise<void>;
}

/** Reads the audit. */
export interface AuditReader {
  /** The entries of a request, oldest first. */
  ofRequest(requestId: string): Promise<AuditEntry[]>;
  /** The entries of a time, `since` included and `until` not, oldest first. */
  between(since: Date, until: Date): AsyncIterable<AuditEntry>;
  /** The entries of a requester, under any of the names, since a time, in no particular order. */
  ofRequester(names: readonly string[], since: Date): Promise<AuditEntry[]>;
  /** How many entries a call has under a deed, since a time. */
  countOfCall(call: string, what: string, since: Date): Promise<number>;
}

/** The same time in both tables and in memory: entries in order of time, then version. */
export function byTime(a: AuditEntry, b: AuditEntry): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.version - b.version;
}
