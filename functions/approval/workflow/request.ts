/** A request for approval, and everything that can happen to it. Data only: see transition.ts for what may follow on what. */
import * as z from "zod";

/** A group that has to approve. Levels are passed one after the other. */
const level = z.object({
  /** Whose members may approve. */
  group: z.string().min(1).max(128),
  /** How many of them it takes. */
  quorum: z.number().int().min(1).max(20),
  /** After how many seconds without a decision the request expires. */
  timeoutSeconds: z.number().int().min(1),
  /** Whom to ask as well when nobody has decided for some time. */
  escalation: z
    .object({ group: z.string().min(1).max(128), afterSeconds: z.number().int().min(1) })
    .optional(),
});

/** One level of approval. */
export type Level = z.infer<typeof level>;

const time = z.number().int().nonnegative();
const identities = z.array(z.string().min(1).max(2_048)).min(1).max(20);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * The states.
 * - `requested`: waits for the operator to say that they meant it
 * - `approving`: waits for the members of a level's group
 * - `approved`: waits for the operator's last word
 * - `snapshotting`: a snapshot is taken first
 * - `verifying`: the resources are looked at once more
 * - `executing`: the call is being made. Whoever brings a request here makes the call, and nobody else ever does
 * - the others are final
 */
export const STATES = [
  "requested",
  "approving",
  "approved",
  "snapshotting",
  "verifying",
  "executing",
  "done",
  "bypassed",
  "failed",
  "denied",
  "expired",
  "cancelled",
] as const;

/** Where a request stands. */
export type State = (typeof STATES)[number];

const FINAL: ReadonlySet<State> = new Set<State>([
  "done",
  "bypassed",
  "failed",
  "denied",
  "expired",
  "cancelled",
]);

/** Whether nothing can happen to a request in this state any more. */
export function isFinal(state: State): boolean {
  return FINAL.has(state);
}

const decision = z.object({ by: identities, at: time, channel: z.string().min(1).max(32) });

/** What a stored request has to look like. */
export const requestSchema = z.object({
  id: z.string().min(1).max(64),
  /** Rises by one with each change; a change is written only where state and version are still those that it was made from. */
  version: z.number().int().positive(),
  state: z.enum(STATES),
  /** What the request is about; see operationHash. One open request exists for each. */
  operationHash: hash,
  /** What was shown to those who approve; see previewHash. */
  previewHash: hash,
  /** Every name under which the requester may appear: ARN, mail address, id at the identity provider. */
  requester: identities,
  levels: z.array(level).min(1).max(10),
  /** Whether a snapshot is taken before the call. */
  snapshotFirst: z.boolean(),
  /** Seconds that the operator has to confirm, at the beginning and at the end. */
  confirmationSeconds: z.number().int().min(1),
  /** Seconds that snapshot, second look and call may each take. */
  workSeconds: z.number().int().min(1),
  createdAt: time,
  /** When the stage began, in milliseconds since 1970. */
  stageAt: time,
  /** When the stage ends by itself. */
  deadline: time,
  /** The level that is asked, from 0. */
  level: z.number().int().nonnegative(),
  /** Whether the level's escalation group was asked too. */
  escalated: z.boolean(),
  approvals: z.array(decision.extend({ level: z.number().int().nonnegative() })),
  confirmed: decision.optional(),
  finallyConfirmed: decision.optional(),
  denial: decision.extend({ reason: z.string().min(1).max(1_000) }).optional(),
  bypass: decision.extend({ reason: z.string().min(1).max(1_000) }).optional(),
  /** Why it failed, for a failed one. */
  failure: z.enum(["snapshotFailed", "notVerified", "changed", "callFailed", "outcomeUnknown"]).optional(),
  /** What brought it to this version, for the audit; absent for a new one. Nothing is decided by it. */
  last: z
    .object({
      event: z.string().min(1).max(32),
      at: time,
      by: identities.optional(),
      channel: z.string().min(1).max(32).optional(),
      reason: z.string().min(1).max(1_000).optional(),
    })
    .optional(),
});

/** A request. Times are milliseconds since 1970. */
export type ApprovalRequest = z.infer<typeof requestSchema>;

/** Somebody who acts, as the server knows them at this moment; nothing of it comes from a page or a link. */
export interface Actor {
  /** Every name under which this person is known. */
  readonly identities: readonly string[];
  readonly groups: readonly string[];
  /** Whether the person is still there: false since they were deactivated, whatever links they hold. */
  readonly active: boolean;
  /** How they acted, such as `page` or `slack`. */
  readonly channel: string;
}

/** Something that happens to a request. */
export type RequestEvent =
  | { readonly kind: "confirm"; readonly actor: Actor }
  | { readonly kind: "cancel"; readonly actor: Actor }
  /** `level`: the one that the actor was asked for; a link of an earlier level approves nothing later. */
  | { readonly kind: "approve"; readonly actor: Actor; readonly level: number }
  | { readonly kind: "deny"; readonly actor: Actor; readonly level: number; readonly reason: string }
  | { readonly kind: "finallyConfirm"; readonly actor: Actor }
  | { readonly kind: "bypass"; readonly actor: Actor; readonly reason: string }
  | { readonly kind: "snapshotDone" }
  | { readonly kind: "snapshotFailed" }
  /** The second look, with the hash of what was seen. */
  | { readonly kind: "verified"; readonly previewHash: string }
  /** The call will not be made: no access can be given, or the request is another cell's by now. */
  | { readonly kind: "abandon"; readonly reason: string }
  | { readonly kind: "callDone" }
  | { readonly kind: "callFailed" }
  /** The call was made, and no answer says whether it took effect. */
  | { readonly kind: "callUnknown" }
  /** Time has passed: escalates or expires what is due. */
  | { readonly kind: "tick" };

/** What a new request is made from. */
export type NewRequest = Pick<
  ApprovalRequest,
  | "id"
  | "operationHash"
  | "previewHash"
  | "requester"
  | "levels"
  | "snapshotFirst"
  | "confirmationSeconds"
  | "workSeconds"
>;

/** A request as it begins. @throws ZodError when a part is out of bounds */
export function newRequest(parts: NewRequest, now: number): ApprovalRequest {
  return requestSchema.parse({
    ...parts,
    version: 1,
    state: "requested",
    createdAt: now,
    stageAt: now,
    deadline: now + parts.confirmationSeconds * 1_000,
    level: 0,
    escalated: false,
    approvals: [],
  });
}
