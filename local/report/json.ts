import * as z from "zod";
import {
  type DrillReport,
  type DrillRun,
  type DrillSummary,
  REPORT_SCHEMA,
  RUN_OUTCOMES,
  STEP_OUTCOMES,
} from "./types";

const time = z.iso.datetime({ offset: true });
const duration = z.number().min(0);
const count = z.int().min(0);
const text = z.string();

/** The form of a run; what its members mean is said at {@link DrillRun}. */
export const drillRunSchema = z.object({
  title: text,
  startedAt: time,
  finishedAt: time,
  engine: text,
  aws: text,
  outcome: z.enum(RUN_OUTCOMES),
  cells: z.array(z.object({ name: text, region: text, role: text })),
  phases: z.array(
    z.object({
      name: text,
      description: text,
      startedAt: time,
      durationMs: duration,
      steps: z.array(
        z.object({
          name: text,
          region: text.optional(),
          expectation: text,
          outcome: z.enum(STEP_OUTCOMES),
          startedAt: time,
          durationMs: duration,
          detail: text.optional(),
          evidence: z.array(z.object({ label: text, value: text })).optional(),
        }),
      ),
    }),
  ),
  outage: z
    .object({
      regions: z.array(text),
      globalServices: z.boolean().optional(),
      mode: z.enum(["refuse", "hang", "slow"]),
      startedAt: time,
      endedAt: time.optional(),
    })
    .optional(),
  calls: z.object({
    duringOutage: z.array(
      z.object({
        region: text,
        service: text,
        outcome: z.enum(["passed", "refused", "hung", "slowed"]),
        count,
      }),
    ),
  }),
  mails: z.array(
    z.object({
      at: time,
      region: text,
      subject: text,
      to: z.array(text),
      latencyMs: duration,
      text: text.optional(),
    }),
  ),
  resources: z.record(text, count),
  policy: z.array(z.object({ rule: text, enforcement: z.enum(["advisory", "mandatory"]), message: text })),
  timings: z.array(z.object({ name: text, durationMs: duration })),
}) satisfies z.ZodType<DrillRun>;

/**
 * The form of the JSON report. Members that it does not know are dropped: later runs of version 1 may add
 * some.
 */
export const drillReportSchema = drillRunSchema.extend({
  schema: z.literal(REPORT_SCHEMA),
  summary: z.object({
    durationMs: duration,
    steps: z.object({ passed: count, failed: count, skipped: count }),
    unansweredCalls: count,
  }),
}) satisfies z.ZodType<DrillReport>;

/** What a run comes to. */
export function summarize(run: DrillRun): DrillSummary {
  const steps = { passed: 0, failed: 0, skipped: 0 };
  for (const phase of run.phases) for (const step of phase.steps) steps[step.outcome] += 1;
  const unanswered = run.calls.duringOutage.filter(
    ({ outcome }) => outcome === "refused" || outcome === "hung",
  );
  return {
    durationMs: Math.max(0, Date.parse(run.finishedAt) - Date.parse(run.startedAt)),
    steps,
    unansweredCalls: unanswered.reduce((sum, entry) => sum + entry.count, 0),
  };
}

/**
 * The JSON report of a run, as text.
 * @throws Error that names every member which does not have the form.
 */
export function renderJsonReport(run: DrillRun): string {
  const report: DrillReport = {
    schema: REPORT_SCHEMA,
    summary: summarize(run),
    ...check(drillRunSchema, run),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/**
 * The report in the text of a JSON report.
 * @throws Error when it is not JSON, is of another version, or does not have the form.
 */
export function parseJsonReport(json: string): DrillReport {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`the drill report is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const version = typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
  if (version !== REPORT_SCHEMA) {
    throw new Error(
      `the drill report is of form ${JSON.stringify(version)}, not ${REPORT_SCHEMA}: run the drill again`,
    );
  }
  return check(drillReportSchema, value);
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`the drill report is not of form ${REPORT_SCHEMA}: ${faults.join("; ")}`);
}
