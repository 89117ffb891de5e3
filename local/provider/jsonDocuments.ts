/** Canonical forms of JSON documents that AWS may give back in another notation than they were sent in. Pure. */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function isObject(value: unknown): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value with all object keys sorted, so that two equal values have one JSON text. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}

/** Sorts by JSON text and drops repetitions: for lists whose order and repetitions mean nothing. */
function asSet(values: readonly unknown[]): unknown[] {
  const byText = new Map(values.map((value) => [JSON.stringify(sortKeys(value)), sortKeys(value)]));
  return [...byText.keys()].sort().map((text) => byText.get(text));
}

/** One value or a list of them mean the same in policies. */
function manyOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** An account id alone and the ARN of that account's root name the same principal. */
function principal(value: unknown): unknown {
  const root = typeof value === "string" && /^arn:[\w-]+:iam::(\d{12}):root$/.exec(value);
  return root ? root[1] : value;
}

function principals(value: unknown): unknown {
  if (!isObject(value)) return value;
  return sortKeys(
    Object.fromEntries(Object.entries(value).map(([kind, ids]) => [kind, asSet(manyOf(ids).map(principal))])),
  );
}

function conditions(value: unknown): unknown {
  if (!isObject(value)) return value;
  return sortKeys(
    Object.fromEntries(
      Object.entries(value).map(([operator, keys]) => [
        operator,
        isObject(keys)
          ? Object.fromEntries(
              // Condition values are text to IAM: true and "true" are the same.
              Object.entries(keys).map(([key, values]) => [key, asSet(manyOf(values).map(String))]),
            )
          : keys,
      ]),
    ),
  );
}

function statement(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, part]) => !(key === "Sid" && part === ""))
      .map(([key, part]) => {
        if (/^(Not)?(Action|Resource)$/.test(key)) return [key, asSet(manyOf(part))];
        if (/^(Not)?Principal$/.test(key)) return [key, principals(part)];
        return [key, key === "Condition" ? conditions(part) : part];
      }),
  );
}

/**
 * The meaning of an IAM-style policy: order of statements, actions, resources, principals and condition values does not matter, nor
 * whether a single value stands in a list.
 */
export function canonicalPolicy(policy: unknown): unknown {
  if (!isObject(policy)) return policy;
  const statements = policy.Statement === undefined ? [] : manyOf(policy.Statement);
  return sortKeys({ ...policy, Statement: asSet(statements.map(statement)) });
}
