/**
 * What EventBridge makes of an event pattern, for the operators that event buses know ("Comparison operators", EventBridge user guide). Written
 * from that page and apart from the product's own evaluation, so that the two can be held against one another.
 */

const MATCH_OPERATORS = [
  "prefix",
  "suffix",
  "equals-ignore-case",
  "wildcard",
  "anything-but",
  "exists",
  "numeric",
  "cidr",
];

/** Whether the pattern matches the event. @throws Error when EventBridge would refuse the pattern. */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  return alternatives(pattern).some((fields) =>
    [...fields].every(([path, filters]) => fieldMatches(path, filters, event)),
  );
}

/** Number of combinations that `$or` makes of a pattern; EventBridge takes up to 1000. */
export function combinations(pattern: unknown): number {
  return alternatives(pattern).length;
}

type Fields = Map<string, unknown[]>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A pattern without `$or`, as EventBridge compiles it: one set of paths and filters for each combination. */
function alternatives(pattern: unknown, path: string[] = []): Fields[] {
  if (!isObject(pattern)) throw new Error(`at ${path.join(".")}: a pattern is an object`);
  if (Object.keys(pattern).length === 0)
    throw new Error(`at ${path.join(".")}: an empty object is not allowed`);
  let all: Fields[] = [new Map()];
  for (const [key, value] of Object.entries(pattern)) {
    let parts: Fields[];
    if (key === "$or") {
      if (!Array.isArray(value) || value.length < 2) throw new Error("$or takes at least two objects");
      parts = value.flatMap((one) => alternatives(one, path));
    } else if (Array.isArray(value)) {
      if (value.length === 0) throw new Error(`at ${[...path, key].join(".")}: an empty list is not allowed`);
      value.forEach(checkFilter);
      parts = [new Map([[[...path, key].join("\n"), value]])];
    } else {
      parts = alternatives(value, [...path, key]);
    }
    all = all.flatMap((left) =>
      parts.map((right) => {
        for (const field of right.keys())
          if (left.has(field)) throw new Error(`${field} is said twice: EventBridge keeps the last one only`);
        return new Map([...left, ...right]);
      }),
    );
  }
  return all;
}

function checkFilter(filter: unknown): void {
  if (!isObject(filter)) return;
  const operators = Object.keys(filter);
  if (operators.length !== 1 || !MATCH_OPERATORS.includes(operators[0]!))
    throw new Error(`unknown filter ${JSON.stringify(filter)}`);
}

function fieldMatches(path: string, filters: unknown[], event: unknown): boolean {
  const leaves = leavesAt(event, path.split("\n"));
  return filters.some((filter) =>
    isObject(filter) && "exists" in filter
      ? filter.exists === leaves.length > 0
      : leaves.some((leaf) => leafMatches(filter, leaf)),
  );
}

function leavesAt(value: unknown, path: string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => leavesAt(one, path));
  if (path.length === 0) return isObject(value) ? [] : [value];
  if (!isObject(value) || !Object.hasOwn(value, path[0]!)) return [];
  return leavesAt(value[path[0]!], path.slice(1));
}

function leafMatches(filter: unknown, leaf: unknown): boolean {
  if (!isObject(filter)) return filter === leaf;
  const [operator, operand] = Object.entries(filter)[0]!;
  if (operator === "anything-but") {
    const excluded: unknown[] = Array.isArray(operand) ? operand : [operand];
    return !excluded
      .flatMap((one) =>
        isObject(one)
          ? Object.entries(one).flatMap(([inner, of]) => [of].flat().map((x) => ({ [inner]: x })))
          : [one],
      )
      .some((one) => leafMatches(one, leaf));
  }
  if (typeof leaf !== "string") return false;
  if (operator === "wildcard") {
    const expression = String(operand)
      .split("*")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[\\s\\S]*");
    return new RegExp(`^${expression}$`).test(leaf);
  }
  const ignoresCase = operator === "equals-ignore-case" || isObject(operand);
  const wanted = isObject(operand) ? String(operand["equals-ignore-case"]) : String(operand);
  const [text, part] = ignoresCase ? [leaf.toLowerCase(), wanted.toLowerCase()] : [leaf, wanted];
  if (operator === "equals-ignore-case") return text === part;
  if (operator === "prefix") return text.startsWith(part);
  if (operator === "suffix") return text.endsWith(part);
  throw new Error(`the test's evaluator does not know ${operator}`);
}
