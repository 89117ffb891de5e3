import * as z from "zod";
import { DAYS_TAG, type Policy, readTags } from "../decide/policy";
import type { KeyRotationSettings } from "../settings";

/** An account as the organization lists it. */
export interface ListedAccount {
  id: string;
  name: string;
  email: string;
  /** Not suspended, not being closed. */
  active: boolean;
}

/** Where accounts come from. */
export interface AccountSource {
  /** Every account of the organization. */
  all(): AsyncIterable<ListedAccount>;
  /** Every account in a unit (or root) and in the units below it. */
  inUnit(unitId: string): AsyncIterable<ListedAccount>;
  tags(accountId: string): Promise<Record<string, string>>;
}

/** An account that a run works on: an item of the account list. */
export const accountItemSchema = z.strictObject({
  id: z.string().regex(/^\d{12}$/, "an account id of 12 digits"),
  name: z.string().default(""),
  email: z.string().default(""),
  /** The account's tag for other ages. @default none */
  days: z.string().optional(),
  unfinished: z.boolean().default(false),
  merged: z.boolean().default(false),
});

/** An item of the account list. */
export type AccountItem = z.output<typeof accountItemSchema>;

/** An account that is left out, and why. */
export interface LeftOut {
  id: string;
  why: "suspended" | "excluded" | "tags" | "exempt" | "malformed-tag";
}

/** What of an account does not change from run to run. */
export type KnownAccount = Pick<AccountItem, "id" | "name" | "email" | "days">;

/**
 * The accounts that are looked after: those of the organization, or of its units, without the suspended and the excluded, by their tags.
 * @param source undefined: no organization, only the accounts that are named
 */
export async function* listAccounts(
  source: AccountSource | undefined,
  { accounts, policy }: Pick<KeyRotationSettings, "accounts" | "policy">,
  leftOut: (account: LeftOut) => void,
): AsyncGenerator<KnownAccount> {
  const seen = new Set<string>();
  for await (const account of candidates(source, accounts)) {
    if (seen.has(account.id) || (accounts.include.length > 0 && !accounts.include.includes(account.id)))
      continue;
    seen.add(account.id);
    if (!account.active) leftOut({ id: account.id, why: "suspended" });
    else if (accounts.exclude.includes(account.id)) leftOut({ id: account.id, why: "excluded" });
    else {
      const { id, name, email } = account;
      const verdict = await byTags(source, id, accounts, policy);
      if ("why" in verdict) leftOut({ id, why: verdict.why });
      else yield { id, name, email, ...verdict };
    }
  }
}

async function* candidates(
  source: AccountSource | undefined,
  { include, organizationalUnitIds }: KeyRotationSettings["accounts"],
): AsyncGenerator<ListedAccount> {
  if (!source) {
    for (const id of include) yield { id, name: "", email: "", active: true };
  } else if (organizationalUnitIds.length === 0) yield* source.all();
  else for (const unit of organizationalUnitIds) yield* source.inUnit(unit);
}

async function byTags(
  source: AccountSource | undefined,
  id: string,
  { tags: filters, readTags: read }: KeyRotationSettings["accounts"],
  policy: Policy,
): Promise<Pick<LeftOut, "why"> | { days?: string }> {
  if (!source || (filters.length === 0 && !read)) return {};
  const tags = await source.tags(id);
  const wanted = filters.every(({ key, values }) => {
    const value = tags[key];
    return value !== undefined && (values.length === 0 || values.includes(value));
  });
  if (!wanted) return { why: "tags" };
  if (!read) return {};
  const verdict = readTags(tags, policy);
  if ("malformed" in verdict) return { why: "malformed-tag" };
  if (verdict.exempt) return { why: "exempt" };
  const days = tags[DAYS_TAG];
  return days === undefined ? {} : { days };
}
