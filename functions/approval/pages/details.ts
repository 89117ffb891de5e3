/** What is shown of a request, beside where it stands: written once when it is opened, by the server, from what AWS said. */
import * as z from "zod";
import type { ApprovalRequest } from "../workflow/request";

const text = z.string().max(4_096);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

/** What stored details have to look like. */
export const requestDetailsSchema = z.object({
  requestId: z.string().min(1).max(64),
  /** Those of the request: what is shown is what the approval is bound to. */
  operationHash: hash,
  previewHash: hash,
  /** Name in the catalogue, such as `ec2:TerminateInstances`. */
  event: z.string().min(1).max(128),
  operation: z.object({
    service: text,
    api: text,
    input: z.record(z.string(), value),
    actions: z.array(text),
    resources: z.array(text),
  }),
  account: z.object({ id: z.string().regex(/^\d{12}$/), name: text.optional() }),
  region: z.string().min(1).max(32),
  requester: z.object({
    /** Id in the directory. */
    person: z.string().min(1).max(64),
    /** As AWS knows them: a user's name, `ROLE/SESSION`. */
    name: text,
    arn: text.optional(),
  }),
  /** When the call was denied, ISO 8601; absent for a request that was opened by hand. */
  calledAt: z.string().optional(),
  /** Why the operation is wanted, in the requester's words. */
  reason: text.optional(),
  /** The preview's summary; see summarize. */
  preview: z.array(z.object({ label: text, value: text.or(z.string().max(20_000)) })),
  risk: z.object({
    score: z.number().min(0).max(100),
    /** The threshold's name, such as `high`. */
    name: text,
    reasons: z.array(z.object({ code: z.string().max(64), points: z.number(), text })),
  }),
});

/** What is shown of a request. */
export type RequestDetails = z.infer<typeof requestDetailsSchema>;

/** Keeps details. */
export interface DetailsStore {
  /** Keeps a request's details, if there are none yet: they never change. */
  writeDetails(details: RequestDetails): Promise<void>;
  readDetails(requestId: string): Promise<RequestDetails | undefined>;
}

/** Whether details are those of the request: of this operation, and of what was seen when it was opened. */
export function belongTogether(request: ApprovalRequest, details: RequestDetails): boolean {
  return (
    details.requestId === request.id &&
    details.operationHash === request.operationHash &&
    details.previewHash === request.previewHash
  );
}
