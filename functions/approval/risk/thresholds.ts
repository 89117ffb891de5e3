import type { Level } from "../workflow/request";

/** From which score on which levels have to approve. */
export interface Threshold {
  /** From 0 to 100. */
  readonly atLeast: number;
  /** Name of the class, for people: `high`. */
  readonly name: string;
  readonly levels: readonly Level[];
}

/**
 * Checks a list of thresholds: they begin at 0, rise, and never ask for fewer approvals at a higher score.
 * @throws Error naming the threshold and what is wrong
 */
export function checkThresholds(thresholds: readonly Threshold[]): void {
  const [first] = thresholds;
  if (first?.atLeast !== 0)
    throw new Error("the first risk threshold has to begin at 0, so that every score has one");
  for (const [index, { name, atLeast, levels }] of thresholds.entries()) {
    if (levels.length === 0) throw new Error(`risk threshold "${name}" names no level: nobody would approve`);
    const lower = thresholds[index - 1];
    if (!lower) continue;
    if (!(atLeast > lower.atLeast && atLeast <= 100)) {
      throw new Error(
        `risk threshold "${name}" begins at ${atLeast}: more than ${lower.atLeast} and at most 100 is needed`,
      );
    }
    if (approvals(levels) < approvals(lower.levels) || levels.length < lower.levels.length) {
      throw new Error(
        `risk threshold "${name}" asks for fewer approvals than "${lower.name}", although the risk is higher`,
      );
    }
  }
}

const approvals = (levels: readonly Level[]) => levels.reduce((sum, { quorum }) => sum + quorum, 0);

/**
 * The threshold that a score has reached.
 * @param thresholds checked by {@link checkThresholds}
 */
export function thresholdOf(score: number, thresholds: readonly Threshold[]): Threshold {
  return thresholds.findLast(({ atLeast }) => score >= atLeast) ?? thresholds[0]!;
}
