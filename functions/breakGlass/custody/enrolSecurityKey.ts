import { readEverywhere } from "../records/bothCells";
import { EvidenceUnavailable } from "../records/store";
import { heldDevices } from "../records/views";
import { CustodyError } from "./custodyError";
import { deviceKind } from "./devices";
import { type EnrolmentResult, recordEnrolment, refuseNinth } from "./enrolTotp";
import type { CustodyTools } from "./rotate";

/** Who registers the key in the console while this waits. */
export interface RegistrationDesk {
  /** Shows where and how to register the key; returns when the person says that it is done. */
  guide(attempt: number): Promise<void>;
}

const ASKED = 3;
const LOOKS = 6;
const LOOK_EVERY_MS = 2_000;

/**
 * Has a security key registered in the console, since no API can do it (fact 29), and makes sure that it is there.
 *
 * @param request.serialNumber a key that is registered already, whose holder is to be recorded
 * @throws CustodyError
 */
export async function enrolSecurityKey(
  tools: CustodyTools,
  request: { userName: string; holder: string; serialNumber?: string },
  desk: RegistrationDesk,
): Promise<EnrolmentResult> {
  const { identity, pause } = tools;
  const { userName, holder } = request;
  const list = async () => (await identity.devices(userName)).map((device) => device.serialNumber);
  const before = await identity.devices(userName);
  const known = new Set(before.map((device) => device.serialNumber));
  let found: string | undefined;
  if (request.serialNumber !== undefined) {
    found = request.serialNumber;
    if (!known.has(found) || deviceKind(found) !== "fido") {
      throw new CustodyError("no-such-device", `${userName} has no security key ${found}.`);
    }
  } else {
    refuseNinth(userName, before);
    for (let asked = 1; asked <= ASKED && !found; asked++) {
      await desk.guide(asked);
      // IAM is eventually consistent: what the console shows already may take seconds to be listed.
      for (let look = 1; look <= LOOKS && !found; look++) {
        if (look > 1) await pause(LOOK_EVERY_MS);
        found = newKey(userName, await list(), known);
      }
    }
  }
  if (!found) {
    throw new CustodyError(
      "no-such-device",
      `IAM lists no new security key of ${userName}. Nothing was recorded. Once the key is registered, record its holder with: bulkhead break-glass enrol --user ${userName} --holder ${holder} --device fido --serial SERIAL`,
    );
  }
  if (await isRecorded(tools, userName, found, holder)) {
    throw new CustodyError("refused", `${found} is recorded as held by ${holder} already.`);
  }
  return {
    userName,
    serialNumber: found,
    kind: "fido",
    holder,
    removedLeftovers: [],
    recordedLate: [],
    stored: await recordEnrolment(tools, { userName, serialNumber: found, holder }),
    serialNumbers: await list(),
  };
}

function newKey(userName: string, now: readonly string[], known: ReadonlySet<string>): string | undefined {
  const keys = now.filter((serialNumber) => !known.has(serialNumber) && deviceKind(serialNumber) === "fido");
  if (keys.length <= 1) return keys[0];
  throw new CustodyError(
    "refused",
    `${userName} got ${keys.length} security keys at the same time: ${keys.join(", ")}. Record each holder with: bulkhead break-glass enrol --user ${userName} --holder ADDRESS --device fido --serial SERIAL`,
  );
}

async function isRecorded(
  { sides }: CustodyTools,
  userName: string,
  serialNumber: string,
  holder: string,
): Promise<boolean> {
  try {
    const [enrolled, removed] = await Promise.all([
      readEverywhere(sides, "deviceEnrolled"),
      readEverywhere(sides, "deviceRemoved"),
    ]);
    return heldDevices(enrolled.records, removed.records).some(
      (device) =>
        device.userName === userName && device.serialNumber === serialNumber && device.holder === holder,
    );
  } catch (error) {
    // Recorded twice is no harm; not recorded at all is one.
    if (error instanceof EvidenceUnavailable) return false;
    throw error;
  }
}
