import * as fs from "node:fs";
import * as path from "node:path";
import type { Benchmark } from "./types";

/** The harness lies among the benchmarks. */
const NOT_A_BENCHMARK = "run";

/** A benchmark was asked for that does not exist. */
export class UnknownBenchmarkError extends Error {
  override readonly name = "UnknownBenchmarkError";
  constructor(unknown: readonly string[], known: readonly string[]) {
    super(
      `There is no benchmark ${unknown.map((name) => `"${name}"`).join(", ")}. There are: ${known.join(", ")}.`,
    );
  }
}

/** Names of the benchmarks in a folder, in alphabetical order: one file each. */
export function benchmarkNames(folder: string): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.basename(entry.name, ".ts"))
    .filter((name) => name !== NOT_A_BENCHMARK)
    .sort();
}

/**
 * Loads benchmarks. Only those that are named: some load much.
 * @param names empty: all.
 * @throws UnknownBenchmarkError
 */
export async function loadBenchmarks(folder: string, names: readonly string[]): Promise<Benchmark[]> {
  const known = benchmarkNames(folder);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UnknownBenchmarkError(unknown, known);
  const wanted = names.length > 0 ? [...new Set(names)] : known;
  return Promise.all(
    wanted.map(async (name) => {
      const module: { benchmark?: Benchmark } = await import(path.join(folder, `${name}.ts`));
      const { benchmark } = module;
      if (benchmark?.name !== name) {
        throw new Error(
          `${path.join(folder, `${name}.ts`)} has to export a "benchmark" whose name is "${name}"`,
        );
      }
      return benchmark;
    }),
  );
}
