import type * as z from "zod";
import { BulkheadError } from "../shared/errors/bulkheadError";

/**
 * A function's input, checked.
 * @throws BulkheadError `bad-event` naming the places, not what is there
 */
export function readEvent<Schema extends z.ZodType>(schema: Schema, event: unknown): z.output<Schema> {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(
    ({ path, message }) => `${path.join(".") || "the event"}: ${message}`,
  );
  throw new BulkheadError("bad-event", `the function's input is wrong: ${places.join("; ")}`);
}
