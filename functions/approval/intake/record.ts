/** Reads a record of CloudTrail that may be anything: every field is either of its type or absent. */
import { isObject } from "../operations/fromRecord";

/** The fields of a record that intake looks at. */
export interface CallRecord {
  readonly eventSource: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly eventId?: string;
  readonly eventTime?: string;
  readonly eventType?: string;
  readonly region?: string;
  readonly recipientAccount?: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  /** As they stand; null when the record has none. */
  readonly requestParameters: unknown;
  /** Accounts that the record says its resources belong to. */
  readonly resourceAccounts: readonly string[];
  /** What EventBridge wrote around it. */
  readonly envelope?: Envelope;
}

/** An event of EventBridge around a record. */
export interface Envelope {
  readonly source?: string;
  readonly detailType?: string;
  readonly account?: string;
  readonly region?: string;
}

/** The text in a field, or undefined. */
export function textIn(container: unknown, key: string): string | undefined {
  if (!isObject(container) || !Object.hasOwn(container, key)) return undefined;
  const value = container[key];
  return typeof value === "string" ? value : undefined;
}

/** The object in a field, or an empty one. */
export function objectIn(container: unknown, key: string): Readonly<Record<string, unknown>> {
  const value = isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
  return isObject(value) ? value : {};
}

/** A record, bare or in an event of EventBridge. Undefined when it is neither. */
export function readRecord(event: unknown): CallRecord | undefined {
  if (!isObject(event)) return undefined;
  const wrapped = Object.hasOwn(event, "detail") && isObject(event.detail);
  const record = wrapped ? objectIn(event, "detail") : event;
  const eventSource = textIn(record, "eventSource");
  const eventName = textIn(record, "eventName");
  if (eventSource === undefined || eventName === undefined) return undefined;
  const resources = Object.hasOwn(record, "resources") ? record.resources : undefined;
  return {
    eventSource,
    eventName,
    errorCode: textIn(record, "errorCode"),
    errorMessage: textIn(record, "errorMessage"),
    eventId: textIn(record, "eventID"),
    eventTime: textIn(record, "eventTime"),
    eventType: textIn(record, "eventType"),
    region: textIn(record, "awsRegion"),
    recipientAccount: textIn(record, "recipientAccountId"),
    userIdentity: objectIn(record, "userIdentity"),
    requestParameters: Object.hasOwn(record, "requestParameters") ? record.requestParameters : null,
    resourceAccounts: Array.isArray(resources)
      ? resources.flatMap((resource) => textIn(resource, "accountId") ?? [])
      : [],
    ...(wrapped && {
      envelope: {
        source: textIn(event, "source"),
        detailType: textIn(event, "detail-type"),
        account: textIn(event, "account"),
        region: textIn(event, "region"),
      },
    }),
  };
}
