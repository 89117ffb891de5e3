import { appendEverywhere, type EvidenceWrite } from "../records/bothCells";
import { type EvidenceOf, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";
import { CustodyError } from "./custodyError";
import { holderByName, isVirtual, shortfallWithout } from "./devices";
import type { CustodyTools } from "./rotate";

/** What was removed. */
export interface RemovalResult {
  userName: string;
  serialNumber: string;
  /** False when the user did not have it any more: then only what was left of it was cleared away, and recorded. */
  wasEnabled: boolean;
  stored: EvidenceWrite[];
  /** What the user lacks now; undefined when nothing. */
  shortfall?: string;
}

/**
 * Takes a device away from its user, deletes it if it is a virtual one, and records that. Run again after it was cut off, it completes what
 * was begun.
 *
 * @param request.recorded whether the device is recorded as the user's, so that one that is gone already is recorded as gone
 * @param request.force removes it even if the user is left with fewer devices than are needed
 * @throws CustodyError `too-few-devices`, `no-such-device`
 */
export async function removeDevice(
  tools: CustodyTools,
  request: { userName: string; serialNumber: string; reason: string; recorded: boolean; force?: boolean },
): Promise<RemovalResult> {
  const { identity, sides, by, now = () => new Date() } = tools;
  const { userName, serialNumber, reason, recorded, force = false } = request;
  const enabled = (await identity.devices(userName)).map((device) => device.serialNumber);
  const wasEnabled = enabled.includes(serialNumber);
  const leftBehind =
    !wasEnabled &&
    holderByName(userName, serialNumber) !== undefined &&
    (await identity.unassignedDevices()).includes(serialNumber);
  if (!wasEnabled && !leftBehind && !recorded) {
    throw new CustodyError(
      "no-such-device",
      `${userName} has no device ${serialNumber}. It has ${enabled.join(", ") || "none"}.`,
    );
  }
  const shortfall = shortfallWithout(enabled, serialNumber);
  if (shortfall && !force) {
    throw new CustodyError(
      "too-few-devices",
      `Without ${serialNumber}, ${userName} would have too little: ${shortfall}. Enrol another device first (bulkhead break-glass enrol --user ${userName}), or say --force. Nothing was removed.`,
    );
  }
  if (wasEnabled) await identity.deactivateDevice(userName, serialNumber);
  if (isVirtual(serialNumber) && (wasEnabled || leftBehind)) await identity.deleteTotpDevice(serialNumber);
  const at = now().toISOString();
  const record: EvidenceOf<"deviceRemoved"> = {
    kind: "deviceRemoved",
    id: recordId(at, serialNumber),
    at,
    by,
    userName,
    serialNumber,
    reason,
  };
  let stored: EvidenceWrite[];
  try {
    stored = await appendEverywhere(sides, record);
  } catch (error) {
    if (!(error instanceof EvidenceUnavailable)) throw error;
    stored = sides.map(({ cell, region }) => ({ cell, region, recorded: false, error: error.message }));
  }
  return { userName, serialNumber, wasEnabled, stored, ...(shortfall && { shortfall }) };
}
