import type { ReadinessSummary } from "../../../functions/breakGlass/runbook/exercise";
import { checkReadiness } from "./status";
import { readReadinessConfig } from "./statusConfig";

/** The requirement that is met by holding the exercise. */
const OWN_REQUIREMENT = "drill-held";

/**
 * What `bulkhead break-glass status` says, in short and without what the exercise itself mends.
 * @throws CliError when nothing can be checked
 */
export async function readinessInShort(project: string, stack: string): Promise<ReadinessSummary> {
  const { rows } = await checkReadiness(readReadinessConfig(project, stack));
  const others = rows.filter(({ id }) => id !== OWN_REQUIREMENT);
  const of = (verdict: string) => others.filter((row) => row.verdict === verdict);
  return {
    pass: of("pass").length,
    fail: of("fail").length,
    unknown: of("unknown").length,
    failures: of("fail").map(({ subject, requirement }) => `${subject}: ${requirement}`),
  };
}
