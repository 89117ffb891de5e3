import * as fs from "node:fs";
import type { StackFacts } from "../../../functions/breakGlass/runbook/fromStack";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { readJsonInput } from "../../jsonInput";
import { readStackConfig } from "../../stackConfig";
import { type CustodyConfig, readCustodyConfig } from "./custodianContext";

/** Options that name a stack. */
interface StackOptions {
  project: string;
  stack: string;
}

/** What a stack's files say of its emergency access. */
export interface StackOnFile {
  facts: StackFacts;
  custody: CustodyConfig;
}

/**
 * Reads a stack's configuration as the runbook needs it: from files alone.
 * @throws CliError with every problem
 */
export function readStackFacts({ project, stack }: StackOptions): StackOnFile {
  const config = readStackConfig(project, stack);
  const custody = readCustodyConfig({ project, stack });
  return {
    facts: {
      stack,
      region: config.region,
      peerName: config.peerName,
      peerRegion: config.peerRegion,
      accountId: config.accountId,
      namePrefix: config.namePrefix,
      users: custody.users.map(({ userName, custodian }) => ({ userName, custodian })),
      useIdleSeconds: config.useIdleSeconds,
      rotatesAfterUse: config.passwordRotation === "afterUse",
      // The stack set's roles are for functions only; people have a role to switch into only where one was named.
      memberRoleName: config.memberAccess === "providers" ? config.memberRoleName : undefined,
    },
    custody,
  };
}

/**
 * Reads a stack's outputs.
 * @param source a file, or `-` for standard input
 * @throws CliError when it cannot be read or is not JSON
 */
export async function readOutputs(source: string, stack: string): Promise<unknown> {
  const make = `Make the outputs with: pulumi stack output -s ${stack} --json`;
  return (await readJsonInput(source, make)).value;
}

/**
 * Reads a text file.
 * @param message what to say, given the system's error code
 * @throws CliError
 */
export function readText(source: string, message: (code: string) => string): string {
  try {
    return fs.readFileSync(source, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new CliError(EXIT_CODES.usage, message(code), { cause: error });
  }
}

/**
 * Writes a page into a file, or to standard output.
 * @throws CliError when the file cannot be written
 */
export function writePage(text: string, out: string | undefined): void {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    fs.writeFileSync(out, text);
  } catch (error) {
    throw new CliError(
      EXIT_CODES.usage,
      `${out} cannot be written: ${(error as NodeJS.ErrnoException).code}.`,
      {
        cause: error,
      },
    );
  }
  process.stderr.write(`Written to ${out}\n`);
}
