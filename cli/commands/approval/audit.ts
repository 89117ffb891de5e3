import { Command, Option } from "commander";
import type { AuditEntry } from "../../../functions/approval/audit/entry";
import type { AuditFormat } from "../../../functions/approval/audit/export";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { type ConnectDesk, connectDesk, type DeskOptions } from "./desk";

interface AuditOptions extends DeskOptions {
  since: string;
  until?: string;
  format: AuditFormat;
}

/** `bulkhead approval audit`: exports the audit of both cells. */
export function auditCommand(connect: ConnectDesk = connectDesk): Command {
  return new Command("audit")
    .description(
      "Export everything that happened to requests, of both cells, as far as it is known in this cell's region.",
    )
    .requiredOption(
      "--since <time>",
      "from this time on: a date such as 2026-11-01 (UTC), a time in ISO 8601, or 30d, 12h",
    )
    .option("--until <time>", "up to this time, in the same forms (default: now)")
    .addOption(new Option("--format <name>", "format").choices(["json", "csv", "html"]).default("json"))
    .option("--cell <name>", "the cell: its stack's name", "prod")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .action(async (options: AuditOptions) => {
      const since = timeOf(options.since, "--since");
      const until = options.until === undefined ? new Date() : timeOf(options.until, "--until");
      if (since >= until) throw new CliError(EXIT_CODES.usage, "--since is not before --until.");
      const desk = connect(options.project, options.cell);
      const entries: AuditEntry[] = [];
      for (let more = true; more; ) {
        const answer = await desk.ask({
          kind: "audit",
          since: since.toISOString(),
          until: until.toISOString(),
          skip: entries.length,
        });
        entries.push(...answer.entries);
        more = answer.more;
      }
      const { auditText } =
        require("../../../functions/approval/audit/export") as typeof import("../../../functions/approval/audit/export");
      process.stdout.write(auditText(entries, options.format, { since, until }));
    });
}

/** A time as it is typed. */
function timeOf(text: string, option: string): Date {
  const ago = /^(\d{1,5})([dh])$/.exec(text);
  if (ago) return new Date(Date.now() - Number(ago[1]) * (ago[2] === "d" ? 86_400_000 : 3_600_000));
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? new Date(text)
    : undefined;
  if (!time || Number.isNaN(time.getTime())) {
    throw new CliError(
      EXIT_CODES.usage,
      `${option} is "${text}": 2026-11-01, 2026-11-01T09:00Z, 30d or 12h is a time.`,
    );
  }
  return time;
}
