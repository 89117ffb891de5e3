import { appendEverywhere, readEverywhere } from "../records/bothCells";
import { type EvidenceOf, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";
import { currentPasswords, lastEffective } from "./currentPasswords";
import type { CustodianKey } from "./custodianKey";
import { CustodyError } from "./custodyError";
import { type InventoryDevice, inventory, isLeftBehind } from "./devices";
import type { EnabledDevice } from "./identity";
import { type RemovalResult, removeDevice } from "./removeDevice";
import { type CustodyTools, type RotationResult, rotatePassword } from "./rotate";

/** A custodian leaves. */
export interface LeaveRequest {
  custodian: string;
  successor: string;
  /** The successor's. */
  key: CustodianKey;
  /** Every emergency user with the custodian whom the configuration names. */
  users: readonly { userName: string; custodian: string }[];
  /** Removes their devices even where the user is left with fewer than are needed. */
  force: boolean;
  /** Characters of new passwords. @default 40 */
  length?: number;
}

/** What became of it. */
export interface LeaveResult {
  custodian: string;
  successor: string;
  /** When it was recorded that they left. */
  leftAt: string;
  /** Whether an earlier run had begun it. */
  resumed: boolean;
  rotated: RotationResult[];
  removed: RemovalResult[];
  /** What is still to be done, in words; empty when everything is. */
  remaining: string[];
  /** Users that lack devices now. */
  shortfalls: { userName: string; text: string }[];
  /** Devices whose holder nobody knows: one of them may be the leaver's. */
  unknownDevices: InventoryDevice[];
  /** Positions in the configured list of custodians that still name the one who left. */
  configured: number[];
}

/**
 * Rotates everything that a custodian held: records that they left, gives the passwords that they could open to the successor, and removes
 * their devices. Every step looks at what is there, so a run that was cut off is completed by running it again.
 *
 * Passwords come first: without one, a device opens nothing.
 *
 * @throws CustodyError, EvidenceUnavailable when nothing could be begun.
 */
export async function custodianLeaves(tools: CustodyTools, request: LeaveRequest): Promise<LeaveResult> {
  const { identity, sides } = tools;
  const { custodian, successor, key, users, force } = request;
  if (custodian === successor) {
    throw new CustodyError("refused", `${custodian} cannot be their own successor. Nothing was changed.`);
  }
  const [passwords, enrolled, removedBefore, left] = await Promise.all([
    readEverywhere(sides, "passwordIssued"),
    readEverywhere(sides, "deviceEnrolled"),
    readEverywhere(sides, "deviceRemoved"),
    readEverywhere(sides, "custodianLeft"),
  ]);
  if (
    passwords.records.some(
      (record) => record.custodian === custodian && record.keyFingerprint === key.fingerprint,
    )
  ) {
    throw new CustodyError(
      "refused",
      `The successor's key is the one of ${custodian} (${key.fingerprint}), who could still open everything. Give the successor's own key. Nothing was changed.`,
    );
  }
  const enabled = new Map<string, EnabledDevice[]>();
  for (const { userName } of users) enabled.set(userName, await identity.devices(userName));
  const { devices, gone, unassigned } = inventory({
    userNames: users.map(({ userName }) => userName),
    enrolled: enrolled.records,
    removed: removedBefore.records,
    enabled,
    unassigned: await identity.unassignedDevices(),
  });
  // What an earlier run took away from its user but could not delete or record any more is theirs as well.
  const theirs = [
    ...[...devices, ...gone].filter(({ holder }) => holder === custodian),
    ...users.flatMap(({ userName }) =>
      unassigned
        .filter((serialNumber) => isLeftBehind(serialNumber, userName, custodian))
        .map((serialNumber) => ({ userName, serialNumber })),
    ),
  ].filter(
    ({ serialNumber }, index, all) => all.findIndex((each) => each.serialNumber === serialNumber) === index,
  );
  const holds = (user: LeaveRequest["users"][number]) => holdsPassword(passwords.records, user, custodian);
  const known = left.records.filter((record) => record.custodian === custodian);
  if (!known.length && !theirs.length && !users.some((user) => user.custodian === custodian || holds(user))) {
    throw new CustodyError(
      "refused",
      `${custodian} holds nothing: no password was issued to them and no device is recorded as theirs. Is the address right? Custodians are ${[...new Set(users.map((user) => user.custodian))].join(", ")}. Nothing was changed.`,
    );
  }
  const concerned = users.filter(
    (user) =>
      holds(user) ||
      user.custodian === custodian ||
      theirs.some(({ userName }) => userName === user.userName),
  );
  const begun = known.filter(
    (record) =>
      record.successor === successor && record.at > lastGiven(passwords.records, enrolled.records, custodian),
  );
  const leftAt =
    begun.at(-1)?.at ??
    (await recordDeparture(
      tools,
      request,
      concerned.map(({ userName }) => userName),
    ));

  const result: LeaveResult = {
    custodian,
    successor,
    leftAt,
    resumed: begun.length > 0,
    rotated: [],
    removed: [],
    remaining: [],
    shortfalls: [],
    unknownDevices: devices.filter(({ holder }) => holder === undefined),
    configured: users.flatMap((user, index) => (user.custodian === custodian ? [index] : [])),
  };
  for (const user of concerned) {
    const { userName } = user;
    if (holds(user)) {
      await attempt(result, `the password of ${userName}`, async () => {
        const rotation = await rotatePassword(tools, {
          userName,
          custodian: successor,
          key,
          cause: "custodianLeft",
          length: request.length,
        });
        result.rotated.push(rotation);
        if (rotation.outcome === "unknown") {
          result.remaining.push(`the password of ${userName}: IAM did not say whether it was set`);
        }
      });
    }
    for (const { serialNumber } of theirs.filter((device) => device.userName === userName)) {
      await attempt(result, `device ${serialNumber} of ${userName}`, async () => {
        const reason = `${custodian} left`;
        result.removed.push(
          await removeDevice(tools, { userName, serialNumber, reason, recorded: true, force }),
        );
      });
    }
  }
  for (const { userName, shortfall: text } of result.removed) {
    if (text) result.shortfalls.push({ userName, text });
  }
  return result;
}

/** Whether the custodian can open what may be the user's valid password. */
function holdsPassword(
  records: readonly EvidenceOf<"passwordIssued">[],
  user: { userName: string; custodian: string },
  custodian: string,
): boolean {
  const last = lastEffective(records, user.userName);
  if (!last) return user.custodian === custodian;
  return currentPasswords(records, user.userName).some(
    (record) => record.state === "effective" && record.custodian === custodian,
  );
}

/** When the custodian was last given anything: a departure before that is over. */
function lastGiven(
  passwords: readonly EvidenceOf<"passwordIssued">[],
  enrolled: readonly EvidenceOf<"deviceEnrolled">[],
  custodian: string,
): string {
  return [
    ...passwords.filter((record) => record.state === "effective" && record.custodian === custodian),
    ...enrolled.filter((record) => record.holder === custodian),
  ].reduce((last, { at }) => (at > last ? at : last), "");
}

async function recordDeparture(
  { sides, by, now = () => new Date() }: CustodyTools,
  { custodian, successor }: LeaveRequest,
  userNames: string[],
): Promise<string> {
  const at = now().toISOString();
  await appendEverywhere(sides, {
    kind: "custodianLeft",
    id: recordId(at, custodian),
    at,
    by,
    custodian,
    successor,
    userNames,
  });
  return at;
}

/** Carries on with the other users and devices when one fails: the more is rotated, the better. */
async function attempt(result: LeaveResult, what: string, carryOut: () => Promise<void>): Promise<void> {
  try {
    await carryOut();
  } catch (error) {
    if (!(error instanceof CustodyError || error instanceof EvidenceUnavailable)) throw error;
    result.remaining.push(`${what}: ${error.message}`);
  }
}
