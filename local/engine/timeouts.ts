/** The resource option `customTimeouts`. */

import { setTimeout as delay } from "node:timers/promises";

const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of a duration such as `1h30m` or `90s`. Throws on anything else. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new Error(`"${text}" is not a duration for customTimeouts; write for example 90s, 5m or 1h30m`);
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0);
}

/** The operation took longer than allowed; whether it went through is not known. */
export class TimedOut extends Error {}

/** Fails with {@link TimedOut} when the work takes longer than so many seconds; undefined: no limit. */
export async function withTimeout<T>(
  work: Promise<T>,
  seconds: number | undefined,
  what: string,
): Promise<T> {
  if (seconds === undefined) return await work;
  const done = new AbortController();
  const limit = delay(seconds * 1000, undefined, { signal: done.signal }).then(
    () => {
      throw new TimedOut(`the ${what} did not end within the ${seconds} s of customTimeouts.${what}`);
    },
    // Aborted: the work was done first.
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    done.abort();
  }
}
