import type { AccountAnswer } from "../account/work";
import type { InventoryKey, UserOutcome } from "../engine/result";

/** What a report shows: counts, and the cases that need somebody. Its size does not grow with the number of keys. */
export interface Figures {
  runId: string;
  cell: string;
  mode: "audit" | "enforce";
  startedAt: string;
  /** `run`, `standby`, `paused` or `none`, as the inventory said. */
  state: string;
  reason: string;
  accounts: { done: number; paused: number; failed: number; listed: number; leftOut: number };
  users: number;
  keys: number;
  activeKeys: number;
  /** Active keys by age: less than 10 days, less than 20, ...; the last holds all that are older. */
  ages: number[];
  /** Active keys by the days until they are due: due already, within 7, 30, 60, 90 days, later. */
  due: { label: string; keys: number }[];
  /** Rows of the decision table, with the number of users. */
  rows: Record<string, number>;
  /** Actions that were done, by their verbs. */
  done: Record<string, number>;
  /** What enforce mode would have done, by verbs. */
  wouldDo: Record<string, number>;
  /** Accounts that paused or failed. */
  troubledAccounts: Listing<{ accountId: string; status: string; reason: string }>;
  failures: Listing<{ accountId: string; userName: string; action: string; code: string }>;
  /** Of these cases, how many are news: errors in reading are, what an owner was told before is not. */
  newCases: number;
  /** What owners or operators have to look at. */
  cases: Listing<{ accountId: string; userName: string; row: string; what: string }>;
}

/** The first of many, and how many there are. */
interface Listing<T> {
  total: number;
  first: T[];
}

const AGE_STEP = 10;
const AGE_STEPS = 20;
const LISTED = 200;
const DUE_STEPS = [
  { label: "due now", days: 0 },
  { label: "within 7 days", days: 7 },
  { label: "within 30 days", days: 30 },
  { label: "within 60 days", days: 60 },
  { label: "within 90 days", days: 90 },
  { label: "later", days: Number.POSITIVE_INFINITY },
];

/** Sums results up, one account after the other. */
export class FigureCollector {
  readonly figures: Figures;

  constructor(
    about: Pick<Figures, "runId" | "cell" | "mode" | "startedAt" | "state" | "reason"> & {
      listed: number;
      leftOut: number;
    },
    private readonly rotateDays: number,
  ) {
    const { listed, leftOut, ...rest } = about;
    this.figures = {
      ...rest,
      accounts: { done: 0, paused: 0, failed: 0, listed, leftOut },
      users: 0,
      keys: 0,
      activeKeys: 0,
      ages: Array.from({ length: AGE_STEPS }, () => 0),
      due: DUE_STEPS.map(({ label }) => ({ label, keys: 0 })),
      rows: {},
      done: {},
      wouldDo: {},
      troubledAccounts: { total: 0, first: [] },
      failures: { total: 0, first: [] },
      newCases: 0,
      cases: { total: 0, first: [] },
    };
  }

  /** An account without a result: its step failed. */
  addFailure(accountId: string, reason: string): void {
    this.figures.accounts.failed += 1;
    add(this.figures.troubledAccounts, { accountId, status: "failed", reason });
  }

  addAccount({ accountId, status, reason = "", users, outcomes }: AccountAnswer): void {
    const { figures } = this;
    figures.accounts[status] += 1;
    figures.users += users;
    if (status !== "done" || reason !== "") add(figures.troubledAccounts, { accountId, status, reason });
    for (const outcome of outcomes) this.addOutcome(accountId, outcome);
  }

  addKeys(keys: readonly InventoryKey[]): void {
    const { figures } = this;
    for (const { active, ageDays } of keys) {
      figures.keys += 1;
      if (!active) continue;
      figures.activeKeys += 1;
      const step = Math.min(AGE_STEPS - 1, Math.max(0, Math.floor(ageDays / AGE_STEP)));
      figures.ages[step] = (figures.ages[step] ?? 0) + 1;
      const left = this.rotateDays - ageDays;
      const due = figures.due[DUE_STEPS.findIndex(({ days }) => left <= days)];
      if (due) due.keys += 1;
    }
  }

  private addOutcome(
    accountId: string,
    { userName, row, due, done, failed, told, reports }: UserOutcome,
  ): void {
    const { figures } = this;
    figures.rows[row] = (figures.rows[row] ?? 0) + 1;
    for (const action of done) count(figures.done, action);
    for (const action of due) count(figures.wouldDo, action);
    for (const { action, code } of failed) add(figures.failures, { accountId, userName, action, code });
    for (const what of reports) {
      add(figures.cases, { accountId, userName, row, what });
      if (!what.startsWith("escalate:") || told.includes(what)) figures.newCases += 1;
    }
  }
}

function count(counts: Record<string, number>, action: string): void {
  const verb = action.split(":")[0] ?? "";
  counts[verb] = (counts[verb] ?? 0) + 1;
}

function add<T>(listing: Listing<T>, item: T): void {
  listing.total += 1;
  if (listing.first.length < LISTED) listing.first.push(item);
}

/** Bounds of the age groups, for axes: 10, 20, ... */
export function ageGroup(index: number): string {
  return index === AGE_STEPS - 1
    ? `${index * AGE_STEP}+`
    : `${index * AGE_STEP}-${(index + 1) * AGE_STEP - 1}`;
}
