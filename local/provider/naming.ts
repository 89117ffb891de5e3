/** Names of resources that were not given one. */
import { createHash, randomBytes } from "node:crypto";

/** How a type's physical name is made when the program gives none. */
export interface Autoname {
  /** The input that holds the name. */
  property: string;
  /** The input that holds a prefix for it, if the type has one. */
  prefixProperty?: string;
  /** Longest name that AWS takes; the given part is shortened to fit. */
  maxLength: number;
  /** Text that must stand before the name, such as `alias/`. */
  before?: string;
  /** Text that must stand after the name. */
  after?: (inputs: Readonly<Record<string, unknown>>) => string;
}

const SUFFIX_DIGITS = 7;

/**
 * A name for a resource: `NAME-1a2b3c4` (or `PREFIX1a2b3c4`). The old name is kept if it was made this way.
 * @param seed makes the suffix repeatable; without it, it is random
 */
export function autoname(
  rule: Autoname,
  inputs: Readonly<Record<string, unknown>>,
  resource: { name: string; urn: string },
  oldName: unknown,
  seed?: Uint8Array,
): string {
  const prefix = rule.prefixProperty ? inputs[rule.prefixProperty] : undefined;
  const after = rule.after?.(inputs) ?? "";
  const start = typeof prefix === "string" ? prefix : `${rule.before ?? ""}${resource.name}-`;
  const room = rule.maxLength - SUFFIX_DIGITS - after.length;
  const head = start.slice(0, room);
  if (typeof oldName === "string" && oldName.startsWith(head) && oldName.endsWith(after)) {
    const digits = oldName.slice(head.length, oldName.length - after.length);
    if (new RegExp(`^[0-9a-f]{${SUFFIX_DIGITS}}$`).test(digits)) return oldName;
  }
  const bytes = seed?.length
    ? createHash("sha256").update(seed).update(resource.urn).digest()
    : randomBytes(8);
  return head + bytes.toString("hex").slice(0, SUFFIX_DIGITS) + after;
}
