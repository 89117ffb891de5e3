import { Command } from "commander";
import type { Decision } from "../../../functions/keyRotation/decide/decide";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { readJsonInput } from "../../jsonInput";

type Outcome = Decision | { error: string };

/** `bulkhead keys explain`: what the rotation would decide about a user in a given state. */
export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "Print the decision about a user in a given state, with the row of the table that gave it. Asks nobody and changes nothing.",
    )
    .argument("[state]", "file with the state as JSON, or an array of states; - or nothing: standard input")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(async (file: string | undefined, options: { json?: boolean }) => {
      const { value, source } = await readJsonInput(file, EXPECTED);
      const many = Array.isArray(value);
      const outcomes = many ? value.map(explain) : [explain(value)];
      const problems = outcomes.flatMap((outcome, index) =>
        "error" in outcome ? [`${source}${many ? `, element ${index}` : ""}: ${outcome.error}`] : [],
      );
      // A single state that is none has no result; of an array the other elements' results are printed all the same.
      if (many || problems.length === 0) {
        process.stdout.write(options.json ? json(many ? outcomes : outcomes[0]) : texts(outcomes, value));
      }
      if (problems.length > 0) throw new CliError(EXIT_CODES.usage, problems.join("\n"));
    });
}

const EXPECTED = "Expected is a user's state, or an array of states.";

const HELP = `
The state is {keys, user, record, policy, mode, cell}; docs/key-rotation.md describes it, and the table.
An array gives an array of the same length. An element that is no state gives {"error": MESSAGE} in its place, the others' results are
printed, and the exit code is 2.
`;

function explain(value: unknown): Outcome {
  const { decide } =
    require("../../../functions/keyRotation/decide/decide") as typeof import("../../../functions/keyRotation/decide/decide");
  const { parseState, StateError } =
    require("../../../functions/keyRotation/decide/state") as typeof import("../../../functions/keyRotation/decide/state");
  try {
    return decide(parseState(value));
  } catch (error) {
    if (error instanceof StateError) return { error: error.message };
    throw error;
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function texts(outcomes: Outcome[], value: unknown): string {
  const blocks = outcomes.map((outcome, index) => {
    const lines = "error" in outcome ? [`error:   ${outcome.error}`] : decisionLines(outcome);
    return (Array.isArray(value) ? [`[${index}]`, ...lines] : lines).join("\n");
  });
  return blocks.length > 0 ? `${blocks.join("\n\n")}\n` : "";
}

/** A decision for people. */
function decisionLines({ actions, notify, row, why }: Decision): string[] {
  return [
    `actions: ${actions.join(", ") || "none"}`,
    `notify:  ${notify.join(", ") || "nobody"}`,
    `row:     ${row}`,
    `why:     ${why}`,
  ];
}
