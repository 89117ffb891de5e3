const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/**
 * Events as they are handed over: one, a list, a file as CloudTrail writes it to a bucket (`{"Records": [...]}`), or what
 * `aws cloudtrail lookup-events` prints (`{"Events": [{"CloudTrailEvent": "..."}]}`).
 */
export function eventList(input: unknown): { events: unknown[]; isList: boolean } {
  if (Array.isArray(input)) return { events: input, isList: true };
  const records = field(input, "Records");
  if (Array.isArray(records)) return { events: records, isList: true };
  const lookedUp = field(input, "Events");
  if (Array.isArray(lookedUp)) return { events: lookedUp.map(lookedUpEvent), isList: true };
  return { events: [input], isList: false };
}

/** A looked-up event holds its record as JSON text; one that does not is handed on as it is. */
function lookedUpEvent(event: unknown): unknown {
  const text = field(event, "CloudTrailEvent");
  try {
    return typeof text === "string" ? JSON.parse(text) : event;
  } catch {
    return event;
  }
}
