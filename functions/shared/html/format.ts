/** How numbers and times are said. The same everywhere, whatever the machine's language and time zone. */

/** A duration: `38 ms`, `4.2 s`, `1 min 05 s`, `2 h 03 min`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** Where in the run something was: `+4.2 s`. */
export function offset(ms: number): string {
  return `+${duration(Math.max(0, ms))}`;
}

/** A point in time: `2026-03-01 12:00:05 UTC`. */
export function instant(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A number with its noun: `1 call`, `12 calls`, `1,204 calls`. */
export function plural(count: number, noun: string): string {
  return `${wholeNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `1,204`. */
export function wholeNumber(count: number): string {
  return count.toLocaleString("en-US");
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
