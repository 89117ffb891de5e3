/** The clock's part: what is due by itself, and telling people of what they do not know yet. */
import { errorFields } from "../../shared/errors/errorFields";
import { happen } from "../workflow/happen";
import { type ApprovalRequest, isFinal } from "../workflow/request";
import { nextDue } from "../workflow/transition";
import type { EngineParts } from "./ports";

/** What the step works with. */
export type StepParts = Pick<
  EngineParts,
  "table" | "items" | "announcer" | "alerts" | "settings" | "log" | "now" | "cell"
>;

/** What the state machine does next. */
export interface StepAnswer {
  readonly requestId: string;
  readonly next: "wait" | "work" | "end";
  /** How long to wait at most. */
  readonly seconds: number;
  /** The version that was seen: a wait ends at once when there is a later one. */
  readonly version: number;
}

/**
 * One look at a request. The table is the truth and this may run at any time and however often: it changes what is due, tells what was not told, and
 * says how to go on.
 */
export async function step(parts: StepParts, requestId: string): Promise<StepAnswer> {
  const { table, settings, now } = parts;
  const happened = await happen(table, requestId, { kind: "tick" }, now);
  if ("unknown" in happened) return { requestId, next: "end", seconds: 1, version: 0 };
  const request = "after" in happened ? happened.after : happened.request;
  await announce(parts, request);
  const { version, state } = request;
  if (isFinal(state)) return { requestId, next: "end", seconds: 1, version };
  if (state === "snapshotting" || state === "verifying")
    return { requestId, next: "work", seconds: 1, version };
  // A request that is being executed is waited for: whoever brought it there makes the call, and nobody else ever does.
  const due = Math.ceil(((nextDue(request) ?? now()) - now()) / 1_000);
  return { requestId, next: "wait", seconds: Math.min(Math.max(due, 1), settings.times.tick), version };
}

/** The stage as people are told of it: once for each. */
function stageKey({ state, level, escalated }: ApprovalRequest): string {
  return state === "approving" ? `${state}-${level}${escalated ? "-escalated" : ""}` : state;
}

/** Tells of the stage that a request has reached. What is told after the send is kept, so that a crash in between tells twice rather than never. */
async function announce(parts: StepParts, request: ApprovalRequest): Promise<void> {
  const { table, items, announcer, log } = parts;
  const key = stageKey(request);
  if (await items.wasTold(request.id, key)) return;
  const details = await table.readDetails(request.id);
  if (!details) {
    log.error("a request has no details: nobody can be told of it", { request: request.id });
    return;
  }
  try {
    await alertOf(parts, request);
    await announcer.tell(request, details);
  } catch (error) {
    log.error("people could not be told of a stage; it is tried again", {
      request: request.id,
      stage: key,
      ...errorFields(error),
    });
    // After a final stage there is no later look, so the state machine's retries are the last chance.
    if (isFinal(request.state)) throw error;
    return;
  }
  await items.markTold(request.id, key);
}

/** The bypass is an emergency of its own: whoever runs approval is told of each, whatever comes of it, and of calls with an unknown outcome. */
async function alertOf({ alerts, cell, now }: StepParts, request: ApprovalRequest): Promise<void> {
  const { bypass, failure, state, id } = request;
  if (!bypass && failure !== "outcomeUnknown") return;
  const lines = [
    { label: "Request", value: id },
    { label: "Cell", value: cell },
    { label: "State", value: state },
    { label: "Requester", value: request.requester[0]! },
    ...(bypass
      ? [
          { label: "Bypassed by", value: bypass.by[0]! },
          { label: "Reason", value: bypass.reason },
        ]
      : []),
  ];
  await alerts.alert({
    title: bypass ? "Emergency bypass of approval used" : "Approved call with an unknown outcome",
    severity: "critical",
    text: bypass
      ? "A member of approval-bypass let an operation pass without its approvals."
      : "AWS gave no answer to an approved call. It is not repeated. Look at the resources.",
    lines,
    time: new Date(now()).toISOString(),
  });
}
