import type { DrillPhase, DrillStep, Evidence, RunOutcome } from "../report/types";

/** Runs a drill's steps in order and records what came of each. Knows nothing of what the steps do. */

/** What a step has to say for the report besides that it succeeded. */
export interface StepFindings {
  detail?: string;
  evidence?: Evidence[];
}

/** One step: does something and throws when what it expects does not come true. */
export interface Step {
  name: string;
  /** The region that it is about, for the timeline. */
  region?: string;
  /** What has to come true, in one sentence. */
  expectation: string;
  // biome-ignore lint/suspicious/noConfusingVoidType: a step with nothing to add just ends
  run(): Promise<StepFindings | void>;
}

export interface Phase {
  name: string;
  description: string;
  steps: Step[];
}

/** Told as the run goes on. */
export interface RunListener {
  phaseStarted?(phase: Phase): void;
  stepStarted?(step: Step): void;
  stepEnded?(record: DrillStep): void;
}

export interface RunRecord {
  outcome: RunOutcome;
  phases: DrillPhase[];
}

/**
 * Runs every phase. A failed step ends the run, and so does the signal: steps after that are recorded as skipped, never left out.
 */
export async function runPhases(
  phases: readonly Phase[],
  { signal, listener = {} }: { signal?: AbortSignal; listener?: RunListener } = {},
): Promise<RunRecord> {
  let outcome: RunOutcome = "passed";
  const records: DrillPhase[] = [];
  for (const phase of phases) {
    const started = performance.now();
    const record: DrillPhase = {
      name: phase.name,
      description: phase.description,
      startedAt: new Date().toISOString(),
      durationMs: 0,
      steps: [],
    };
    records.push(record);
    if (outcome === "passed") listener.phaseStarted?.(phase);
    for (const step of phase.steps) {
      if (signal?.aborted && outcome === "passed") outcome = "stopped";
      const stepRecord = outcome === "passed" ? await runStep(step, listener) : skipped(step);
      record.steps.push(stepRecord);
      if (stepRecord.outcome === "failed") outcome = signal?.aborted ? "stopped" : "failed";
    }
    record.durationMs = performance.now() - started;
  }
  return { outcome, phases: records };
}

function skipped({ name, region, expectation }: Step): DrillStep {
  const startedAt = new Date().toISOString();
  return {
    name,
    region,
    expectation,
    outcome: "skipped",
    startedAt,
    durationMs: 0,
    detail: "an earlier step failed, or the run was stopped",
  };
}

async function runStep(step: Step, listener: RunListener): Promise<DrillStep> {
  listener.stepStarted?.(step);
  const { name, region, expectation } = step;
  const startedAt = new Date().toISOString();
  const started = performance.now();
  let result: Pick<DrillStep, "outcome" | "detail" | "evidence">;
  try {
    result = { outcome: "passed", ...(await step.run()) };
  } catch (error) {
    result = { outcome: "failed", detail: error instanceof Error ? error.message : String(error) };
  }
  const record = { name, region, expectation, startedAt, durationMs: performance.now() - started, ...result };
  listener.stepEnded?.(record);
  return record;
}
