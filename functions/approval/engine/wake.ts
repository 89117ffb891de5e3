/** Callbacks of the state machine. They make things fast; what they do not say, the next look at the table finds. */
import { errorFields } from "../../shared/errors/errorFields";
import type { EngineParts } from "./ports";

/** What waking works with. */
export type WakeParts = Pick<EngineParts, "table" | "items" | "executions" | "log">;

/**
 * A task begins to wait. Its token is kept first and the request read after it, while a change is written first and the token read after it: of a
 * change at the same moment, one of the two sees the other.
 */
export async function beginToWait(
  { table, items, executions }: WakeParts,
  {
    requestId,
    version,
    token,
  }: { readonly requestId: string; readonly version: number; readonly token: string },
): Promise<void> {
  await items.putTask(requestId, { token, version });
  const request = await table.read(requestId);
  if (request?.version !== version) await executions.wake(token);
}

/** A request has changed: the task that waits for that goes on. It does not fail; a lost callback is found by the wait's own end. */
export async function changed(
  { table, items, executions, log }: WakeParts,
  requestId: string,
): Promise<void> {
  try {
    const [task, request] = await Promise.all([items.readTask(requestId), table.read(requestId)]);
    if (task && request && request.version > task.version) await executions.wake(task.token);
  } catch (error) {
    log.warn("a waiting task could not be told of a change; its own end finds it", {
      request: requestId,
      ...errorFields(error),
    });
  }
}
