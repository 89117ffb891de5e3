import { type ActivationRecord, type Decision, mayAct, type PeerView, planContact } from "./record";
import { ActivationConflict, type ActivationStore, ActivationUnreadable, sameRecord } from "./store";

/** A cell's side: its name and where its record is kept. */
export interface Side {
  cell: string;
  region: string;
  store: ActivationStore;
}

/** What a worker's check needs. */
export interface CheckInput {
  own: Side;
  peer: Side;
  /** The worker's name, recorded as `changedBy` if the record has to change. */
  by: string;
  /** @default the system's clock */
  now?: () => Date;
}

/** A check's outcome and the records that it was made from. */
export interface CheckResult {
  decision: Decision;
  own: ActivationRecord | undefined;
  peer: PeerView;
}

/** A record that changes under a check changes because someone promotes: a few rounds see the end of it. */
const ROUNDS = 5;

/**
 * A worker's check: at the start of its run and, again, before each destructive step. Reads the own record, then the peer's, and
 * writes the own one if what was seen demands it: stands down to a higher epoch, or notes that a region which was declared dead has
 * been seen again. Only after that write does it say "act".
 *
 * The order of the reads matters. Own before peer: whoever passes has read an own epoch that is above the peer's later one, which cannot
 * be true of both sides at once. And where the peer does not answer, own once more: waiting for a lost region takes seconds, in which
 * the own record may have been told of the peer's return.
 *
 * @throws ActivationUnreadable when the own record cannot be read or written: then there must be no action either.
 */
export async function checkActivation({
  own,
  peer,
  by,
  now = () => new Date(),
}: CheckInput): Promise<CheckResult> {
  for (let round = 1; ; round++) {
    const record = await own.store.read(own.cell);
    if (!record)
      return {
        decision: mayAct({ own: record, peer: { unreadable: true } }),
        own: record,
        peer: { unreadable: true },
      };
    const view = await look(peer);
    const result = { decision: mayAct({ own: record, peer: view }), own: record, peer: view };
    let settled: boolean;
    if ("unreadable" in view) {
      settled = !result.decision.act || sameRecord(await own.store.read(own.cell), record);
    } else {
      const change = planContact(record, view.read, { by, at: now() });
      settled = !change;
      if (change) await writeUnlessChanged(own.store, change, record);
    }
    if (settled) return result;
    if (round === ROUNDS) {
      throw new ActivationConflict(
        `the record of ${own.cell} (${own.region}) keeps changing during the check: nothing was done, the next run tries again`,
      );
    }
  }
}

/** The peer's record, or that it cannot be read, for whatever reason. */
export async function look(side: Side): Promise<PeerView & { error?: ActivationUnreadable }> {
  try {
    return { read: await side.store.read(side.cell) };
  } catch (error) {
    if (!(error instanceof ActivationUnreadable)) throw error;
    return { unreadable: true, error };
  }
}

async function writeUnlessChanged(
  store: ActivationStore,
  record: ActivationRecord,
  expected: ActivationRecord,
): Promise<void> {
  try {
    await store.write(record, expected);
  } catch (error) {
    // Someone else was faster: the next round looks at what they wrote.
    if (!(error instanceof ActivationConflict)) throw error;
  }
}
