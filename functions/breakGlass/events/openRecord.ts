/** An event without its wrapping. */
export type OpenedRecord = { record: object } | { problem: string };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The CloudTrail record of an event: the event itself, or the `detail` of an EventBridge event. Event rules take records of AWS's own sources
 * only, which nobody else can send, and so does this.
 */
export function openRecord(event: unknown): OpenedRecord {
  if (!isObject(event)) return { problem: "It is no CloudTrail event: not an object." };
  if (!("detail" in event) || "eventName" in event) return recordOf(event);
  const { source, detail } = event;
  if (source !== undefined && !(typeof source === "string" && source.startsWith("aws."))) {
    return {
      problem: "It is an EventBridge event of a source that is not AWS: anybody can send such an event.",
    };
  }
  return isObject(detail)
    ? recordOf(detail)
    : { problem: "It is an EventBridge event whose detail is no CloudTrail record." };
}

function recordOf(record: Record<string, unknown>): OpenedRecord {
  // One that says who acted is looked at even if it lacks the rest: better told than missed.
  if (["eventName", "eventSource", "userIdentity"].some((field) => record[field] !== undefined))
    return { record };
  return { problem: "It is no CloudTrail event: eventName, eventSource and userIdentity are missing." };
}
