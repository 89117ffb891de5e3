import * as fs from "node:fs";
import * as path from "node:path";
import { Command } from "commander";
import type { Figures } from "../../../functions/keyRotation/report/figures";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { connectRotator } from "./rotator";

interface StatusOptions {
  project: string;
  save?: string;
  json?: boolean;
}

/** The files of a run's report. */
const FILES = ["report.html", "keys.csv", "keys.json", "figures.json"];

/** `bulkhead keys status`: how the last run ended. */
export function statusCommand(): Command {
  return new Command("status")
    .description("Show how the last run ended. Exit code 1 when something failed, paused or needs somebody.")
    .argument("[cell]", "the cell: its stack's name", "prod")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--save <folder>", `write the run's report there: ${FILES.join(", ")}`)
    .option("--json", "print the figures as JSON")
    .action(async (cell: string, options: StatusOptions) => {
      const rotator = connectRotator(options.project, cell);
      const text = await rotator.object("reports/latest.json").catch((error: unknown) => {
        throw new CliError(
          EXIT_CODES.environment,
          `The report of ${cell} cannot be read: ${(error as Error).message}`,
          {
            cause: error,
          },
        );
      });
      if (text === undefined) {
        throw new CliError(EXIT_CODES.failed, `There is no report in ${cell} yet: no run has ended there.`);
      }
      const figures = JSON.parse(text) as Figures;
      process.stdout.write(options.json ? text : statusText(figures));
      if (options.save !== undefined) {
        fs.mkdirSync(options.save, { recursive: true });
        for (const file of FILES) {
          const content = await rotator.object(`reports/${figures.runId}/${file}`);
          if (content !== undefined) fs.writeFileSync(path.join(options.save, file), content);
        }
      }
      if (isBad(figures)) process.exitCode = EXIT_CODES.failed;
    });
}

function isBad({ state, accounts, failures, cases }: Figures): boolean {
  return state === "paused" || accounts.failed + accounts.paused + failures.total + cases.total > 0;
}

/** The figures for people. */
export function statusText(figures: Figures): string {
  const { cell, mode, runId, startedAt, state, reason, accounts, users, keys, due, failures, cases } =
    figures;
  const done = Object.entries(mode === "audit" ? figures.wouldDo : figures.done).map(
    ([verb, count]) => `${verb} ${count}`,
  );
  const lines = [
    `${cell}: run ${runId} of ${startedAt}, ${mode} mode`,
    ...(state === "run" ? [] : [`${state}${reason ? `: ${reason}` : ""}`]),
    `accounts: ${accounts.done} done, ${accounts.paused} paused, ${accounts.failed} failed, ${accounts.leftOut} left out`,
    `users: ${users}, keys: ${keys}`,
    `active keys: ${due.map(({ label, keys: count }) => `${count} ${label}`).join(", ")}`,
    `${mode === "audit" ? "would do" : "done"}: ${done.join(", ") || "nothing"}`,
    ...figures.troubledAccounts.first.map(
      (each) => `account ${each.accountId} ${each.status}: ${each.reason}`,
    ),
    ...failures.first.map(
      (each) => `failed: ${each.accountId} ${each.userName} ${each.action} (${each.code})`,
    ),
    ...cases.first.map((each) => `look at: ${each.accountId} ${each.userName} ${each.what} [${each.row}]`),
  ];
  return `${lines.join("\n")}\n`;
}
