/**
 * The middle value; of an even number of values the mean of the two in the middle. @throws Error for no
 * values
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("there is no median of no values");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Milliseconds that something took. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Something to compare: does its work once, and tells how many milliseconds count. */
export type Contestant = () => Promise<number>;

/**
 * Lets contestants take turns, so that what else happens on the machine meets all of them alike, and gives
 * the median of each. The first contestant of a round changes from round to round. One round before the
 * others is not counted: it warms up caches.
 * @param rounds 1 or more.
 */
export async function alternate<K extends string>(
  contestants: Record<K, Contestant>,
  rounds: number,
  signal?: AbortSignal,
): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[];
  const times = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      signal?.throwIfAborted();
      const name = names[(turn + round) % names.length] as K;
      const ms = await contestants[name]();
      if (round > 0) times.get(name)?.push(ms);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, median(all)])) as Record<K, number>;
}
