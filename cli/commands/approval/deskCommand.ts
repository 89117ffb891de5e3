import type { Command } from "commander";

/** The options of every command that asks a desk. */
export function deskOptions(command: Command): Command {
  return command
    .option("--cell <name>", "the cell: its stack's name", "prod")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--json", "print JSON");
}

/** Prints a result: for programs, or for people. */
export function print(json: boolean | undefined, value: unknown, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text);
}
