/** What somebody can do with a request: the choices of forms, as events of the workflow. */

import type { Word } from "../pages/words";
import type { Actor, ApprovalRequest, RequestEvent } from "../workflow/request";
import { transition } from "../workflow/transition";

/** A choice in a form. */
export type Choice = "confirm" | "cancel" | "approve" | "deny" | "execute" | "bypass";

/** The labels, in the order in which they are shown. */
export const CHOICES: readonly {
  readonly choice: Choice;
  readonly label: Word;
  readonly needsReason?: boolean;
}[] = [
  { choice: "confirm", label: "chooseConfirm" },
  { choice: "approve", label: "chooseApprove" },
  { choice: "deny", label: "chooseDeny", needsReason: true },
  { choice: "execute", label: "chooseExecute" },
  { choice: "cancel", label: "chooseCancel" },
  { choice: "bypass", label: "chooseBypass", needsReason: true },
];

/** Most characters of a reason. */
export const MAX_REASON = 1_000;

/** A choice as an event. */
export function eventOf(choice: Choice, actor: Actor, level: number, reason: string): RequestEvent {
  switch (choice) {
    case "approve":
      return { kind: choice, actor, level };
    case "deny":
      return { kind: choice, actor, level, reason };
    case "bypass":
      return { kind: choice, actor, reason };
    case "execute":
      return { kind: "finallyConfirm", actor };
    default:
      return { kind: choice, actor };
  }
}

/** Why the choice would change nothing if it were made now; undefined when it would take effect. */
export function refusalOf(
  request: ApprovalRequest,
  choice: Choice,
  actor: Actor,
  level: number,
  now: number,
) {
  const outcome = transition(request, eventOf(choice, actor, level, "-"), now);
  return "refused" in outcome ? outcome.refused : undefined;
}

/**
 * The level that somebody who has signed in is asked about: the present one, or the one on which they have approved; whoever has approved may
 * still deny, as long as that level is asked.
 */
export function levelOf(request: ApprovalRequest, actor: Actor): number {
  return (
    request.approvals.find(({ by }) => by.some((each) => actor.identities.includes(each)))?.level ??
    request.level
  );
}

/** What somebody can do with a request now. */
export function possibleChoices(request: ApprovalRequest, actor: Actor, now: number): Choice[] {
  return CHOICES.map(({ choice }) => choice).filter(
    (choice) => refusalOf(request, choice, actor, levelOf(request, actor), now) === undefined,
  );
}
