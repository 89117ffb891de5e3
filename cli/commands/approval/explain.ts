import { Command } from "commander";
import type { Intake } from "../../../functions/approval/intake/intake";
import type { IntakeSettings } from "../../../functions/approval/intake/settings";
import { readEventInput } from "../../eventInput";
import { CliError, EXIT_CODES } from "../../exitCodes";

interface Options {
  json?: boolean;
  allowRoleSessions?: boolean;
  allowSso?: boolean;
  event: string[];
  onlyEvents?: boolean;
  emergencyUser: string[];
  executorRole?: string;
}

const collect = (value: string, previous: string[]) => [...previous, value];

/** `bulkhead approval explain`: what becomes of a denied call. */
export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "Show what approval makes of denied calls: the operation that would be asked for, or why none would. It runs the code of the function and calls nothing.",
    )
    .argument(
      "[file]",
      "JSON: a CloudTrail record, an EventBridge event, or a list of them; - or nothing for standard input",
    )
    .option("--json", "print JSON: one object for an event, a list in the same order for a list")
    .option("--allow-role-sessions", "take calls of role sessions and federated users too")
    .option("--allow-sso", "take calls of users of IAM Identity Center too")
    .option(
      "--event <event>",
      "watch this event besides the default ones, such as rds:DeleteDBSnapshot; may be repeated",
      collect,
      [],
    )
    .option("--only-events", "watch only the events that --event names")
    .option("--emergency-user <name>", "name of an emergency user; may be repeated", collect, [])
    .option("--executor-role <name>", "name of the role that carries out what was approved")
    .addHelpText(
      "after",
      "\nAn element of a list that is no event is refused at its place; the others are not affected.",
    )
    .action(async (file: string | undefined, options: Options) => {
      // Loaded here, so that other commands start without it.
      const { intake } =
        require("../../../functions/approval/intake/intake") as typeof import("../../../functions/approval/intake/intake");
      const { explanation } =
        require("../../../functions/approval/intake/explain") as typeof import("../../../functions/approval/intake/explain");
      const settings = readSettings(options);
      const { events, isList } = await readEventInput(file);
      const decided = events.map((event) => intake(event, settings));
      if (options.json) {
        const explanations = decided.map(explanation);
        process.stdout.write(`${JSON.stringify(isList ? explanations : explanations[0], null, 2)}\n`);
        return;
      }
      process.stdout.write(
        decided.length === 0
          ? "no events\n"
          : `${decided.map((one) => lines(one).join("\n")).join("\n\n")}\n`,
      );
    });
}

function readSettings(options: Options): IntakeSettings {
  const { intakeSettings } =
    require("../../../functions/approval/intake/settings") as typeof import("../../../functions/approval/intake/settings");
  const { DEFAULT_EVENTS } =
    require("../../../functions/approval/operations/catalogue") as typeof import("../../../functions/approval/operations/catalogue");
  const { allowRoleSessions, allowSso, event, onlyEvents, emergencyUser, executorRole } = options;
  try {
    return intakeSettings({
      allowRoleSessions,
      allowSso,
      events: onlyEvents ? event : [...DEFAULT_EVENTS, ...event],
      ...(emergencyUser.length > 0 && { emergencyUserNames: emergencyUser }),
      executorRoleName: executorRole,
    });
  } catch (error) {
    throw new CliError(EXIT_CODES.usage, (error as Error).message);
  }
}

/** A decision for people. */
function lines(decided: Intake): string[] {
  const { facts, why } = decided;
  const context = [
    ["asked by", facts.requester?.arn ?? facts.requester?.name],
    ["account", facts.account],
    ["region", facts.region],
    ["denied by", facts.deniedBy && `a ${facts.deniedBy}: the executor role has to be exempt from it`],
    ["why", why],
  ] as const;
  const [heading, details] = outcome(decided);
  return [
    heading,
    ...[...details, ...context].flatMap(([label, value]) =>
      value === undefined ? [] : [`  ${label.padEnd(10)} ${value}`],
    ),
  ];
}

type Detail = readonly [label: string, value: string | undefined];

function outcome(decided: Intake): [heading: string, details: readonly Detail[]] {
  if ("plan" in decided) {
    const { operation, definition } = decided.plan;
    return [
      `operation: ${definition.title}`,
      [
        ["call", `${operation.service} ${operation.api}`],
        ["input", JSON.stringify(operation.input)],
        ...operation.actions.map((action): Detail => ["action", action]),
        ...operation.resources.map((resource): Detail => ["resource", resource]),
      ],
    ];
  }
  if ("refuse" in decided) return ["refused", []];
  if ("form" in decided) return [`form: ${decided.form.title}, to be filled in by the operator`, []];
  return ["ignored", []];
}
