import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import * as z from "zod";
import { DEFAULT_EMERGENCY_PATH } from "../../../components/breakGlassAccount/emergencyUsers";
import { iamControlPlaneRegion, partitionOf } from "../../../components/regional/partition";
import type { CustodianKey } from "../../../functions/breakGlass/custody/custodianKey";
import type { CustodyTools } from "../../../functions/breakGlass/custody/rotate";
import type { EvidenceSide, EvidenceWrite } from "../../../functions/breakGlass/records/bothCells";
import { repairEvidence } from "../../../functions/breakGlass/rotation/repair";
import { clientSettings } from "../../../functions/shared/clients/clientSettings";
import { BulkheadError } from "../../../functions/shared/errors/bulkheadError";
import { type CellPair, callerArn, evidenceSide, readCells } from "../../cells";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { stackValues } from "../../stackConfig";

/** Options that every command about passwords and devices has. */
export interface CustodyOptions {
  project: string;
  stack: string;
  json?: boolean;
}

/** Adds {@link CustodyOptions}. */
export function withCustodyOptions(command: Command): Command {
  return command
    .option("--project <folder>", "folder of Pulumi.yaml", process.cwd())
    .option("--stack <name>", "one of the two cells: its stack's name", "prod")
    .option("--json", "print the result as JSON");
}

/** An emergency user as the configuration has it. */
export interface ConfiguredUser {
  userName: string;
  /** Whoever keeps its password. */
  custodian: string;
  /** Their PGP public key. */
  pgpPublicKey: string;
}

/** What the stacks' files say about emergency access. */
export interface CustodyConfig {
  cells: CellPair;
  /** Name of the stack that names the custodians: the primary. */
  primary: string;
  accountId: string;
  /** Region of IAM's control plane. */
  iamRegion: string;
  users: ConfiguredUser[];
}

const valuesSchema = z.object({
  accountId: z.string().regex(/^\d{12}$/, "an account id of 12 digits"),
  emergencyUsers: z.array(z.string()).min(2, "at least 2 names"),
  custodians: z.array(z.string()),
  custodianPgpKeys: z.array(z.string()),
});

/**
 * Reads what the commands need, from the stacks' files alone. The custodians are configured in the primary; asked of the standby, they are
 * looked up there.
 * @throws CliError
 */
export function readCustodyConfig({ project, stack }: CustodyOptions): CustodyConfig {
  const cells = readCells(project, stack);
  const own = stackValues(project, stack);
  const primary = own.role === "standby" ? cells.peer.name : stack;
  const parsed = valuesSchema.safeParse(primary === stack ? own : stackValues(project, primary));
  const refuse = (problem: string): never => {
    throw new CliError(EXIT_CODES.usage, `Pulumi.${primary}.yaml in ${project}: ${problem}.`);
  };
  if (!parsed.success) {
    return refuse(
      parsed.error.issues
        .map((issue) => `bulkhead:${issue.path.join(".")} is not ${issue.message}`)
        .join("; "),
    );
  }
  const { accountId, emergencyUsers, custodians, custodianPgpKeys } = parsed.data;
  for (const [key, list] of Object.entries({ custodians, custodianPgpKeys })) {
    if (list.length !== emergencyUsers.length) {
      refuse(
        `bulkhead:${key} has ${list.length} entries: one for each of the ${emergencyUsers.length} emergencyUsers`,
      );
    }
  }
  return {
    cells,
    primary,
    accountId,
    iamRegion: iamControlPlaneRegion(partitionOf(cells.own.region)),
    users: emergencyUsers.map((userName, index) => ({
      userName,
      custodian: custodians[index]!,
      pgpPublicKey: custodianPgpKeys[index]!,
    })),
  };
}

/** The user of that name. @throws CliError naming those that there are */
export function findUser<User extends { userName: string }>(users: readonly User[], userName: string): User {
  const found = users.find((user) => user.userName === userName);
  if (found) return found;
  throw new CliError(
    EXIT_CODES.usage,
    `${userName} is no emergency user of the configuration. There are ${users.map((user) => user.userName).join(", ")}.`,
  );
}

/** The evidence of both cells; the own one first. */
export function evidenceSides({ own, peer }: CellPair): EvidenceSide[] {
  return [evidenceSide(own), evidenceSide(peer)];
}

/** IAM path of the emergency users and their devices. */
export const USER_PATH = DEFAULT_EMERGENCY_PATH;

/**
 * What the commands work with: IAM, the evidence, and who is asking.
 * @throws CliError when nobody is signed in, or in another account than the users'
 */
export async function custodyTools(config: CustodyConfig): Promise<CustodyTools> {
  const { IAMClient } = await import("@aws-sdk/client-iam");
  const { IamIdentity } =
    require("../../../functions/breakGlass/custody/iamIdentity") as typeof import("../../../functions/breakGlass/custody/iamIdentity");
  const by = await caller(config);
  const account = by.split(":")[4];
  if (account !== config.accountId) {
    throw new CliError(
      EXIT_CODES.usage,
      `You are signed in to account ${account} (${by}), and the emergency users live in ${config.accountId}. Nothing was changed.`,
    );
  }
  const settings = clientSettings(config.iamRegion);
  return {
    identity: new IamIdentity(new IAMClient(settings), new IAMClient({ ...settings, maxAttempts: 1 })),
    sides: evidenceSides(config.cells),
    by,
    newId: randomUUID,
    pause: async (milliseconds) => {
      await wait(milliseconds);
    },
  };
}

/** Either region can say who is asking; one of them may be lost. */
async function caller({ cells }: CustodyConfig): Promise<string> {
  try {
    return await callerArn(cells.own.region);
  } catch (error) {
    return callerArn(cells.peer.region).catch(() => {
      throw error;
    });
  }
}

/** Gives each cell the records that it lacks, if both answer: what an earlier command could record in one only. */
export async function completeEvidence({ sides }: CustodyTools): Promise<void> {
  await repairEvidence(sides);
}

/**
 * Reads a key file.
 * @throws CliError
 */
export function readKeyFile(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(
      EXIT_CODES.usage,
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}. Give the file with the PGP public key (gpg --armor --export ADDRESS > FILE).`,
      { cause: error },
    );
  }
}

/** Days before a key's end at which its owner is asked to prolong it: a password is to last 90 days. */
const KEY_WARNING_DAYS = 90;

/** What to say of a key that ends before the password is due to be changed. */
export function keyWarnings(custodian: string, { expiresAt }: CustodianKey, now = new Date()): string[] {
  if (!expiresAt || expiresAt.getTime() - now.getTime() > KEY_WARNING_DAYS * 24 * 3_600_000) return [];
  return [
    `The key of ${custodian} expires on ${expiresAt.toISOString().slice(0, 10)}. Ask them to prolong it and to export it again; what is encrypted to it stays readable.`,
  ];
}

/** Errors after which nothing at all was done because something could not be reached. */
const UNREACHABLE = ["iam-unavailable", "iam-credentials", "evidence-unavailable", "not-recorded", "clock"];
const WRONG_INPUT = ["pgp-key", "password-length", "refused", "no-such-device", "custodian-left"];

/**
 * Runs a command's work. Errors whose message was written for whoever runs the command become its one message.
 * @throws CliError
 */
export async function reportingErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CliError && "fate" in error) {
      throw new CliError(error.exitCode, `${error.message} ${error.fate}`, { cause: error });
    }
    if (!(error instanceof BulkheadError)) throw error;
    const code = UNREACHABLE.includes(error.code)
      ? EXIT_CODES.environment
      : WRONG_INPUT.includes(error.code)
        ? EXIT_CODES.usage
        : error.code === "stopped"
          ? EXIT_CODES.interrupted
          : EXIT_CODES.failed;
    throw new CliError(code, sentence(error.message), { cause: error });
  }
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.:!?\n]$|^ {2}/.test(capital) || capital.includes("\n") ? capital : `${capital}.`;
}

/** Prints a result: as JSON, or as lines for people. */
export function printResult(options: { json?: boolean }, result: unknown, lines: readonly string[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${lines.join("\n")}\n`);
}

/** What became of a record, cell by cell. */
export function storedLines(what: string, stored: readonly EvidenceWrite[]): string[] {
  const place = ({ cell, region }: EvidenceWrite) => `${cell} (${region})`;
  const kept = stored.filter(({ recorded }) => recorded).map(place);
  return [
    `  ${what.padEnd(12)} ${kept.join(" and ") || "nowhere"}`,
    ...stored
      .filter(({ recorded }) => !recorded)
      .map((write) => `  NOT kept in  ${place(write)}: ${write.error ?? "no answer"}`),
  ];
}
