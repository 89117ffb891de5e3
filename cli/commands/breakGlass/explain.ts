import * as fs from "node:fs";
import * as path from "node:path";
import { Command } from "commander";
import { actorOf, classify, type Verdict } from "../../../functions/breakGlass/events/classify";
import { DEFAULT_WATCH_NAMES, type WatchNames } from "../../../functions/breakGlass/events/names";
import { openRecord } from "../../../functions/breakGlass/events/openRecord";
import { cleanLine } from "../../../functions/shared/text/cleanText";
import { readEventInput } from "../../eventInput";
import { CliError, EXIT_CODES } from "../../exitCodes";

interface ExplainOptions {
  user?: string[];
  path?: string;
  prefix?: string;
  account?: string;
  project?: string;
  stack?: string;
  json?: boolean;
}

const HELP = `
EVENT is a CloudTrail record, an EventBridge event that holds one, a list of either, a file as CloudTrail writes it to its bucket, or what
"aws cloudtrail lookup-events" prints. A list gives a list, in the same order; something in it that is no event is "quiet" there, by the rule
not-a-record, so that the others are not lost.

Names come from the options, else from the stack's file (with --stack), else from the defaults of Pulumi.yaml in this folder, else they are
breakglass-admin-1 and breakglass-admin-2, /break-glass/ and bulkhead.
`;

/** `bulkhead break-glass explain`: what Bulkhead makes of a CloudTrail event. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("Say of a CloudTrail event whether people are told of it, and which rule decides.")
    .argument("[file]", "JSON file with the event or events; - or nothing: standard input", "-")
    .option(
      "--user <name>",
      "an emergency user's name; give it once for each",
      (name: string, others: string[] = []) => [...others, name],
    )
    .option("--path <path>", "IAM path of the emergency users")
    .option("--prefix <prefix>", "first part of the names of Bulkhead's resources")
    .option(
      "--account <id>",
      "account of the cells: keys and password policies of other accounts are none of ours",
    )
    .option("--project <folder>", "folder of Pulumi.yaml (default: this one)")
    .option("--stack <name>", "take the names from this stack's file")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(async (file: string, options: ExplainOptions) => {
      const names = watchNames(options);
      const { events, isList } = await readEventInput(file);
      const verdicts = events.map((event) => classify(event, names));
      process.stdout.write(
        options.json
          ? `${JSON.stringify(isList ? verdicts : verdicts[0], null, 2)}\n`
          : `${events.map((event, index) => explanation(event, verdicts[index]!, names, isList ? index + 1 : undefined)).join("\n")}${events.length ? "" : "No events.\n"}`,
      );
    });
}

/** The names to go by. What a file leaves open is as Pulumi.yaml declares it, or as in a fresh checkout. */
function watchNames(options: ExplainOptions): WatchNames {
  const configured = configuredValues(options);
  const string = (key: string) => {
    const value = configured[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const users = configured.emergencyUsers;
  const accountId = options.account ?? string("accountId");
  const names: WatchNames = {
    userNames:
      options.user ??
      (Array.isArray(users) && users.length > 0 ? users.map(String) : DEFAULT_WATCH_NAMES.userNames),
    path: options.path ?? DEFAULT_WATCH_NAMES.path,
    namePrefix: options.prefix ?? string("namePrefix") ?? DEFAULT_WATCH_NAMES.namePrefix,
    ...(accountId !== undefined && { accountIds: [accountId] }),
  };
  const refuse = (option: string, value: string, allowed: string) => {
    throw new CliError(EXIT_CODES.usage, `${option} is "${value}": ${allowed}.`);
  };
  for (const name of names.userNames) {
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) refuse("--user", name, "1 to 64 letters, digits and _+=,.@-");
  }
  if (!/^\/([\w-]+\/)+$/.test(names.path))
    refuse("--path", names.path, "it begins and ends with a slash, such as /break-glass/");
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(names.namePrefix))
    refuse(
      "--prefix",
      names.namePrefix,
      "a lower-case letter, then at most 19 lower-case letters, digits and hyphens",
    );
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) refuse("--account", accountId, "12 digits");
  return names;
}

function configuredValues({ project, stack }: ExplainOptions): Record<string, unknown> {
  const folder = project ?? process.cwd();
  const { projectDefaults, stackValues } = require("../../stackConfig") as typeof import("../../stackConfig");
  if (stack !== undefined) return stackValues(folder, stack);
  if (project === undefined && !fs.existsSync(path.join(folder, "Pulumi.yaml"))) return {};
  return projectDefaults(folder);
}

const ADVICE: Record<string, string> = {
  critical: "Everybody on the alert topic is told at once. No known emergency? Treat it as a break-in.",
  high: "Everybody on the alert topic is told. Ask whoever did it; if nobody knows of it, undo it and treat it as a break-in.",
  quiet: "Nobody is told.",
};

function explanation(
  event: unknown,
  verdict: Verdict,
  names: WatchNames,
  number: number | undefined,
): string {
  const level = "alert" in verdict ? verdict.alert : "quiet";
  return [
    `${number === undefined ? "" : `${number}. `}${level.toUpperCase()}  ${heading(event, names)}`,
    `  ${verdict.why}`,
    `  ${ADVICE[level]}`,
    `  Rule: ${verdict.rule}`,
    "",
  ].join("\n");
}

function heading(event: unknown, names: WatchNames): string {
  const opened = openRecord(event);
  if ("problem" in opened) return "not a CloudTrail event";
  const record = opened.record as Record<string, unknown>;
  const line = (value: unknown) => (typeof value === "string" ? cleanLine(value, 120) : "");
  const identity = (record.userIdentity ?? {}) as Record<string, unknown>;
  const who =
    actorOf(record, names) ?? (line(identity.userName) || line(identity.arn) || line(identity.type));
  const parts = [
    `${line(record.eventName) || "an unnamed event"}${who ? ` by ${who}` : ""}`,
    line(record.eventSource),
    line(record.awsRegion),
    line(record.sourceIPAddress) && `from ${line(record.sourceIPAddress)}`,
    line(record.errorCode),
    line(record.eventTime),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
