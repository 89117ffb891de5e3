import { Command } from "commander";
import { custodianCommand } from "./custodian";
import { devicesCommand, removeDeviceCommand } from "./devices";
import { drillCommand } from "./drill";
import { enrolCommand } from "./enrol";
import { explainCommand } from "./explain";
import { instructionsCommand } from "./instructions";
import { passwordCommand } from "./password";
import { rotateCommand } from "./rotate";
import { runbookCommand } from "./runbook";
import { readinessCommand } from "./status";

/** `bulkhead break-glass`: everything about emergency access. */
export function breakGlassCommand(): Command {
  const command = new Command("break-glass").description(
    "Emergency access: enrol, rotate, check, drill, explain.",
  );
  for (const subcommand of [
    enrolCommand(),
    rotateCommand(),
    passwordCommand(),
    devicesCommand(),
    removeDeviceCommand(),
    custodianCommand(),
    readinessCommand(),
    explainCommand(),
    drillCommand(),
    runbookCommand(),
    instructionsCommand(),
  ])
    command.addCommand(subcommand);
  return command;
}
