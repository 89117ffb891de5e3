import * as fs from "node:fs";
import { text } from "node:stream/consumers";
import { CliError, EXIT_CODES } from "./exitCodes";
import { jsonErrorAt, placeOf } from "./jsonPlace";

/** What was read, and how to call it in messages. */
export interface JsonInput {
  value: unknown;
  /** The file's name, or "standard input". */
  source: string;
}

/**
 * Reads JSON from a file, or from standard input when there is no file or it is `-`.
 * @param expected a sentence that ends the messages: what is expected, or how it is made
 * @throws CliError naming the file and what is wrong with it, and where
 */
export async function readJsonInput(
  file: string | undefined,
  expected: string,
  stdin: NodeJS.ReadStream = process.stdin,
): Promise<JsonInput> {
  const fromStdin = file === undefined || file === "-";
  const source = fromStdin ? "standard input" : file;
  if (fromStdin && stdin.isTTY) {
    throw new CliError(EXIT_CODES.usage, `Name a file, or pipe it in. ${expected}`);
  }
  let content: string;
  try {
    content = fromStdin ? await text(stdin) : fs.readFileSync(file, "utf8");
  } catch (error) {
    const reason = unreadable((error as NodeJS.ErrnoException).code);
    throw new CliError(EXIT_CODES.usage, `${source} cannot be read: ${reason}. ${expected}`, {
      cause: error,
    });
  }
  return { source, value: parseJson(content, source, expected) };
}

/**
 * Parses JSON.
 * @param source how to call it in messages
 * @param expected as in {@link readJsonInput}
 * @throws CliError with the place at which it ends to be JSON
 */
export function parseJson(content: string, source: string, expected: string): unknown {
  // Editors on Windows put a byte order mark first.
  const json = content.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new CliError(EXIT_CODES.usage, `${source} is not JSON (${place(json)}). ${expected}`, {
      cause: error,
    });
  }
}

/** Where a text ends to be JSON, for people. */
function place(json: string): string {
  if (json.trim() === "") return "it is empty";
  const at = jsonErrorAt(json);
  if (at === json.length) return "it ends too early";
  const { line, column } = placeOf(json, at);
  return `line ${line}, column ${column}`;
}

function unreadable(code = "unknown error"): string {
  const words: Record<string, string> = { ENOENT: "there is no such file", EISDIR: "it is a folder" };
  return words[code] ?? code;
}
