import { type Facts, isError, type Rotation } from "./facts";

/** One row of the decision table. The first row whose condition is met decides. */
export interface Row {
  /** Short and stable: logs, reports and tests name it. */
  id: string;
  /** The condition, for people. */
  when: string;
  applies(facts: Facts): boolean;
  /** What is done in enforce mode, as ACTION:KEY. @default nothing */
  actions?(facts: Facts): string[];
  /** Who is told what, as WHAT:KEY. @default nobody */
  notify?(facts: Facts): string[];
  /** What is done and told, for people. */
  result: string;
  /** Why it is so. */
  why: string;
}

/** What the owner is told in audit mode about each action that is not taken. */
const DUE: Record<string, string> = {
  rotate: "due",
  deactivate: "due-deactivation",
  delete: "due-deletion",
  deleteOrphan: "due-orphan-deletion",
};

/** What the owner is told about each action that was taken. */
const DONE: Record<string, string> = {
  rotate: "rotated",
  deactivate: "deactivated",
  delete: "deleted",
  deleteOrphan: "orphan-deleted",
};

/** What is told about an action, such as `rotated:KEY` for `rotate:KEY`; in audit mode `due:KEY`. */
export function noticeOf(action: string, enforce: boolean): string {
  const [verb = "", ...key] = action.split(":");
  return [(enforce ? DONE : DUE)[verb] ?? verb, ...key].join(":");
}

/** Whether an entry of `notify` is for the key's owner; the others are for whoever runs the rotation. */
export function isOwnersNotice(what: string): boolean {
  return /^(due|due-\w+|due-orphan-deletion|rotated|deactivated|deleted|orphan-deleted|escalate):/.test(what);
}

const ids = (what: string, keys: { id: string }[]) => keys.map(({ id }) => `${what}:${id}`);
const deleteOrphans = ({ orphans }: Facts) => ids("deleteOrphan", orphans);

/** The rotation, in rows that come after the one that asked whether there is one. */
function rotating(facts: Facts): Rotation {
  if (!facts.rotation) throw new Error("this row is about a rotation, and there is none");
  return facts.rotation;
}

const replaced = ({ rotation }: Facts, status: "Active" | "Inactive") => rotation?.old.status === status;
const deactivationDue = (facts: Facts) =>
  replaced(facts, "Active") && rotating(facts).rotatedDaysAgo >= rotating(facts).wait.deactivate;

function deletionDue(facts: Facts): boolean {
  if (!replaced(facts, "Inactive")) return false;
  const { rotatedDaysAgo, deactivatedDaysAgo, wait } = rotating(facts);
  return (
    deactivatedDaysAgo !== undefined &&
    rotatedDaysAgo >= wait.delete &&
    deactivatedDaysAgo >= wait.afterDeactivation
  );
}

/** The decision, in order. The last row always applies. */
export const TABLE: readonly Row[] = [
  // The cell.
  {
    id: "cell-inactive",
    when: "the cell is not the acting one",
    applies: ({ state }) => !state.cell.active,
    result: "nothing",
    why: "the other cell does the work",
  },
  {
    id: "cell-superseded",
    when: "the other cell's record holds a higher epoch",
    applies: ({ state }) => state.cell.higherEpochAtPeer,
    result: "nothing",
    why: "the other cell was promoted later: this one stands down",
  },
  {
    id: "peer-unreadable",
    when: "the other cell's record has to be read and cannot be",
    applies: ({ state }) => state.cell.peerRequired && !state.cell.peerReadable,
    notify: () => ["paused:peer-unreadable"],
    result: "nothing; report",
    why: "the other cell may be acting: without having read its record nothing is done",
  },
  {
    id: "iam-unreachable",
    when: "IAM's control plane does not answer",
    applies: ({ state }) => !state.cell.iamReachable,
    notify: () => ["paused:iam-unreachable"],
    result: "nothing; report",
    why: "keys cannot be made or changed now; what is due is done when IAM answers again",
  },
  // Who is never touched.
  {
    id: "break-glass",
    when: "the user is an emergency user",
    applies: ({ state }) => state.user.breakGlass === true,
    result: "nothing",
    why: "emergency users have no keys to rotate, and nothing automatic touches them",
  },
  {
    id: "break-glass-unknown",
    when: "it cannot be told whether the user is an emergency user",
    applies: ({ state }) => state.user.breakGlass !== false,
    notify: () => ["unreadable:break-glass"],
    result: "nothing; report",
    why: "an error in reading must not make a protected user an ordinary one",
  },
  {
    id: "exempt-group",
    when: "the user is in the exemption group",
    applies: ({ state }) => state.user.exemptGroup === true,
    result: "nothing",
    why: "the group's users are exempt",
  },
  {
    id: "exempt-group-unreadable",
    when: "the exemption group cannot be read",
    applies: ({ state }) => state.user.exemptGroup !== false,
    notify: () => ["unreadable:exempt-group"],
    result: "nothing; report",
    why: "any user could be exempt, so nobody is touched",
  },
  {
    id: "tags-unreadable",
    when: "the user's tags cannot be read",
    applies: ({ tags }) => isError(tags),
    notify: () => ["unreadable:tags"],
    result: "nothing; report",
    why: "the tags could exempt the user",
  },
  {
    id: "exempt-tag",
    when: "the user's tag bulkhead:key-rotation is exempt",
    applies: ({ tags }) => "exempt" in tags && tags.exempt === true,
    result: "nothing",
    why: "the tag exempts the user",
  },
  {
    id: "tags-malformed",
    when: "one of the user's tags bulkhead:key-rotation and bulkhead:key-rotation-days has a value that is not known",
    applies: ({ tags }) => "malformed" in tags,
    notify: ({ tags }) => ["malformed" in tags ? `malformed-tag:${tags.malformed}` : ""],
    result: "nothing; report",
    why: "a tag that is not understood may have been meant to protect the user",
  },
  // What could not be read, or cannot be true.
  {
    id: "record-unreadable",
    when: "the rotation record cannot be read",
    applies: ({ state }) => isError(state.record),
    notify: () => ["unreadable:record"],
    result: "nothing; report",
    why: "what was done before is not known, and it is never guessed",
  },
  {
    id: "no-keys",
    when: "the user has no keys",
    applies: ({ state }) => state.keys.length === 0,
    result: "nothing",
    why: "there is nothing to rotate",
  },
  {
    id: "implausible-times",
    when: "a time lies in the future, or times contradict each other (a key younger than the rotation that made or replaced it, a use before the key was made, a rotation without its time)",
    applies: ({ implausible }) => implausible.length > 0,
    notify: ({ implausible }) => implausible.map((what) => `implausible-time:${what}`),
    result: "nothing; report",
    why: "a clock has jumped, or the record is not about these keys",
  },
  {
    id: "unknown-last-use",
    when: "the last use of a key could not be read",
    applies: ({ unknownUse }) => unknownUse.length > 0,
    notify: ({ unknownUse }) => ids("unreadable-last-use", unknownUse),
    result: "nothing; report",
    why: "an error in reading is not the same as never used",
  },
  // What a crash left behind.
  {
    id: "orphan-and-rotate",
    when: "a key that a rotation made is in no secret, was never used and never handed over; beside it is one active key that is due",
    applies: ({ orphans, rest, due }) => orphans.length > 0 && rest.length === 1 && due.length === 1,
    actions: (facts) => [...deleteOrphans(facts), ...ids("rotate", facts.due)],
    result: "delete the orphan, then rotate",
    why: "nobody has the orphan's secret: it is removed, and the rotation that made it is done again",
  },
  {
    id: "orphan",
    when: "a key that a rotation made is in no secret, was never used and never handed over",
    applies: ({ orphans }) => orphans.length > 0,
    actions: deleteOrphans,
    result: "delete the orphan",
    why: "nobody has the orphan's secret, since a crash came before it was stored",
  },
  // A rotation that is on record and not finished.
  {
    id: "replacement-gone-rotate",
    when: "the new key is gone, and the old one is the only key, active and due",
    applies: (facts) =>
      replaced(facts, "Active") &&
      !rotating(facts).fresh &&
      facts.rest.length === 1 &&
      facts.due.length === 1,
    actions: ({ due }) => ids("rotate", due),
    result: "rotate",
    why: "the secret holds a key that no longer exists: the old key gets a new successor, and all is counted from there",
  },
  {
    id: "replacement-gone",
    when: "the new key is gone, and the old one cannot be replaced again",
    applies: (facts) => facts.rotation !== undefined && !rotating(facts).fresh,
    notify: (facts) => [`escalate:replacement-gone:${rotating(facts).old.id}`],
    result: "nothing; escalate",
    why: "a key without a successor is neither deactivated nor deleted",
  },
  {
    id: "waiting-for-deactivation",
    when: "the old key is active, and the rotation was less than deactivate - rotate days ago",
    applies: (facts) =>
      replaced(facts, "Active") &&
      rotating(facts).deactivatedDaysAgo === undefined &&
      !deactivationDue(facts),
    result: "nothing",
    why: "the owner has until then to change to the new key",
  },
  {
    id: "re-enabled",
    when: "the rotation deactivated the old key, and it is active again",
    applies: (facts) => replaced(facts, "Active") && rotating(facts).deactivatedDaysAgo !== undefined,
    notify: (facts) => [`escalate:re-enabled:${rotating(facts).old.id}`],
    result: "nothing; escalate",
    why: "its owner needed it again and is not to be cut off twice",
  },
  {
    id: "new-key-not-in-secret",
    when: "the next step is due, and the secret does not hold the new key",
    applies: (facts) => (deactivationDue(facts) || deletionDue(facts)) && !rotating(facts).fresh?.inSecret,
    notify: (facts) => [`escalate:not-in-secret:${rotating(facts).freshId}`],
    result: "nothing; escalate",
    why: "the old key may be the only one that its owner has",
  },
  {
    id: "new-key-inactive",
    when: "the next step is due, and the new key is inactive",
    applies: (facts) =>
      (deactivationDue(facts) || deletionDue(facts)) && rotating(facts).fresh?.status === "Inactive",
    notify: (facts) => [`escalate:new-key-inactive:${rotating(facts).freshId}`],
    result: "nothing; escalate",
    why: "its owner disabled the new key: the old one would not have a working successor",
  },
  {
    id: "old-key-in-use",
    when: "deactivation is due, and the old key was used less than idle days ago",
    applies: (facts) => {
      const used = facts.rotation?.old.lastUsedDaysAgo;
      return deactivationDue(facts) && typeof used === "number" && used < facts.policy.idle;
    },
    notify: (facts) => [`escalate:in-use:${rotating(facts).old.id}`],
    result: "nothing; escalate",
    why: "something still works with the old key and would stop",
  },
  {
    id: "deactivate",
    when: "deactivation is due: the rotation was deactivate - rotate days ago, the secret holds the new, active key, the old one has not been used for idle days (or never)",
    applies: deactivationDue,
    actions: (facts) => [`deactivate:${rotating(facts).old.id}`],
    result: "deactivate",
    why: "the old key has a successor, its time is over, and nothing uses it",
  },
  {
    id: "disabled-by-owner-no-room",
    when: "its owner disabled the old key, and the new one is due",
    applies: (facts) =>
      replaced(facts, "Inactive") && rotating(facts).deactivatedDaysAgo === undefined && facts.due.length > 0,
    notify: ({ due }) => ids("escalate:two-keys", due),
    result: "nothing; escalate",
    why: "a user can have two keys, and a key that its owner disabled is not deleted to make room",
  },
  {
    id: "disabled-by-owner",
    when: "its owner disabled the old key: it is inactive and the record does not say that the rotation deactivated it",
    applies: (facts) => replaced(facts, "Inactive") && rotating(facts).deactivatedDaysAgo === undefined,
    result: "nothing",
    why: "what its owner disabled, its owner may enable or delete",
  },
  {
    id: "waiting-for-deletion",
    when: "the rotation deactivated the old key, and less than delete - rotate days have passed since the rotation or less than delete - deactivate since the deactivation",
    applies: (facts) => replaced(facts, "Inactive") && !deletionDue(facts),
    result: "nothing",
    why: "until then the key can be enabled again, if it turns out to be needed",
  },
  {
    id: "used-since-replacement",
    when: "deletion is due, and the old key was used after it was replaced",
    applies: (facts) => {
      const used = facts.rotation?.old.lastUsedDaysAgo;
      return deletionDue(facts) && typeof used === "number" && used < rotating(facts).rotatedDaysAgo;
    },
    notify: (facts) => [`escalate:used-since-replacement:${rotating(facts).old.id}`],
    result: "nothing; escalate",
    why: "something worked with it although there was a successor: it stays inactive, and its owner deletes it",
  },
  {
    id: "delete",
    when: "deletion is due: delete - rotate days since the rotation, delete - deactivate since the deactivation, the secret holds the new, active key, and the old one has not been used since",
    applies: deletionDue,
    actions: (facts) => [`delete:${rotating(facts).old.id}`],
    result: "delete",
    why: "the rotation deactivated it, nothing has missed it, and its successor is in the secret",
  },
  // No rotation under way.
  {
    id: "young",
    when: "no active key is due",
    applies: ({ due }) => due.length === 0,
    result: "nothing",
    why: "keys that are young enough stay, and so do keys that their owners disabled",
  },
  {
    id: "no-room",
    when: "an active key is due, and the user has another key, whoever made it, active or not",
    applies: ({ rest }) => rest.length > 1,
    notify: ({ due }) => ids("escalate:two-keys", due),
    result: "nothing; escalate",
    why: "a user can have two keys, and none is deleted to make room: which one can go, its owner knows",
  },
  {
    id: "rotate",
    when: "the only key is active and due",
    applies: () => true,
    actions: ({ due }) => ids("rotate", due),
    result: "rotate",
    why: "it has reached the age at which it gets a successor",
  },
];
