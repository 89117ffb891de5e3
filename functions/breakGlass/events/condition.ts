/**
 * Conditions on CloudTrail records, in the filters of EventBridge's pattern language: what is evaluated here and what an event rule
 * evaluates is the same data. Only filters that event buses know ("Comparison operators", EventBridge user guide).
 */

/** A text regardless of case: IAM takes names that differ in case only for the same. */
interface AnyCase {
  "equals-ignore-case": string;
}

/** One filter on a value. */
export type Filter =
  | string
  | AnyCase
  | { prefix: string | AnyCase }
  | { suffix: string | AnyCase }
  /** `*` stands for any number of characters. */
  | { wildcard: string }
  | { exists: true }
  /** None of these beginnings. */
  | { "anything-but": { prefix: string[] } };

/** Conditions that all have to hold: by the path of a value below `detail`, dots in between, the filters of which one has to match. */
export type Conjunction = Readonly<Record<string, readonly Filter[]>>;

/** Whether a record meets all conditions. Like EventBridge, a list meets a filter if one of its elements does. Never throws. */
export function meets(record: unknown, conjunction: Conjunction): boolean {
  return Object.entries(conjunction).every(([path, filters]) => {
    const values = valuesAt(record, path.split("."));
    return values.some((value) => filters.some((filter) => passes(value, filter)));
  });
}

/** The values at a path that are no objects; of lists, their elements. */
export function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path));
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === "object" && value !== null ? [] : [value];
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return [];
  return valuesAt((value as Record<string, unknown>)[key], rest);
}

function passes(value: unknown, filter: Filter): boolean {
  if (typeof filter === "string") return value === filter;
  if ("exists" in filter) return true;
  if ("anything-but" in filter) {
    return !filter["anything-but"].prefix.some(
      (start) => typeof value === "string" && value.startsWith(start),
    );
  }
  if (typeof value !== "string") return false;
  if ("equals-ignore-case" in filter) return lower(value) === lower(filter["equals-ignore-case"]);
  if ("wildcard" in filter) return matchesWildcard(value, filter.wildcard);
  const [affix, test] =
    "prefix" in filter ? ([filter.prefix, "startsWith"] as const) : ([filter.suffix, "endsWith"] as const);
  return typeof affix === "string"
    ? value[test](affix)
    : lower(value)[test](lower(affix["equals-ignore-case"]));
}

/** ASCII letters only: IAM's names have no others, and two systems agree on no more. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Greedy, without regular expressions: a value from outside cannot make it slow. */
function matchesWildcard(value: string, wildcard: string): boolean {
  const parts = wildcard.split("*");
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return value === wildcard;
  if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last))
    return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = value.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= value.length - last.length;
}
