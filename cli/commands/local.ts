import * as path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { currentRun } from "../../local/run";
import { waitFor } from "../../local/waitFor";
import { CliError, EXIT_CODES } from "../exitCodes";
import type { DrillCommandOptions } from "../localDrill";

const ROOT = path.join(__dirname, "../..");

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
    .action(async (options: DrillCommandOptions) => {
      // Loaded only here: it brings Pulumi's engine along, for which the other commands need not wait.
      const { drill } = require("../localDrill") as typeof import("../localDrill");
      await drill(ROOT, options);
    });
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
    .command("env")
    .description(
      'Print what a shell needs to work with a local run that was left running: eval "$(npx bulkhead local env)"',
    )
    .action(() => {
      const run = currentRun(ROOT);
      if (!run?.environment) {
        throw new CliError(
          EXIT_CODES.failed,
          run
            ? "The local run has not come to its end yet: wait for it."
            : 'No local run is going on: start one with "npm start -- --keep".',
        );
      }
      for (const [name, value] of Object.entries(run.environment))
        process.stdout.write(`export ${name}=${value}\n`);
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
