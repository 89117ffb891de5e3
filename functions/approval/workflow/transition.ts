/** What may follow on what. Pure: a transition is a new request, to be written where the old one still stands. */
import {
  type Actor,
  type ApprovalRequest,
  isFinal,
  type Level,
  type RequestEvent,
  type State,
} from "./request";

/** Every change of state that exists. */
export const TRANSITIONS: readonly {
  readonly from: State;
  readonly on: RequestEvent["kind"];
  readonly to: readonly State[];
}[] = [
  { from: "requested", on: "confirm", to: ["approving"] },
  { from: "requested", on: "cancel", to: ["cancelled"] },
  { from: "requested", on: "bypass", to: ["verifying"] },
  { from: "requested", on: "tick", to: ["expired"] },
  { from: "approving", on: "approve", to: ["approving", "approved"] },
  { from: "approving", on: "deny", to: ["denied"] },
  { from: "approving", on: "cancel", to: ["cancelled"] },
  { from: "approving", on: "bypass", to: ["verifying"] },
  { from: "approving", on: "tick", to: ["approving", "expired"] },
  { from: "approved", on: "finallyConfirm", to: ["snapshotting", "verifying"] },
  { from: "approved", on: "cancel", to: ["cancelled"] },
  { from: "approved", on: "bypass", to: ["verifying"] },
  { from: "approved", on: "tick", to: ["expired"] },
  { from: "snapshotting", on: "snapshotDone", to: ["verifying"] },
  { from: "snapshotting", on: "snapshotFailed", to: ["failed"] },
  { from: "snapshotting", on: "tick", to: ["failed"] },
  { from: "verifying", on: "verified", to: ["executing", "failed"] },
  { from: "verifying", on: "abandon", to: ["failed"] },
  { from: "verifying", on: "tick", to: ["failed"] },
  { from: "executing", on: "callDone", to: ["done", "bypassed"] },
  { from: "executing", on: "callFailed", to: ["failed"] },
  { from: "executing", on: "callUnknown", to: ["failed"] },
  { from: "executing", on: "tick", to: ["failed"] },
];

/** Why an event changes nothing. */
export type Refusal =
  /** The request is past this stage: the same click came twice, or somebody else was faster. */
  | "alreadyHandled"
  /** The stage's time is over. */
  | "tooLate"
  /** Only the requester can. */
  | "notTheRequester"
  /** The requester approves nothing of their own. */
  | "ownRequest"
  /** Not a member of the group that is asked. */
  | "notAnApprover"
  /** Has approved already, on this level or an earlier one. */
  | "approvedAlready"
  /** Has been deactivated. */
  | "deactivated"
  /** Nothing is due. */
  | "notDue";

/** What an event leads to. */
export type Transition = { readonly next: ApprovalRequest } | { readonly refused: Refusal };

/** The group whose members may use the emergency bypass. */
export const BYPASS_GROUP = "approval-bypass";

/**
 * What becomes of a request when something happens to it.
 * @param now milliseconds since 1970
 */
export function transition(request: ApprovalRequest, event: RequestEvent, now: number): Transition {
  const outcome = decide(request, event, now);
  return "refused" in outcome ? outcome : { next: { ...outcome.next, last: lastOf(event, now) } };
}

/** The event, as the request remembers it. */
function lastOf(event: RequestEvent, at: number): NonNullable<ApprovalRequest["last"]> {
  return {
    event: event.kind,
    at,
    ...("actor" in event && { by: [...event.actor.identities], channel: event.actor.channel }),
    ...("reason" in event && { reason: event.reason }),
  };
}

function decide(request: ApprovalRequest, event: RequestEvent, now: number): Transition {
  if (!TRANSITIONS.some(({ from, on }) => from === request.state && on === event.kind)) {
    return { refused: "alreadyHandled" };
  }
  if (event.kind === "tick") return tick(request, now);
  // A stage that is over is over, whether or not anybody has noticed: else the order of two clicks would decide.
  if (now >= request.deadline && WAITING.has(request.state)) return { refused: "tooLate" };
  switch (event.kind) {
    case "confirm":
      return (
        requesterProblem(request, event.actor) ??
        enterLevel({ ...request, confirmed: byActor(event, now) }, 0, now)
      );
    case "cancel":
      return requesterProblem(request, event.actor) ?? end(request, "cancelled", now);
    case "approve":
      return approve(request, event, now);
    case "deny":
      return deny(request, event, now);
    case "finallyConfirm":
      return (
        requesterProblem(request, event.actor) ??
        enterWork(
          { ...request, finallyConfirmed: byActor(event, now) },
          request.snapshotFirst ? "snapshotting" : "verifying",
          now,
        )
      );
    case "bypass":
      return bypass(request, event, now);
    case "snapshotDone":
      return enterWork(request, "verifying", now);
    case "snapshotFailed":
      return fail(request, "snapshotFailed", now);
    case "verified":
      return event.previewHash === request.previewHash
        ? enterWork(request, "executing", now)
        : fail(request, "changed", now);
    case "abandon":
      return fail(request, "notVerified", now);
    case "callDone":
      return end(request, request.bypass ? "bypassed" : "done", now);
    case "callFailed":
      return fail(request, "callFailed", now);
    case "callUnknown":
      return fail(request, "outcomeUnknown", now);
  }
}

/** The states that wait for a person. */
const WAITING: ReadonlySet<State> = new Set<State>(["requested", "approving", "approved"]);

/** The groups that may decide on a level now. */
export function askedGroups(request: ApprovalRequest): readonly string[] {
  const { group, escalation } = currentLevel(request);
  return request.escalated && escalation ? [group, escalation.group] : [group];
}

/** When something is due by itself: escalation or the end of the stage. In milliseconds since 1970; undefined for a final request. */
export function nextDue(request: ApprovalRequest): number | undefined {
  if (isFinal(request.state)) return undefined;
  const escalation = escalationDue(request);
  return escalation === undefined ? request.deadline : Math.min(escalation, request.deadline);
}

function currentLevel({ levels, level }: ApprovalRequest): Level {
  return levels[level]!;
}

function escalationDue(request: ApprovalRequest): number | undefined {
  if (request.state !== "approving" || request.escalated) return undefined;
  const { escalation } = currentLevel(request);
  return escalation && request.stageAt + escalation.afterSeconds * 1_000;
}

const shares = (one: readonly string[], other: readonly string[]) =>
  one.some((identity) => other.some((known) => known.toLowerCase() === identity.toLowerCase()));

const byActor = ({ actor }: { readonly actor: Actor }, now: number) => ({
  by: [...actor.identities],
  at: now,
  channel: actor.channel,
});

function requesterProblem(request: ApprovalRequest, actor: Actor): Transition | undefined {
  if (!shares(actor.identities, request.requester)) return { refused: "notTheRequester" };
  return actor.active ? undefined : { refused: "deactivated" };
}

/** What keeps somebody from deciding on the level that they were asked for. */
function approverProblem(
  request: ApprovalRequest,
  { actor, level }: { readonly actor: Actor; readonly level: number },
): Transition | undefined {
  if (shares(actor.identities, request.requester)) return { refused: "ownRequest" };
  if (!actor.active) return { refused: "deactivated" };
  if (request.approvals.some(({ by }) => shares(by, actor.identities))) return { refused: "approvedAlready" };
  if (level !== request.level) return { refused: "alreadyHandled" };
  return askedGroups(request).some((group) => actor.groups.includes(group))
    ? undefined
    : { refused: "notAnApprover" };
}

function approve(
  request: ApprovalRequest,
  event: Extract<RequestEvent, { kind: "approve" }>,
  now: number,
): Transition {
  const problem = approverProblem(request, event);
  if (problem) return problem;
  const approvals = [...request.approvals, { ...byActor(event, now), level: request.level }];
  const approved = { ...request, approvals };
  const reached = approvals.filter(({ level }) => level === request.level).length;
  if (reached < currentLevel(request).quorum) return change(approved, {});
  return request.level + 1 < request.levels.length
    ? enterLevel(approved, request.level + 1, now)
    : enterStage(approved, "approved", now, request.confirmationSeconds);
}

function deny(
  request: ApprovalRequest,
  event: Extract<RequestEvent, { kind: "deny" }>,
  now: number,
): Transition {
  const problem = approverProblem(request, event);
  // Who has approved may still see a mistake: their denial counts as long as their level is asked.
  const again = problem && "refused" in problem && problem.refused === "approvedAlready";
  if (problem && !(again && event.level === request.level)) return problem;
  return end({ ...request, denial: { ...byActor(event, now), reason: event.reason } }, "denied", now);
}

/** The requester cannot bypass for themselves: even then there are two people. */
function bypass(
  request: ApprovalRequest,
  event: Extract<RequestEvent, { kind: "bypass" }>,
  now: number,
): Transition {
  const { actor, reason } = event;
  if (shares(actor.identities, request.requester)) return { refused: "ownRequest" };
  if (!actor.active) return { refused: "deactivated" };
  if (!actor.groups.includes(BYPASS_GROUP)) return { refused: "notAnApprover" };
  return enterWork({ ...request, bypass: { ...byActor(event, now), reason } }, "verifying", now);
}

function tick(request: ApprovalRequest, now: number): Transition {
  if (now >= request.deadline) {
    if (WAITING.has(request.state)) return end(request, "expired", now);
    if (request.state === "snapshotting") return fail(request, "snapshotFailed", now);
    // Nobody knows whether a call that was begun took effect, so it is not begun again.
    return fail(request, request.state === "executing" ? "outcomeUnknown" : "notVerified", now);
  }
  const due = escalationDue(request);
  return due !== undefined && now >= due ? change(request, { escalated: true }) : { refused: "notDue" };
}

function change(request: ApprovalRequest, parts: Partial<ApprovalRequest>): Transition {
  return { next: { ...request, ...parts, version: request.version + 1 } };
}

function enterStage(request: ApprovalRequest, state: State, now: number, seconds: number): Transition {
  return change(request, { state, stageAt: now, deadline: now + seconds * 1_000 });
}

function enterLevel(request: ApprovalRequest, level: number, now: number): Transition {
  const { timeoutSeconds } = request.levels[level]!;
  return enterStage({ ...request, level, escalated: false }, "approving", now, timeoutSeconds);
}

function enterWork(
  request: ApprovalRequest,
  state: "snapshotting" | "verifying" | "executing",
  now: number,
): Transition {
  return enterStage(request, state, now, request.workSeconds);
}

function end(request: ApprovalRequest, state: State, now: number): Transition {
  return change(request, { state, stageAt: now, deadline: now });
}

function fail(request: ApprovalRequest, failure: ApprovalRequest["failure"], now: number): Transition {
  return end({ ...request, failure }, "failed", now);
}
