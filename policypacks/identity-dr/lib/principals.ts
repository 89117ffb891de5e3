import { type Condition, type Statement, texts } from "./iamDocument";
import { isObject, type Plain, property } from "./walk";

/** Whom a statement names: principals by their kind. Undefined when a part is not known; empty when it names nobody. */
export function principalsOf(statement: Statement): { kind: string; value: string }[] | undefined {
  return principalsIn(property(statement, "Principal"));
}

/** The same for the value of `Principal`. */
function principalsIn(principal: Plain | undefined): { kind: string; value: string }[] | undefined {
  if (!isObject(principal)) return texts(principal)?.map((value) => ({ kind: "AWS", value }));
  const found: { kind: string; value: string }[] = [];
  for (const [kind, value] of Object.entries(principal)) {
    const values = texts(value);
    if (!values) return undefined;
    found.push(...values.map((one) => ({ kind, value: one })));
  }
  return found;
}

/** Keys that say who asks, or from where, so that a statement for everybody is for these only. */
const NARROWING_KEYS: ReadonlySet<string> = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceorgid",
  "aws:sourceorgpaths",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "aws:vpceaccount",
  "aws:vpceorgid",
  "kms:calleraccount",
]);

const POSITIVE_OPERATORS =
  /^(?:foranyvalue:)?(?:stringequals|stringequalsignorecase|stringlike|arnequals|arnlike)$/i;

/**
 * Whether a condition leaves only named accounts, organizations, networks or principals. An `IfExists` or a negated operator holds for
 * requests that lack the key, and `ForAllValues` too; a pattern without any fixed account, id or organization holds for everybody's.
 */
export function narrows({ operator, key, values }: Condition): boolean {
  return (
    NARROWING_KEYS.has(key) &&
    POSITIVE_OPERATORS.test(operator) &&
    values.length > 0 &&
    values.every(
      (value) => /\d{12}|o-[a-z0-9]{10}|vpce?-[0-9a-f]{8}|^[A-Z0-9]{16,}/.test(value) || isVariable(value),
    )
  );
}

/** A policy variable, such as `${aws:PrincipalOrgID}` of the resource's owner. */
function isVariable(value: string): boolean {
  return /^\$\{[^}*]+\}$/.test(value);
}
