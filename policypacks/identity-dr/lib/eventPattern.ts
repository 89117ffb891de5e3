import { wildcard } from "./iamDocument";
import { isObject, list, type Plain, type PlainObject } from "./walk";

/**
 * Whether EventBridge would hand an event to a rule with this pattern. Content filters that say nothing about texts (`numeric`, `cidr`)
 * count as not matching: a rule that only sees some addresses does not see every use.
 */
export function patternMatches(pattern: PlainObject, event: PlainObject): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === "$or" && Array.isArray(wanted)) {
      return wanted.some((one) => isObject(one) && patternMatches(one, event));
    }
    const actual = event[key];
    if (isObject(wanted)) return patternMatches(wanted, isObject(actual) ? actual : {});
    return Array.isArray(wanted) && wanted.some((filter) => filterMatches(filter, actual));
  });
}

function filterMatches(filter: Plain, actual: Plain | undefined): boolean {
  if (isObject(filter) && "exists" in filter) return filter.exists === (actual !== undefined);
  if (actual === undefined) return false;
  return Array.isArray(actual)
    ? actual.some((one) => valueMatches(filter, one))
    : valueMatches(filter, actual);
}

function valueMatches(filter: Plain, actual: Plain): boolean {
  if (!isObject(filter)) return filter === actual;
  return Object.entries(filter).every(([operator, operand]) => {
    if (operator === "anything-but") return !list(operand).some((one) => valueMatches(one, actual));
    return typeof actual === "string" && textMatches(operator, operand, actual);
  });
}

function textMatches(operator: string, operand: Plain, actual: string): boolean {
  if (operator === "equals-ignore-case") {
    return typeof operand === "string" && operand.toLowerCase() === actual.toLowerCase();
  }
  // Prefixes and suffixes may be given regardless of case, and "anything-but" takes lists of each.
  return list(operand).some((one) => {
    if (isObject(one)) {
      const inner = one["equals-ignore-case"];
      return typeof inner === "string" && textMatches(operator, inner.toLowerCase(), actual.toLowerCase());
    }
    if (typeof one !== "string") return false;
    if (operator === "prefix") return actual.startsWith(one);
    if (operator === "suffix") return actual.endsWith(one);
    return operator === "wildcard" && wildcard(one).test(actual);
  });
}
