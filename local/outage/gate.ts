import { performance } from "node:perf_hooks";
import { decide } from "./decide";
import type { CallFacts, OutageRule, Outcome } from "./types";

/**
 * How a call leaves the gate: it is sent on, its connection is to be reset, or nobody waits for it any more.
 */
export type Exit = "forward" | "refuse" | "left";

/** Keeps the rule in force, and the calls that wait because of it. */
export class Gate {
  private current: OutageRule | undefined;
  private readonly waiting = new Set<() => void>();

  /** The rule in force; undefined: no outage. */
  get rule(): OutageRule | undefined {
    return this.current;
  }

  /** Number of calls that wait. */
  get held(): number {
    return this.waiting.size;
  }

  /** Puts a rule in force. Calls that wait are decided anew, those that have left are not called back. */
  change(rule: OutageRule | undefined): void {
    this.current = rule;
    for (const wake of [...this.waiting]) wake();
  }

  /**
   * Holds a call for as long as the rules of the moment say.
   * @param arrivedAt on the clock of `performance.now()`.
   * @param gone aborted when the caller leaves.
   * @param mark told each outcome that a rule brings about, so the last one tells what became of the call.
   */
  async admit(
    facts: CallFacts,
    arrivedAt: number,
    gone: AbortSignal,
    mark: (outcome: Outcome) => void,
  ): Promise<Exit> {
    for (;;) {
      if (gone.aborted) return "left";
      const rule = this.current;
      const { outcome } = decide(facts, rule);
      // A call that was held and is let go stays "hung": that is what its caller felt.
      if (outcome === "passed") return "forward";
      mark(outcome);
      if (outcome === "refused") return "refuse";
      const delay = outcome === "slowed" ? arrivedAt + (rule?.delayMs ?? 0) - performance.now() : undefined;
      if (delay !== undefined && delay <= 0) return "forward";
      await this.wait(delay, gone);
    }
  }

  /** Until the rule changes, the caller leaves, or the time (in milliseconds) is over. */
  private wait(ms: number | undefined, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      // Timers fire up to a millisecond early.
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), Math.ceil(ms) + 1);
      const wake = () => {
        clearTimeout(timer);
        gone.removeEventListener("abort", wake);
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
      gone.addEventListener("abort", wake);
    });
  }
}
