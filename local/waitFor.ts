import { setTimeout as delay } from "node:timers/promises";

/** Settings of {@link waitFor}. */
export interface WaitOptions {
  /** Longest wait in milliseconds. Required. */
  timeoutMs: number;
  /**
   * Pause between two looks, in milliseconds.
   * @default 25
   */
  intervalMs?: number;
  signal?: AbortSignal;
}

/**
 * Looks until there is something to see.
 * @param what completes "did not see ..." in the error
 * @throws Error after the timeout, or when the signal is aborted
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined>,
  options: WaitOptions,
): Promise<T> {
  const end = performance.now() + options.timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() >= end) throw new Error(`did not see ${what} within ${options.timeoutMs / 1000} s`);
    await delay(options.intervalMs ?? 25, undefined, { signal: options.signal });
  }
}
