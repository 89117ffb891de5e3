/**
 * What follows from the evidence. Pure.
 */
import type { EvidenceOf } from "./record";

/** A password that has to be changed because it was used. */
export interface RotationDue {
  userName: string;
  /** When the use that demands it began, ISO 8601 in UTC. */
  usedAt: string;
  useId: string;
}

/**
 * The users whose password was used and not changed since: each with its earliest such use. A password that is only prepared does not count,
 * and one that was set while the use was going on does: whoever was signed in knows it no longer.
 *
 * @param passwordChangedAt when IAM says the user's password was last changed; it counts like an effective rotation, since a password can be
 * changed past this program. Users that are not in it are judged by the records alone.
 */
export function rotationDue(
  uses: readonly EvidenceOf<"useOpened">[],
  passwords: readonly EvidenceOf<"passwordIssued">[],
  passwordChangedAt: ReadonlyMap<string, string> = new Map(),
): RotationDue[] {
  const changed = new Map(passwordChangedAt);
  for (const { userName, at, state } of passwords) {
    if (state === "effective" && at > (changed.get(userName) ?? "")) changed.set(userName, at);
  }
  const due = new Map<string, RotationDue>();
  for (const { userName, at, useId } of uses) {
    if (latest(at) <= (changed.get(userName) ?? "")) continue;
    const earlier = due.get(userName);
    if (!earlier || at < earlier.usedAt) due.set(userName, { userName, usedAt: at, useId });
  }
  return [...due.values()].sort((a, b) => (a.userName < b.userName ? -1 : 1));
}

/** When a use can have begun at the latest: CloudTrail's times are whole seconds, those of a change are not. */
function latest(at: string): string {
  return at.replace(/\.000Z$/, ".999Z");
}

/** A device and who holds it, as recorded. */
export interface HeldDevice {
  userName: string;
  serialNumber: string;
  deviceKind: "totp" | "fido";
  holder: string;
  since: string;
}

/** The devices that were enrolled and not removed since. */
export function heldDevices(
  enrolled: readonly EvidenceOf<"deviceEnrolled">[],
  removed: readonly EvidenceOf<"deviceRemoved">[],
): HeldDevice[] {
  const removedAt = new Map<string, string>();
  for (const { serialNumber, at } of removed) {
    if (at > (removedAt.get(serialNumber) ?? "")) removedAt.set(serialNumber, at);
  }
  const held = new Map<string, HeldDevice>();
  for (const { userName, serialNumber, deviceKind, holder, at } of enrolled) {
    if (at <= (removedAt.get(serialNumber) ?? "")) continue;
    if (at >= (held.get(serialNumber)?.since ?? ""))
      held.set(serialNumber, { userName, serialNumber, deviceKind, holder, since: at });
  }
  return [...held.values()].sort((a, b) =>
    `${a.userName} ${a.serialNumber}` < `${b.userName} ${b.serialNumber}` ? -1 : 1,
  );
}
