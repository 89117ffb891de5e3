import type { ActivationRecord } from "./record";

/** A record as a DynamoDB item. The key is `cell`. */
export type ActivationItem = {
  [Field in keyof ActivationRecord]: { S: string } | { N: string } | { BOOL: boolean };
};

/** Name of the table's only key attribute, of type S. */
export const ACTIVATION_TABLE_KEY = "cell";

/** The item that stores a record. */
export function toItem(record: ActivationRecord): ActivationItem {
  return {
    cell: { S: record.cell },
    active: { BOOL: record.active },
    epoch: { N: String(record.epoch) },
    peerRequired: { BOOL: record.peerRequired },
    highestSeen: { N: String(record.highestSeen) },
    changedAt: { S: record.changedAt },
    changedBy: { S: record.changedBy },
    reason: { S: record.reason },
  };
}

/** A DynamoDB attribute value, as far as records use them. */
interface Attribute {
  S?: string;
  N?: string;
  BOOL?: boolean;
}

/** The plain values of an item, to be checked by the record's schema. Other types of attribute become undefined. */
export function fromItem(item: Record<string, Attribute>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([key, { S, N, BOOL }]) => [
      key,
      S ?? BOOL ?? (N === undefined ? N : Number(N)),
    ]),
  );
}
