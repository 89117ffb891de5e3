import type { ApprovalRequest, RequestEvent } from "./request";
import type { RequestStore } from "./store";
import { type Refusal, transition } from "./transition";

/** What became of an event. */
export type Happening =
  | { readonly before: ApprovalRequest; readonly after: ApprovalRequest }
  /** Nothing changed; `request` is as it stands, for the page that says so. */
  | { readonly refused: Refusal; readonly request: ApprovalRequest }
  | { readonly unknown: true };

/**
 * Lets something happen to a request: reads it, decides, and writes the outcome where what was read still stands. When somebody else was
 * faster, it is decided anew from what stands then, so each event takes effect once or is refused.
 */
export async function happen(
  store: RequestStore,
  id: string,
  event: RequestEvent,
  now: () => number,
): Promise<Happening> {
  for (;;) {
    const before = await store.read(id);
    if (!before) return { unknown: true };
    const outcome = transition(before, event, now());
    if ("refused" in outcome) return { refused: outcome.refused, request: before };
    if (await store.replace(outcome.next, before)) return { before, after: outcome.next };
    // Versions only rise and a request has few of them, so this ends.
  }
}
