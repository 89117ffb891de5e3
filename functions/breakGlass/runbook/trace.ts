/** Why a cell has not noticed a use: what can be found out from outside, so that a lost event can be told from a function that fails. */
import type { Use } from "../use/store";

/** What a cell's parts say. Each alone may not answer: then it says why. */
export interface UseTrace {
  /** The use that the cell follows now; undefined: none. */
  use: Pick<Use, "first" | "lastSeenAt" | "enteredRecorded"> | undefined | Unread;
  /** Runs of the function that follows uses, since the exercise began. */
  runs: { all: number; failed: number } | Unread;
  /** Events and alerts that wait in dead-letter queues, by the queue's name. */
  waiting: Record<string, number | Unread>;
}

/** Something that could not be read, and why. */
export interface Unread {
  unread: string;
}

/** In words, for whoever holds an exercise. */
export function traceText({ use, runs, waiting }: UseTrace, startedAt: string): string {
  const queues = Object.entries(waiting).map(([name, count]) =>
    typeof count === "number" ? `${count} in ${name}` : `${name}: ${count.unread}`,
  );
  return [useText(use, startedAt), runsText(runs), `dead letters: ${queues.join(", ")}`].join("; ");
}

function useText(use: UseTrace["use"], startedAt: string): string {
  if (use === undefined) return "no event of this user arrived, or its use is over already";
  if ("unread" in use) return `its table of uses: ${use.unread}`;
  const { first, lastSeenAt, enteredRecorded } = use;
  const began = `${first.call || "a call"} at ${first.time}`;
  if (!enteredRecorded) return `it saw ${began}, and has not recorded it`;
  return first.time < startedAt
    ? `a use that began with ${began} goes on and hides a new one: its closing report has to come first`
    : `it saw ${began}, last at ${lastSeenAt}, and has recorded it meanwhile`;
}

function runsText(runs: UseTrace["runs"]): string {
  if ("unread" in runs) return `runs of its function: ${runs.unread}`;
  return `its function ran ${runs.all} times, ${runs.failed} failed`;
}
