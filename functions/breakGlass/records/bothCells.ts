/**
 * Evidence of both cells. Writing takes one answer at least; reading takes the union of what answers.
 */
import type { EvidenceKind, EvidenceOf, EvidenceRecord } from "./record";
import { type EvidenceStore, EvidenceUnavailable } from "./store";

/** A cell's store with the names for messages. */
export interface EvidenceSide {
  /** The cell's name. */
  cell: string;
  region: string;
  store: EvidenceStore;
}

/** What became of a write in one cell. */
export interface EvidenceWrite {
  cell: string;
  region: string;
  recorded: boolean;
  /** Why not. */
  error?: string;
}

/** What was read, and from where. */
export interface EvidenceReading<Kind extends EvidenceKind> {
  /** The union, oldest first. */
  records: EvidenceOf<Kind>[];
  /** Cells that did not answer, with the reason: the union may lack what only they know. */
  unanswered: { cell: string; region: string; error: string }[];
}

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Appends to every side at the same time.
 * @returns what became of it, in the order of the sides
 * @throws EvidenceUnavailable when no side took it.
 */
export async function appendEverywhere(
  sides: readonly EvidenceSide[],
  record: EvidenceRecord,
): Promise<EvidenceWrite[]> {
  const writes = await Promise.all(
    sides.map(async ({ cell, region, store }): Promise<EvidenceWrite> => {
      try {
        await store.append(record);
        return { cell, region, recorded: true };
      } catch (error) {
        if (!(error instanceof EvidenceUnavailable)) throw error;
        return { cell, region, recorded: false, error: message(error) };
      }
    }),
  );
  if (!writes.some(({ recorded }) => recorded)) {
    throw new EvidenceUnavailable(
      `nothing was recorded: ${writes.map(({ cell, error }) => `${cell}: ${error}`).join("; ")}`,
    );
  }
  return writes;
}

/**
 * Reads a kind from every side at the same time.
 * @throws EvidenceUnavailable when no side answered.
 */
export async function readEverywhere<Kind extends EvidenceKind>(
  sides: readonly EvidenceSide[],
  kind: Kind,
  since?: string,
): Promise<EvidenceReading<Kind>> {
  const answers = await Promise.allSettled(sides.map(({ store }) => store.list(kind, since)));
  const unanswered = answers.flatMap((answer, index) => {
    if (answer.status === "fulfilled") return [];
    if (!(answer.reason instanceof EvidenceUnavailable)) throw answer.reason;
    const { cell, region } = sides[index]!;
    return [{ cell, region, error: message(answer.reason) }];
  });
  if (unanswered.length === sides.length) {
    throw new EvidenceUnavailable(
      `no cell answers: ${unanswered.map(({ cell, error }) => `${cell}: ${error}`).join("; ")}`,
    );
  }
  return {
    records: union(answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))),
    unanswered,
  };
}

/** Each record once, oldest first. */
export function union<Record extends EvidenceRecord>(records: readonly Record[]): Record[] {
  const byKey = new Map(records.map((record) => [`${record.kind} ${record.id}`, record]));
  return [...byKey.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
