import { createHash } from "node:crypto";
import type { PlannedOperation } from "../operations/plan";

/** JSON in one form only: keys in order, no white space, nothing that is undefined. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** SHA-256 of the canonical JSON, in hex. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/**
 * What two requests for the same thing have in common, whoever asks and however often: one open request exists for each. Lists are sets, so
 * the order that resources were named in does not matter.
 */
export function operationHash({ operation, place }: PlannedOperation): string {
  const { service, api, input } = operation;
  return canonicalHash({
    ...place,
    service,
    api,
    input: Object.fromEntries(
      Object.entries(input).map(([name, value]) => [
        name,
        Array.isArray(value) ? [...(value as readonly string[])].sort() : value,
      ]),
    ),
  });
}
