import * as fs from "node:fs";
import * as path from "node:path";
import { LocalAwsError } from "../local/aws/launch";
import { PythonError } from "../local/aws/python";
import { runDrill } from "../local/drill/drill";
import {
  type EngineChoice,
  LOCAL_AWS_NAME,
  PulumiMissingError,
  startEnvironment,
} from "../local/environment";
import { PortInUseError } from "../local/outage/proxy";
import { renderReport } from "../local/report";
import { renderJsonReport } from "../local/report/json";
import type { DrillRun } from "../local/report/types";
import { claimRun, localFolder, RunInProgressError } from "../local/run";
import { CliError, EXIT_CODES } from "./exitCodes";
import { createProgress, type Progress } from "./progress";

/** Errors that mean: something is missing on this machine. Their messages say what, and what to do. */
const MISSING_SOMETHING = [
  RunInProgressError,
  PythonError,
  LocalAwsError,
  PortInUseError,
  PulumiMissingError,
];

/** What the command line says; see `bulkhead local drill --help`. */
export interface DrillCommandOptions {
  keep?: boolean;
  json?: boolean;
  verbose?: boolean;
  port: number;
  engine: EngineChoice;
  outage: "refuse" | "hang";
}

/**
 * `bulkhead local drill`.
 * @param root the checkout's folder
 */
export async function drill(root: string, options: DrillCommandOptions): Promise<void> {
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
    claim = claimRun(root);
    process.exitCode = await claimedDrill(root, options, progress, interrupt.signal, claim);
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
  root: string,
  options: DrillCommandOptions,
  progress: Progress,
  signal: AbortSignal,
  claim: ReturnType<typeof claimRun>,
): Promise<number> {
  const onOutput = options.verbose ? (line: string) => progress.info(`    ${line}`) : undefined;
  const started = performance.now();
  const environment = await startEnvironment({
    root,
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
    const report = writeReport(root, run);
    if (options.json) process.stdout.write(renderJsonReport(run));
    progress.info(`\n${conclusion(run, performance.now() - started)}\nReport: ${report}`);
    if (signal.aborted) return EXIT_CODES.interrupted;
    if (options.keep) {
      const urls = {
        report: `file://${report}`,
        inbox: `${environment.proxy.url}/_bulkhead/inbox`,
        "AWS endpoint": environment.proxy.url,
      };
      const { deployer } = environment.organization;
      claim.publish(urls, {
        AWS_ENDPOINT_URL: environment.proxy.url,
        AWS_ACCESS_KEY_ID: deployer.accessKeyId,
        AWS_SECRET_ACCESS_KEY: deployer.secretAccessKey,
      });
      progress.info("\nEverything is left running:");
      for (const [what, url] of Object.entries(urls)) progress.info(`  ${what}: ${url}`);
      progress.info(
        `Work with it in another terminal: eval "$(npx bulkhead local env)"; cd ${path.relative(root, environment.projectDir)}; npx bulkhead status`,
      );
      progress.info('End it with Ctrl-C, or from elsewhere with "npx bulkhead local stop".');
      await untilAborted(signal);
    }
    return run.outcome === "passed" ? EXIT_CODES.ok : EXIT_CODES.failed;
  } finally {
    await environment.stop();
  }
}

function writeReport(root: string, run: DrillRun): string {
  const file = path.join(localFolder(root), "report.html");
  fs.writeFileSync(file, renderReport(run));
  fs.writeFileSync(path.join(localFolder(root), "report.json"), renderJsonReport(run));
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
