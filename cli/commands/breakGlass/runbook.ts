import { Command, Option } from "commander";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { reportingErrors } from "./custodianContext";
import { readOutputs, readStackFacts, writePage } from "./stackRunbook";

interface RunbookOptions {
  project: string;
  stack: string;
  outputs: string;
  format: "md" | "html";
  out?: string;
}

/** `bulkhead break-glass runbook`: what to do on the day, for this very stack. */
export function runbookCommand(): Command {
  return new Command("runbook")
    .description(
      "Write the runbook of a stack from its outputs: when, who, step by step, and the audit afterwards.",
    )
    .requiredOption("--outputs <file>", "what `pulumi stack output --json` prints; - for standard input")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--stack <name>", "the stack that the outputs are of", "prod")
    .addOption(
      new Option("--format <format>", "Markdown, or one HTML file that needs nothing else and prints well")
        .choices(["md", "html"])
        .default("md"),
    )
    .option("--out <file>", "write into this file (default: print)")
    .addHelpText(
      "after",
      `
For example:
  pulumi stack output -s prod --json | bulkhead break-glass runbook --outputs - --format html --out runbook.html
Nothing in it is secret. Keep a copy, and a print, where you can reach them without AWS.`,
    )
    .action((options: RunbookOptions) => reportingErrors(() => write(options)));
}

async function write(options: RunbookOptions): Promise<void> {
  // Loaded only here: the other commands need not wait for it.
  const { OutputsError, runbookInput } =
    require("../../../functions/breakGlass/runbook/fromStack") as typeof import("../../../functions/breakGlass/runbook/fromStack");
  const { runbookMarkdown, runbookTitle } =
    require("../../../functions/breakGlass/runbook/runbook") as typeof import("../../../functions/breakGlass/runbook/runbook");
  const { facts } = readStackFacts(options);
  const outputs = await readOutputs(options.outputs, options.stack);
  let input: ReturnType<typeof runbookInput>;
  try {
    input = runbookInput(facts, outputs, new Date());
  } catch (error) {
    if (error instanceof OutputsError) throw new CliError(EXIT_CODES.usage, error.message, { cause: error });
    throw error;
  }
  const text = runbookMarkdown(input);
  if (options.format === "md") return writePage(text, options.out);
  const { markdownPage } =
    require("../../../functions/breakGlass/runbook/page") as typeof import("../../../functions/breakGlass/runbook/page");
  writePage(markdownPage(text, runbookTitle(input)), options.out);
}
