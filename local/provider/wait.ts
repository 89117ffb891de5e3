/** Waiting for what AWS does eventually. */
import { setTimeout as pause } from "node:timers/promises";
import { StandInError } from "./errors";

/** How long and how often {@link until} asks. */
export interface WaitOptions {
  /** Milliseconds. @default 60000 */
  timeoutMs?: number;
  /** Milliseconds between two questions, doubled after each up to a fifth of a second. @default 20 */
  intervalMs?: number;
}

/**
 * Asks until there is an answer.
 * @param what completes the sentence "... did not happen in N s", for example `table t becoming ACTIVE`
 * @throws StandInError when there is none in time; whatever `ask` throws
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const end = Date.now() + timeoutMs;
  let interval = options.intervalMs ?? 20;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() + interval > end) {
      throw new StandInError(`${what} did not happen in ${timeoutMs / 1000} s`);
    }
    await pause(interval);
    interval = Math.min(interval * 2, 200);
  }
}
