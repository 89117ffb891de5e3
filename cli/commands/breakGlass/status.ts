import * as fs from "node:fs";
import { Command } from "commander";
import type { ReadinessConfig } from "../../../functions/breakGlass/readiness/config";
import type { Observations } from "../../../functions/breakGlass/readiness/observations";
import type { ReadinessReport } from "../../../functions/breakGlass/readiness/readinessReport";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { readReadinessConfig } from "./statusConfig";
import { statusLines } from "./statusText";

interface StatusOptions {
  project: string;
  stack: string;
  json?: boolean;
  html?: string;
}

/** How long one call may take, in milliseconds: behind an outage an answer in seconds is worth more than a whole one in minutes. */
const DEADLINE_MILLISECONDS = 5_000;

/** How long credentials may take to be found, in milliseconds: a program may have to ask somebody. */
const SIGN_IN_MILLISECONDS = 30_000;

const HELP = `
Every requirement is checked with your own credentials, in both cells, and each row says what was found and what to do.
What cannot be read is "unknown", never "fail": during an outage of IAM nothing is known to be wrong.

Exit code 0 only when every row passes; 1 when a row fails, and also when one is unknown: whoever asks by a script whether
emergency access is ready wants no "yes" that nobody could check. The verdict in the JSON output tells the two apart.
`;

/** `bulkhead break-glass status`: every requirement of emergency access as a row. */
export function readinessCommand(): Command {
  return new Command("status")
    .description("Check every requirement of emergency access, in both cells.")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--stack <name>", "one of the two cells: its stack's name", "prod")
    .option("--json", "print the report as JSON")
    .option("--html <file>", "write the report as a page, too")
    .addHelpText("after", HELP)
    .action(async (options: StatusOptions) => {
      const config = readReadinessConfig(options.project, options.stack);
      const cells = config.cells.map(({ name, region }) => `${name} (${region})`).join(" and ");
      process.stderr.write(`Checking emergency access in ${cells}.\n`);
      const report = await checkReadiness(config);
      if (options.html !== undefined) writePage(options.html, report);
      const inColour = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
      process.stdout.write(
        options.json
          ? `${JSON.stringify(report, null, 2)}\n`
          : `${statusLines(report, inColour).join("\n")}\n`,
      );
      if (report.verdict !== "pass") process.exitCode = EXIT_CODES.failed;
    });
}

/**
 * Checks everything, with the credentials that there are.
 * @throws CliError when there are none, or those of another account
 */
export async function checkReadiness(config: ReadinessConfig): Promise<ReadinessReport> {
  // The SDK's clients take a moment to load: only for the commands that need them.
  const { awsReadinessPorts } =
    require("../../../functions/breakGlass/readiness/awsPorts") as typeof import("../../../functions/breakGlass/readiness/awsPorts");
  const { collect } =
    require("../../../functions/breakGlass/readiness/collect") as typeof import("../../../functions/breakGlass/readiness/collect");
  const { cellsOf, readinessPolicy } =
    require("../../../functions/breakGlass/readiness/config") as typeof import("../../../functions/breakGlass/readiness/config");
  const { assess } =
    require("../../../functions/breakGlass/readiness/assess") as typeof import("../../../functions/breakGlass/readiness/assess");
  const { readinessReport } =
    require("../../../functions/breakGlass/readiness/readinessReport") as typeof import("../../../functions/breakGlass/readiness/readinessReport");
  const policy = readinessPolicy(config);
  const ports = awsReadinessPorts({
    cells: cellsOf(config),
    organizationRoleArns: config.organizationRoleArns,
    limits: { deadlineMilliseconds: DEADLINE_MILLISECONDS },
  });
  try {
    await signIn(ports);
    const observations = await collect(ports, policy);
    refuseStrangers(observations, config.accountId);
    return readinessReport(assess(observations, policy, new Date()), {
      checkedAt: new Date(),
      checkedBy: "bulkhead break-glass status",
      accountId: config.accountId,
    });
  } finally {
    ports.close();
  }
}

/** Without credentials every row would be unknown, for a reason that has nothing to do with emergency access. */
async function signIn(ports: { signIn(): Promise<void> }): Promise<void> {
  const { withDeadline } =
    require("../../../functions/shared/clients/deadline") as typeof import("../../../functions/shared/clients/deadline");
  try {
    await withDeadline(
      SIGN_IN_MILLISECONDS,
      () => ports.signIn(),
      () => new Error(`no answer within ${SIGN_IN_MILLISECONDS / 1000} s`),
    );
  } catch (error) {
    throw new CliError(
      EXIT_CODES.environment,
      `There are no AWS credentials: ${error instanceof Error ? error.message : error}.`,
      { cause: error },
    );
  }
}

/** With another account's credentials every row would be about other users. */
function refuseStrangers({ sts }: Observations, accountId: string): void {
  for (const answer of Object.values(sts)) {
    if ("value" in answer && "accountId" in answer.value && answer.value.accountId !== accountId) {
      throw new CliError(
        EXIT_CODES.usage,
        `You are signed in to account ${answer.value.accountId}, and the emergency users live in ${accountId}.`,
      );
    }
  }
}

function writePage(file: string, report: ReadinessReport): void {
  const { renderReadinessReport } =
    require("../../../functions/breakGlass/readiness/report") as typeof import("../../../functions/breakGlass/readiness/report");
  try {
    fs.writeFileSync(file, renderReadinessReport(report));
  } catch (error) {
    throw new CliError(
      EXIT_CODES.usage,
      `${file} cannot be written: ${(error as NodeJS.ErrnoException).code}.`,
      { cause: error },
    );
  }
  process.stderr.write(`The report is in ${file}.\n`);
}
