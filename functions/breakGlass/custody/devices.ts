import type { EvidenceOf } from "../records/record";
import { heldDevices } from "../records/views";
import type { EnabledDevice } from "./identity";

/** IAM's limit of devices a user (fact 26). */
export const MAXIMUM_DEVICES = 8;

/** What each emergency user needs (fact 12): two devices, one of them TOTP, since a security key may not work during an outage. */
const NEEDED = { devices: 2, totp: 1 } as const;

/** Kind of a device. Hardware tokens that show codes count as TOTP: they work wherever an authenticator does. */
export type DeviceKind = "totp" | "fido";

/**
 * A device's kind by its serial number: an ARN of type `u2f` is a security key or passkey, type `mfa` a virtual device; a hardware token has
 * a number of its maker.
 */
export function deviceKind(serialNumber: string): DeviceKind {
  return /^arn:[^:]*:iam::\d*:u2f\//.test(serialNumber) ? "fido" : "totp";
}

/** Whether the device is a virtual one, which can and has to be deleted besides being taken away from its user. */
export function isVirtual(serialNumber: string): boolean {
  return /^arn:[^:]*:iam::\d*:mfa\//.test(serialNumber);
}

/** What of a holder's name may stand in the name of a device. The comma is kept for the counter. */
function fitting(holder: string): string {
  return holder.replace(/[^\w+=.@-]+/g, "-");
}

/**
 * Name of a virtual device: user, holder and, from the second on, a counter. The name tells the holder where the record of them was lost.
 * @param count 1 for the first device of the holder
 */
export function totpDeviceName(userName: string, holder: string, count: number): string {
  return `${userName}-${fitting(holder)}${count > 1 ? `,${count}` : ""}`;
}

/** The holder whom a virtual device's name tells of; undefined when it is not named by {@link totpDeviceName}. */
export function holderByName(userName: string, serialNumber: string): string | undefined {
  if (!isVirtual(serialNumber)) return undefined;
  const name = serialNumber.slice(serialNumber.lastIndexOf("/") + 1);
  if (!name.startsWith(`${userName}-`)) return undefined;
  return name.slice(userName.length + 1).replace(/,\d+$/, "") || undefined;
}

/** Whether an unassigned device was made for this user and holder: left behind by an enrolment that was cut off (fact 30). */
export function isLeftBehind(serialNumber: string, userName: string, holder: string): boolean {
  return holderByName(userName, serialNumber) === fitting(holder);
}

/** A device of the inventory. */
export interface InventoryDevice {
  userName: string;
  serialNumber: string;
  kind: DeviceKind;
  /** Undefined: not known. */
  holder?: string;
  /** How the holder is known. */
  source: "recorded" | "name" | "unknown";
  /** When it was enabled, by IAM; when it was recorded, where IAM did not answer. ISO 8601 in UTC. */
  since: string;
}

/** Who holds which device. */
export interface Inventory {
  devices: InventoryDevice[];
  /** Devices that are recorded as enrolled but that their user does not have: they were taken away past this program. */
  gone: { userName: string; serialNumber: string; holder: string }[];
  /** Virtual devices named after an emergency user that no user has: left behind by an enrolment, or of one that is going on. */
  unassigned: string[];
  /** What a user lacks, in words; empty when nobody lacks anything. */
  shortfalls: { userName: string; text: string }[];
}

/** What the inventory is made from. */
export interface InventoryInput {
  userNames: readonly string[];
  enrolled: readonly EvidenceOf<"deviceEnrolled">[];
  removed: readonly EvidenceOf<"deviceRemoved">[];
  /** Enabled devices by user, as IAM tells. */
  enabled: ReadonlyMap<string, readonly EnabledDevice[]>;
  unassigned: readonly string[];
}

/** Joins what IAM has with who is recorded to hold it. */
export function inventory(input: InventoryInput): Inventory {
  const held = heldDevices(input.enrolled, input.removed);
  const devices: InventoryDevice[] = [];
  const gone: Inventory["gone"] = [];
  const shortfalls: Inventory["shortfalls"] = [];
  for (const userName of input.userNames) {
    const recorded = new Map(
      held.filter((device) => device.userName === userName).map((device) => [device.serialNumber, device]),
    );
    const enabled = input.enabled.get(userName) ?? [];
    for (const { serialNumber, enabledAt } of enabled) {
      const record = recorded.get(serialNumber);
      const holder = record?.holder ?? holderByName(userName, serialNumber);
      devices.push({
        userName,
        serialNumber,
        kind: deviceKind(serialNumber),
        ...(holder && { holder }),
        source: record ? "recorded" : holder ? "name" : "unknown",
        since: enabledAt || record?.since || "",
      });
      recorded.delete(serialNumber);
    }
    for (const { serialNumber, holder } of recorded.values()) gone.push({ userName, serialNumber, holder });
    const text = shortfall(enabled.map(({ serialNumber }) => serialNumber));
    if (text) shortfalls.push({ userName, text });
  }
  const unassigned = input.unassigned.filter((serialNumber) =>
    input.userNames.some((userName) => holderByName(userName, serialNumber)),
  );
  return { devices, gone, unassigned, shortfalls };
}

/** What a user with these devices lacks; undefined when nothing. */
export function shortfall(serialNumbers: readonly string[]): string | undefined {
  const totp = serialNumbers.filter((serialNumber) => deviceKind(serialNumber) === "totp").length;
  const lacks = [
    ...(serialNumbers.length < NEEDED.devices
      ? [`${serialNumbers.length} of at least ${NEEDED.devices} devices`]
      : []),
    ...(totp < NEEDED.totp ? ["no TOTP device, and a security key may not work during an outage"] : []),
  ];
  return lacks.length ? lacks.join("; ") : undefined;
}

/** What removing a device would leave the user without; undefined when that is not less than is needed or was lacking before. */
export function shortfallWithout(serialNumbers: readonly string[], removed: string): string | undefined {
  const left = serialNumbers.filter((serialNumber) => serialNumber !== removed);
  return left.length === serialNumbers.length ? undefined : shortfall(left);
}
