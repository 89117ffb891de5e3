import * as fs from "node:fs";
import * as path from "node:path";
import { benchmarkNames, loadBenchmarks, UnknownBenchmarkError } from "./registry";
import { type Finished, renderTable } from "./table";
import type { Metric, Result } from "./types";

/** How the harness is called. */
export interface RunnerOptions {
  /** Folder of the checkout, for the benchmarks. */
  root: string;
  /** Folder with a file for each benchmark. */
  folder: string;
  /** Where NAME.json is written. Created when it is missing. */
  resultsFolder: string;
  /** Names and flags. */
  args: readonly string[];
  /** Results, and what was asked for. */
  out: (text: string) => void;
  /** What is going on, and errors. */
  error: (text: string) => void;
  signal: AbortSignal;
}

const USAGE = "usage: npm run bench -- [--list | NAME...]     (without a name: all)";

/**
 * Runs benchmarks one after the other, prints one table and writes a file of results for each. One that
 * fails does not keep the others from running.
 * @returns the exit code: 0, also when a target is not met; 1 when a benchmark could not measure; 2 for a
 * wrong call; 130 when interrupted.
 */
export async function runBenchmarks(options: RunnerOptions): Promise<0 | 1 | 2 | 130> {
  const { folder, args, out, error } = options;
  const flags = args.filter((arg) => arg.startsWith("-"));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const wrong = flags.find((flag) => !["--list", "--help"].includes(flag));
  if (wrong !== undefined) {
    error(`There is no option ${wrong}.\n${USAGE}`);
    return 2;
  }
  if (flags.includes("--help")) {
    out(`${USAGE}\nbenchmarks: ${benchmarkNames(folder).join(", ")}`);
    return 0;
  }
  try {
    const benchmarks = await loadBenchmarks(folder, names);
    if (flags.includes("--list")) {
      const width = Math.max(...benchmarks.map(({ name }) => name.length));
      for (const { name, description } of benchmarks) out(`${name.padEnd(width)}  ${description}`);
      return 0;
    }
    return await runAll(benchmarks, options);
  } catch (caught) {
    if (!(caught instanceof UnknownBenchmarkError)) throw caught;
    error(`${caught.message}\n${USAGE}`);
    return 2;
  }
}

async function runAll(
  benchmarks: Awaited<ReturnType<typeof loadBenchmarks>>,
  options: RunnerOptions,
): Promise<0 | 1 | 130> {
  const { root, resultsFolder, out, error, signal } = options;
  const finished: Finished[] = [];
  let failed = false;
  for (const { name, run } of benchmarks) {
    if (signal.aborted) break;
    try {
      const metrics = await run({ root, signal, progress: (text) => error(`${name}: ${text}`) });
      const results = metrics.map(judge);
      fs.mkdirSync(resultsFolder, { recursive: true });
      fs.writeFileSync(
        path.join(resultsFolder, `${name}.json`),
        `${JSON.stringify(results, undefined, 2)}\n`,
      );
      finished.push({ name, results });
    } catch (caught) {
      if (signal.aborted) break;
      failed = true;
      error(`${name}: could not measure: ${caught instanceof Error ? caught.message : caught}`);
    }
  }
  if (finished.length > 0) out(renderTable(finished));
  if (signal.aborted) return 130;
  return failed ? 1 : 0;
}

/**
 * Rounds to what can be told apart, and says whether the target is met; it is the unrounded value that
 * counts.
 */
function judge({ metric, value, unit, target }: Metric): Result {
  if (!Number.isFinite(value)) throw new Error(`"${metric}" came out as ${value}`);
  return {
    metric,
    value: Number(value.toPrecision(5)),
    unit,
    target: target ?? null,
    met: target === undefined ? null : value <= target,
  };
}
