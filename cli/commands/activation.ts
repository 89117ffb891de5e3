import { Command } from "commander";
import {
  failback,
  type PromotionResult,
  promote,
  type StatusResult,
  status,
} from "../../functions/shared/activation/promote";
import { ActivationError } from "../../functions/shared/activation/store";
import { activationSide, callerArn, readCells } from "../cells";
import { CliError, EXIT_CODES } from "../exitCodes";
import { scheduleLines, switchSchedules } from "../quietStandby";

interface CommonOptions {
  project: string;
  json?: boolean;
}

const common = (command: Command) =>
  command
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--json", "print the result as JSON");

/** `bulkhead status`: which cell acts. */
export function statusCommand(): Command {
  return common(new Command("status"))
    .description("Show which cell acts, as seen from here. Exit code 1 when it is not exactly one.")
    .argument("[cell]", "one of the two cells: its stack's name", "prod")
    .action(async (cell: string, options: CommonOptions) => {
      const { own, peer } = readCells(options.project, cell);
      const result = await status({ own: activationSide(own), peer: activationSide(peer) });
      print(options, result, statusLines(result));
      if (result.writers !== "one") process.exitCode = EXIT_CODES.failed;
    });
}

/** `bulkhead promote`: make a cell the acting one. */
export function promoteCommand(): Command {
  return common(new Command("promote"))
    .description(
      "Make a cell the acting one. Writes to the cells' own tables only; no control plane takes part. Then a disabled schedule is enabled.",
    )
    .argument("<cell>", "the cell to promote: its stack's name")
    .requiredOption("--reason <text>", "why; it is recorded")
    .option(
      "--dead <region>",
      "the other cell's region, typed out, to declare that it is lost and cannot be asked",
    )
    .action(async (cell: string, options: CommonOptions & { reason: string; dead?: string }) => {
      await change(cell, options, (sides) => promote({ ...sides, declaredDead: options.dead }));
    });
}

/** `bulkhead failback`: give the work back. */
export function failbackCommand(): Command {
  return common(new Command("failback"))
    .description("Give the work back to a cell whose region has returned. Both regions have to answer.")
    .argument("<cell>", "the cell that is to act again: its stack's name")
    .requiredOption("--reason <text>", "why; it is recorded")
    .action(async (cell: string, options: CommonOptions & { reason: string }) => {
      await change(cell, options, failback);
    });
}

async function change(
  cell: string,
  options: CommonOptions & { reason: string },
  carryOut: (input: Parameters<typeof failback>[0]) => Promise<PromotionResult>,
): Promise<void> {
  const { own, peer } = readCells(options.project, cell);
  const by = await callerArn(own.region);
  try {
    const result = await carryOut({
      own: activationSide(own),
      peer: activationSide(peer),
      by,
      reason: options.reason,
    });
    const schedules = await switchSchedules(options.project, { own, peer });
    print(options, { ...result, schedules }, [...promotionLines(result), ...scheduleLines(schedules)]);
    // A standby that goes on being started does no harm; an acting cell that is not started rotates nothing.
    if (schedules.some(({ wanted, done }) => wanted === "enabled" && !done)) {
      process.exitCode = EXIT_CODES.failed;
    }
  } catch (error) {
    // What these errors say is written for whoever runs the command.
    if (error instanceof ActivationError)
      throw new CliError(EXIT_CODES.failed, error.message, { cause: error });
    throw error;
  }
}

function print(options: CommonOptions, result: unknown, lines: string[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${lines.join("\n")}\n`);
}

function statusLines({ cells, writers, next }: StatusResult): string[] {
  const summary = {
    one: "Exactly one cell acts.",
    none: "No cell acts.",
    both: "Both cells may act.",
    unknown: "Which cell acts cannot be told from here.",
  }[writers];
  return [
    ...cells.map((cell) => {
      const { record } = cell;
      const state = !cell.answered
        ? "does not answer"
        : !record
          ? "has no record"
          : cell.decision?.act
            ? "acts"
            : record.active
              ? "is active, but does not act"
              : "stands by";
      const since = record ? `, epoch ${record.epoch}, since ${record.changedAt}: ${record.reason}` : "";
      return `${cell.cell} (${cell.region}) ${state}${since}`;
    }),
    summary,
    ...next,
  ];
}

function promotionLines({ cell, region, record, writes, peerAnswered, next }: PromotionResult): string[] {
  return [
    writes.length
      ? `${cell} (${region}) acts, epoch ${record.epoch}.`
      : `${cell} (${region}) acts already, epoch ${record.epoch}. Nothing was changed.`,
    ...writes.map(
      (write) =>
        `  ${write.cell} (${write.region}): ${write.outcome}${write.error ? `, ${write.error}` : ""}`,
    ),
    peerAnswered ? "The other cell answered." : "The other cell did not answer.",
    ...next,
  ];
}
