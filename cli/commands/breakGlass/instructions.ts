import * as path from "node:path";
import { Command } from "commander";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { findUser, reportingErrors } from "./custodianContext";
import { readStackFacts, readText, writePage } from "./stackRunbook";

interface InstructionsOptions {
  project: string;
  stack: string;
  user: string;
  ciphertext?: string;
  out: string;
}

/** `bulkhead break-glass instructions`: one custodian's print. */
export function instructionsCommand(): Command {
  return new Command("instructions")
    .description("Write a custodian's instructions: an HTML file made for paper, A4 or Letter.")
    .requiredOption("--user <name>", "the emergency user whose password the custodian keeps")
    .requiredOption("--out <file>", "HTML file to write")
    .option("--ciphertext <file>", "the encrypted password, to be printed along with its checksum")
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--stack <name>", "one of the two cells: its stack's name", "prod")
    .addHelpText(
      "after",
      `
For example:
  bulkhead break-glass password --user breakglass-admin-1 --out ./handover/
  bulkhead break-glass instructions --user breakglass-admin-1 --ciphertext handover/breakglass-admin-1.pgp.asc --out handover/alice.html
Reads files only. Nothing in it is secret: the ciphertext is for the custodian's key alone.`,
    )
    .action((options: InstructionsOptions) => reportingErrors(() => write(options)));
}

async function write(options: InstructionsOptions): Promise<void> {
  // Loaded only here: the other commands need not wait for it.
  const { runbookInputByName } =
    require("../../../functions/breakGlass/runbook/fromStack") as typeof import("../../../functions/breakGlass/runbook/fromStack");
  const { instructionsPage } =
    require("../../../functions/breakGlass/runbook/instructions") as typeof import("../../../functions/breakGlass/runbook/instructions");
  const { readCustodianKey } =
    require("../../../functions/breakGlass/custody/custodianKey") as typeof import("../../../functions/breakGlass/custody/custodianKey");
  const { facts, custody } = readStackFacts(options);
  const { userName, custodian, pgpPublicKey } = findUser(custody.users, options.user);
  const key = await readCustodianKey(pgpPublicKey, custodian);
  const page = instructionsPage({
    runbook: runbookInputByName(facts, new Date()),
    userName,
    custodian,
    keyFingerprint: key.fingerprint,
    ciphertext: options.ciphertext === undefined ? undefined : readCiphertext(options.ciphertext),
  });
  writePage(page, options.out);
}

/** Bound on what is printed, in characters: a password's message has about a thousand. */
const LONGEST = 20_000;

function readCiphertext(file: string) {
  const fetchIt = "Fetch it with: bulkhead break-glass password --user NAME --out FOLDER/";
  const text = readText(file, (code) => `${file} cannot be read: ${code}. ${fetchIt}`);
  // Whatever else it is, such as an open password, must not get onto paper.
  const isMessage = /^-----BEGIN PGP MESSAGE-----\r?\n[\x20-\x7e\r\n]+-----END PGP MESSAGE-----\s*$/.test(
    text,
  );
  if (!isMessage || text.length > LONGEST) {
    throw new CliError(
      EXIT_CODES.usage,
      `${file} is not one ASCII-armoured PGP message. Nothing was written. ${fetchIt}`,
    );
  }
  return { fileName: path.basename(file), text };
}
