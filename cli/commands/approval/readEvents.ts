import * as fs from "node:fs";
import { text } from "node:stream/consumers";
import { CliError, EXIT_CODES } from "../../exitCodes";

/** Events that were read. */
export interface ReadEvents {
  /** In the order of the file. */
  events: readonly unknown[];
  /** Whether the file held one event, not a list. */
  single: boolean;
}

const EXPECTED =
  "expected is a record of CloudTrail, an event of EventBridge around one, a list of those, or a log file of CloudTrail";

/**
 * Reads events from a file, or from standard input for `-` and for nothing. Elements of a list are not looked at: each of them gets its own
 * answer.
 * @throws CliError (usage) when there is no such file, or what is in it is no JSON or none of the expected
 */
export async function readEvents(file: string | undefined): Promise<ReadEvents> {
  const fromInput = file === undefined || file === "-";
  const name = fromInput ? "standard input" : file;
  const content = fromInput ? await text(process.stdin) : readFile(file);
  let value: unknown;
  try {
    // Editors on Windows put a byte order mark first.
    value = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    const reason = content.trim() === "" ? "it is empty" : (error as Error).message;
    throw new CliError(EXIT_CODES.usage, `${name} is not JSON: ${reason}; ${EXPECTED}`);
  }
  if (Array.isArray(value)) return { events: value, single: false };
  if (typeof value !== "object" || value === null) {
    const kind = value === null ? "null" : `a ${typeof value}`;
    throw new CliError(EXIT_CODES.usage, `${name} holds ${kind}; ${EXPECTED}`);
  }
  const { Records: records } = value as { Records?: unknown };
  if (Array.isArray(records) && !("eventName" in value)) return { events: records, single: false };
  return { events: [value], single: true };
}

function readFile(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : code;
    throw new CliError(EXIT_CODES.usage, `${file} cannot be read: ${reason}`);
  }
}
