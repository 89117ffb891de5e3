import * as z from "zod";
import { readApprovalSettings } from "../settings";
import { openByHand } from "./byHand";
import { composeOpener } from "./compose";
import { changed } from "./wake";

const parts = composeOpener(readApprovalSettings(), "approval-engine");
const id = z.string().min(1).max(64);

const inputSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("changed"), requestId: id }),
  z.object({
    kind: z.literal("renew"),
    requestId: id,
    person: id,
    purpose: z.string().min(1).max(32),
    level: z.int().nonnegative().optional(),
    renewals: z.int().nonnegative(),
  }),
  z.object({
    kind: z.literal("open"),
    requestId: z.uuid(),
    person: id,
    service: z.string().max(64),
    api: z.string().max(128),
    input: z.record(z.string(), z.unknown()),
    account: z.string().max(12),
    region: z.string().max(32),
    reason: z.string().min(1).max(1_000),
  }),
]);

/**
 * What pages ask of the engine (http/engine.ts). Only their function may invoke it: it takes their word for who somebody is, since they have made sure.
 */
export async function handler(event: unknown): Promise<unknown> {
  const input = inputSchema.parse(event);
  switch (input.kind) {
    case "changed":
      return changed(parts, input.requestId);
    case "renew": {
      const [request, details] = await Promise.all([
        parts.table.read(input.requestId),
        parts.table.readDetails(input.requestId),
      ]);
      if (request && details) await parts.announcer.renew(input, request, details);
      return undefined;
    }
    case "open": {
      const person = (await parts.people.now()).person(input.person);
      if (!person) return { opened: false, reason: "refused", text: "you are not in the directory" };
      const opened = await openByHand(parts, input, person, { name: person.name });
      if (opened.opened || ("again" in opened && opened.again)) return { opened: true };
      if ("refused" in opened) return { opened: false, reason: "refused", text: opened.refused };
      return { opened: false, reason: "exists" };
    }
  }
}
