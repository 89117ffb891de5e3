import * as fs from "node:fs";
import * as path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { LocalAwsError } from "../../local/aws/launch";
import { PythonError } from "../../local/aws/python";
import { runDrill } from "../../local/drill/drill";
import { waitFor } from "../../local/drill/waitFor";
import {
  type EngineChoice,
  LOCAL_AWS_NAME,
  PulumiMissingError,
  startEnvironment,
} from "../../local/environment";
import { renderReport } from "../../local/report";
import { renderJsonReport } from "../../local/report/json";
import type { DrillRun } from "../../local/report/types";
import { claimRun, currentRun, localFolder, RunInProgressError } from "../../local/run";
import { CliError, EXIT_CODES } from "../exitCodes";
import { createProgress, type Progress } from "../progress";

const ROOT = path.join(__dirname, "../..");

/** Errors that mean: something is missing on this machine. Their messages say what, and what to do. */
const MISSING_SOMETHING = [RunInProgressError, PythonError, LocalAwsError, PulumiMissingError];

interface DrillCommandOptions {
  keep?: boolean;
  json?: boolean;
  verbose?: boolean;
  port: number;
  engine: EngineChoice;
  outage: "refuse" | "hang";
}

/** `bulkhead local`: everything on this machine, without an AWS account. */
export function localCommand(): Command {
  const local = new Command("local").description("Run everything on this machine, without an AWS account");
  local
    .command("drill")
    .description(
      "Deploy both cells to an emulated AWS, lose us-east-1, and show what works on. Writes a report.",
    )
    .option("--keep", "leave everything running until Ctrl-C, and print where it is")
    .option("--json", "print the report as JSON on standard output")
    .option("--verbose", "show every line of the deployments and of the emulated AWS")
    .option("--port <number>", "port on 127.0.0.1 for the emulated AWS; 0: a free one", parsePort, 0)
    .addOption(
      new Option("--engine <engine>", "what deploys: the genuine pulumi if it is on PATH, or one of the two")
        .choices(["auto", "local", "pulumi"])
        .default("auto"),
    )
    .addOption(
      new Option("--outage <mode>", "how the lost region behaves")
        .choices(["refuse", "hang"])
        .default("refuse"),
    )
    .action(drill);
  local
    .command("status")
    .description("Show whether a local run is going on, and where it can be reached")
    .option("--json", "print it as JSON")
    .action((options: { json?: boolean }) => {
      const run = currentRun(ROOT);
      if (options.json) process.stdout.write(`${JSON.stringify(run ?? null)}\n`);
      else if (!run) process.stdout.write("No local run is going on.\n");
      else {
        process.stdout.write(`A local run is going on since ${run.startedAt} (process ${run.pid}).\n`);
        for (const [what, url] of Object.entries(run.urls ?? {})) process.stdout.write(`  ${what}: ${url}\n`);
      }
    });
  local
    .command("stop")
    .description("End the local run that is going on, and wait until it is gone")
    .action(async () => {
      const run = currentRun(ROOT);
      if (!run) return void process.stdout.write("No local run is going on.\n");
      process.kill(run.pid, "SIGTERM");
      await waitFor("the end of the local run", async () => (currentRun(ROOT) ? undefined : true), {
        timeoutMs: 30_000,
      });
      process.stdout.write("The local run has ended.\n");
    });
  return local;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError("a port, 0 to 65535");
  return port;
}

async function drill(options: DrillCommandOptions): Promise<void> {
  // With --json standard output is the report's alone.
  const progress = createProgress(options.json ? process.stderr : process.stdout);
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) return;
    progress.info("\nStopping what was started ...");
    interrupt.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  let claim: ReturnType<typeof claimRun> | undefined;
  try {
    claim = claimRun(ROOT);
    process.exitCode = await claimedDrill(options, progress, interrupt.signal, claim);
  } catch (error) {
    if (interrupt.signal.aborted) process.exitCode = EXIT_CODES.interrupted;
    else if (MISSING_SOMETHING.some((kind) => error instanceof kind)) {
      throw new CliError(EXIT_CODES.environment, (error as Error).message, { cause: error });
    } else throw error;
  } finally {
    claim?.release();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
  }
}

async function claimedDrill(
  options: DrillCommandOptions,
  progress: Progress,
  signal: AbortSignal,
  claim: ReturnType<typeof claimRun>,
): Promise<number> {
  const onOutput = options.verbose ? (line: string) => progress.info(`    ${line}`) : undefined;
  const started = performance.now();
  const environment = await startEnvironment({
    root: ROOT,
    port: options.port,
    engine: options.engine,
    signal,
    onProgress: (step) => progress.info(step),
    onAwsLog: onOutput,
  });
  const startMs = performance.now() - started;
  try {
    progress.info(`Engine: ${environment.driver.name}. AWS: ${LOCAL_AWS_NAME}, on this machine.`);
    const run = await runDrill(environment, {
      outageMode: options.outage,
      signal,
      onOutput,
      listener: {
        phaseStarted: (phase) => progress.heading(phase.name),
        stepEnded: (step) =>
          (step.outcome === "passed" ? progress.done : progress.failed)(
            step.name,
            step.durationMs,
            step.detail,
          ),
      },
    });
    run.timings.unshift({ name: "start the emulated AWS", durationMs: startMs });
    const report = writeReport(run);
    if (options.json) process.stdout.write(renderJsonReport(run));
    progress.info(`\n${conclusion(run, performance.now() - started)}\nReport: ${report}`);
    if (signal.aborted) return EXIT_CODES.interrupted;
    if (options.keep) {
      const urls = {
        report: `file://${report}`,
        inbox: `${environment.proxy.url}/_bulkhead/inbox`,
        "AWS endpoint": environment.proxy.url,
      };
      claim.publish(urls);
      progress.info("\nEverything is left running:");
      for (const [what, url] of Object.entries(urls)) progress.info(`  ${what}: ${url}`);
      progress.info('End it with Ctrl-C, or from elsewhere with "npx bulkhead local stop".');
      await untilAborted(signal);
    }
    return run.outcome === "passed" ? EXIT_CODES.ok : EXIT_CODES.failed;
  } finally {
    await environment.stop();
  }
}

function writeReport(run: DrillRun): string {
  const file = path.join(localFolder(ROOT), "report.html");
  fs.writeFileSync(file, renderReport(run));
  fs.writeFileSync(path.join(localFolder(ROOT), "report.json"), renderJsonReport(run));
  return file;
}

function conclusion(run: DrillRun, durationMs: number): string {
  const steps = run.phases.flatMap((phase) => phase.steps);
  const passed = steps.filter((step) => step.outcome === "passed").length;
  const verdict = { passed: "Passed", failed: "FAILED", stopped: "Stopped" }[run.outcome];
  return `${verdict}: ${passed} of ${steps.length} steps as expected, in ${(durationMs / 1000).toFixed(1)} s.`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // A pending promise alone does not keep Node running; this timer does.
    const timer = setInterval(() => {}, 1 << 30);
    const end = () => {
      clearInterval(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
