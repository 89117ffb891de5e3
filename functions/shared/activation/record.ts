/**
 * The activation protocol: which of two cells may do what only one of them may do (key rotation, the boundary manager). Pure rules
 * over the two cells' records; `promote.ts` and `check.ts` carry them out over stores. The sentences quoted are those of the
 * design's section "Activation: one writer, no split brain".
 *
 * What is certain, and tested by `tests/functions/activation/protocol.test.ts` over arbitrary interleavings: two workers of different
 * cells never pass the check during overlapping checks, unless operators have declared each side dead to the other and neither side
 * has seen the other since. What is not covered: a step that began just before a promotion may end just after it, so
 * every destructive step must be idempotent in itself.
 */
import * as z from "zod";

/** A cell's activation record. Each cell has one, in a table of its own region. */
export const activationRecordSchema = z.strictObject({
  /** Name of the cell that the record belongs to, never of the other one. */
  cell: z.string().min(1),
  /** Whether the cell is meant to act. */
  active: z.boolean(),
  /** Number of the cell's own last promotion; 0: never promoted. Never falls. */
  epoch: z.int().min(0),
  /**
   * Whether the peer's record must be read before the cell acts. False only from the moment when an operator promoted the cell and
   * declared the peer's region dead, until that region is seen again.
   */
  peerRequired: z.boolean(),
  /** Highest epoch number that the cell knows of, its own included: a promotion goes above it even if the peer cannot be read. */
  highestSeen: z.int().min(0),
  /** Time of the last change, ISO 8601, UTC. Informs people; nothing is decided by it. */
  changedAt: z.iso.datetime(),
  /** Who or what made the last change: an ARN or a function's name. */
  changedBy: z.string().min(1).max(512),
  /** Why, in the words of whoever changed it. */
  reason: z.string().min(1).max(1024),
});

export type ActivationRecord = z.infer<typeof activationRecordSchema>;

/** What is known of the peer just now: its record as read (undefined: its table answered and holds none), or that it did not answer. */
export type PeerView = { read: ActivationRecord | undefined } | { unreadable: true };

/** Who changes a record, when and why. */
export interface Change {
  by: string;
  reason: string;
  at: Date;
}

/** The record that a cell starts with. */
export function initialRecord(cell: string, active: boolean): ActivationRecord {
  return {
    cell,
    active,
    epoch: active ? 1 : 0,
    // Both sides know that one of them starts as active with epoch 1, even if they never saw each other.
    highestSeen: 1,
    peerRequired: true,
    changedAt: new Date(0).toISOString(),
    changedBy: "deployment",
    reason: active ? "initially active" : "initially standby",
  };
}

/** "epochs are ordered by number, then cell name, so no two are equal". Negative: `a` is lower. 0 only for records of one cell. */
export function compareEpochs(
  a: Pick<ActivationRecord, "cell" | "epoch">,
  b: Pick<ActivationRecord, "cell" | "epoch">,
): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  // Code units, not the locale: the order must be the same everywhere.
  if (a.cell === b.cell) return 0;
  return a.cell < b.cell ? -1 : 1;
}

/** Why a cell may not act. */
export type Refusal =
  /** The cell has no record: it was never set up. */
  | "no-record"
  /** The record says that the cell is not active. */
  | "standby"
  /** The peer was promoted later than this cell. */
  | "higher-epoch-at-peer"
  /** The peer was once declared on its own and may be acting right now without asking. */
  | "peer-acts-alone"
  /** The peer's record could not be read, and nobody has declared its region dead. */
  | "peer-unreadable";

export type Decision = { act: true } | { act: false; reason: Refusal };

/** What each refusal means, for people: status pages, log lines and messages. */
export const REFUSALS: Record<Refusal, string> = {
  "no-record": "the cell has no activation record: deploy its stack",
  standby: "the cell is on standby",
  "higher-epoch-at-peer": "the peer was promoted later: this cell stands down",
  "peer-acts-alone":
    "the peer was promoted while this region was declared dead and may still act without asking: wait until it has seen this region, or fail back",
  "peer-unreadable":
    "the peer's record cannot be read: wait, or promote this cell and declare the peer's region dead",
};

function refuse(reason: Refusal): Decision {
  return { act: false, reason };
}

/**
 * Whether the cell may act now. "A worker acts only if its cell is active and either the peer's record was read just now and holds no
 * higher epoch, or `peerRequired` is false".
 *
 * `own` must have been read before the peer was asked: with that order, and epochs that never fall, two cells cannot pass during
 * overlapping checks. `check.ts` keeps the order.
 */
export function mayAct({ own, peer }: { own: ActivationRecord | undefined; peer: PeerView }): Decision {
  if (!own) return refuse("no-record");
  // "A worker acts only if its cell is active"
  if (!own.active) return refuse("standby");
  if ("unreadable" in peer) {
    // "a cell that comes back, or is cut off, without having been promoted does nothing destructive until it has read its peer":
    // only a promotion that declared the peer dead makes peerRequired false.
    return own.peerRequired ? refuse("peer-unreadable") : { act: true };
  }
  // The peer's region answered and holds no record: without one the peer cannot act.
  if (!peer.read) return { act: true };
  // "and holds no higher epoch". The peer's `active` does not matter: a cell that stood down keeps its epoch, and only a new
  // promotion, which goes above it, makes this cell a writer again.
  if (compareEpochs(peer.read, own) > 0) return refuse("higher-epoch-at-peer");
  // "What no protocol can prevent, two operators each declaring the other side dead, [...] ends at the first contact": whichever
  // side makes that contact. If it is this one, the peer does not know yet, so this one waits until the peer has stood down.
  if (peer.read.active && !peer.read.peerRequired) return refuse("peer-acts-alone");
  return { act: true };
}

/**
 * The own record as it has to become once the peer has been read, or undefined when it stands as it should.
 * A worker writes it before it acts.
 */
export function planContact(
  own: ActivationRecord,
  peer: ActivationRecord | undefined,
  change: Omit<Change, "reason">,
): ActivationRecord | undefined {
  // "and stands down to a higher epoch"
  if (peer && own.active && compareEpochs(peer, own) > 0) {
    return planStandDown(own, Math.max(peer.epoch, peer.highestSeen), {
      ...change,
      reason: `${peer.cell} was promoted later (epoch ${peer.epoch})`,
    });
  }
  const highestSeen = Math.max(own.highestSeen, peer?.epoch ?? 0, peer?.highestSeen ?? 0);
  // "`peerRequired` [...] is false until that region is seen again"
  if (!own.peerRequired) {
    return {
      ...own,
      ...stamp({ ...change, reason: "the peer's region answers again" }),
      peerRequired: true,
      highestSeen,
    };
  }
  // So that a later promotion, made while the peer cannot be read, goes above what the peer holds.
  if (highestSeen > own.highestSeen) {
    return { ...own, ...stamp({ ...change, reason: `saw epoch ${highestSeen} at the peer` }), highestSeen };
  }
  return undefined;
}

/** A record after standing down: not active, asks its peer again, and keeps its epoch, which never falls. */
export function planStandDown(own: ActivationRecord, highestSeen: number, change: Change): ActivationRecord {
  return {
    ...own,
    ...stamp(change),
    active: false,
    peerRequired: true,
    highestSeen: Math.max(own.highestSeen, highestSeen),
  };
}

/** One step of a plan: a conditional write in one of the two regions. */
export interface PlannedWrite {
  side: "own" | "peer";
  /** The record to write. */
  record: ActivationRecord;
  /** The record that must still be there. */
  expected: ActivationRecord;
  /** Whether the plan stops, unfinished, when this write fails. */
  required: boolean;
}

/** Why a promotion is refused before anything is written. */
export type PromotionRefusal = "no-record" | "peer-unreadable" | "not-failed-over";

export type PromotionPlan =
  | { refused: PromotionRefusal }
  | {
      refused?: undefined;
      /** To be made in this order, each only after the one before. Empty: all is as it should be. */
      writes: PlannedWrite[];
      /** The promoted cell's record when all is done. */
      promoted: ActivationRecord;
    };

/**
 * The writes that make `own` the acting cell. "Promotion is one conditional data-plane write in the surviving region (active, epoch =
 * highest seen + 1), then a best-effort write in the other." Planned anew from what was read, it is idempotent: run again after a
 * crash between any two writes it plans what is left.
 *
 * @param declaredDead whether the operator declared the peer's region dead. Counts only if the peer did not answer.
 */
export function planPromotion(situation: {
  own: ActivationRecord | undefined;
  peer: PeerView;
  declaredDead: boolean;
  change: Change;
}): PromotionPlan {
  const { own, peer, declaredDead, change } = situation;
  if (!own) return { refused: "no-record" };
  if ("unreadable" in peer) {
    if (!declaredDead) return { refused: "peer-unreadable" };
    // Already promoted against a dead peer, which has not been seen since: the run before this one did all there is to do.
    if (own.active && !own.peerRequired) return { writes: [], promoted: own };
    // "when the operator declared it dead (typed confirmation of the region), it is false until that region is seen again"
    const promoted = promotedRecord(own, own.highestSeen, false, change);
    return { writes: [{ side: "own", record: promoted, expected: own, required: true }], promoted };
  }
  const other = peer.read;
  const writes: PlannedWrite[] = [];
  if (own.active && (!other || compareEpochs(own, other) > 0)) {
    // Already the later one of the two. "When the other answered, `peerRequired` is true".
    const promoted = planContact(own, other, change);
    if (promoted) writes.push({ side: "own", record: promoted, expected: own, required: true });
    if (other && needsStandDown(other, own.epoch)) writes.push(standDownPeer(other, own, change));
    return { writes, promoted: promoted ?? own };
  }
  // "epoch = highest seen + 1"
  const seen = Math.max(own.highestSeen, other?.epoch ?? 0, other?.highestSeen ?? 0);
  const promoted = promotedRecord(own, seen, true, change);
  let latest = other;
  if (other?.active && !other.peerRequired) {
    // The peer may act without reading this side: "it is false until that region is seen again", and now it is seen. Unless
    // the peer's record says so first, a later loss of the peer's region would leave two cells that need not ask each other.
    const met = {
      ...other,
      ...stamp({ ...change, reason: `${own.cell} answers again: ${change.reason}` }),
      peerRequired: true,
    };
    writes.push({ side: "peer", record: met, expected: other, required: true });
    latest = met;
  }
  writes.push({ side: "own", record: promoted, expected: own, required: true });
  if (latest && needsStandDown(latest, promoted.epoch)) writes.push(standDownPeer(latest, promoted, change));
  return { writes, promoted };
}

/**
 * The writes that give the work back to `own` after the peer was promoted in its place: a promotion for which the peer must answer, so that
 * it can be stood down in the same run. Declaring a region dead is not failing back.
 */
export function planFailback(situation: {
  own: ActivationRecord | undefined;
  peer: PeerView;
  change: Change;
}): PromotionPlan {
  const { own, peer } = situation;
  if (own && "read" in peer && !peer.read) return { refused: "not-failed-over" };
  return planPromotion({ ...situation, declaredDead: false });
}

function promotedRecord(
  own: ActivationRecord,
  seen: number,
  peerRequired: boolean,
  change: Change,
): ActivationRecord {
  const epoch = Math.max(seen, own.highestSeen, own.epoch) + 1;
  return { ...own, ...stamp(change), active: true, epoch, highestSeen: epoch, peerRequired };
}

function needsStandDown(peer: ActivationRecord, promotedEpoch: number): boolean {
  return peer.active || peer.highestSeen < promotedEpoch;
}

/** "then a best-effort write in the other": if it fails, the other side stands down by itself as soon as it reads this one. */
function standDownPeer(peer: ActivationRecord, promoted: ActivationRecord, change: Change): PlannedWrite {
  const reason = `${promoted.cell} was promoted (epoch ${promoted.epoch}): ${change.reason}`.slice(0, 1024);
  const record = planStandDown(peer, promoted.epoch, { ...change, reason });
  return { side: "peer", record, expected: peer, required: false };
}

function stamp({ by, reason, at }: Change): Pick<ActivationRecord, "changedAt" | "changedBy" | "reason"> {
  return { changedAt: at.toISOString(), changedBy: by, reason: reason.slice(0, 1024) };
}
