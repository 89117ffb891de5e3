import * as z from "zod";
import { composeStore } from "../engine/composeStore";
import { beginToWait } from "../engine/wake";
import { readApprovalSettings } from "../settings";

const parts = composeStore(readApprovalSettings());
const inputSchema = z.object({
  requestId: z.string().min(1).max(64),
  version: z.int().nonnegative(),
  token: z.string().min(1).max(2_048),
});

/** Keeps the token of a task that waits, in the table and nowhere else. */
export async function handler(event: unknown): Promise<void> {
  const parsed = inputSchema.safeParse(event);
  // The token is in the event, so nothing of a failure may be passed on.
  if (!parsed.success)
    throw new Error("the input of the task that waits is not what the state machine gives");
  await beginToWait(parts, parsed.data);
}
