import * as fs from "node:fs";
import { text } from "node:stream/consumers";
import { CliError, EXIT_CODES } from "../../exitCodes";

/** What a command was given to explain, and how to call it in messages. */
export interface JsonInput {
  value: unknown;
  /** The file's name, or "standard input". */
  source: string;
}

/**
 * Reads JSON from a file, or from standard input when there is no file or it is `-`.
 * @throws CliError naming the file and what is wrong with it
 */
export async function readJsonInput(
  file: string | undefined,
  stdin: NodeJS.ReadStream = process.stdin,
): Promise<JsonInput> {
  const source = file === undefined || file === "-" ? "standard input" : file;
  let content: string;
  try {
    content = source === file ? fs.readFileSync(file, "utf8") : await text(stdin);
  } catch (error) {
    throw new CliError(EXIT_CODES.usage, `${source} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return { source, value: JSON.parse(content.replace(/^\ufeff/, "")) };
  } catch (error) {
    const what = content.trim() === "" ? "it is empty" : (error as Error).message;
    throw new CliError(EXIT_CODES.usage, `${source} is not JSON: ${what}`, { cause: error });
  }
}
