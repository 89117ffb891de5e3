import * as z from "zod";
import type { AccountNotices } from "../engine/ports";

const line = z.string().max(2_000);

/** A message of the queue: what the owners of one account's keys are told after a run. */
export const accountNoticesSchema: z.ZodType<AccountNotices> = z.object({
  accountId: z.string().regex(/^\d{12}$/),
  accountName: line,
  accountEmail: line,
  runId: line,
  mode: z.enum(["audit", "enforce"]),
  entries: z.array(
    z.object({
      id: z.string().regex(/^[0-9a-f]{40}$/),
      userName: line,
      what: line,
      owner: line,
      secretName: line,
    }),
  ),
});

/** What is said about one entry: a sentence of what is so, and one of what to do. */
export interface Saying {
  /** Such as `Rotated`. */
  label: string;
  text: string;
}

/** What each kind of entry says; `{key}` and `{secret}` stand for the entry's own. */
const SAYINGS: [RegExp, Saying][] = [
  [
    /^rotated:/,
    {
      label: "New key",
      text: "Key {key} has a successor, which is in the secret {secret}. Change to it: the old key is deactivated once its time is over and nothing uses it any more.",
    },
  ],
  [
    /^deactivated:/,
    {
      label: "Deactivated",
      text: "Key {key} was deactivated: it has a successor and was not in use. If something stopped working, enable the key again and tell us.",
    },
  ],
  [
    /^deleted:/,
    { label: "Deleted", text: "Key {key} was deleted: it had been inactive, and nothing missed it." },
  ],
  [
    /^orphan-deleted:/,
    {
      label: "Cleaned up",
      text: "Key {key} was deleted: a rotation that was interrupted had made it, and nobody had got it.",
    },
  ],
  [
    /^due:/,
    { label: "Due", text: "Key {key} is old enough to be replaced. This is an audit: nothing was changed." },
  ],
  [
    /^due-deactivation:/,
    { label: "Due", text: "Key {key} could be deactivated. This is an audit: nothing was changed." },
  ],
  [
    /^due-deletion:/,
    { label: "Due", text: "Key {key} could be deleted. This is an audit: nothing was changed." },
  ],
  [
    /^due-orphan-deletion:/,
    {
      label: "Due",
      text: "Key {key} was left by an interrupted rotation and could be deleted. This is an audit: nothing was changed.",
    },
  ],
  [
    /^escalate:in-use:/,
    {
      label: "Still in use",
      text: "Key {key} was replaced and is still in use, so it was not deactivated. Change whatever uses it to the new key.",
    },
  ],
  [
    /^escalate:two-keys:/,
    {
      label: "Your decision",
      text: "Key {key} is old, but the user has a second key, so it cannot be replaced. Delete the one that is not needed.",
    },
  ],
  [
    /^escalate:not-in-secret:/,
    {
      label: "Your decision",
      text: "The secret does not hold key {key}, which replaced an older one. The older one is left as it is until somebody has looked.",
    },
  ],
  [
    /^escalate:new-key-inactive:/,
    {
      label: "Your decision",
      text: "Key {key}, which replaced an older one, is inactive. The older one is left as it is.",
    },
  ],
  [
    /^escalate:replacement-gone:/,
    { label: "Your decision", text: "The key that replaced {key} was deleted. {key} is left as it is." },
  ],
  [
    /^escalate:re-enabled:/,
    {
      label: "Your decision",
      text: "Key {key} was deactivated and then enabled again. It is left active; change to its successor and delete it.",
    },
  ],
  [
    /^escalate:used-since-replacement:/,
    {
      label: "Your decision",
      text: "Key {key} is inactive and was used after it had been replaced. It is not deleted: delete it when you are sure.",
    },
  ],
  [
    /^failed:/,
    {
      label: "Failed",
      text: "What was due for key {key} failed, and will be tried again. The key is as it was.",
    },
  ],
];

/** What an entry says, as plain text. */
export function sayingOf({ what, secretName }: { what: string; secretName: string }): Saying {
  const found = SAYINGS.find(([pattern]) => pattern.test(what))?.[1] ?? { label: "Note", text: what };
  const key = what.slice(what.lastIndexOf(":") + 1);
  const text = found.text.replaceAll("{key}", key).replaceAll("{secret}", secretName || "of the user");
  return { label: found.label, text };
}
