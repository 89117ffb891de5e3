import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { bySeenAt } from "./inMemoryUseStore";
import { observationSchema } from "./observation";
import type { ClosingUse, StoredEvent, Use, UseStore, When } from "./store";

/** The table's keys, both of type S, and the attribute after whose time DynamoDB deletes an event. */
export const USE_TABLE_KEYS = { hashKey: "pk", rangeKey: "sk" } as const;
export const USE_TABLE_TTL = "expiresAt";

/** Events are kept for the longest time that one can come again (14 days in a dead-letter queue), and well beyond. */
const EVENT_RETENTION_SECONDS = 60 * 24 * 3600;

const OPEN = "open";
const CLOSING = "closing";

const eventSchema = z.object({
  observation: observationSchema,
  seenAt: z.string(),
  reportedIn: z.string().optional(),
  claimedUntil: z.string().optional(),
});
const useSchema = z.object({
  subject: z.string(),
  useId: z.string(),
  lastSeenAt: z.string(),
  first: observationSchema,
  openingDueAt: z.string(),
  openingTold: z.boolean(),
  openingClaimedUntil: z.string(),
  toldThrough: z.string(),
  lastToldAt: z.string(),
  claimedUntil: z.string(),
  entered: observationSchema.optional(),
  enteredRecorded: z.boolean(),
  toldAtOnce: z.number(),
});
const closingSchema = useSchema.extend({
  report: z.object({ startedAt: z.string(), endedAt: z.string(), events: z.number() }).optional(),
});

type Item = Record<string, AttributeValue>;

/**
 * Uses in a DynamoDB table of the cell's region. Data-plane calls only (fact 33). Open uses, closing uses and each subject's events have a
 * partition each; what is there is read consistently.
 */
export class DynamoDbUseStore implements UseStore {
  constructor(
    private readonly client: Pick<DynamoDBClient, "send">,
    private readonly tableName: string,
  ) {}

  async event(subject: string, eventId: string): Promise<StoredEvent | undefined> {
    return this.get(eventKey(subject, eventId), eventSchema);
  }

  async addEvent(subject: string, event: StoredEvent): Promise<boolean> {
    const expiresAt = Math.floor(Date.parse(event.seenAt) / 1000) + EVENT_RETENTION_SECONDS;
    return this.add(eventKey(subject, event.observation.eventId), {
      ...fields(event),
      [USE_TABLE_TTL]: { N: String(expiresAt) },
    });
  }

  async claimEvent(subject: string, eventId: string, now: string, until: string): Promise<boolean> {
    return this.update(
      eventKey(subject, eventId),
      { claimedUntil: until },
      "attribute_not_exists(#reportedIn) AND (attribute_not_exists(#claimedUntil) OR #claimedUntil < :now)",
      {
        names: ["reportedIn"],
        values: { ":now": { S: now } },
      },
    );
  }

  async reportEvent(subject: string, eventId: string, reportedIn: string): Promise<void> {
    await this.update(eventKey(subject, eventId), { reportedIn }, "attribute_not_exists(#reportedIn)");
  }

  async unreported(subject: string): Promise<StoredEvent[]> {
    const events = await this.query(
      eventKey(subject, "").pk,
      eventSchema,
      "attribute_not_exists(reportedIn)",
    );
    return events.sort(bySeenAt);
  }

  async open(subject: string): Promise<Use | undefined> {
    return this.get({ pk: OPEN, sk: subject }, useSchema);
  }

  async allOpen(): Promise<Use[]> {
    return this.query(OPEN, useSchema);
  }

  async addUse(use: Use): Promise<boolean> {
    return this.add({ pk: OPEN, sk: use.subject }, fields(use));
  }

  async updateUse(
    { subject, useId }: Pick<Use, "subject" | "useId">,
    set: Partial<Use>,
    when: When<Use> = {},
  ) {
    const { text, names, values } = condition({ ...when, equal: { ...when.equal, useId } });
    return this.update({ pk: OPEN, sk: subject }, set, text, { names, values });
  }

  async removeUse(use: Pick<Use, "subject" | "useId" | "lastSeenAt">): Promise<boolean> {
    return succeeds(this.client.send(new DeleteItemCommand(this.removal(use))));
  }

  async startClosing(use: Use): Promise<boolean> {
    const closing: ClosingUse = { ...use, claimedUntil: "" };
    return succeeds(
      this.client.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            { Delete: this.removal(use) },
            {
              Put: {
                TableName: this.tableName,
                Item: { ...keyItem({ pk: CLOSING, sk: use.useId }), ...fields(closing) },
              },
            },
          ],
        }),
      ),
    );
  }

  async allClosing(): Promise<ClosingUse[]> {
    return this.query(CLOSING, closingSchema);
  }

  async updateClosing(
    useId: string,
    set: Partial<ClosingUse>,
    when: When<ClosingUse> = {},
  ): Promise<boolean> {
    const { text, names, values } = condition({ ...when, equal: { ...when.equal, useId } });
    return this.update({ pk: CLOSING, sk: useId }, set, text, { names, values });
  }

  async removeClosing(useId: string): Promise<void> {
    await this.client.send(
      new DeleteItemCommand({ TableName: this.tableName, Key: keyItem({ pk: CLOSING, sk: useId }) }),
    );
  }

  private removal({ subject, useId, lastSeenAt }: Pick<Use, "subject" | "useId" | "lastSeenAt">) {
    const { text, names, values } = condition<Use>({ equal: { useId, lastSeenAt } });
    return {
      TableName: this.tableName,
      Key: keyItem({ pk: OPEN, sk: subject }),
      ConditionExpression: text,
      ExpressionAttributeNames: nameMap(names),
      ExpressionAttributeValues: values,
    };
  }

  private async get<T>(key: Key, schema: z.ZodType<T>): Promise<T | undefined> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: this.tableName, Key: keyItem(key), ConsistentRead: true }),
    );
    return Item && parse(Item, schema);
  }

  private async query<T>(pk: string, schema: z.ZodType<T>, filter?: string): Promise<T[]> {
    const found: T[] = [];
    const pages = paginateQuery(
      { client: this.client as DynamoDBClient },
      {
        TableName: this.tableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: pk } },
        ...(filter && { FilterExpression: filter }),
        ConsistentRead: true,
      },
    );
    for await (const { Items = [] } of pages) found.push(...Items.map((item) => parse(item, schema)));
    return found;
  }

  private async add(key: Key, item: Item): Promise<boolean> {
    return succeeds(
      this.client.send(
        new PutItemCommand({
          TableName: this.tableName,
          Item: { ...keyItem(key), ...item },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );
  }

  private async update(
    key: Key,
    set: object,
    where: string,
    extra: { names: string[]; values: Item } = { names: [], values: {} },
  ): Promise<boolean> {
    const changed = fields(set);
    const names = Object.keys(changed);
    return succeeds(
      this.client.send(
        new UpdateItemCommand({
          TableName: this.tableName,
          Key: keyItem(key),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :set_${name}`).join(", ")}`,
          ConditionExpression: `attribute_exists(pk) AND ${where}`,
          ExpressionAttributeNames: nameMap([...names, ...extra.names]),
          ExpressionAttributeValues: {
            ...Object.fromEntries(names.map((name) => [`:set_${name}`, changed[name]!])),
            ...extra.values,
          },
        }),
      ),
    );
  }
}

interface Key {
  pk: string;
  sk: string;
}

const eventKey = (subject: string, eventId: string): Key => ({ pk: `event#${subject}`, sk: eventId });
const keyItem = ({ pk, sk }: Key): Item => ({
  [USE_TABLE_KEYS.hashKey]: { S: pk },
  [USE_TABLE_KEYS.rangeKey]: { S: sk },
});
const nameMap = (names: string[]) => Object.fromEntries(names.map((name) => [`#${name}`, name]));

/** Fields as attributes: what is an object as JSON. Undefined ones are left out. */
function fields(value: object): Item {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]): [string, AttributeValue][] =>
      field === undefined ? [] : [[name, attribute(field)]],
    ),
  );
}

function attribute(value: unknown): AttributeValue {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  return { S: JSON.stringify(value) };
}

const AS_JSON = ["observation", "first", "entered", "report"];

function parse<T>(item: Item, schema: z.ZodType<T>): T {
  const plain = Object.entries(item).map(([name, { S, N, BOOL }]) => [
    name,
    AS_JSON.includes(name) && S !== undefined ? JSON.parse(S) : (S ?? BOOL ?? Number(N)),
  ]);
  const parsed = schema.safeParse(Object.fromEntries(plain));
  if (!parsed.success) {
    throw new BulkheadError(
      "use-malformed",
      "an item of the table of uses cannot be understood: was it changed by hand?",
    );
  }
  return parsed.data;
}

function condition<T>({ equal = {}, before = {} }: When<T>): { text: string; names: string[]; values: Item } {
  const terms = [
    ...Object.entries(equal).map(([name, value]) =>
      value === undefined ? `attribute_not_exists(#${name})` : `#${name} = :equal_${name}`,
    ),
    ...Object.keys(before).map((name) => `#${name} < :before_${name}`),
  ];
  const values = (prefix: string, of: object) =>
    Object.entries(fields(of)).map(([name, value]) => [`:${prefix}_${name}`, value] as const);
  return {
    text: terms.join(" AND "),
    names: [...Object.keys(equal), ...Object.keys(before)],
    values: Object.fromEntries([...values("equal", equal), ...values("before", before)]),
  };
}

/** Whether a conditional write was made; other failures are thrown. */
async function succeeds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    // Another write to one of the items at the same moment: like a condition that no longer holds.
    const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
    if (reasons.some(({ Code }) => Code === "ConditionalCheckFailed" || Code === "TransactionConflict"))
      return false;
    throw error;
  }
}
