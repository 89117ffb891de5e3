import * as z from "zod";
import { failureKind } from "../engine/failure";
import type { KeyRotationSettings } from "../settings";
import {
  type AccountItem,
  type AccountSource,
  accountItemSchema,
  type KnownAccount,
  type LeftOut,
  listAccounts,
} from "./list";

/** What starts a run. */
export const inventoryEventSchema = z.object({
  /** Name of the run: the execution's. */
  runId: z.string().regex(/^[\w-]{1,100}$/, "1 to 100 letters, digits, _ and -"),
  /** The execution's own input: `{"accounts": [ID, ...]}` restricts the run to these. @default every account */
  only: z.looseObject({ accounts: z.array(z.string()).optional() }).optional(),
  /** Gives the list in the answer and writes nothing: for `bulkhead keys plan`. @default false */
  inline: z.boolean().default(false),
});

/** What the inventory gives to the next step. Ids and counts. */
export interface InventoryResult {
  runId: string;
  /** `run`: there are accounts to work on; `standby`: the other cell does; `paused`: nothing can be done now; `none`: no accounts. */
  state: "run" | "standby" | "paused" | "none";
  /** Why not `run`. */
  reason: string;
  /** Key of the account list in the bucket; empty without one. */
  accountsKey: string;
  accounts: number;
  leftOut: LeftOut[];
  /** When the list was made, if it is an older one because the organization does not answer. */
  listFrom?: string;
  /** With `inline`. */
  list?: AccountItem[];
}

/** What the inventory works with. */
export interface InventoryPorts {
  /** Whether the cell may act now, and its epoch. */
  permission(): Promise<{ act: true; epoch: number } | { act: false; reason: string }>;
  /** undefined: no organization. */
  source: AccountSource | undefined;
  objects: {
    get(key: string): Promise<string | undefined>;
    put(key: string, content: string, type: string): Promise<void>;
  };
  /** Brings the records up to date; see `mergeRecords`. */
  merge(epoch: number): Promise<boolean>;
  unfinished(): Promise<Set<string>>;
  now(): Date;
}

const listSchema = z.object({
  at: z.string(),
  accounts: z.array(accountItemSchema.pick({ id: true, name: true, email: true, days: true })),
});

/** How many accounts that are left out are named; the rest is counted. */
const NAMED = 500;

/**
 * The list of accounts of a run. It is made in both cells, so that a standby knows the accounts when it is promoted; when the organization's
 * control plane does not answer (fact 34), the last one is used.
 */
export async function takeInventory(
  event: z.output<typeof inventoryEventSchema>,
  settings: Pick<KeyRotationSettings, "accounts" | "policy" | "bucket">,
  ports: InventoryPorts,
): Promise<InventoryResult> {
  const { runId, only, inline } = event;
  const result: InventoryResult = {
    runId,
    state: "none",
    reason: "",
    accountsKey: "",
    accounts: 0,
    leftOut: [],
  };
  const known = await knownAccounts(settings, ports, result, inline);
  if (!known) return { ...result, state: "paused", reason: "organization-unreachable" };
  const permission = await ports.permission();
  if (!permission.act && !inline) {
    return {
      ...result,
      state: permission.reason === "standby" ? "standby" : "paused",
      reason: permission.reason,
    };
  }
  const wanted = only?.accounts ? known.filter(({ id }) => only.accounts?.includes(id)) : known;
  const merged = permission.act && !inline && (await ports.merge(permission.epoch));
  const unfinished = await ports.unfinished();
  const list = wanted.map(
    (account): AccountItem => ({ ...account, merged, unfinished: unfinished.has(account.id) }),
  );
  result.accounts = list.length;
  if (inline) return { ...result, state: "run", list };
  if (list.length === 0) return { ...result, reason: "no-accounts" };
  const accountsKey = `${settings.bucket.prefix}runs/${runId}/accounts.json`;
  await ports.objects.put(accountsKey, JSON.stringify(list), "application/json");
  return { ...result, state: "run", accountsKey };
}

/** The accounts as the organization has them now, or as it had them when it answered last. */
async function knownAccounts(
  settings: Pick<KeyRotationSettings, "accounts" | "policy" | "bucket">,
  ports: InventoryPorts,
  result: InventoryResult,
  readOnly: boolean,
): Promise<KnownAccount[] | undefined> {
  const key = `${settings.bucket.prefix}accounts/last.json`;
  const accounts: KnownAccount[] = [];
  try {
    const leaveOut = (account: LeftOut) => {
      if (result.leftOut.length < NAMED) result.leftOut.push(account);
    };
    for await (const account of listAccounts(ports.source, settings, leaveOut)) accounts.push(account);
  } catch (error) {
    if (!["unreachable", "throttled"].includes(failureKind(error))) throw error;
    const last = await ports.objects.get(key);
    const parsed = listSchema.safeParse(last === undefined ? undefined : JSON.parse(last));
    if (!parsed.success) return undefined;
    result.listFrom = parsed.data.at;
    return parsed.data.accounts;
  }
  // Only an organization can be out of reach later.
  if (ports.source && !readOnly) {
    await ports.objects.put(
      key,
      JSON.stringify({ at: ports.now().toISOString(), accounts }),
      "application/json",
    );
  }
  return accounts;
}
