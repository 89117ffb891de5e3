/**
 * What a run of the drill leaves behind. The JSON report is this with {@link DrillReport}'s two members
 * more; the HTML report is drawn from this alone. Times are ISO 8601 with milliseconds, durations are
 * milliseconds.
 */

/** Name and version of the JSON report's form. A change that breaks readers makes a new version. */
export const REPORT_SCHEMA = "bulkhead.drill-report/v1";

/** How a run ended. `stopped`: by its operator or a signal, before it could tell. */
export const RUN_OUTCOMES = ["passed", "failed", "stopped"] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** How a step ended. `skipped`: not tried, for the reason in its detail. */
export const STEP_OUTCOMES = ["passed", "failed", "skipped"] as const;
export type StepOutcome = (typeof STEP_OUTCOMES)[number];

/** One stack in its region. */
export interface DrillCell {
  /** Stack name: `prod`. */
  name: string;
  region: string;
  /** Its part before the outage: `primary`, `standby`. */
  role: string;
}

/** Something that was seen, and that proves a step's result. */
export interface Evidence {
  label: string;
  value: string;
}

/** One thing that was tried. */
export interface DrillStep {
  /** What is done: "Sign in as breakglass-admin-1". */
  name: string;
  /** Where it happens. Undefined: in no single region. */
  region?: string;
  /** What has to come of it: "is denied without MFA". */
  expectation: string;
  outcome: StepOutcome;
  startedAt: string;
  durationMs: number;
  /** What happened, in words; of a failed step why, of a skipped one the reason. */
  detail?: string;
  evidence?: Evidence[];
}

/** Steps that belong together. Phases follow one another. */
export interface DrillPhase {
  name: string;
  description: string;
  startedAt: string;
  durationMs: number;
  steps: DrillStep[];
}

/** The loss of regions that was played. */
export interface DrillOutage {
  regions: string[];
  /** Whether every global service was lost too. @default false */
  globalServices?: boolean;
  mode: "refuse" | "hang" | "slow";
  startedAt: string;
  /** Undefined: the run ended before the region came back. */
  endedAt?: string;
}

/** How many calls of a service in a region had an outcome (see local/outage/types.ts). */
export interface DrillCallCount {
  region: string;
  service: string;
  outcome: "passed" | "refused" | "hung" | "slowed";
  count: number;
}

/** A mail that arrived. */
export interface DrillMail {
  /** Arrival. */
  at: string;
  /** Region that sent it. */
  region: string;
  subject: string;
  to: string[];
  /** From the act that it is about to its arrival. */
  latencyMs: number;
  /** What it said. */
  text?: string;
}

/** Something that the policy pack reported. */
export interface DrillPolicyFinding {
  rule: string;
  enforcement: "advisory" | "mandatory";
  message: string;
}

/** How long a part of the whole command took, installation and deployment included. */
export interface DrillTiming {
  name: string;
  durationMs: number;
}

/** A whole run. */
export interface DrillRun {
  title: string;
  startedAt: string;
  finishedAt: string;
  /** What ran the program: "Pulumi 3.270.0", "Bulkhead's local engine". */
  engine: string;
  /** What stood for AWS: "MiniStack 1.5.33 with Bulkhead's overlay". */
  aws: string;
  outcome: RunOutcome;
  cells: DrillCell[];
  phases: DrillPhase[];
  /** Undefined: none was played. */
  outage?: DrillOutage;
  calls: {
    /** Calls that arrived while regions were lost. */
    duringOutage: DrillCallCount[];
  };
  mails: DrillMail[];
  /** Number of resources by cell name. */
  resources: Record<string, number>;
  policy: DrillPolicyFinding[];
  /** In the order in which the parts ran. */
  timings: DrillTiming[];
}

/** What a reader of the JSON report wants to know first. */
export interface DrillSummary {
  durationMs: number;
  steps: Record<StepOutcome, number>;
  /** Calls during the outage that got no answer in it (refused or hung). */
  unansweredCalls: number;
}

/** The JSON report. */
export interface DrillReport extends DrillRun {
  schema: typeof REPORT_SCHEMA;
  summary: DrillSummary;
}
