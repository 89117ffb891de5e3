import {
  REQUIREMENT_DIMENSION,
  STEWARD_RUNS_METRIC,
  UNKNOWN_METRIC,
  UNREADY_METRIC,
} from "../../../components/breakGlassAccount/readinessNames";
import type { Log } from "../../shared/logging/logger";
import type { Count } from "../../shared/logging/metrics";
import { assess, type Row } from "../readiness/assess";
import type { Observations } from "../readiness/observations";
import type { ReadinessPolicy } from "../readiness/policy";
import { type ReadinessReport, readinessReport } from "../readiness/readinessReport";
import { renderReadinessReport } from "../readiness/report";
import { LATEST_REPORT, reportKeys } from "../readiness/reportKeys";
import type { Verdict } from "../readiness/requirement";

/** A report as it is kept. */
export interface ReportFile {
  key: string;
  contentType: string;
  body: string;
}

/** What a run works with. */
export interface StewardParts {
  policy: ReadinessPolicy;
  /** Who checks, such as `bulkhead-breakglass-steward in dr (us-west-2)`. */
  checkedBy: string;
  collect(): Promise<Observations>;
  /** Keeps a report. */
  keep(file: ReportFile): Promise<void>;
  now(): Date;
  log: Log;
  count: Count;
}

/** What a run did. */
export interface StewardResult {
  verdict: Verdict;
  counts: Record<Verdict, number>;
  /** The requirements that are not met, each once. */
  unmet: string[];
  /** The requirements that could not be checked and are not known to be unmet. */
  unknown: string[];
  /** Key of the report. */
  report: string;
}

/** Observes, judges, counts and reports: the daily proof that emergency access would work. */
export async function runSteward(parts: StewardParts): Promise<StewardResult> {
  const { policy, log } = parts;
  const at = parts.now();
  const rows = assess(await parts.collect(), policy, at);
  // The metrics first: they need no call, and alarms are to know although the report's bucket does not answer.
  countVerdicts(rows, parts.count);
  const report = readinessReport(rows, {
    checkedAt: at,
    checkedBy: parts.checkedBy,
    accountId: policy.accountId,
  });
  const keys = reportKeys(at);
  // The last report last: whoever sees it finds the one under its time, too.
  for (const names of [keys, LATEST_REPORT]) await keepBoth(parts, names, report);
  const result: StewardResult = {
    verdict: report.verdict,
    counts: report.counts,
    unmet: idsOf(rows, "fail"),
    unknown: idsOf(rows, "unknown").filter((id) => !idsOf(rows, "fail").includes(id)),
    report: keys.json,
  };
  log.info("Emergency access was checked", { ...result });
  return result;
}

function idsOf(rows: readonly Row[], verdict: Verdict): string[] {
  return [...new Set(rows.filter((row) => row.verdict === verdict).map(({ id }) => id))];
}

/** A metric for each requirement, which its alarm looks at, and one for all; unknown is not unready. */
function countVerdicts(rows: readonly Row[], count: Count): void {
  const metrics = [
    [UNREADY_METRIC, "fail"],
    [UNKNOWN_METRIC, "unknown"],
  ] as const;
  for (const [metric, verdict] of metrics) {
    const having = idsOf(rows, verdict);
    for (const id of new Set(rows.map((row) => row.id))) {
      count.add(metric, { [REQUIREMENT_DIMENSION]: id }, having.includes(id) ? 1 : 0);
    }
    count.add(metric, {}, having.length > 0 ? 1 : 0);
  }
  count.add(STEWARD_RUNS_METRIC, {});
}

async function keepBoth(
  { keep }: StewardParts,
  keys: { json: string; html: string },
  report: ReadinessReport,
): Promise<void> {
  await keep({
    key: keys.html,
    contentType: "text/html; charset=utf-8",
    body: renderReadinessReport(report),
  });
  await keep({
    key: keys.json,
    contentType: "application/json",
    body: `${JSON.stringify(report, null, 2)}\n`,
  });
}
