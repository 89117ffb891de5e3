import type { RuleStackResource } from "./rule";
import { property } from "./walk";

/** Type of a DynamoDB table. */
export const TABLE = "aws:dynamodb/table:Table";

/**
 * Whether a stack is a trial, or about to be destroyed: it has tables, and every one of them says that it may be deleted. That is what the
 * program's one switch `deletionProtection: false` makes; a single table among protected ones is a mistake.
 */
export function isTrial(tables: readonly RuleStackResource[]): boolean {
  return (
    tables.length > 0 && tables.every(({ props }) => property(props, "deletionProtectionEnabled") === false)
  );
}
