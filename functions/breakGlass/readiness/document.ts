/** IAM policy documents compared by what they mean. */

type Statement = Record<string, unknown>;

const list = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** A document's statements, or undefined when the text is no policy document. */
export function statementsOf(document: string): Statement[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const statements = list((parsed as { Statement?: unknown }).Statement);
  return statements.every((each) => typeof each === "object" && each !== null && !Array.isArray(each))
    ? (statements as Statement[])
    : undefined;
}

/**
 * Whether a document has these statements and no others, however it is written: the order, a list of one, the case of actions and condition
 * keys, and names of statements make no difference. An older version of the language does: variables mean nothing there.
 */
export function meansTheSame(document: string, statements: readonly unknown[]): boolean {
  const found = statementsOf(document);
  if (found === undefined || (JSON.parse(document) as { Version?: unknown }).Version !== "2012-10-17")
    return false;
  const canonical = (each: readonly unknown[]) =>
    JSON.stringify(
      [
        ...new Set(each.map((statement) => JSON.stringify(canonicalStatement(statement as Statement)))),
      ].sort(),
    );
  return canonical(found) === canonical(statements);
}

function canonicalStatement(statement: Statement): unknown {
  const set = (value: unknown, lowerCase: boolean) =>
    [...new Set(list(value).map((each) => (lowerCase ? String(each).toLowerCase() : String(each))))].sort();
  const entries = Object.entries(statement).flatMap(([key, value]): [string, unknown][] => {
    if (key === "Sid") return [];
    if (key === "Condition") return [[key, canonicalCondition(value)]];
    if (key === "Effect" || key === "Principal" || key === "NotPrincipal") return [[key, value]];
    return [[key, set(value, key === "Action" || key === "NotAction")]];
  });
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonicalCondition(condition: unknown): unknown {
  const operators = Object.entries((condition ?? {}) as Record<string, Record<string, unknown>>);
  return operators
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => [
        operator.toLowerCase(),
        key.toLowerCase(),
        list(values).map(String).sort(),
      ]),
    )
    .map((each) => JSON.stringify(each))
    .sort();
}
