import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Command } from "commander";
import { currentPasswords } from "../../../functions/breakGlass/custody/currentPasswords";
import { readEverywhere } from "../../../functions/breakGlass/records/bothCells";
import type { EvidenceOf } from "../../../functions/breakGlass/records/record";
import { readCells } from "../../cells";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { stackValues } from "../../stackConfig";
import {
  type CustodyOptions,
  evidenceSides,
  findUser,
  printResult,
  reportingErrors,
  withCustodyOptions,
} from "./custodianContext";

interface PasswordOptions extends CustodyOptions {
  user?: string;
  out?: string;
}

/** A ciphertext and what is known of it. Never a password. */
interface Offer {
  userName: string;
  custodian: string;
  keyFingerprint: string;
  /** `effective`: it was set. `prepared`: it may have been. */
  state: string;
  at: string;
  ciphertext: string;
  /** The file that it was written to. */
  file?: string;
}

const CHECKSUMS = "SHA256SUMS";

/** `bulkhead break-glass password`: the encrypted password, from either cell. */
export function passwordCommand(): Command {
  return withCustodyOptions(new Command("password"))
    .description(
      "Fetch an emergency user's password, encrypted to its custodian. Reads tables only, of whichever cell answers.",
    )
    .option("--user <name>", "the emergency user (default: all of them, into the folder of --out)")
    .option(
      "--out <path>",
      "folder, or with --user a file that ends in .asc, .gpg or .pgp; checksums go beside it (default: print)",
    )
    .addHelpText(
      "after",
      `
The custodian opens it with: gpg --decrypt FILE (or: bulkhead break-glass password --user U | gpg --decrypt).
It works with a whole region lost; IAM and the console take no part. How to sign in with it: bulkhead break-glass instructions.`,
    )
    .action((options: PasswordOptions) => reportingErrors(() => fetchPasswords(options)));
}

async function fetchPasswords(options: PasswordOptions): Promise<void> {
  if (options.user === undefined && options.out === undefined) {
    throw new CliError(
      EXIT_CODES.usage,
      "Say which user (--user NAME), or where to put the files of all (--out FOLDER).",
    );
  }
  const values = stackValues(options.project, options.stack);
  const all = Array.isArray(values.emergencyUsers) ? values.emergencyUsers.map(String) : [];
  const userNames =
    options.user === undefined
      ? all
      : [
          findUser(
            all.map((userName) => ({ userName })),
            options.user,
          ).userName,
        ];

  const reading = await readEverywhere(
    evidenceSides(readCells(options.project, options.stack)),
    "passwordIssued",
  );
  for (const { cell, region, error } of reading.unanswered) {
    note(
      `${cell} (${region}) does not answer: ${error}. What follows comes from the other cell; a rotation that only the lost one took is not in it.`,
    );
  }
  const offers: Offer[] = [];
  const missing: string[] = [];
  for (const userName of userNames) {
    const found = currentPasswords(reading.records, userName);
    for (const record of found) offers.push(toOffer(record));
    if (!found.some(({ state }) => state === "effective")) missing.push(userName);
    if (found.length > 1) {
      note(
        `${userName}: ${found.length} passwords may be valid, since a rotation was cut off or two ran at the same time. Try them in this order, then run: bulkhead break-glass rotate --user ${userName}`,
      );
    }
  }
  for (const userName of missing) {
    note(
      `${userName}: no rotation is recorded, so its password is the one made at deployment: pulumi stack output encryptedPasswords --json, the entry ${userName}, base64. bulkhead break-glass rotate --user ${userName} gives it one that both cells keep.`,
    );
  }
  if (missing.length) process.exitCode = EXIT_CODES.failed;
  if (!offers.length) {
    if (options.json) printResult(options, [], []);
    return;
  }
  if (options.out !== undefined) writeFiles(options.out, offers, options.user !== undefined);
  printResult(
    options,
    offers,
    options.out === undefined ? offers.map(({ ciphertext }) => ciphertext.trimEnd()) : fileLines(offers),
  );
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function toOffer({
  userName,
  custodian,
  keyFingerprint,
  state,
  at,
  ciphertext,
}: EvidenceOf<"passwordIssued">): Offer {
  return { userName, custodian, keyFingerprint, state, at, ciphertext };
}

/** Writes each ciphertext into a file of its own, and the checksums of all beside them. */
function writeFiles(out: string, offers: Offer[], single: boolean): void {
  const isFolder = !single || !/\.(asc|gpg|pgp)$/i.test(out);
  const folder = isFolder ? out : path.dirname(out);
  const counts = new Map<string, number>();
  try {
    fs.mkdirSync(folder, { recursive: true });
    for (const offer of offers) {
      const count = (counts.get(offer.userName) ?? 0) + 1;
      counts.set(offer.userName, count);
      const name = isFolder ? `${offer.userName}.pgp.asc` : path.basename(out);
      offer.file = path.join(folder, count === 1 ? name : numbered(name, count));
      replaceFile(offer.file, `${offer.ciphertext.trimEnd()}\n`);
    }
    const sums = path.join(folder, CHECKSUMS);
    replaceFile(
      sums,
      checksums(
        sums,
        offers.map(({ file }) => file!),
      ),
    );
  } catch (error) {
    throw new CliError(
      EXIT_CODES.usage,
      `${out} cannot be written: ${(error as NodeJS.ErrnoException).code}.`,
      {
        cause: error,
      },
    );
  }
}

/** `x.pgp.asc` becomes `x-2.pgp.asc`. */
function numbered(name: string, count: number): string {
  const suffix = name.endsWith(".pgp.asc") ? ".pgp.asc" : path.extname(name);
  return `${name.slice(0, name.length - suffix.length)}-${count}${suffix}`;
}

/** Whole or not at all: an old file is replaced only by a complete new one. */
function replaceFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, content, { mode: 0o600 });
    fs.renameSync(temporary, file);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** The lines of `sha256sum`; those of other files stay. */
function checksums(file: string, files: readonly string[]): string {
  const lines = new Map<string, string>();
  const old = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
  for (const line of old) {
    const name = /^[0-9a-f]{64} [ *](.+)$/.exec(line)?.[1];
    if (name) lines.set(name, line);
  }
  for (const each of files) {
    const name = path.basename(each);
    lines.set(name, `${createHash("sha256").update(fs.readFileSync(each)).digest("hex")}  ${name}`);
  }
  return `${[...lines.values()].join("\n")}\n`;
}

function fileLines(offers: readonly Offer[]): string[] {
  const folder = path.dirname(offers[0]!.file!);
  return [
    ...offers.map(
      ({ userName, custodian, state, at, file }) =>
        `${file}: password of ${userName}, ${state === "effective" ? "set" : "perhaps set"} ${at}, for ${custodian}`,
    ),
    `Check the files:  cd ${folder} && sha256sum --check ${CHECKSUMS}`,
    "Open one:         gpg --decrypt FILE (its custodian alone can)",
    "Keep a copy where it can be reached without AWS. How to sign in with it: bulkhead break-glass instructions",
  ];
}
