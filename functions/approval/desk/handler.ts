import { randomUUID } from "node:crypto";
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { errorFields } from "../../shared/errors/errorFields";
import { composeOpener } from "../engine/compose";
import { intakeSettingsOf, readApprovalSettings } from "../settings";
import { type Answer, atDesk, wishSchema } from "./desk";
import { audienceOf, callerOf } from "./proof";

const settings = readApprovalSettings();
const parts = {
  ...composeOpener(settings, "approval-desk"),
  intakeSettings: intakeSettingsOf(settings),
  newId: randomUUID,
};
const inputSchema = z.strictObject({
  wish: wishSchema,
  proof: z.record(z.string().max(64), z.string().max(8_192)),
});

/** What people want from the command line. May be invoked by every operator and approver: it finds out who they are by itself. */
export async function handler(event: unknown): Promise<Answer> {
  const input = inputSchema.safeParse(event);
  if (!input.success)
    return { refused: "this is not what the command line sends: is it of another version?" };
  const { wish, proof } = input.data;
  try {
    const { name: cell, region } = settings.cell;
    const caller = await callerOf(proof, { region, audience: audienceOf(cell, wish) });
    const answer = await atDesk(parts, caller, wish);
    parts.log.info("a wish was answered", { wish: wish.kind, caller, refused: "refused" in answer });
    return answer;
  } catch (error) {
    parts.log.error("a wish could not be answered", { wish: wish.kind, ...errorFields(error) });
    if (error instanceof BulkheadError) return { refused: error.message };
    throw error;
  }
}
