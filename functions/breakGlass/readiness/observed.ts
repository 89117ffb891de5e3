/** What was looked at: a value, or why it could not be read. The second is never taken for a bad value: in an outage it says nothing. */
export type Observed<T> = { readonly value: T } | { readonly unreadable: string };

/** A value that was read. */
export function observed<T>(value: T): Observed<T> {
  return { value };
}

/** Something that could not be read, and why, in words that may be shown. */
export function unreadable(reason: string): { readonly unreadable: string } {
  return { unreadable: reason };
}

/** Whether something could not be read. */
export function isUnreadable<T>(observation: Observed<T>): observation is { readonly unreadable: string } {
  return "unreadable" in observation;
}

type Values<Parts extends readonly Observed<unknown>[]> = {
  -readonly [Index in keyof Parts]: Parts[Index] extends Observed<infer Value> ? Value : never;
};

/** All of several observations, or the reasons why some could not be read, each once. */
export function together<const Parts extends readonly Observed<unknown>[]>(
  parts: Parts,
): Observed<Values<Parts>> {
  const reasons = [...new Set(parts.filter(isUnreadable).map((part) => part.unreadable))];
  if (reasons.length > 0) return unreadable(reasons.join("; "));
  return observed(parts.map((part) => (part as { value: unknown }).value) as Values<Parts>);
}
