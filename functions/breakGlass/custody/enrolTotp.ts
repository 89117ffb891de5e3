import { appendEverywhere, type EvidenceWrite, readEverywhere } from "../records/bothCells";
import { type EvidenceOf, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";
import { heldDevices } from "../records/views";
import { CustodyError } from "./custodyError";
import { deviceKind, holderByName, isLeftBehind, MAXIMUM_DEVICES, totpDeviceName } from "./devices";
import type { EnabledDevice } from "./identity";
import type { CustodyTools } from "./rotate";
import type { Secret } from "./secret";

/** Where the person with the authenticator sees the seed and gives codes. */
export interface EnrolmentDesk {
  /** Shows the seed, as QR code say, until {@link close}. */
  show(device: { userName: string; serialNumber: string; seed: Secret }): Promise<void>;
  /**
   * Asks for two codes that followed each other.
   * @param problem why the ones before were wrong; undefined at first
   * @throws CustodyError `stopped`, or any error, when there will be none
   */
  codes(problem?: string): Promise<readonly [string, string]>;
  /** Takes the seed away again. Called in any case; may be called twice. */
  close(): Promise<void>;
}

/** What was enrolled. */
export interface EnrolmentResult {
  userName: string;
  serialNumber: string;
  kind: "totp" | "fido";
  holder: string;
  /** Devices that an earlier enrolment had left behind and that are gone now. */
  removedLeftovers: string[];
  /** Devices whose holder had not been recorded and is now. */
  recordedLate: { serialNumber: string; holder: string }[];
  /** What became of the record, cell by cell. */
  stored: EvidenceWrite[];
  /** All devices of the user, the new one included. */
  serialNumbers: string[];
}

const ATTEMPTS = 5;

/**
 * Makes a virtual device and enables it with two consecutive codes. The seed is shown and forgotten; a device that is not enabled in the end
 * is deleted again, and so is what an earlier enrolment of the same holder left behind (fact 30).
 *
 * @param path IAM path of the users
 * @throws CustodyError saying whether something was left behind
 */
export async function enrolTotp(
  tools: CustodyTools,
  request: { userName: string; holder: string; path: string },
  desk: EnrolmentDesk,
): Promise<EnrolmentResult> {
  const { identity } = tools;
  const { userName, holder, path } = request;
  const before = await identity.devices(userName);
  refuseNinth(userName, before);
  const recordedLate = await recordLate(tools, userName, before);
  const removedLeftovers: string[] = [];
  for (const serialNumber of await identity.unassignedDevices()) {
    if (!isLeftBehind(serialNumber, userName, holder)) continue;
    await identity.deleteTotpDevice(serialNumber);
    removedLeftovers.push(serialNumber);
  }
  const { serialNumber, seed } = await create(tools, request, path);
  try {
    await desk.show({ userName, serialNumber, seed });
    await enable(tools, userName, serialNumber, desk);
  } catch (error) {
    await desk.close();
    throw await afterFailure(tools, userName, serialNumber, error);
  } finally {
    seed.wipe();
    await desk.close();
  }
  const stored = await recordEnrolment(tools, { userName, serialNumber, holder });
  return {
    userName,
    serialNumber,
    kind: "totp",
    holder,
    removedLeftovers,
    recordedLate,
    stored,
    serialNumbers: [...before.map((device) => device.serialNumber), serialNumber],
  };
}

/** @throws CustodyError `device-limit` */
export function refuseNinth(userName: string, devices: readonly EnabledDevice[]): void {
  if (devices.length < MAXIMUM_DEVICES) return;
  throw new CustodyError(
    "device-limit",
    `${userName} has ${devices.length} devices, as many as AWS allows. Remove one first:\n${devices.map(({ serialNumber }) => `  bulkhead break-glass remove-device --user ${userName} --serial ${serialNumber}`).join("\n")}`,
  );
}

async function create(
  { identity }: CustodyTools,
  { userName, holder }: { userName: string; holder: string },
  path: string,
): ReturnType<CustodyTools["identity"]["createTotpDevice"]> {
  // More names than a user can have devices: another user's device can have taken one.
  for (let count = 1; count <= 2 * MAXIMUM_DEVICES; count++) {
    try {
      return await identity.createTotpDevice(totpDeviceName(userName, holder, count), path);
    } catch (error) {
      if (!(error instanceof CustodyError && error.code === "device-exists")) throw error;
    }
  }
  throw new CustodyError("device-exists", `No name is free for another device of ${holder} for ${userName}.`);
}

async function enable(
  { identity, pause }: CustodyTools,
  userName: string,
  serialNumber: string,
  desk: EnrolmentDesk,
): Promise<void> {
  let problem: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const codes = await desk.codes(problem);
    problem = whyUnfit(codes);
    if (problem) continue;
    try {
      return await identity.enableTotpDevice(userName, serialNumber, codes);
    } catch (error) {
      if (!(error instanceof CustodyError)) throw error;
      if (error.code === "iam-unavailable") {
        // It may have been enabled all the same.
        await pause(1_000);
        const devices = await identity.devices(userName);
        if (devices.some((device) => device.serialNumber === serialNumber)) return;
        problem = "IAM did not answer, and the device is not enabled. Wait for two new codes.";
      } else if (error.code === "wrong-codes") {
        problem =
          "IAM does not take these codes. Give two that follow each other, and none twice. If it happens again: is the time on the authenticator's device set automatically?";
      } else throw error;
    }
  }
  throw new CustodyError("wrong-codes", `${ATTEMPTS} times the codes were not right.`);
}

function whyUnfit([first, second]: readonly [string, string]): string | undefined {
  if (![first, second].every((code) => /^\d{6}$/.test(code))) return "A code has six digits.";
  if (first === second) return "These are the same code: wait until the authenticator shows the next one.";
  return undefined;
}

/** Deletes the device that was not enabled, and says in the error what became of it. */
async function afterFailure(
  { identity, pause }: CustodyTools,
  userName: string,
  serialNumber: string,
  error: unknown,
): Promise<unknown> {
  let fate = "";
  for (let attempt = 1; attempt <= 3 && !fate; attempt++) {
    try {
      // IAM refuses to delete a device that a user has, so one that was enabled after all is safe.
      await identity.deleteTotpDevice(serialNumber);
      fate = `The device ${serialNumber} was deleted again; ${userName} is as before.`;
    } catch (deletion) {
      if (deletion instanceof CustodyError && deletion.code === "iam-refused") break;
      await pause(1_000);
    }
  }
  fate ||= `Whether the device ${serialNumber} still exists is not known. Running the same command again removes what was left behind.`;
  if (!(error instanceof CustodyError)) return Object.assign(error as Error, { fate });
  return new CustodyError(error.code, `${error.message} ${fate}`, { cause: error.cause });
}

/** Appends the record of an enabled device. A device that could not be recorded is recorded by the next enrolment. */
export async function recordEnrolment(
  { sides, by, now = () => new Date() }: CustodyTools,
  device: { userName: string; serialNumber: string; holder: string },
): Promise<EvidenceWrite[]> {
  const at = now().toISOString();
  const record: EvidenceOf<"deviceEnrolled"> = {
    kind: "deviceEnrolled",
    id: recordId(at, device.serialNumber),
    at,
    by,
    ...device,
    deviceKind: deviceKind(device.serialNumber),
  };
  try {
    return await appendEverywhere(sides, record);
  } catch (error) {
    if (!(error instanceof EvidenceUnavailable)) throw error;
    return sides.map(({ cell, region }) => ({ cell, region, recorded: false, error: error.message }));
  }
}

/**
 * Records the devices that are enabled but not recorded and whose names tell the holder: an enrolment was cut off after the device was
 * enabled. Nothing happens where the evidence cannot be read.
 */
async function recordLate(
  tools: CustodyTools,
  userName: string,
  devices: readonly EnabledDevice[],
): Promise<{ serialNumber: string; holder: string }[]> {
  let known: Set<string>;
  try {
    const [enrolled, removed] = await Promise.all([
      readEverywhere(tools.sides, "deviceEnrolled"),
      readEverywhere(tools.sides, "deviceRemoved"),
    ]);
    // What a cell that does not answer knows would be recorded a second time.
    if (enrolled.unanswered.length || removed.unanswered.length) return [];
    known = new Set(
      heldDevices(enrolled.records, removed.records)
        .filter((device) => device.userName === userName)
        .map((device) => device.serialNumber),
    );
  } catch (error) {
    if (!(error instanceof EvidenceUnavailable)) throw error;
    return [];
  }
  const late = [];
  for (const { serialNumber } of devices) {
    const holder = holderByName(userName, serialNumber);
    if (known.has(serialNumber) || !holder) continue;
    const stored = await recordEnrolment(tools, { userName, serialNumber, holder });
    if (stored.some(({ recorded }) => recorded)) late.push({ serialNumber, holder });
  }
  return late;
}
