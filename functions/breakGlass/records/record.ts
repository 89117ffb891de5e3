/**
 * Evidence about emergency access: what happened, when, and who did it. Never a password, a seed or a key; a password only as the PGP
 * message that its custodian alone can open.
 *
 * Records are facts and never change: they are appended to a table of each cell, and whoever reads takes the union of both. So a region that
 * was lost while something was recorded knows it again as soon as it is told, and no order of writing matters.
 */
import * as z from "zod";

const time = z.iso.datetime();
const userName = z.string().min(1).max(64);
const text = z.string().max(2_000);

const base = {
  /** Unique; begins with `at`, so that records of one kind sort by time. See {@link recordId}. */
  id: z.string().min(1).max(200),
  /** When it happened, ISO 8601 in UTC. */
  at: time,
  /** Who did it: an ARN, or the name of the function that did. */
  by: z.string().min(1).max(2_048),
};

/** A new password. */
const passwordIssued = z.object({
  ...base,
  kind: z.literal("passwordIssued"),
  userName,
  /** Groups the records of one rotation. */
  rotationId: z.string().min(1).max(100),
  /**
   * `prepared`: encrypted and kept, and about to be set; whether it was set is not known. `effective`: set. A rotation writes the first before
   * it changes anything, so that no moment exists in which nobody could open the valid password. `abandoned`: certainly not set.
   */
  state: z.enum(["prepared", "effective", "abandoned"]),
  /**
   * Rotations that were over when this one was prepared, so that none of their passwords is valid once this one is effective. Not told by
   * times: two machines' clocks differ, and of two rotations at the same time nobody knows which came last.
   * @default none
   */
  replaces: z.array(z.string().min(1).max(100)).max(100).optional(),
  custodian: z.string().min(1).max(320),
  /** Fingerprint of the PGP key that it is encrypted to, in upper-case hex. */
  keyFingerprint: z.string().regex(/^[0-9A-F]{40,64}$/),
  /** The PGP message, ASCII-armoured. */
  ciphertext: z.string().max(20_000),
  cause: z.enum(["rotation", "afterUse", "custodianLeft"]),
});

/** An MFA device was enabled. */
const deviceEnrolled = z.object({
  ...base,
  kind: z.literal("deviceEnrolled"),
  userName,
  serialNumber: z.string().min(1).max(256),
  deviceKind: z.enum(["totp", "fido"]),
  /** Who holds it. */
  holder: z.string().min(1).max(320),
});

/** An MFA device was taken away from its user. */
const deviceRemoved = z.object({
  ...base,
  kind: z.literal("deviceRemoved"),
  userName,
  serialNumber: z.string().min(1).max(256),
  reason: text,
});

/**
 * A custodian has left. It is written first: from then on nothing is issued to them any more. Whether all that they held was rotated follows
 * from the other records.
 */
const custodianLeft = z.object({
  ...base,
  kind: z.literal("custodianLeft"),
  custodian: z.string().min(1).max(320),
  successor: z.string().min(1).max(320),
  userNames: z.array(userName),
});

/** An emergency user began to be used. */
const useOpened = z.object({
  ...base,
  kind: z.literal("useOpened"),
  userName,
  useId: z.string().min(1).max(200),
  /** The cell that saw it. */
  cell: z.string().min(1).max(64),
  /** What was seen first, such as `ConsoleLogin`. */
  firstCall: z.string().min(1).max(256),
  region: z.string().min(1).max(64),
});

/** Nothing was seen any more for the idle time: the use is over. */
const useClosed = z.object({
  ...base,
  kind: z.literal("useClosed"),
  userName,
  useId: z.string().min(1).max(200),
  cell: z.string().min(1).max(64),
  startedAt: time,
  endedAt: time,
  events: z.number().int().positive(),
});

/** A drill was held. */
const drillHeld = z.object({
  ...base,
  kind: z.literal("drillHeld"),
  startedAt: time,
  participants: z.array(z.string().min(1).max(320)),
  userName,
  region: z.string().min(1).max(64),
  outcome: z.enum(["passed", "failed", "aborted"]),
  steps: z.array(
    z.object({
      name: z.string().min(1).max(200),
      outcome: z.enum(["passed", "failed", "skipped"]),
      evidence: text.optional(),
    }),
  ),
});

/** What a stored record has to look like. */
export const evidenceRecordSchema = z.discriminatedUnion("kind", [
  passwordIssued,
  deviceEnrolled,
  deviceRemoved,
  custodianLeft,
  useOpened,
  useClosed,
  drillHeld,
]);

/** One fact about emergency access. */
export type EvidenceRecord = z.infer<typeof evidenceRecordSchema>;

/** The kinds of records. */
export type EvidenceKind = EvidenceRecord["kind"];

/** All kinds, for whoever reads everything. */
export const EVIDENCE_KINDS: readonly EvidenceKind[] = evidenceRecordSchema.options.map(
  (option) => option.shape.kind.value,
);

/** A record of one kind. */
export type EvidenceOf<Kind extends EvidenceKind> = Extract<EvidenceRecord, { kind: Kind }>;

/**
 * The id of a record. The same fact told twice, by a retry or by a repair, has to get the same id, so the second part is chosen by the
 * caller: an event's id, a rotation's id, a random one for what happens once.
 * @param at when it happened, ISO 8601 in UTC
 * @param unique what tells it from others of that moment
 */
export function recordId(at: string, unique: string): string {
  return `${at}#${unique}`;
}
