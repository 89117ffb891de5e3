import { isObject, list, type Plain, type PlainObject, parseJson, property, text, UNKNOWN } from "./walk";

/** One statement of an IAM document. Element names are as written; read them with `property`. */
export type Statement = PlainObject;

/**
 * The statements of a policy document given as JSON text or as an object.
 * @returns undefined when the document, or what its statements are, is not known during preview; an empty list when it is no document.
 */
export function statements(document: Plain | undefined): Statement[] | undefined {
  if (document === UNKNOWN) return undefined;
  const parsed = typeof document === "string" ? parseJson(document) : document;
  if (!isObject(parsed)) return [];
  const all = list(property(parsed, "Statement"));
  return all.includes(UNKNOWN) ? undefined : all.filter(isObject);
}

/** A statement's element as texts. Undefined when one of them is not known. */
export function texts(value: Plain | undefined): string[] | undefined {
  const values = list(value);
  if (values.includes(UNKNOWN)) return undefined;
  return values.flatMap((one) => {
    if (typeof one === "string") return [one];
    return typeof one === "boolean" || typeof one === "number" ? [String(one)] : [];
  });
}

/** Whether the statement has this effect. */
export function hasEffect(statement: Statement, effect: "Allow" | "Deny"): boolean {
  return text(property(statement, "Effect"))?.toLowerCase() === effect.toLowerCase();
}

/** One line of a statement's conditions: an operator, a key (in lower case) and its values. */
export interface Condition {
  operator: string;
  key: string;
  values: string[];
}

/** All conditions of a statement; they must all hold. Undefined when a part is not known. */
export function conditions(statement: Statement): Condition[] | undefined {
  const block = property(statement, "Condition");
  if (block === UNKNOWN) return undefined;
  if (!isObject(block)) return [];
  const found: Condition[] = [];
  for (const [operator, keys] of Object.entries(block)) {
    if (keys === UNKNOWN) return undefined;
    if (!isObject(keys)) continue;
    for (const [key, value] of Object.entries(keys)) {
      const values = texts(value);
      if (!values) return undefined;
      found.push({ operator, key: key.toLowerCase(), values });
    }
  }
  return found;
}

/**
 * Whether a condition holds for a key's single value, or for its absence, by the rules of IAM: `IfExists` and negated operators hold for an
 * absent key, `ForAllValues` too, all others do not; one of the condition's values must match, and for negated operators none.
 * @param actual the key's value in the request, undefined when the request has no such key.
 * @returns undefined when the key is there and the operator is none for texts.
 */
export function conditionHolds(
  { operator, values }: Condition,
  actual: string | undefined,
): boolean | undefined {
  const parts = /^(forallvalues:|foranyvalue:)?(.*?)(ifexists)?$/.exec(operator.toLowerCase());
  if (!parts) return undefined;
  const [, set, base = "", ifExists] = parts;
  if (base === "null")
    return values.some((value) => (value.toLowerCase() === "true") === (actual === undefined));
  const negated = base.includes("not");
  if (actual === undefined) {
    if (set === "foranyvalue:") return false;
    return ifExists !== undefined || negated || set === "forallvalues:";
  }
  const test = TESTS[base];
  if (!test) return undefined;
  const matches = values.some((value) => test(actual, value));
  return negated ? !matches : matches;
}

const same = (actual: string, value: string) => actual === value;
const sameIgnoringCase = (actual: string, value: string) => actual.toLowerCase() === value.toLowerCase();
const like = (actual: string, value: string) => wildcard(value).test(actual);

const TESTS: Record<string, (actual: string, value: string) => boolean> = {
  bool: sameIgnoringCase,
  stringequals: same,
  stringnotequals: same,
  stringequalsignorecase: sameIgnoringCase,
  stringnotequalsignorecase: sameIgnoringCase,
  stringlike: like,
  stringnotlike: like,
};

/** The regular expression for a text in which `*` stands for any characters and `?` for one. */
export function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  return new RegExp(`^${source}$`);
}
