import * as z from "zod";
import { partitionOf } from "../../../components/regional/partition";
import { readTags } from "../decide/policy";
import type { Account, RunContext } from "../engine/account";
import type { AccountResult, InventoryKey } from "../engine/result";
import { accountItemSchema } from "../inventory/list";
import type { KeyRotationSettings } from "../settings";

/** What the account function gets. */
export const accountEventSchema = z.object({
  runId: z.string().regex(/^[\w-]{1,100}$/, "1 to 100 letters, digits, _ and -"),
  account: accountItemSchema,
  /** Only decides, and tells what a run would do. @default false */
  plan: z.boolean().default(false),
  /** Only one user, now: with `force` whatever the key's age, and in enforce mode whatever the settings say. @default everybody who is due */
  only: z.strictObject({ userName: z.string().min(1), force: z.boolean().default(false) }).optional(),
});

export type AccountEvent = z.output<typeof accountEventSchema>;

/** What the account function gives: the result without the keys, if these are too many. */
export type AccountAnswer = Omit<AccountResult, "keys"> & {
  runId: string;
  keys?: InventoryKey[];
  /** Key of an object with the keys, where they are too many for a step's result. */
  keysAt?: string;
};

/** Room for a step's result; Step Functions takes 256 KiB, with all that is around it. */
const RESULT_BYTES = 180_000;

/** A run's context from the function's input and settings. */
export function contextOf(
  { runId, account, plan, only }: AccountEvent,
  settings: KeyRotationSettings,
  ports: RunContext["ports"],
): RunContext {
  return {
    account: accountOf(account, settings),
    runId,
    mode: only?.force ? "enforce" : settings.mode,
    planOnly: plan,
    ...(only && { only }),
    cell: settings.cell.name,
    partition: partitionOf(settings.cell.region),
    shortestRotateDays: settings.shortestRotateDays ?? settings.policy.rotate,
    exemptGroup: settings.exemptGroup,
    breakGlass: settings.breakGlass,
    ownerTag: settings.mail.ownerTag,
    secrets: settings.secrets,
    concurrency: settings.concurrency,
    ports,
  };
}

/** An account of the list, with what its tag says about ages: the inventory has checked it. */
function accountOf(item: AccountEvent["account"], { policy }: KeyRotationSettings): Account {
  const { id, name, email, unfinished, merged, days } = item;
  const verdict = days === undefined ? undefined : readTags({ "bulkhead:key-rotation-days": days }, policy);
  return {
    id,
    name,
    email,
    unfinished,
    merged,
    policy: verdict && "policy" in verdict ? verdict.policy : policy,
  };
}

/**
 * The answer, small enough for a step's result.
 * @param store puts the keys elsewhere, and says where
 */
export async function answerOf(
  runId: string,
  { keys, ...result }: AccountResult,
  store: (keys: InventoryKey[]) => Promise<string>,
): Promise<AccountAnswer> {
  if (Buffer.byteLength(JSON.stringify({ ...result, keys })) <= RESULT_BYTES)
    return { runId, ...result, keys };
  const keysAt = await store(keys);
  const outcomes = result.outcomes.map((outcome) => ({ ...outcome, why: "" }));
  return { runId, ...result, outcomes, keysAt };
}
