/**
 * What people are told.
 *
 * Those who are asked to do something get a link of their own:
 * - `confirm`: the operator, whether they meant it
 * - `decide`: an approver of the level that is asked
 * - `escalation`: the same, of the group that is asked since nobody decided
 * - `execute`: the operator, for the last word
 * - `form`: the operator, for what the denied call's record does not say
 *
 * The others are told what became of a request: `approved`, `denied`, `expired`, `cancelled`, `bypassed`, `done`, `failed`; `refused`: that none
 * can be opened for a call.
 */
export const ASKS = ["confirm", "decide", "escalation", "execute", "form"] as const;
export const TELLS = [
  "approved",
  "denied",
  "expired",
  "cancelled",
  "bypassed",
  "done",
  "failed",
  "refused",
] as const;
export const MESSAGE_KINDS = [...ASKS, ...TELLS] as const;

export type AskKind = (typeof ASKS)[number];
export type TellKind = (typeof TELLS)[number];
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** Whether somebody is asked to act. */
export function isAsk(kind: MessageKind): kind is AskKind {
  return (ASKS as readonly string[]).includes(kind);
}
