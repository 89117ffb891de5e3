import { Command } from "commander";
import type { AccountAnswer } from "../../../functions/keyRotation/account/work";
import type { UserOutcome } from "../../../functions/keyRotation/engine/result";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { connectRotator } from "./rotator";

interface PlanOptions {
  project: string;
  account: string[];
  json?: boolean;
}

/** How many accounts are asked at the same time. */
const WIDTH = 10;

/** `bulkhead keys plan`: what the next run will do. */
export function planCommand(): Command {
  return new Command("plan")
    .description(
      "Show exactly what the next run will do: the functions decide with what they read now, and change nothing.",
    )
    .argument("[cell]", "the cell: its stack's name", "prod")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option(
      "--account <id>",
      "only this account; may be given several times",
      (id, all: string[]) => [...all, id],
      [],
    )
    .option("--json", "print one JSON object a line, for each account")
    .action(async (cell: string, options: PlanOptions) => {
      const { forEachOf } =
        require("../../../functions/keyRotation/engine/pool") as typeof import("../../../functions/keyRotation/engine/pool");
      const rotator = connectRotator(options.project, cell);
      const all = await rotator.accounts();
      const unknown = options.account.find((id) => !all.some((account) => account.id === id));
      if (unknown !== undefined) {
        throw new CliError(
          EXIT_CODES.usage,
          `Account ${unknown} is not one of the ${all.length} that are looked after.`,
        );
      }
      const wanted = all.filter(({ id }) => options.account.length === 0 || options.account.includes(id));
      let bad = 0;
      let actions = 0;
      // Accounts are printed as they come in: nothing is kept, however many there are.
      await forEachOf(wanted, WIDTH, async (account) => {
        const answer = await rotator.account({ account, plan: true });
        if (answer.status !== "done") bad += 1;
        actions += answer.outcomes.flatMap(({ due }) => due).length;
        process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : planText(answer));
      });
      process.stderr.write(
        `${wanted.length} accounts, ${actions} actions due, ${bad} accounts that pause or fail.\n`,
      );
      if (bad > 0) process.exitCode = EXIT_CODES.failed;
    });
}

/** An account's part of the plan; nothing for one in which nothing is due. */
export function planText({
  accountId,
  status,
  reason,
  outcomes,
}: Pick<AccountAnswer, "accountId" | "status" | "reason" | "outcomes">): string {
  const lines = outcomes
    .filter(({ due, reports, row }) => due.length + reports.length > 0 || LOUD.has(row))
    .map(userLine);
  if (status !== "done") lines.unshift(`  ${status}${reason ? `: ${reason}` : ""}`);
  return lines.length > 0 ? `${accountId}\n${lines.join("\n")}\n` : "";
}

/** Rows in which nothing is done and somebody is needed. */
const LOUD = new Set([
  "replacement-gone",
  "re-enabled",
  "new-key-not-in-secret",
  "new-key-inactive",
  "old-key-in-use",
  "disabled-by-owner-no-room",
  "used-since-replacement",
  "no-room",
]);

function userLine({ userName, due, reports, row, why }: UserOutcome): string {
  return `  ${userName}: ${due.join(", ") || reports.join(", ") || "nothing"} [${row}] ${why}`.trimEnd();
}
