import type { EvidenceOf } from "../records/record";
import { rotationDue } from "../records/views";

/** A user whose password was used, and whether the time to change it has come. */
export interface DueUser {
  userName: string;
  /** When the earliest use that demands it began, ISO 8601 in UTC. */
  usedAt: string;
  /** Until when it is left alone because a use may be going on, ISO 8601 in UTC. Undefined: change it now. */
  waitUntil?: string;
}

/**
 * The users whose password is to be changed. While somebody works as one of them it is not: they may have to sign in again. A use counts as
 * over when it was closed or is older than the limit, for a console session ends after twelve hours, and whoever should have closed it may
 * be gone.
 *
 * @param maximumUseHours how long a use that was never closed is waited for
 */
export function dueUsers(
  evidence: {
    opened: readonly EvidenceOf<"useOpened">[];
    closed: readonly EvidenceOf<"useClosed">[];
    passwords: readonly EvidenceOf<"passwordIssued">[];
  },
  maximumUseHours: number,
  now: Date,
): DueUser[] {
  const closed = new Set(evidence.closed.map(({ useId }) => useId));
  return rotationDue(evidence.opened, evidence.passwords).map(({ userName, usedAt }) => {
    const open = evidence.opened
      .filter((use) => use.userName === userName && use.at >= usedAt && !closed.has(use.useId))
      .map((use) => Date.parse(use.at) + maximumUseHours * 3_600_000)
      .filter((until) => until > now.getTime());
    const waitUntil = Math.max(0, ...open);
    return { userName, usedAt, ...(waitUntil && { waitUntil: new Date(waitUntil).toISOString() }) };
  });
}
