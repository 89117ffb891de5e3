import { Command } from "commander";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { connectRotator } from "./rotator";

interface RotateOptions {
  project: string;
  user: string;
  account: string;
  json?: boolean;
}

/** `bulkhead keys rotate`: one user, now. */
export function rotateCommand(): Command {
  return new Command("rotate")
    .description(
      "Rotate one user's key now, whatever its age and also in audit mode. Everything else holds: exemptions, the other cell, the order of steps.",
    )
    .argument("[cell]", "the cell: its stack's name", "prod")
    .requiredOption("--user <name>", "the IAM user")
    .requiredOption("--account <id>", "the user's account")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--json", "print the result as JSON")
    .action(async (cell: string, options: RotateOptions) => {
      const rotator = connectRotator(options.project, cell);
      const account = (await rotator.accounts()).find(({ id }) => id === options.account);
      if (!account) {
        throw new CliError(
          EXIT_CODES.usage,
          `Account ${options.account} is not one of those that are looked after.`,
        );
      }
      const answer = await rotator.account({ account, only: { userName: options.user, force: true } });
      const outcome = answer.outcomes.find(({ userName }) => userName === options.user);
      const done = outcome?.done ?? [];
      if (options.json) process.stdout.write(`${JSON.stringify({ ...answer, keys: undefined }, null, 2)}\n`);
      else if (done.length > 0) process.stdout.write(`${options.user}: ${done.join(", ")}\n`);
      if (done.some((action) => action.startsWith("rotate:"))) return;
      const failed = outcome?.failed.map(({ action, code }) => `${action} failed (${code})`).join(", ");
      const why =
        answer.status !== "done"
          ? `${answer.status}${answer.reason ? `: ${answer.reason}` : ""}`
          : failed ||
            (outcome
              ? `${outcome.row}: ${outcome.why}`
              : "there is no such user with an active key in the credential report");
      throw new CliError(EXIT_CODES.failed, `${options.user} in ${options.account} was not rotated: ${why}`);
    });
}
