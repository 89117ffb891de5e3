import { Command, InvalidArgumentError } from "commander";
import { departure } from "../../../functions/breakGlass/custody/currentPasswords";
import type { CustodianKey } from "../../../functions/breakGlass/custody/custodianKey";
import { groupedFingerprint } from "../../../functions/breakGlass/custody/fingerprint";
import { type RotationResult, rotatePassword } from "../../../functions/breakGlass/custody/rotate";
import { readEverywhere } from "../../../functions/breakGlass/records/bothCells";
import { rotationDue } from "../../../functions/breakGlass/records/views";
import { CliError, EXIT_CODES } from "../../exitCodes";
import {
  type CustodyOptions,
  completeEvidence,
  custodyTools,
  findUser,
  keyWarnings,
  printResult,
  readCustodyConfig,
  readKeyFile,
  reportingErrors,
  storedLines,
  withCustodyOptions,
} from "./custodianContext";
import { withPrompts } from "./custodianPrompts";

interface RotateOptions extends CustodyOptions {
  user: string;
  custodian?: string;
  key?: string;
  fingerprint?: string;
  length?: number;
}

/** The option for the length of new passwords. */
export function passwordLength(text: string): number {
  const length = Number(text);
  if (!Number.isInteger(length) || length < 32 || length > 128) {
    throw new InvalidArgumentError("a whole number from 32 to 128.");
  }
  return length;
}

/** `bulkhead break-glass rotate`: a new password for an emergency user. */
export function rotateCommand(): Command {
  return withCustodyOptions(new Command("rotate"))
    .description("Give an emergency user a new password that only its custodian can open.")
    .requiredOption("--user <name>", "the emergency user")
    .option("--length <characters>", "length of the password, 32 to 128 (default: 40)", passwordLength)
    .option("--key <file>", "PGP public key to use instead of the configured one")
    .option("--custodian <address>", "whose key that is (default: the configured custodian)")
    .option("--fingerprint <hex>", "fingerprint that the key of --key has to have; else it is asked")
    .addHelpText(
      "after",
      `
The password is made in memory, encrypted at once and recorded in both cells before it is set, so that whatever
happens the custodian can open the valid one. It is shown nowhere. IAM's control plane has to answer.`,
    )
    .action((options: RotateOptions) => reportingErrors(() => rotate(options)));
}

async function rotate(options: RotateOptions): Promise<void> {
  const config = readCustodyConfig(options);
  const user = findUser(config.users, options.user);
  const { readCustodianKey } =
    require("../../../functions/breakGlass/custody/custodianKey") as typeof import("../../../functions/breakGlass/custody/custodianKey");
  const custodian = options.custodian ?? user.custodian;
  if (options.key === undefined && custodian !== user.custodian) {
    throw new CliError(
      EXIT_CODES.usage,
      "--custodian goes with --key: the configuration has only the configured custodian's key.",
    );
  }
  const key = await readCustodianKey(
    options.key === undefined ? user.pgpPublicKey : readKeyFile(options.key),
    custodian,
  );
  if (options.key !== undefined) await confirmFingerprint(custodian, key, options.fingerprint);

  const tools = await custodyTools(config);
  const [opened, passwords, left] = await Promise.all([
    readEverywhere(tools.sides, "useOpened"),
    readEverywhere(tools.sides, "passwordIssued"),
    readEverywhere(tools.sides, "custodianLeft"),
  ]);
  const gone = departure(left.records, passwords.records, user.userName, custodian);
  if (gone && options.key === undefined) {
    throw new CliError(
      EXIT_CODES.usage,
      `${custodian} left on ${gone.at}, and Pulumi.${config.primary}.yaml still names them for ${user.userName}. Name ${gone.successor} there, or give --custodian and --key. Nothing was changed.`,
    );
  }
  const used = rotationDue(opened.records, passwords.records).some(
    ({ userName }) => userName === user.userName,
  );
  const result = await rotatePassword(tools, {
    userName: user.userName,
    custodian,
    key,
    cause: used ? "afterUse" : "rotation",
    length: options.length,
  });
  const overridden = options.key !== undefined && { file: options.key, index: config.users.indexOf(user) };
  printResult(options, result, [
    ...rotationLines(result),
    ...keyWarnings(custodian, key),
    ...(overridden ? configurationLines(config.primary, [overridden.index], custodian, overridden.file) : []),
  ]);
  if (result.outcome !== "effective") process.exitCode = EXIT_CODES.failed;
  await completeEvidence(tools);
}

/**
 * Makes sure that a key which does not come from the configuration is the right one: whoever owns it opens the password, and nobody else.
 * @throws CliError
 */
export async function confirmFingerprint(
  custodian: string,
  key: CustodianKey,
  expected: string | undefined,
): Promise<void> {
  const shown = groupedFingerprint(key.fingerprint);
  if (expected !== undefined) {
    if (expected.replace(/\s/g, "").toUpperCase() === key.fingerprint) return;
    throw new CliError(
      EXIT_CODES.usage,
      `The key has the fingerprint ${shown}, not ${expected}. Nothing was changed.`,
    );
  }
  const same = await withPrompts(async (prompts) => {
    prompts.say(`Key of ${key.userIds.join(", ")}\nFingerprint ${shown}`);
    return prompts.confirm(`Did ${custodian} tell you this very fingerprint, in person or by telephone?`);
  });
  if (!same) {
    throw new CliError(EXIT_CODES.usage, "The fingerprint was not confirmed. Nothing was changed.");
  }
}

/** A rotation in words. */
export function rotationLines(result: RotationResult): string[] {
  const { userName, custodian, outcome, setAt, confirmed } = result;
  const heading =
    outcome === "effective"
      ? `${userName} has a new password since ${setAt}.`
      : `IAM did not say whether ${userName} has the new password. ${custodian} can open both the new one and the one before; one of them is valid.`;
  return [
    heading,
    `  Custodian    ${custodian}, who alone can open it`,
    `  PGP key      ${groupedFingerprint(result.keyFingerprint)}`,
    ...storedLines("Kept in", result.stored),
    ...(outcome === "effective" && !confirmed
      ? ["  No cell took the note that it is valid now, so it will be offered as one that may be."]
      : []),
    "The alert about UpdateLoginProfile at this time is expected.",
    "Next:",
    ...(outcome === "effective"
      ? [
          `  1. ${custodian} fetches it and tries to open it: bulkhead break-glass password --user ${userName} --out FOLDER`,
          "  2. Replace every stored copy of the old one: USB drives, paper, safe (bulkhead break-glass instructions).",
        ]
      : [`  Run it again once IAM answers: bulkhead break-glass rotate --user ${userName}`]),
    ...(result.stored.some(({ recorded }) => !recorded)
      ? [
          "  Run it again, too, when both cells answer: the ciphertext is to be in both of them before a region is lost.",
        ]
      : []),
  ];
}

/** Which configuration values to change, now that somebody else has the password. */
export function configurationLines(
  stack: string,
  positions: readonly number[],
  custodian: string,
  keyFile: string,
): string[] {
  if (!positions.length) return [];
  return [
    "Change the configuration, and run pulumi up in both cells:",
    ...positions.flatMap((position) => [
      `  pulumi config set --stack ${stack} --path 'bulkhead:custodians[${position}]' ${custodian}`,
      `  pulumi config set --stack ${stack} --path 'bulkhead:custodianPgpKeys[${position}]' < ${keyFile}`,
    ]),
  ];
}
