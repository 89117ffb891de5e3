import { performance } from "node:perf_hooks";
import type { Call, CallCount, CallFacts, Outcome } from "./types";

/** Calls remembered by default; a run of the drill makes some ten thousand. */
export const DEFAULT_JOURNAL_LIMIT = 200_000;

/** A call that is under way. */
export interface Entry {
  /** Changes what became of it. */
  mark(outcome: Outcome): void;
  /** Ends it. Further ends have no effect. @param status of the answer; undefined: none was given. */
  end(status: number | undefined): void;
}

/** Remembers calls. Those ended after {@link Journal.reset} belong to the past and do not come back. */
export class Journal {
  private entries: Call[] = [];
  private forgottenCount = 0;
  private current: string | undefined;

  /** @param limit calls to remember; the oldest are forgotten beyond it. */
  constructor(private readonly limit = DEFAULT_JOURNAL_LIMIT) {}

  /** Number of calls no longer remembered, because there were too many. */
  get forgotten(): number {
    return this.forgottenCount;
  }

  /** Name of the phase that calls are marked with from now on; undefined: none. */
  get label(): string | undefined {
    return this.current;
  }

  set label(name: string | undefined) {
    this.current = name;
  }

  /**
   * Enters a call that has just been decided upon.
   * @param arrivedAt time of arrival on the clock of `performance.now()`.
   */
  enter(facts: CallFacts, arrivedAt: number): Entry {
    const call: Call = {
      at: new Date(performance.timeOrigin + arrivedAt).toISOString(),
      ...facts,
      outcome: "passed",
      ...(this.current === undefined ? {} : { label: this.current }),
    };
    this.entries.push(call);
    // In blocks, since each cut moves the whole list.
    if (this.entries.length > this.limit * 1.1) {
      const surplus = this.entries.length - this.limit;
      this.entries.splice(0, surplus);
      this.forgottenCount += surplus;
    }
    return {
      mark: (outcome) => {
        call.outcome = outcome;
      },
      end: (status) => {
        if (call.durationMs !== undefined) return;
        call.durationMs = Math.round((performance.now() - arrivedAt) * 10) / 10;
        if (status !== undefined) call.status = status;
      },
    };
  }

  /**
   * The calls so far in order of arrival, as they are now: later changes do not show in what was returned.
   */
  calls(): readonly Call[] {
    return this.entries.map((call) => ({ ...call }));
  }

  /** Forgets all calls; the label stays. */
  reset(): void {
    this.entries = [];
    this.forgottenCount = 0;
  }
}

/** Counts calls by region, service and outcome, in that order of sorting. */
export function countCalls(calls: Iterable<Pick<Call, "region" | "service" | "outcome">>): CallCount[] {
  const counts = new Map<string, CallCount>();
  for (const { region, service, outcome } of calls) {
    const key = JSON.stringify([region, service, outcome]);
    const count = counts.get(key);
    if (count) count.count += 1;
    else counts.set(key, { region, service, outcome, count: 1 });
  }
  return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}
