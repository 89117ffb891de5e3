import * as path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { ExerciseResult } from "../../../functions/breakGlass/runbook/exercise";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { custodyTools, findUser, reportingErrors } from "./custodianContext";
import { withPrompts } from "./custodianPrompts";
import { readinessInShort } from "./drillReadiness";
import { readStackFacts, writePage } from "./stackRunbook";

interface DrillOptions {
  project: string;
  stack: string;
  user: string;
  region?: string;
  out: string;
  wait: number;
  json?: boolean;
}

/** `bulkhead break-glass drill`: the exercise that is due every three months. */
export function drillCommand(): Command {
  return new Command("drill")
    .description(
      "Exercise emergency access with the people who would need it: guided, checked, recorded. Exit code 1 unless every step came off.",
    )
    .requiredOption("--user <name>", "the emergency user to exercise; take another one each time")
    .option(
      "--region <region>",
      "region to sign in through (default: the cell's that does not hold IAM's control plane)",
    )
    .option("--out <folder>", "folder for the report, HTML and JSON", ".")
    .option("--wait <seconds>", "how long to wait for what the cells have to notice", seconds, 180)
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--stack <name>", "one of the two cells: its stack's name", "prod")
    .option("--json", "print the report as JSON too")
    .addHelpText(
      "after",
      `
Two people or more, the password's custodian and a TOTP device have to be at hand. It takes about twenty minutes, and everybody who gets
alerts gets them: tell them beforehand that there is an exercise, not when. Answers may come line by line from standard input. Ctrl-C
ends it; what was done until then is recorded as aborted.`,
    )
    .action((options: DrillOptions) => reportingErrors(() => drill(options)));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 3600)
    throw new InvalidArgumentError("seconds, 0 to 3600");
  return value;
}

async function drill(options: DrillOptions): Promise<void> {
  // Loaded only here: the other commands need not wait for it.
  const { holdExercise } =
    require("../../../functions/breakGlass/runbook/exercise") as typeof import("../../../functions/breakGlass/runbook/exercise");
  const { exercisePage } =
    require("../../../functions/breakGlass/runbook/exerciseReport") as typeof import("../../../functions/breakGlass/runbook/exerciseReport");
  const { cellsByPreference } =
    require("../../../functions/breakGlass/runbook/input") as typeof import("../../../functions/breakGlass/runbook/input");
  const { runbookInputByName } =
    require("../../../functions/breakGlass/runbook/fromStack") as typeof import("../../../functions/breakGlass/runbook/fromStack");
  const { consoleSignInUrl, isRegionName } =
    require("../../../components/regional/partition") as typeof import("../../../components/regional/partition");

  const { normalizeCell } =
    require("../../../components/regional/cell") as typeof import("../../../components/regional/cell");
  const { traceText } =
    require("../../../functions/breakGlass/runbook/trace") as typeof import("../../../functions/breakGlass/runbook/trace");
  const { readTrace } = require("./drillTrace") as typeof import("./drillTrace");

  const { facts, custody } = readStackFacts(options);
  const { userName, custodian } = findUser(custody.users, options.user);
  if (options.region !== undefined && !isRegionName(options.region)) {
    throw new CliError(EXIT_CODES.usage, `"${options.region}" is not the name of a region.`);
  }
  const preferred = cellsByPreference(runbookInputByName(facts, new Date()), custody.iamRegion)[0]!.region;
  const region = options.region ?? preferred;
  const { by, sides, newId } = await custodyTools(custody);
  const report = path.join(
    options.out,
    `break-glass-drill-${new Date().toISOString().slice(0, 10)}-${userName}`,
  );
  const startedAt = new Date();
  const traceIn = async (name: string) => {
    const { namePrefix } = facts;
    const { region: cellRegion } = [custody.cells.own, custody.cells.peer].find(
      (cell) => cell.name === name,
    )!;
    const cell = normalizeCell({ name, region: cellRegion, accountId: custody.accountId, namePrefix });
    return traceText(await readTrace(cell, userName, startedAt), startedAt.toISOString());
  };
  let stop: CliError | undefined;
  const result = await withPrompts((prompts) =>
    holdExercise(
      {
        userName,
        custodian,
        accountId: custody.accountId,
        signIn: { region, url: consoleSignInUrl(custody.accountId, region) },
        by,
        commands: {
          fetch: `npx bulkhead break-glass password --stack ${options.stack} --user ${userName} --out ./`,
          rotate: `npx bulkhead break-glass rotate --stack ${options.stack} --user ${userName}`,
        },
        patience: options.wait * 1000,
      },
      {
        ask: (question) => prompts.ask(question),
        say: (text) => prompts.say(text),
        now: () => new Date(),
        pause: (milliseconds) => prompts.pause(milliseconds),
        isStop: (error) => {
          if (error instanceof CliError) stop = error;
          return error instanceof CliError;
        },
        readiness: () => readinessInShort(options.project, options.stack),
        trace: traceIn,
        sides,
        newId,
      },
    ),
  );
  writePage(exercisePage(result), `${report}.html`);
  writePage(`${JSON.stringify(result, null, 2)}\n`, `${report}.json`);
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${summary(result).join("\n")}\n`);
  if (stop && stop.exitCode !== EXIT_CODES.interrupted) process.stderr.write(`${stop.message}\n`);
  process.exitCode = exitCode(result, stop);
}

function exitCode({ outcome }: ExerciseResult, stop: CliError | undefined): number {
  if (stop) return stop.exitCode;
  return outcome === "passed" ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function summary({ outcome, steps, recorded, recordError }: ExerciseResult): string[] {
  const bad = steps.filter((step) => step.outcome !== "passed");
  const kept = recorded.filter((write) => write.recorded).map(({ cell, region }) => `${cell} (${region})`);
  return [
    {
      passed: "The exercise has passed.",
      failed: "The exercise has FAILED.",
      aborted: "The exercise was ABORTED.",
    }[outcome],
    ...bad.map(
      ({ name, outcome: came, evidence }) =>
        `  ${came === "skipped" ? "left out" : "failed"}: ${name}. ${evidence}`,
    ),
    recordError === undefined
      ? `Recorded in ${kept.join(" and ")}.`
      : `NOT RECORDED: ${recordError}. Keep the report.`,
    ...recorded
      .filter((write) => !write.recorded)
      .map(({ cell, region, error }) => `NOT recorded in ${cell} (${region}): ${error ?? "no answer"}`),
  ];
}
