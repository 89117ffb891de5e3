/** Whether the users could prove themselves with a second factor. */
import { deviceKind } from "../../custody/devices";
import { heldDevices } from "../../records/views";
import { command } from "../command";
import { together } from "../observed";
import { either, fail, judged, ofUser, pass, perUser, type Requirement } from "../requirement";

const enrol = (userName: string) => command("bulkhead", "break-glass", "enrol", "--user", userName);

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

export const DEVICE_REQUIREMENTS: readonly Requirement[] = [
  perUser({
    id: "two-mfa-devices",
    group: "devices",
    text: "At least two MFA devices are enabled, so that one lost device locks nobody out.",
    source: "seed",
    how: "iam:ListMFADevices",
    mend: enrol,
    judge: ({ devices }) =>
      ofUser(devices, (serials) => either(serials.length >= 2, `${count(serials.length, "device")}.`)),
  }),
  perUser({
    id: "totp-device",
    group: "devices",
    text: "At least one of them gives TOTP codes: with IAM's control plane lost, a FIDO key may not complete a sign-in.",
    source: "fact 12",
    how: "iam:ListMFADevices",
    mend: enrol,
    judge: ({ devices }) =>
      ofUser(devices, (serials) => {
        const totp = serials.filter((serial) => deviceKind(serial) === "totp").length;
        return either(totp >= 1, `${count(totp, "TOTP device")}.`);
      }),
  }),
  perUser({
    id: "fido-key",
    group: "devices",
    text: "At least one of them is a FIDO key, which cannot be phished; not demanded in China, where there are none.",
    source: "fact 12",
    how: "iam:ListMFADevices",
    mend: enrol,
    judge: ({ devices }, { policy }) =>
      policy.demandsFido
        ? ofUser(devices, (serials) => {
            const fido = serials.filter((serial) => deviceKind(serial) === "fido").length;
            return either(fido >= 1, `${count(fido, "FIDO key")}.`);
          })
        : pass("Not demanded here."),
  }),
  perUser({
    id: "devices-recorded",
    group: "devices",
    text: "Every enabled device has a recorded holder: one that nobody knows may be a thief's.",
    source: "fact 29",
    how: "iam:ListMFADevices, records of devices in both cells",
    mend: () => command("bulkhead", "break-glass", "devices"),
    judge: ({ devices }, { evidence }, userName) =>
      judged(together([devices, evidence]), ([serials, records]) => {
        if (serials === null) return fail("There is no such user.");
        const held = heldDevices(records.deviceEnrolled, records.deviceRemoved);
        const known = new Set(
          held.filter((device) => device.userName === userName).map((device) => device.serialNumber),
        );
        const strange = serials.filter((serial) => !known.has(serial));
        return either(
          strange.length === 0,
          "All have a recorded holder.",
          `Nobody is recorded as holder of ${strange.join(", ")}. Find out whose it is, then record or deactivate it.`,
        );
      }),
  }),
  perUser({
    id: "devices-held-apart",
    group: "devices",
    text: "The devices are held by at least two people, none of whom has left.",
    source: "seed",
    how: "iam:ListMFADevices, records of devices and custodians in both cells",
    mend: enrol,
    judge: ({ devices }, { evidence }, userName) =>
      judged(together([devices, evidence]), ([serials, records]) => {
        if (serials === null) return fail("There is no such user.");
        const held = heldDevices(records.deviceEnrolled, records.deviceRemoved).filter(
          (device) => device.userName === userName && serials.includes(device.serialNumber),
        );
        const gone = held.filter(({ holder, since }) =>
          records.custodianLeft.some((left) => left.custodian === holder && left.at >= since),
        );
        if (gone.length > 0) {
          return fail(
            `${gone.map(({ holder, serialNumber }) => `${holder} has left and holds ${serialNumber}`).join("; ")}.`,
          );
        }
        const holders = [...new Set(held.map(({ holder }) => holder))].sort();
        return either(
          holders.length >= 2,
          `Held by ${holders.join(", ")}.`,
          holders.length === 1 ? `All are held by ${holders[0]}.` : "No holder is recorded.",
        );
      }),
  }),
];
