import { createHash } from "node:crypto";
import { noticeOf } from "../decide/table";
import type { NoticeEntry } from "./ports";
import type { UserOutcome } from "./result";

/** Whom and what an entry is about. */
interface About {
  accountId: string;
  userName: string;
  owner: string;
  newKey: string | null;
}

/**
 * What owners are told after a run: what the decision says, without what was not done after all. The id of an entry does not change from run to
 * run, so that the one who sends mails can tell what was sent: a crash may lie between sending and recording.
 */
export function noticeEntries(
  notify: string[],
  outcome: UserOutcome,
  about: About,
  secretName: string,
): NoticeEntry[] {
  const undone = new Set(
    outcome.due.filter((action) => !outcome.done.includes(action)).map((action) => noticeOf(action, true)),
  );
  return notify
    .filter((what) => !undone.has(what))
    .map((what) => entry(what, about, secretName, about.newKey ?? ""));
}

/** One entry for each action that failed. */
export function failureNotices(outcome: UserOutcome, about: About): NoticeEntry[] {
  return outcome.failed.map(({ action }) => entry(`failed:${action}`, about, "", ""));
}

function entry(
  what: string,
  { accountId, userName, owner }: About,
  secretName: string,
  instance: string,
): NoticeEntry {
  const id = createHash("sha256")
    .update([accountId, userName, what, instance].join("\n"))
    .digest("hex")
    .slice(0, 40);
  return { id, userName, what, owner, secretName: /^(rotated|due)\b/.test(what) ? secretName : "" };
}
