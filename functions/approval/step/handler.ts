import * as z from "zod";
import { composeAlerts, composePeople } from "../engine/compose";
import { composeStore } from "../engine/composeStore";
import { type StepAnswer, step } from "../engine/step";
import { readApprovalSettings } from "../settings";

const store = composeStore(readApprovalSettings());
const parts = { ...store, ...composePeople(store), alerts: composeAlerts(store) };
const inputSchema = z.object({ requestId: z.string().min(1).max(64) });

/** One look at a request, for the state machine. */
export async function handler(event: unknown): Promise<StepAnswer> {
  return step(parts, inputSchema.parse(event).requestId);
}
