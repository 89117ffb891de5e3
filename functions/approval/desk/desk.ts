/** What people can do from the command line. Who they are is AWS's word (proof.ts); what they see and may do, the directory's and the workflow's. */
import * as z from "zod";
import type { AuditReader } from "../audit/auditTrail";
import { type AuditEntry, auditEntrySchema } from "../audit/entry";
import type { Directory } from "../directory/directory";
import type { Person } from "../directory/document";
import { openByHand } from "../engine/byHand";
import { type Opened, type OpenParts, openRequest } from "../engine/open";
import type { EngineParts, PeerRequests } from "../engine/ports";
import { reopen } from "../engine/reopen";
import { changed } from "../engine/wake";
import { intake } from "../intake/intake";
import type { IntakeSettings } from "../intake/settings";
import { parseArn } from "../operations/values";
import { type RequestDetails, requestDetailsSchema } from "../pages/details";
import { happen } from "../workflow/happen";
import { type ApprovalRequest, requestSchema } from "../workflow/request";

const requestId = z.string().min(1).max(64);

/** What can be wanted. */
export const wishSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("open"),
    service: z.string().max(64),
    api: z.string().max(128),
    input: z.record(z.string(), z.unknown()),
    account: z.string().max(12),
    region: z.string().max(32),
    reason: z.string().min(1).max(1_000),
  }),
  z.strictObject({ kind: z.literal("openEvent"), event: z.unknown(), reason: z.string().min(1).max(1_000) }),
  z.strictObject({ kind: z.literal("list") }),
  z.strictObject({ kind: z.literal("show"), requestId }),
  z.strictObject({ kind: z.literal("cancel"), requestId }),
  z.strictObject({ kind: z.literal("reopen"), requestId }),
  z.strictObject({
    kind: z.literal("audit"),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    /** How many of the first to leave out; for the pages after the first. */
    skip: z.int().nonnegative(),
  }),
]);
/** Something that is wanted. */
export type Wish = z.input<typeof wishSchema>;

const listedSchema = z.object({
  cell: z.string(),
  request: requestSchema,
  details: requestDetailsSchema.optional(),
});
/** A request as it is listed: the other cell's as far as it was replicated. */
export type Listed = z.output<typeof listedSchema>;

/** What the desk answers. */
export const answerSchema = z.union([
  z.object({ opened: z.string() }),
  z.object({ exists: z.string() }),
  z.object({ refused: z.string() }),
  z.object({ list: z.array(listedSchema) }),
  z.object({ shown: listedSchema, entries: z.array(auditEntrySchema) }),
  z.object({ cancelled: z.string() }),
  z.object({ entries: z.array(auditEntrySchema), more: z.boolean() }),
]);
/** An answer of the desk. */
export type Answer = z.output<typeof answerSchema>;

/** What the desk works with. */
export interface DeskParts extends OpenParts, Pick<EngineParts, "fence" | "items" | "people" | "announcer"> {
  readonly peer?: PeerRequests;
  readonly auditReader: AuditReader;
  readonly intakeSettings: IntakeSettings;
  readonly newId: () => string;
}

/** Entries of an answer: about a megabyte. */
const PAGE = 1_000;

/** Does what a caller wants, if they may. @param callerArn by STS's word */
export async function atDesk(
  parts: DeskParts,
  callerArn: string,
  wish: z.output<typeof wishSchema>,
): Promise<Answer> {
  const person = personOf(await parts.people.now(), callerArn);
  if (!person?.active) {
    return {
      refused: `${callerArn} is nobody of the directory, or not active: add the ARN to a person's identities there`,
    };
  }
  switch (wish.kind) {
    case "open": {
      const typed = { ...wish, requestId: parts.newId() };
      return openedAnswer(await openByHand(parts, typed, person, { name: person.name, arn: callerArn }));
    }
    case "openEvent":
      return openEvent(parts, person, callerArn, wish);
    case "list":
      return { list: await listed(parts) };
    case "show":
      return show(parts, wish.requestId);
    case "cancel":
      return cancel(parts, person, wish.requestId);
    case "reopen":
      return openedAnswer(
        await reopen(parts, { requestId: wish.requestId, by: person, newRequestId: parts.newId() }),
      );
    case "audit":
      return page(parts.auditReader, wish);
  }
}

/** The person with this ARN; a user of IAM Identity Center also by the name of their session, which only Identity Center can choose. */
function personOf(directory: Directory, callerArn: string): Person | undefined {
  const session = /^assumed-role\/AWSReservedSSO_[^/]+\/(.+)$/.exec(parseArn(callerArn)?.resource ?? "")?.[1];
  return directory.named(callerArn) ?? (session === undefined ? undefined : directory.named(session));
}

function openedAnswer(opened: Opened): Answer {
  if (opened.opened) return { opened: opened.request.id };
  return "refused" in opened ? { refused: opened.refused } : { exists: opened.request.id };
}

/** The record is the caller's word only, so it says what, and the caller is who wants it; its id is not taken, which is the true event's. */
async function openEvent(
  parts: DeskParts,
  person: Person,
  arn: string,
  { event, reason }: { readonly event?: unknown; readonly reason: string },
): Promise<Answer> {
  const taken = intake(event, parts.intakeSettings);
  if (!("plan" in taken)) return { refused: taken.why };
  const open = await parts.fence.mayOpen(taken.plan.place.region);
  if (!open.allowed) return { refused: open.why };
  const wanted = {
    requestId: parts.newId(),
    plan: taken.plan,
    person,
    requester: { name: person.name, arn },
    calledAt: taken.facts.eventTime,
    reason,
  };
  return openedAnswer(await openRequest(parts, wanted));
}

async function listed({ table, peer, cell }: DeskParts): Promise<Listed[]> {
  const of = async (
    name: string,
    from: {
      listOpen(): Promise<ApprovalRequest[]>;
      readDetails(id: string): Promise<RequestDetails | undefined>;
    },
  ): Promise<Listed[]> =>
    Promise.all(
      (await from.listOpen()).map(async (request) => {
        const details = await from.readDetails(request.id);
        return { cell: name, request, ...(details && { details }) };
      }),
    );
  const all = [...(await of(cell, table)), ...(peer ? await of(peer.cell, peer) : [])];
  return all.sort((a, b) => a.request.createdAt - b.request.createdAt);
}

async function show({ table, peer, cell, auditReader }: DeskParts, id: string): Promise<Answer> {
  for (const [name, from] of [[cell, table] as const, ...(peer ? [[peer.cell, peer] as const] : [])]) {
    const [request, details] = await Promise.all([from.read(id), from.readDetails(id)]);
    if (!request) continue;
    const entries = await auditReader.ofRequest(id);
    return { shown: { cell: name, request, ...(details && { details }) }, entries };
  }
  return { refused: `there is no request ${id}` };
}

const REFUSED: Record<string, string> = {
  alreadyHandled: "it is past the point where it can be cancelled",
  tooLate: "its time is over",
  notTheRequester: "only its requester can cancel it",
};

async function cancel(parts: DeskParts, person: Person, id: string): Promise<Answer> {
  const actor = await parts.people.actor(person.id, "cli");
  if (!actor) return { refused: "you are not in the directory" };
  const happened = await happen(parts.table, id, { kind: "cancel", actor }, parts.now);
  if ("unknown" in happened) return { refused: `there is no request ${id} in cell ${parts.cell}` };
  if ("refused" in happened) return { refused: REFUSED[happened.refused] ?? happened.refused };
  await changed(parts, id);
  return { cancelled: id };
}

async function page(
  audit: AuditReader,
  { since, until, skip }: { readonly since: string; readonly until: string; readonly skip: number },
): Promise<Answer> {
  const entries: AuditEntry[] = [];
  let passed = 0;
  for await (const entry of audit.between(new Date(since), new Date(until))) {
    if (passed++ < skip) continue;
    if (entries.length === PAGE) return { entries, more: true };
    entries.push(entry);
  }
  return { entries, more: false };
}
