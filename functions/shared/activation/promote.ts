import { look, type Side } from "./check";
import {
  type ActivationRecord,
  type Decision,
  mayAct,
  type PlannedWrite,
  type PromotionPlan,
  type PromotionRefusal,
  planFailback,
  planPromotion,
  REFUSALS,
} from "./record";
import { ActivationConflict, ActivationError, ActivationUnreadable } from "./store";

/** What {@link promote} and {@link failback} need. */
export interface PromotionInput {
  /** The cell to be promoted. */
  own: Side;
  /** The other cell. */
  peer: Side;
  /** Who promotes: the ARN of the caller's identity. */
  by: string;
  /** Why, in the operator's words. */
  reason: string;
  /** @default the system's clock */
  now?: () => Date;
}

/** A write that was to be made and what became of it. */
export interface WriteReport {
  cell: string;
  region: string;
  /** `unknown`: no answer came, so it may have been written; `not-made`: an earlier one failed. */
  outcome: "written" | "refused" | "unknown" | "not-made";
  /** The record as it was to become. */
  record: ActivationRecord;
  /** Why it was not written, or not known to be. */
  error?: string;
}

/** What a promotion did. */
export interface PromotionResult {
  /** The promoted cell and its region. */
  cell: string;
  region: string;
  /** The promoted cell's record, once all required writes are made. */
  record: ActivationRecord;
  /** Whether the peer's record could be read. */
  peerAnswered: boolean;
  /** What was written where, in order. Empty: everything was as it should be already. */
  writes: WriteReport[];
  /** What to do next, a sentence each, most important first. */
  next: string[];
}

/** The peer's record could not be read and its region was not declared dead. Nothing was written. */
export class PeerUnreadable extends ActivationError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, "PeerUnreadable", options);
  }
}

/** A promotion that was refused before anything was written. */
export class PromotionRefused extends ActivationError {}

/** A promotion that stopped at a required write. `result` says what was written; running it again continues. */
export class PromotionUnfinished extends ActivationError {
  constructor(
    message: string,
    readonly result: PromotionResult,
    options?: { cause?: unknown },
  ) {
    super(message, "PromotionUnfinished", options);
  }
}

/**
 * Makes `own` the acting cell. Uses data-plane calls in the two cells' regions only, and when the peer's region is lost, no call
 * outside its own region has to succeed.
 *
 * @param input.declaredDead the peer's region, typed by the operator, to say that it is lost. Needed when the peer does not answer, for
 * then nobody can tell its loss from a broken connection. If the peer does answer, it is not taken for dead.
 * @throws PromotionRefused `declaredDead` is another region than the peer's; the cell has no record; its own region does not answer.
 * @throws PeerUnreadable the peer does not answer and was not declared dead.
 * @throws PromotionUnfinished a required write failed.
 */
export async function promote(input: PromotionInput & { declaredDead?: string }): Promise<PromotionResult> {
  const { own, peer, declaredDead } = input;
  if (declaredDead !== undefined && declaredDead !== peer.region) {
    throw new PromotionRefused(
      `"${declaredDead}" was declared dead, but the other cell, ${peer.cell}, is in ${peer.region}: ` +
        `to promote ${own.cell} without asking it, type exactly "${peer.region}"`,
      "DeclaredRegionMismatch",
    );
  }
  return carryOut(input, declaredDead !== undefined, (situation) =>
    planPromotion({ ...situation, declaredDead: declaredDead !== undefined }),
  );
}

/**
 * Gives the work back to `own`, whose region has returned. Both regions must answer, so that the other cell is stood down in the same run.
 *
 * @throws PromotionRefused a cell has no record, or the own region does not answer.
 * @throws PeerUnreadable the other cell does not answer: it may still be acting, so wait, or promote.
 * @throws PromotionUnfinished a required write failed.
 */
export async function failback(input: PromotionInput): Promise<PromotionResult> {
  return carryOut(input, false, planFailback);
}

type Planner = (situation: Parameters<typeof planFailback>[0]) => PromotionPlan;

async function carryOut(
  { own, peer, by, reason, now = () => new Date() }: PromotionInput,
  declaredDead: boolean,
  planner: Planner,
): Promise<PromotionResult> {
  // At the same time: a hung peer must not delay the word that the own region is the one in trouble.
  const [ownView, peerView] = await Promise.all([look(own), look(peer)]);
  if ("unreadable" in ownView) {
    throw new PromotionRefused(
      `${own.cell} cannot be promoted, its own region ${own.region} does not answer: ${ownView.error?.message}`,
      "OwnUnreadable",
      { cause: ownView.error },
    );
  }
  const plan = planner({ own: ownView.read, peer: peerView, change: { by, reason, at: now() } });
  if (plan.refused) throw refusal(plan.refused, own, peer, peerView.error);

  const peerAnswered = "read" in peerView;
  const sides = { own, peer };
  const result: PromotionResult = {
    cell: own.cell,
    region: own.region,
    record: plan.promoted,
    peerAnswered,
    writes: plan.writes.map((write) => ({
      cell: sides[write.side].cell,
      region: sides[write.side].region,
      outcome: "not-made",
      record: write.record,
    })),
    next: [],
  };
  for (const [index, write] of plan.writes.entries()) {
    const report = result.writes[index]!;
    const failure = await attempt(sides[write.side], write, report);
    if (failure && write.required) {
      result.next = ["Run the same command again: it continues where this run stopped."];
      throw new PromotionUnfinished(unfinished(own, report, index), result, { cause: failure });
    }
  }
  result.next = nextSteps(result, own, peer, declaredDead, peerView.error);
  return result;
}

async function attempt(side: Side, write: PlannedWrite, report: WriteReport): Promise<Error | undefined> {
  try {
    await side.store.write(write.record, write.expected);
    report.outcome = "written";
    return undefined;
  } catch (error) {
    if (!(error instanceof ActivationUnreadable) && !(error instanceof ActivationConflict)) throw error;
    const certain =
      error instanceof ActivationConflict || error.code === "Denied" || error.code === "TableMissing";
    report.outcome = certain ? "refused" : "unknown";
    report.error = error.message;
    return error;
  }
}

function refusal(code: PromotionRefusal, own: Side, peer: Side, cause: ActivationError | undefined): Error {
  switch (code) {
    case "peer-unreadable":
      return new PeerUnreadable(
        `${peer.cell} (${peer.region}) does not answer, so it may still be acting. Nothing was written. If ${peer.region} is ` +
          `lost, promote ${own.cell} and declare it dead by its name, "${peer.region}". ${cause?.message ?? ""}`.trimEnd(),
        { cause },
      );
    case "no-record":
      return new PromotionRefused(
        `${own.cell} has no activation record in ${own.region}: deploy its stack. Nothing was written.`,
        "NoRecord",
      );
    case "not-failed-over":
      return new PromotionRefused(
        `${peer.cell} has no activation record in ${peer.region}, so there is nothing to fail back from: to make ${own.cell} the ` +
          "acting cell, promote it. Nothing was written.",
        "NotFailedOver",
      );
  }
}

function unfinished(own: Side, failed: WriteReport, earlierWrites: number): string {
  const state = failed.outcome === "unknown" ? "may or may not have been written" : "was not written";
  const before = earlierWrites === 0 ? "Nothing else was written." : "The writes before it were made.";
  return `${own.cell} was not promoted: the record of ${failed.cell} (${failed.region}) ${state}. ${before} ${failed.error}`;
}

function nextSteps(
  { record, writes, peerAnswered }: PromotionResult,
  own: Side,
  peer: Side,
  declaredDead: boolean,
  peerError: ActivationUnreadable | undefined,
): string[] {
  const next: string[] = [];
  const failed = writes.find((write) => write.outcome !== "written");
  if (failed) {
    next.push(
      `${peer.cell} could not be stood down (${failed.error}). It stands down by itself when it next reads ${own.cell}'s record; ` +
        "run the same command again to do it now.",
    );
  }
  if (!record.peerRequired) {
    next.push(
      `${own.cell} acts without asking ${peer.cell} until ${peer.region} is seen again. Do not promote ${peer.cell} meanwhile.`,
      `When ${peer.region} is back: look at the status, then fail back to ${peer.cell}, or leave ${own.cell} in charge.`,
    );
  }
  if (peerError && ["Denied", "TableMissing", "Malformed"].includes(peerError.code)) {
    next.push(`Is ${peer.region} really lost? It answered, but not with a record: ${peerError.message}`);
  }
  if (declaredDead && peerAnswered) {
    next.push(
      `${peer.region} was declared dead but answers: ${own.cell} keeps reading ${peer.cell}'s record.`,
    );
  }
  return next;
}

/** One cell in {@link StatusResult}. */
export interface CellStatus {
  cell: string;
  region: string;
  /** Whether its record could be read from here. */
  answered: boolean;
  /** Undefined when it did not answer or has none. */
  record: ActivationRecord | undefined;
  /** What a worker of the cell decides if it sees what is seen from here. Undefined when the cell did not answer. */
  decision: Decision | undefined;
  /** Why it did not answer. */
  error?: string;
}

/** Both cells as seen from here. */
export interface StatusResult {
  cells: [CellStatus, CellStatus];
  /**
   * `one`: exactly one cell acts. `none`: neither. `both`: each was declared dead to the other, so both may act until they
   * see each other. `unknown`: a cell did not answer.
   */
  writers: "one" | "none" | "both" | "unknown";
  /** A sentence for each thing to know or do. Empty: all is well. */
  next: string[];
}

/** How the two cells stand. Reads, never writes. */
export async function status({ own, peer }: { own: Side; peer: Side }): Promise<StatusResult> {
  const [ownView, peerView] = await Promise.all([look(own), look(peer)]);
  const cells: [CellStatus, CellStatus] = [
    cellStatus(own, ownView, peerView),
    cellStatus(peer, peerView, ownView),
  ];
  const writers = writersOf(cells);
  const next = cells.flatMap((cell) => {
    if (!cell.answered) return [`${cell.cell} (${cell.region}) does not answer: ${cell.error}`];
    if (!cell.record) return [`${cell.cell} (${cell.region}): ${REFUSALS["no-record"]}.`];
    if (!cell.record.active || cell.decision?.act !== false) return [];
    return [`${cell.cell} (${cell.region}) is active but does not act: ${REFUSALS[cell.decision.reason]}.`];
  });
  if (writers === "both") {
    next.unshift(
      "Each cell was promoted while the other was declared dead: promote the one that is to go on, from a place that reaches both regions.",
    );
  }
  if (writers === "none") next.unshift("No cell acts: promote one.");
  return { cells, writers, next };
}

type View = Awaited<ReturnType<typeof look>>;

function cellStatus(side: Side, own: View, peer: View): CellStatus {
  const base = { cell: side.cell, region: side.region };
  if ("unreadable" in own) {
    return { ...base, answered: false, record: undefined, decision: undefined, error: own.error?.message };
  }
  return { ...base, answered: true, record: own.read, decision: mayAct({ own: own.read, peer }) };
}

function writersOf(cells: [CellStatus, CellStatus]): StatusResult["writers"] {
  if (cells.every(({ record }) => record?.active && !record.peerRequired)) return "both";
  if (cells.some((cell) => !cell.answered)) return "unknown";
  return cells.some((cell) => cell.decision?.act) ? "one" : "none";
}
