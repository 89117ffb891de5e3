import type { Log } from "../../shared/logging/logger";
import type { UseTracker } from "./tracker";

/** What the schedule sends, as the target's constant input. */
export const TICK = { bulkhead: "sweep-uses" } as const;

/** What an invocation did. */
export interface UseResult {
  did: "swept" | Awaited<ReturnType<UseTracker["onEvent"]>>;
}

/** The function: a tick is a sweep, everything else an event. Nothing of an event is logged. */
export function createUseHandler({
  tracker,
  log,
}: {
  tracker: Pick<UseTracker, "onEvent" | "sweep">;
  log: Log;
}): (event: unknown) => Promise<UseResult> {
  return async (event) => {
    if (isTick(event)) {
      await tracker.sweep();
      return { did: "swept" };
    }
    const did = await tracker.onEvent(event);
    log.info("Event taken", { did });
    return { did };
  };
}

function isTick(event: unknown): boolean {
  return (
    typeof event === "object" && event !== null && "bulkhead" in event && event.bulkhead === TICK.bulkhead
  );
}
