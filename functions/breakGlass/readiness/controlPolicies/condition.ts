/**
 * Conditions of IAM policies, as far as they can be told beforehand. Three values: a condition on something that is known of every request of
 * an emergency user holds or does not, one on anything else (an address, a tag of a resource) may hold.
 */

/** `undefined`: it cannot be told. */
export type Holds = boolean | undefined;

/** What is known of a request: keys in lower case. `null`: the key is not in the request. Other keys are not known. */
export type KnownKeys = ReadonlyMap<string, string | null>;

const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map((each) => String(each));

/** A pattern with `*` and `?` as a regular expression for the whole text. */
function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", "[^]*").replaceAll("?", "[^]")}$`);
}

/** ARNs are compared part by part: a wildcard does not reach over a colon, save in the last part. */
function arnLike(value: string, pattern: string): boolean {
  const split = (text: string) => {
    const parts = text.split(":");
    return [...parts.slice(0, 5), parts.slice(5).join(":")];
  };
  const [values, patterns] = [split(value), split(pattern)];
  return patterns.length === values.length && patterns.every((part, i) => wildcard(part).test(values[i]!));
}

/** The comparisons that are understood; whether each is the negation of its like. */
const OPERATORS: Record<string, { negated: boolean; matches(value: string, wanted: string): boolean }> = {
  stringequals: { negated: false, matches: (value, wanted) => value === wanted },
  stringnotequals: { negated: true, matches: (value, wanted) => value === wanted },
  stringequalsignorecase: {
    negated: false,
    matches: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  },
  stringnotequalsignorecase: {
    negated: true,
    matches: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  },
  stringlike: { negated: false, matches: (value, wanted) => wildcard(wanted).test(value) },
  stringnotlike: { negated: true, matches: (value, wanted) => wildcard(wanted).test(value) },
  arnequals: { negated: false, matches: arnLike },
  arnnotequals: { negated: true, matches: arnLike },
  arnlike: { negated: false, matches: arnLike },
  arnnotlike: { negated: true, matches: arnLike },
  bool: { negated: false, matches: (value, wanted) => value.toLowerCase() === wanted.toLowerCase() },
};

/** Policy variables with what is known put in; undefined when one is not known. */
function withVariables(text: string, known: KnownKeys): string | undefined {
  let told = true;
  const filled = text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    if (["*", "?", "$"].includes(name)) return name;
    const value = known.get(name.toLowerCase());
    if (value === undefined || value === null) told = false;
    return value ?? whole;
  });
  return told ? filled : undefined;
}

function holdsOne(operator: string, key: string, wanted: readonly string[], known: KnownKeys): Holds {
  const name = operator.toLowerCase();
  const value = known.get(key.toLowerCase());
  if (name === "null") {
    if (value === undefined) return undefined;
    return wanted.some((each) => (each.toLowerCase() === "true") === (value === null));
  }
  const [, set, base, ifExists] = /^(forallvalues:|foranyvalue:)?(.*?)(ifexists)?$/.exec(name)!;
  const comparison = OPERATORS[base!];
  if (value === undefined || comparison === undefined) return undefined;
  // Nothing to compare: a negated comparison holds, others only where the operator says so. ForAnyValue needs one.
  if (value === null) {
    return ifExists !== undefined || set === "forallvalues:" || (comparison.negated && set === undefined);
  }
  const told = wanted.map((each) => {
    const filled = withVariables(each, known);
    return filled === undefined ? undefined : comparison.matches(value, filled);
  });
  if (told.some((each) => each === true)) return !comparison.negated;
  return told.some((each) => each === undefined) ? undefined : comparison.negated;
}

/** Whether a statement's conditions hold: all have to. */
export function conditionHolds(condition: unknown, known: KnownKeys): Holds {
  const operators = Object.entries((condition ?? {}) as Record<string, Record<string, unknown>>);
  const told = operators.flatMap(([operator, keys]) =>
    Object.entries(keys ?? {}).map(([key, wanted]) => holdsOne(operator, key, list(wanted), known)),
  );
  if (told.some((each) => each === false)) return false;
  return told.some((each) => each === undefined) ? undefined : true;
}
