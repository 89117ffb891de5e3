import * as z from "zod";
import type { AccountAnswer } from "../account/work";

const outcomeSchema = z.object({
  userName: z.string(),
  row: z.string(),
  why: z.string(),
  due: z.array(z.string()),
  done: z.array(z.string()),
  failed: z.array(z.object({ action: z.string(), code: z.string() })),
  told: z.array(z.string()),
  reports: z.array(z.string()),
});

/** A key of an account's answer. */
export const inventoryKeySchema = z.object({
  userName: z.string(),
  id: z.string(),
  active: z.boolean(),
  ageDays: z.number(),
  lastUsedDaysAgo: z.number().nullable(),
  owner: z.string(),
});

/** What the account function answered. */
export const accountAnswerSchema: z.ZodType<AccountAnswer> = z.object({
  runId: z.string(),
  accountId: z.string(),
  status: z.enum(["done", "paused", "failed"]),
  reason: z.string().optional(),
  more: z.boolean().optional(),
  users: z.number(),
  outcomes: z.array(outcomeSchema),
  keys: z.array(inventoryKeySchema).optional(),
  keysAt: z.string().optional(),
});

/** How the map over the accounts ended: where its results are, the results themselves, or an error. */
const writtenSchema = z.object({ ResultWriterDetails: z.object({ Bucket: z.string(), Key: z.string() }) });
const manifestSchema = z.object({
  ResultFiles: z.object({
    FAILED: z.array(z.object({ Key: z.string() })).default([]),
    SUCCEEDED: z.array(z.object({ Key: z.string() })).default([]),
  }),
});
const executionsSchema = z.array(
  z.object({ Input: z.string().optional(), Output: z.string().optional(), Error: z.string().optional() }),
);

/** One account of a run: its answer, or that its step failed. */
export type AccountEnd = { answer: AccountAnswer } | { failed: string; reason: string };

/**
 * The accounts of a run, one after the other: at most one file of results is in memory at a time.
 * @param map what the map state gave (Step Functions developer guide, "ResultWriter")
 * @param get an object of the rotator's bucket
 */
export async function* accountEnds(
  map: unknown,
  get: (key: string) => Promise<string | undefined>,
): AsyncGenerator<AccountEnd> {
  if (Array.isArray(map)) {
    for (const item of map) yield endOf(item);
    return;
  }
  const written = writtenSchema.safeParse(map);
  if (!written.success) return;
  const manifest = manifestSchema.parse(
    JSON.parse((await get(written.data.ResultWriterDetails.Key)) ?? "{}"),
  );
  for (const { Key } of manifest.ResultFiles.SUCCEEDED) {
    for (const { Output } of executionsSchema.parse(JSON.parse((await get(Key)) ?? "[]"))) {
      yield endOf(Output === undefined ? undefined : JSON.parse(Output));
    }
  }
  for (const { Key } of manifest.ResultFiles.FAILED) {
    for (const { Input, Error: reason } of executionsSchema.parse(JSON.parse((await get(Key)) ?? "[]"))) {
      const parsed = z.object({ account: z.object({ id: z.string() }) }).safeParse(JSON.parse(Input ?? "{}"));
      yield { failed: parsed.data?.account.id ?? "", reason: reason ?? "failed" };
    }
  }
}

function endOf(item: unknown): AccountEnd {
  const parsed = accountAnswerSchema.safeParse(item);
  return parsed.success ? { answer: parsed.data } : { failed: "", reason: "unreadable-result" };
}
