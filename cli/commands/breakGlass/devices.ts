import { Command } from "commander";
import { CustodyError } from "../../../functions/breakGlass/custody/custodyError";
import { type Inventory, inventory } from "../../../functions/breakGlass/custody/devices";
import type { EnabledDevice } from "../../../functions/breakGlass/custody/identity";
import { removeDevice } from "../../../functions/breakGlass/custody/removeDevice";
import { readEverywhere } from "../../../functions/breakGlass/records/bothCells";
import { heldDevices } from "../../../functions/breakGlass/records/views";
import { EXIT_CODES } from "../../exitCodes";
import {
  type CustodyOptions,
  completeEvidence,
  custodyTools,
  findUser,
  printResult,
  readCustodyConfig,
  reportingErrors,
  storedLines,
  withCustodyOptions,
} from "./custodianContext";

/** `bulkhead break-glass devices`: who holds which MFA device. */
export function devicesCommand(): Command {
  return withCustodyOptions(new Command("devices"))
    .description(
      "List the MFA devices of the emergency users and who holds them. Exit code 1 when a user lacks one.",
    )
    .action((options: CustodyOptions) => reportingErrors(() => list(options)));
}

/** What the command answers. */
interface Listing extends Inventory {
  /** False when IAM did not answer: then only what is recorded is listed. */
  iamAnswered: boolean;
  unanswered: string[];
}

async function list(options: CustodyOptions): Promise<void> {
  const config = readCustodyConfig(options);
  const tools = await custodyTools(config);
  const [enrolled, removed] = await Promise.all([
    readEverywhere(tools.sides, "deviceEnrolled"),
    readEverywhere(tools.sides, "deviceRemoved"),
  ]);
  const userNames = config.users.map(({ userName }) => userName);
  const enabled = new Map<string, EnabledDevice[]>();
  let unassigned: string[] = [];
  let iamAnswered = true;
  try {
    for (const userName of userNames) enabled.set(userName, await tools.identity.devices(userName));
    unassigned = await tools.identity.unassignedDevices();
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === "iam-unavailable")) throw error;
    iamAnswered = false;
    for (const userName of userNames) {
      const held = heldDevices(enrolled.records, removed.records).filter(
        (device) => device.userName === userName,
      );
      enabled.set(
        userName,
        held.map(({ serialNumber, since }) => ({ serialNumber, enabledAt: since })),
      );
    }
  }
  const listing: Listing = {
    ...inventory({ userNames, enrolled: enrolled.records, removed: removed.records, enabled, unassigned }),
    iamAnswered,
    unanswered: enrolled.unanswered.map(({ cell, region }) => `${cell} (${region})`),
  };
  printResult(options, listing, listingLines(listing, userNames));
  if (listing.shortfalls.length || !iamAnswered) process.exitCode = EXIT_CODES.failed;
}

function listingLines(listing: Listing, userNames: readonly string[]): string[] {
  const lines: string[] = [];
  for (const userName of userNames) {
    lines.push(userName);
    const devices = listing.devices.filter((device) => device.userName === userName);
    for (const { kind, holder, source, serialNumber, since } of devices) {
      const who =
        source === "unknown"
          ? "holder unknown"
          : `${holder}${source === "name" ? " (by its name; not recorded)" : ""}`;
      lines.push(`  ${kind === "totp" ? "TOTP device " : "security key"}  ${who}`);
      lines.push(`                since ${since || "unknown"}, ${serialNumber}`);
    }
    if (!devices.length) lines.push("  no device");
    const lacking = listing.shortfalls.find((shortfall) => shortfall.userName === userName);
    if (lacking) {
      lines.push(
        `  TOO LITTLE: ${lacking.text}. Enrol: bulkhead break-glass enrol --user ${userName} --holder ADDRESS`,
      );
    }
  }
  for (const { userName, serialNumber, holder } of listing.gone) {
    lines.push(
      `${serialNumber} of ${userName}, held by ${holder}, is not there any more. Record that: bulkhead break-glass remove-device --user ${userName} --serial ${serialNumber}`,
    );
  }
  for (const serialNumber of listing.unassigned) {
    lines.push(
      `${serialNumber} belongs to no user: an enrolment is going on, or was cut off. Enrolling the same holder again, or remove-device, deletes it.`,
    );
  }
  if (!listing.iamAnswered) {
    lines.push(
      "IAM's control plane does not answer. This is what is recorded; whether it is still so is not known.",
    );
  }
  for (const cell of listing.unanswered) {
    lines.push(
      `${cell} does not answer: a device that only this cell has a record of shows as not recorded.`,
    );
  }
  return lines;
}

interface RemoveOptions extends CustodyOptions {
  user: string;
  serial: string;
  reason?: string;
  force?: boolean;
}

/** `bulkhead break-glass remove-device`: takes an MFA device away. */
export function removeDeviceCommand(): Command {
  return withCustodyOptions(new Command("remove-device"))
    .description(
      "Take an MFA device away from an emergency user: lost, broken, or its holder has no business with it any more.",
    )
    .requiredOption("--user <name>", "the emergency user")
    .requiredOption("--serial <number>", "the device's serial number (an ARN), as `devices` shows it")
    .option("--reason <text>", "why; it is recorded", "removed by an operator")
    .option("--force", "even if the user is left with fewer devices than are needed")
    .action((options: RemoveOptions) => reportingErrors(() => remove(options)));
}

async function remove(options: RemoveOptions): Promise<void> {
  const config = readCustodyConfig(options);
  const { userName } = findUser(config.users, options.user);
  const tools = await custodyTools(config);
  const [enrolled, removed] = await Promise.all([
    readEverywhere(tools.sides, "deviceEnrolled"),
    readEverywhere(tools.sides, "deviceRemoved"),
  ]);
  const recorded = heldDevices(enrolled.records, removed.records).some(
    (device) => device.userName === userName && device.serialNumber === options.serial,
  );
  const result = await removeDevice(tools, {
    userName,
    serialNumber: options.serial,
    reason: options.reason ?? "removed by an operator",
    recorded,
    force: options.force,
  });
  printResult(options, result, [
    result.wasEnabled
      ? `${userName} no longer has the device ${options.serial}.`
      : `${userName} had lost the device ${options.serial} before; what was left of it is gone.`,
    ...storedLines("Recorded in", result.stored),
    "Alerts about this change are expected.",
    ...(result.shortfall
      ? [
          `Next: ${userName} has too little (${result.shortfall}). Enrol a device at once: bulkhead break-glass enrol --user ${userName} --holder ADDRESS`,
        ]
      : []),
  ]);
  await completeEvidence(tools);
}
