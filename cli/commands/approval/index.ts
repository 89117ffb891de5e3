import { Command } from "commander";
import { auditCommand } from "./audit";
import { cancelCommand } from "./cancel";
import { checkCommand } from "./check";
import { explainCommand } from "./explain";
import { listCommand } from "./list";
import { reopenCommand } from "./reopen";
import { requestCommand } from "./request";
import { showCommand } from "./show";

/** `bulkhead approval`: dangerous operations under four eyes. */
export function approvalCommand(): Command {
  const command = new Command("approval").description("Dangerous operations under four eyes.");
  for (const subcommand of [
    explainCommand(),
    checkCommand(),
    requestCommand(),
    listCommand(),
    showCommand(),
    cancelCommand(),
    reopenCommand(),
    auditCommand(),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
