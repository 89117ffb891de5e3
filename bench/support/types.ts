/** What a benchmark is, and what it finds. */

/** One number. */
export interface Metric {
  /** What was measured: "with the pack, against an empty program". */
  metric: string;
  value: number;
  /** `ms`, `x` (a ratio), `calls`. */
  unit: string;
  /** The largest value that is good. @default none: a number for information */
  target?: number;
}

/** A line of `bench/results/NAME.json`. */
export interface Result {
  metric: string;
  value: number;
  unit: string;
  /** Null: the metric has none. */
  target: number | null;
  /** Whether the value is no more than the target. Null: there is none. */
  met: boolean | null;
}

/** What a benchmark gets. */
export interface BenchContext {
  /** Folder of the checkout. */
  root: string;
  /** Says what is going on; shown at once, not part of the results. */
  progress: (text: string) => void;
  /** Aborted by Ctrl-C: what was started has to be stopped. */
  signal: AbortSignal;
}

/** A benchmark: what a file `bench/NAME.ts` exports as `benchmark`. */
export interface Benchmark {
  /** The file's name, by which it is called. */
  name: string;
  /** What it measures, in one line. */
  description: string;
  /** @throws Error when it could not measure; a target that is not met is no error. */
  run(context: BenchContext): Promise<Metric[]>;
}
