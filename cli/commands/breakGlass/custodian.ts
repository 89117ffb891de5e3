import { Command } from "commander";
import { custodianLeaves, type LeaveResult } from "../../../functions/breakGlass/custody/leave";
import { EXIT_CODES } from "../../exitCodes";
import {
  type CustodyOptions,
  completeEvidence,
  custodyTools,
  keyWarnings,
  printResult,
  readCustodyConfig,
  readKeyFile,
  reportingErrors,
  storedLines,
  withCustodyOptions,
} from "./custodianContext";
import { configurationLines, confirmFingerprint, passwordLength, rotationLines } from "./rotate";

interface LeaveOptions extends CustodyOptions {
  custodian: string;
  successor: string;
  key: string;
  fingerprint?: string;
  length?: number;
  force?: boolean;
}

/** `bulkhead break-glass custodian`: the people who hold passwords and devices. */
export function custodianCommand(): Command {
  const command = new Command("custodian").description("The people who hold passwords and devices.");
  command.addCommand(
    withCustodyOptions(new Command("leave"))
      .description(
        "Rotate everything that a custodian held: their passwords go to the successor, their devices are removed.",
      )
      .requiredOption("--custodian <address>", "who leaves")
      .requiredOption("--successor <address>", "who takes the passwords over")
      .requiredOption("--key <file>", "the successor's PGP public key (gpg --armor --export ADDRESS > FILE)")
      .option("--fingerprint <hex>", "fingerprint that the key has to have; else it is asked")
      .option("--length <characters>", "length of the new passwords, 32 to 128 (default: 40)", passwordLength)
      .option("--force", "remove their devices even if a user is left with fewer than are needed")
      .addHelpText(
        "after",
        `
Whatever was cut off is completed by running the same command again. Exit code 1 while something remains to be done.`,
      )
      .action((options: LeaveOptions) => reportingErrors(() => leave(options))),
  );
  return command;
}

async function leave(options: LeaveOptions): Promise<void> {
  const { readCustodianKey } =
    require("../../../functions/breakGlass/custody/custodianKey") as typeof import("../../../functions/breakGlass/custody/custodianKey");
  const config = readCustodyConfig(options);
  const key = await readCustodianKey(readKeyFile(options.key), options.successor);
  await confirmFingerprint(options.successor, key, options.fingerprint);
  const tools = await custodyTools(config);
  const result = await custodianLeaves(tools, {
    custodian: options.custodian,
    successor: options.successor,
    key,
    users: config.users,
    force: options.force ?? false,
    length: options.length,
  });
  printResult(options, result, [
    ...leaveLines(result),
    ...keyWarnings(options.successor, key),
    ...configurationLines(config.primary, result.configured, options.successor, options.key),
  ]);
  if (result.remaining.length) process.exitCode = EXIT_CODES.failed;
  await completeEvidence(tools);
}

function leaveLines(result: LeaveResult): string[] {
  const { custodian, successor, leftAt, resumed, rotated, removed, remaining } = result;
  const nothing = !rotated.length && !removed.length && !remaining.length;
  return [
    `${custodian} left: recorded ${leftAt}${resumed ? ", by an earlier run that this one went on with" : ""}. ${successor} succeeds.`,
    ...(nothing ? ["Everything that they held was rotated before. Nothing was changed."] : []),
    ...rotated.flatMap((rotation) => ["", ...rotationLines(rotation)]),
    ...removed.flatMap(({ userName, serialNumber, stored }) => [
      "",
      `${userName} no longer has the device ${serialNumber}.`,
      ...storedLines("Recorded in", stored),
    ]),
    ...(remaining.length ? ["", "NOT DONE:", ...remaining.map((what) => `  ${what}`)] : []),
    ...(remaining.length ? ["Mend that, then run the same command again."] : []),
    ...result.shortfalls.map(
      ({ userName, text }) =>
        `${userName} has too little (${text}). Enrol a device at once: bulkhead break-glass enrol --user ${userName} --holder ${successor}`,
    ),
    ...result.unknownDevices.map(
      ({ userName, serialNumber }) =>
        `Nobody recorded who holds ${serialNumber} of ${userName}. If it was ${custodian}: bulkhead break-glass remove-device --user ${userName} --serial ${serialNumber}`,
    ),
  ];
}
