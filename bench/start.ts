import { spawn } from "node:child_process";
import * as path from "node:path";
import { type DrillReport, parseJsonReport } from "../local/report";
import { time } from "./support/measure";
import type { BenchContext, Benchmark, Metric } from "./support/types";

/** How long a newcomer may wait from `npm start` to the report, in milliseconds. */
const TARGET_MS = 90_000;

/** What `npm start` does, step by step: its build, and then the parts that the drill's own report names. */
export const benchmark: Benchmark = {
  name: "start",
  description: "The first command, from installed to report, step by step",
  async run(context) {
    context.progress("builds functions and policy pack");
    const buildMs = await time(() => npmBuild(context));
    context.progress("deploys both cells and runs the drill");
    let drill: Ended | undefined;
    const drillMs = await time(async () => {
      drill = await node(context, [path.join("cli", "bulkhead.js"), "local", "drill", "--json"]);
    });
    const report = reportOf(drill);
    const parts = partsOf(report);
    const told = parts.reduce((sum, { value }) => sum + value, 0);
    return [
      { metric: "build functions and policy pack", value: buildMs, unit: "ms" },
      ...parts,
      { metric: "everything else", value: drillMs - told, unit: "ms" },
      { metric: "whole command", value: buildMs + drillMs, unit: "ms", target: TARGET_MS },
    ];
  },
};

/** Every step of the drill, and before them what was timed besides steps. */
function partsOf(report: DrillReport): Metric[] {
  const steps = report.phases.flatMap((phase) => phase.steps);
  const stepNames = new Set(steps.map(({ name }) => name.toLowerCase()));
  const others = report.timings.filter(({ name }) => !stepNames.has(name.toLowerCase()));
  return [...others, ...steps].map(({ name, durationMs }) => ({
    metric: name,
    value: durationMs,
    unit: "ms",
  }));
}

/**
 * @throws Error that says why the run is none that could be measured: what is fast because it failed is not
 * fast.
 */
function reportOf(drill: Ended | undefined): DrillReport {
  // Without a report the drill did not begin; what it said tells why.
  if (!drill?.output) throw new Error(`the drill did not begin: ${drill?.said}`);
  const report = parseJsonReport(drill.output);
  if (report.outcome === "passed") return report;
  const failed = report.phases.flatMap(({ steps }) => steps).find(({ outcome }) => outcome === "failed");
  throw new Error(`the drill ${report.outcome}${failed ? ` at "${failed.name}": ${failed.detail}` : ""}`);
}

async function npmBuild(context: BenchContext): Promise<void> {
  for (const folder of ["functions", "policypacks"]) {
    const { code, said } = await node(context, [path.join(folder, "build.mjs")]);
    if (code !== 0) throw new Error(`the build of ${folder} failed: ${said}`);
  }
}

/** How a script ended. */
interface Ended {
  code: number | null;
  /** Its standard output. */
  output: string;
  /** The end of its standard error. */
  said: string;
}

/** Runs a script of the checkout to its end. */
function node({ root, signal }: BenchContext, args: readonly string[]): Promise<Ended> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    // The drill stops what it started when it is asked to end; killed, it could not.
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop);
    child.on("error", reject);
    child.on("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve({ code, output: Buffer.concat(out).toString("utf8"), said: said.trim() });
    });
  });
}
