import { eventList } from "../functions/breakGlass/events/eventList";
import { CliError, EXIT_CODES } from "./exitCodes";
import { readJsonInput } from "./jsonInput";

/** Events that were read. */
export interface EventInput {
  /** In the order of the file. They are not looked at: each of them gets its own answer. */
  events: readonly unknown[];
  /** Whether it was a list, so that the answer is one. */
  isList: boolean;
  /** The file's name, or "standard input". */
  source: string;
}

const EXPECTED =
  "Expected is a record of CloudTrail, an event of EventBridge around one, a list of these, a log file of CloudTrail, or what lookup-events prints.";

/**
 * Reads events from a file, or from standard input when there is no file or it is `-`.
 * @throws CliError when it cannot be read or is none of what is expected
 */
export async function readEventInput(file: string | undefined): Promise<EventInput> {
  const { value, source } = await readJsonInput(file, EXPECTED);
  if (typeof value !== "object" || value === null) {
    const kind = value === null ? "null" : `a ${typeof value}`;
    throw new CliError(EXIT_CODES.usage, `${source} holds ${kind}. ${EXPECTED}`);
  }
  return { ...eventList(value), source };
}
