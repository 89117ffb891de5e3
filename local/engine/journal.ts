/** Collects what a run has to tell: the plan, counts, diagnostics, violations and times; passes events on. */

import { stripVTControlCharacters } from "node:util";
import type {
  DeploymentOptions,
  DeploymentResult,
  Diagnostic,
  PlanItem,
  PolicyViolation,
  Severity,
  Timings,
} from "./driver";
import type { Operation } from "./planner";
import { nameOf } from "./urn";

const SIGNS: Record<Operation, string> = {
  create: "+ ",
  update: "~ ",
  replace: "+-",
  delete: "- ",
  same: "  ",
  read: "> ",
  refresh: "~ ",
};

/** One run's record. */
export class Journal {
  readonly plan: PlanItem[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly violations: PolicyViolation[] = [];
  readonly timings: Timings = {};
  private readonly counts: Partial<Record<Operation, number>> = {};

  constructor(
    private readonly options: Pick<DeploymentOptions, "onOutput" | "onEvent">,
    private readonly preview: boolean,
  ) {}

  get failed(): boolean {
    return (
      this.diagnostics.some((d) => d.severity === "error") ||
      this.violations.some((v) => v.enforcement === "mandatory")
    );
  }

  line(text: string): void {
    this.options.onOutput?.(text);
  }

  diagnostic(severity: Severity, told: string, urn?: string): void {
    // The SDK colours its stack traces whether or not there is a terminal.
    const message = stripVTControlCharacters(told);
    const known = this.diagnostics.filter((d) => d.message === message);
    if (known.some((d) => d.urn === urn)) return;
    const diagnostic: Diagnostic = { severity, message, ...(urn === undefined ? {} : { urn }) };
    this.diagnostics.push(diagnostic);
    this.options.onEvent?.({ type: "diagnostic", diagnostic });
    const about = urn === undefined ? "" : `${nameOf(urn)}: `;
    // A provider that cannot be reached has every resource fail alike.
    const [first, ...rest] = known.length > 0 ? ["the same"] : message.split("\n");
    this.line(`   ${severity}: ${about}${first}`);
    for (const text of rest) this.line(`     ${text}`);
  }

  violation(violation: PolicyViolation): void {
    this.violations.push(violation);
    this.options.onEvent?.({ type: "policy", violation });
    const { enforcement, policy, urn, message } = violation;
    this.line(`   [${enforcement}] ${policy}: ${nameOf(urn)}: ${message.replaceAll("\n", "\n     ")}`);
  }

  /** Counts an operation that went through, or in a preview would. */
  finished(item: PlanItem): void {
    this.counts[item.op] = (this.counts[item.op] ?? 0) + 1;
  }

  /** Notes an operation that has been decided. */
  planned(item: PlanItem): void {
    this.plan.push(item);
    if (item.op === "same") return;
    const because = item.replaceKeys?.length ? ` (because of ${item.replaceKeys.join(", ")})` : "";
    if (this.preview) {
      this.line(`${SIGNS[item.op]} ${item.type} ${nameOf(item.urn)} ${item.op}${because}`);
      if (item.op === "update" || item.op === "replace") {
        for (const diff of item.diffs) this.line(`     ${diff.path}: ${text(diff.old)} => ${text(diff.new)}`);
      }
    }
  }

  /** Runs one operation and tells of its beginning and end. */
  async step<T>(op: Operation, type: string, urn: string, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    this.options.onEvent?.({ type: "step", moment: "start", op, urn });
    try {
      const result = await work();
      const ms = Math.round(performance.now() - begin);
      this.options.onEvent?.({ type: "step", moment: "done", op, urn, ms });
      if (op !== "same")
        this.line(`${SIGNS[op]} ${type} ${nameOf(urn)} ${past(op)} (${(ms / 1000).toFixed(2)} s)`);
      return result;
    } catch (error) {
      this.options.onEvent?.({ type: "step", moment: "failed", op, urn, error: (error as Error).message });
      throw error;
    }
  }

  /** Adds the duration of some work to a part of the run. */
  async timed<T>(part: string, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.timings[part] = Math.round((this.timings[part] ?? 0) + performance.now() - begin);
    }
  }

  result(outputs: Record<string, unknown>, cancelled: boolean): DeploymentResult {
    return {
      ok: !this.failed && !cancelled,
      cancelled,
      counts: this.counts,
      outputs,
      diagnostics: this.diagnostics,
      policyViolations: this.violations,
      plan: this.plan,
      timings: this.timings,
    };
  }
}

function past(op: Operation): string {
  return op === "same" ? "unchanged" : op === "read" ? "read" : op.endsWith("e") ? `${op}d` : `${op}ed`;
}

/** A value on one line, cut where it gets long. */
function text(value: unknown): string {
  if (value === undefined) return "(none)";
  const json = JSON.stringify(value);
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}
