import { Command, CommanderError } from "commander";
import { failbackCommand, promoteCommand, statusCommand } from "./commands/activation";
import { approvalCommand } from "./commands/approval";
import { breakGlassCommand } from "./commands/breakGlass";
import { keysCommand } from "./commands/keys";
import { localCommand } from "./commands/local";
import { CliError, EXIT_CODES } from "./exitCodes";

const EXIT_CODE_HELP = `
Exit codes:
  ${EXIT_CODES.ok}    done, and everything is as it should be
  ${EXIT_CODES.failed}    done as asked, with a bad result: a drill's step failed, a cell does not answer
  ${EXIT_CODES.usage}    nothing done: an argument or a configuration value is wrong
  ${EXIT_CODES.environment}    nothing done: something is missing on this machine (Python, a free port, the network)
  ${EXIT_CODES.interrupted}  stopped by Ctrl-C or a signal; what had been started was stopped
`;

/** The command's tree of subcommands. */
export function createProgram(): Command {
  const program = new Command("bulkhead")
    .description("Keeps an AWS organization's identity layer usable when a region is lost.")
    .version((require("../package.json") as { version: string }).version)
    .addHelpText("after", EXIT_CODE_HELP);
  for (const command of [
    localCommand(),
    statusCommand(),
    promoteCommand(),
    failbackCommand(),
    breakGlassCommand(),
    approvalCommand(),
    keysCommand(),
  ])
    program.addCommand(command);
  throwInsteadOfExiting(program);
  return program;
}

/**
 * When whoever reads the output has gone (`bulkhead ... | head`), there is nobody to work for: end as any command does, and let a drill stop
 * what it started.
 */
function endWithReader(output: NodeJS.WriteStream): void {
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    // A drill listens for the signal and stops what it started; other commands have started nothing.
    if (!process.emit("SIGTERM", "SIGTERM")) process.exit(EXIT_CODES.ok);
  });
}

/** Usage errors of every subcommand become exceptions, for this file to give them their exit code. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride().showHelpAfterError("(add --help to learn more)");
  command.commands.forEach(throwInsteadOfExiting);
}

/** Runs the command and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  endWithReader(process.stdout);
  process.exitCode = await run(argv);
}

async function run(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv);
    return Number(process.exitCode ?? EXIT_CODES.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    if (error instanceof CliError) {
      process.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT_CODES.failed;
  }
}
