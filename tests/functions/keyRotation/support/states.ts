import type { UserStateInput } from "../../../../functions/keyRotation/decide/state";

/** A key as states have it: active, foreign, used an hour ago. */
export function key(
  id: string,
  ageDays: number,
  other: Partial<UserStateInput["keys"][number]> = {},
): UserStateInput["keys"][number] {
  return {
    id,
    ageDays,
    status: "Active",
    lastUsedDaysAgo: 0.04,
    inSecret: false,
    createdByUs: false,
    ...other,
  };
}

/** The key that a rotation made and stored. */
export const ours = (id: string, ageDays: number, other: Partial<UserStateInput["keys"][number]> = {}) =>
  key(id, ageDays, { inSecret: true, createdByUs: true, lastUsedDaysAgo: null, ...other });

/** A cell that acts. */
export const ACTING = {
  active: true,
  higherEpochAtPeer: false,
  peerReadable: true,
  peerRequired: true,
  iamReachable: true,
} as const;

/** A state in enforce mode, with the usual policy. */
export function state(keys: UserStateInput["keys"], other: Partial<UserStateInput> = {}): UserStateInput {
  return {
    keys,
    user: { exemptGroup: false, tags: {}, breakGlass: false },
    record: null,
    policy: { rotate: 90, deactivate: 100, delete: 110, idle: 3 },
    mode: "enforce",
    cell: ACTING,
    ...other,
  };
}

/** The record of a rotation from A to B. */
export function rotated(daysAgo: number, other: Record<string, unknown> = {}) {
  return {
    oldKey: "A",
    newKey: "B",
    rotatedDaysAgo: daysAgo,
    deactivatedDaysAgo: null,
    lastAction: "rotate:A",
    mailed: ["rotated:A"],
    ...other,
  };
}
