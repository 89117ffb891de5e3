import type { EvidenceSide } from "../records/bothCells";
import { EVIDENCE_KINDS, type EvidenceRecord } from "../records/record";
import { EvidenceUnavailable } from "../records/store";

/** What a repair did. */
export interface RepairResult {
  /** Records that a cell lacked and now has, by cell. */
  added: Record<string, number>;
  /** Cells that did not answer: nothing was repaired then. */
  unanswered: string[];
}

/**
 * Gives each cell the records that only another one has: a region that was lost while something was recorded knows it again. Records never
 * change, so there is nothing to reconcile. Nothing happens unless every cell answers.
 */
export async function repairEvidence(sides: readonly EvidenceSide[]): Promise<RepairResult> {
  const added = Object.fromEntries(sides.map(({ cell }) => [cell, 0]));
  const unanswered = new Set<string>();
  for (const kind of EVIDENCE_KINDS) {
    const answers = await Promise.all(
      sides.map((side) => answer<EvidenceRecord[]>(side, unanswered, () => side.store.list(kind))),
    );
    const union = new Map(answers.flatMap((records = []) => records.map((record) => [record.id, record])));
    for (const [index, side] of sides.entries()) {
      const records = answers[index];
      if (unanswered.size > 0 || !records) continue;
      const present = new Set(records.map(({ id }) => id));
      for (const record of union.values()) {
        if (present.has(record.id)) continue;
        const done = await answer(side, unanswered, async () => {
          await side.store.append(record);
          return true;
        });
        if (!done) break;
        added[side.cell] = (added[side.cell] ?? 0) + 1;
      }
    }
    if (unanswered.size > 0) break;
  }
  return { added, unanswered: [...unanswered] };
}

async function answer<T>(
  { cell }: EvidenceSide,
  unanswered: Set<string>,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof EvidenceUnavailable)) throw error;
    unanswered.add(cell);
    return undefined;
  }
}
