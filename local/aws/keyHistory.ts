/** What AWS never lets anybody change: when a key was made, and last used. */

/** A key's past. */
export interface KeyHistory {
  accessKeyId: string;
  /** As {@link daysAgo} gives it. @default as it is */
  createDate?: string;
  /** null: never. @default as it is */
  lastUsed?: { date: string } | null;
}

/** A time so many days ago, as the local AWS takes it. */
export function daysAgo(days: number): string {
  return `${new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 19)}Z`;
}

/**
 * Gives keys a past.
 * @param url the local AWS
 * @throws Error when one of the keys does not exist
 */
export async function backDate(url: string, keys: readonly KeyHistory[]): Promise<void> {
  const response = await fetch(`${url}/_bulkhead/iam/history`, {
    method: "PUT",
    body: JSON.stringify({ keys }),
  });
  if (!response.ok)
    throw new Error(`the local AWS did not back-date keys: ${response.status} ${await response.text()}`);
}
