import { Command } from "commander";
import { explainCommand } from "./explain";
import { planCommand } from "./plan";
import { rotateCommand } from "./rotate";
import { statusCommand } from "./status";

/** `bulkhead keys`: everything about the rotation of access keys. */
export function keysCommand(): Command {
  const command = new Command("keys").description(
    "Rotation of IAM users' access keys: explain, plan, status, rotate.",
  );
  for (const subcommand of [statusCommand(), planCommand(), rotateCommand(), explainCommand()])
    command.addCommand(subcommand);
  return command;
}
