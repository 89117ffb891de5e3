import { type Facts, factsOf } from "./facts";
import type { UserState } from "./state";
import { noticeOf, TABLE } from "./table";

/** What is to be done about one user, and who is to be told what. */
export interface Decision {
  /** ACTION:KEY in the order in which they are carried out: rotate, deactivate, delete, deleteOrphan. Empty in audit mode. */
  actions: string[];
  /**
   * WHAT:KEY, told once the actions are done. Without what the owner has been told before (the record's `mailed`); with what was
   * done before and never told.
   */
  notify: string[];
  /** Id of the row that decided. */
  row: string;
  /** That row's condition and reason. */
  why: string;
}

/** Actions of the rows, whatever the mode. */
export interface DueDecision extends Decision {
  /** What enforce mode would do. */
  due: string[];
  /** What the row has to say besides its actions, told before or not. */
  standing: string[];
}

/**
 * The decision about one user: the first row of the table that applies. Pure: the same state gives the same decision, and `bulkhead keys
 * plan`, `explain` and the runs all make it here.
 */
export function decide(state: UserState): Decision {
  const { actions, notify, row, why } = decideDue(state);
  return { actions, notify, row, why };
}

/** The same with what enforce mode would do. */
export function decideDue(state: UserState): DueDecision {
  const facts = factsOf(state);
  const row = TABLE.find((each) => each.applies(facts));
  if (!row) throw new Error("no row of the decision table applies, although the last one always does");
  const due = row.actions?.(facts) ?? [];
  const standing = row.notify?.(facts) ?? [];
  const notices = due.map((action) => noticeOf(action, facts.enforce));
  const rest = [...(SILENT.has(row.id) ? [] : past(facts)), ...standing];
  // What is done now is news, even if the same was done and told before.
  const notify = facts.enforce ? [...untold(rest, facts), ...notices] : untold([...rest, ...notices], facts);
  return {
    actions: facts.enforce ? due : [],
    due,
    standing,
    notify: [...new Set(notify)],
    row: row.id,
    why: `${row.when}: ${row.why}`,
  };
}

/** Rows that come before the record is looked at: what it says is not passed on either. */
const SILENT = new Set(
  TABLE.slice(
    0,
    TABLE.findIndex(({ id }) => id === "no-keys"),
  ).map(({ id }) => id),
);

/** What was done and, as the record knows, not told: a crash came in between. */
function past({ record }: Facts): string[] {
  if (!record?.lastAction || record.mailed === null || record.mailed === true) return [];
  const told = /^(rotate|deactivate|delete|deleteOrphan)d?(?::(.+))?$/.exec(record.lastAction);
  const key = told?.[2] ?? record.oldKey;
  return told?.[1] && key ? [noticeOf(`${told[1]}:${key}`, true)] : [];
}

function untold(entries: string[], { record }: Facts): string[] {
  const { mailed } = record ?? {};
  const told = new Set(typeof mailed === "string" ? [mailed] : Array.isArray(mailed) ? mailed : []);
  if (record && mailed === true)
    for (const entry of past({ record: { ...record, mailed: false } } as Facts)) told.add(entry);
  return entries.filter((entry) => !told.has(entry));
}
