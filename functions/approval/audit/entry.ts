import * as z from "zod";
import type { ApprovalRequest, State } from "../workflow/request";

const text = z.string().max(4_096);

/** What a stored entry has to look like. */
export const auditEntrySchema = z.object({
  requestId: z.string().min(1).max(64),
  /** Time in ISO 8601, with milliseconds, UTC. */
  at: z.iso.datetime(),
  /** The cell that wrote it. */
  cell: z.string().min(1).max(32),
  /**
   * What happened: an event of the workflow (`confirm`, `approve`, `deny`, `tick`, ...), or one of {@link DEEDS}.
   */
  what: z.string().min(1).max(32),
  /** Every name of the person who did it; absent for what happens by itself. */
  by: z.array(z.string()).optional(),
  /** How they did it, such as `page`. */
  channel: z.string().optional(),
  /** In the words of whoever did it, or what AWS said. */
  reason: text.optional(),
  /** State before and after; the same, or absent, for what is no change of state. */
  before: z.string().optional(),
  after: z.string().optional(),
  version: z.number().int().nonnegative(),
  operationHash: z.string(),
  previewHash: z.string(),
  /** Every name of the requester. */
  requester: z.array(z.string()).min(1),
  /** Name in the catalogue, such as `ec2:TerminateInstances`; absent for changes of state. */
  call: z.string().optional(),
  account: z.string().optional(),
  region: z.string().optional(),
  resources: z.array(z.string()).optional(),
});

/** An entry of the audit. */
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** What the engine does beside changing states; each is recorded. */
export const DEEDS = [
  "requested",
  "duplicate",
  "reopened",
  "snapshotStarted",
  "snapshotEnded",
  "lookedAgain",
  "accessAsked",
  "called",
  "executed",
  "notExecuted",
  "accessEnded",
  "accessLeft",
] as const;
/** Something that the engine does. */
export type Deed = (typeof DEEDS)[number];

/** The part of an entry that a request says by itself. */
export function entryOf(
  request: ApprovalRequest,
  { cell, at, what }: { readonly cell: string; readonly at: number; readonly what: string },
): AuditEntry {
  return {
    requestId: request.id,
    at: new Date(at).toISOString(),
    cell,
    what,
    version: request.version,
    operationHash: request.operationHash,
    previewHash: request.previewHash,
    requester: [...request.requester],
  };
}

/** The entry of a change of state, from the request as it became. */
export function changeEntry(
  next: ApprovalRequest,
  before: { readonly state: State } | undefined,
  cell: string,
): AuditEntry {
  const { last, failure } = next;
  const reason = last?.reason ?? failure;
  return {
    ...entryOf(next, { cell, at: last?.at ?? next.createdAt, what: last?.event ?? "open" }),
    ...(before && { before: before.state }),
    after: next.state,
    ...(last?.by && { by: last.by }),
    ...(last?.channel && { channel: last.channel }),
    ...(reason !== undefined && { reason }),
  };
}
