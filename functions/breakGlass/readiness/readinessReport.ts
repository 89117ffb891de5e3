import { overall, type Row } from "./assess";
import type { Verdict } from "./requirement";

/** A readiness report as it is written: JSON for programs, and what the page is made from. No secret is in it. */
export interface ReadinessReport {
  /** Of this form. */
  version: 1;
  /** ISO 8601 in UTC. */
  checkedAt: string;
  /** Who checked, such as `bulkhead-breakglass-steward in prod (us-east-1)`. */
  checkedBy: string;
  accountId: string;
  verdict: Verdict;
  /** How many rows have each verdict. */
  counts: Record<Verdict, number>;
  rows: Row[];
}

/** Makes a report of rows. */
export function readinessReport(
  rows: Row[],
  from: { checkedAt: Date; checkedBy: string; accountId: string },
): ReadinessReport {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  return {
    version: 1,
    checkedAt: from.checkedAt.toISOString(),
    checkedBy: from.checkedBy,
    accountId: from.accountId,
    verdict: overall(rows),
    counts: { pass: count("pass"), fail: count("fail"), unknown: count("unknown") },
    rows,
  };
}
