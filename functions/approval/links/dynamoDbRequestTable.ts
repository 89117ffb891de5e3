import {
  type AttributeValue,
  type CancellationReason,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { type DetailsStore, type RequestDetails, requestDetailsSchema } from "../pages/details";
import { type ApprovalRequest, isFinal, requestSchema, type State } from "../workflow/request";
import type { Opening, RequestStore } from "../workflow/store";
import { type Link, linkSchema } from "./link";
import { LinkSpent, type LinkStore, type OpenRequests, type Spending } from "./store";

/** The table's keys, both of type S, and the attribute after whose time (seconds since 1970) DynamoDB deletes an item. */
export const REQUEST_TABLE_KEYS = { hashKey: "pk", rangeKey: "sk" } as const;
export const REQUEST_TABLE_TTL = "expiresAt";

/** Links are kept after their end, so that a late click is told what became of the request. */
const LINK_RETENTION_SECONDS = 30 * 24 * 3600;
/** Final requests are kept in the audit table; here for as long as links lead to them. */
const REQUEST_RETENTION_SECONDS = 60 * 24 * 3600;

const OPEN = "open";

type Item = Record<string, AttributeValue>;

/** The write that records what became of a request; `before` is where it stood, undefined when it is opened. */
export type Journal = (
  request: ApprovalRequest,
  before?: { readonly state: State; readonly version: number },
) => TransactWriteItem;

/**
 * Requests, their details and links in one DynamoDB table of the cell's region. Data-plane calls only (fact 33).
 *
 * | pk | sk | what |
 * | --- | --- | --- |
 * | `request#ID` | `request` | the request, as JSON, with state and version as attributes of their own |
 * | `request#ID` | `details` | what is shown of it, as JSON; never changed |
 * | `open` | hash of the operation | id of the one open request for it |
 * | `link#HASH` | `link` | a link |
 * | `once#KEY` | `once` | a key that was seen |
 *
 * Step Functions' task tokens may stand beside them under `request#ID`; nothing here reads one.
 */
export class DynamoDbRequestTable implements RequestStore, LinkStore, DetailsStore, OpenRequests {
  constructor(
    private readonly client: Pick<DynamoDBClient, "send">,
    private readonly tableName: string,
    /** What is written with each change of a request, in the same transaction: see audit/dynamoDbAudit.ts. @default nothing */
    private readonly journal?: Journal,
  ) {}

  async open(request: ApprovalRequest): Promise<Opening> {
    const operation = { pk: OPEN, sk: request.operationHash };
    for (;;) {
      const failed = await this.transact([
        {
          Put: {
            TableName: this.tableName,
            Item: requestItem(request),
            ConditionExpression: "attribute_not_exists(pk)",
          },
        },
        {
          Put: {
            TableName: this.tableName,
            Item: { ...keyItem(operation), requestId: { S: request.id } },
            ConditionExpression: "attribute_not_exists(pk)",
          },
        },
        ...(this.journal ? [this.journal(request)] : []),
      ]);
      if (!failed) return { opened: true };
      const holder = (await this.get(operation))?.requestId?.S;
      const existing =
        (await this.read(request.id)) ?? (holder === undefined ? undefined : await this.read(holder));
      if (existing) return { opened: false, existing };
      // What stood in the way is gone meanwhile: try again.
    }
  }

  async read(id: string): Promise<ApprovalRequest | undefined> {
    return this.readJson(requestKey(id), "request", requestSchema);
  }

  async replace(
    next: ApprovalRequest,
    expected: { readonly state: State; readonly version: number },
  ): Promise<boolean> {
    return !(await this.transact(this.replacement(next, expected)));
  }

  async listOpen(): Promise<ApprovalRequest[]> {
    const ids: string[] = [];
    const pages = paginateQuery(
      { client: this.client as DynamoDBClient },
      {
        TableName: this.tableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: OPEN } },
        ConsistentRead: true,
      },
    );
    for await (const { Items = [] } of pages) ids.push(...Items.map(({ requestId }) => requestId?.S ?? ""));
    const requests = await Promise.all(ids.map((id) => this.read(id)));
    return requests.filter((request): request is ApprovalRequest => !!request && !isFinal(request.state));
  }

  async writeDetails(details: RequestDetails): Promise<void> {
    await succeeds(
      this.client.send(
        new PutItemCommand({
          TableName: this.tableName,
          Item: {
            ...keyItem(detailsKey(details.requestId)),
            details: { S: JSON.stringify(requestDetailsSchema.parse(details)) },
          },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );
  }

  async readDetails(requestId: string): Promise<RequestDetails | undefined> {
    return this.readJson(detailsKey(requestId), "details", requestDetailsSchema);
  }

  async add(link: Link): Promise<void> {
    const { hash, attempts, renewed, ...rest } = linkSchema.parse(link);
    await this.client.send(
      new PutItemCommand({
        TableName: this.tableName,
        Item: {
          ...keyItem(linkKey(hash)),
          link: { S: JSON.stringify(rest) },
          attempts: { N: String(attempts) },
          renewed: { BOOL: renewed },
          [REQUEST_TABLE_TTL]: ttl(link.expiresAt, LINK_RETENTION_SECONDS),
        },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
  }

  async readLink(hash: string): Promise<Link | undefined> {
    const item = await this.get(linkKey(hash));
    if (!item) return undefined;
    return parsed(linkSchema, {
      ...(json(item.link?.S) as object),
      hash,
      attempts: Number(item.attempts?.N),
      renewed: item.renewed?.BOOL,
      ...(item.spentAt && { spent: { at: Number(item.spentAt.N), action: item.spentOn?.S } }),
    });
  }

  async takeAttempt(hash: string, most: number): Promise<boolean> {
    return this.changeLink(
      hash,
      "SET attempts = attempts + :one",
      "attempts < :most AND attribute_not_exists(spentAt)",
      { ":one": { N: "1" }, ":most": { N: String(most) } },
    );
  }

  async takeRenewal(hash: string): Promise<boolean> {
    return this.changeLink(
      hash,
      "SET renewed = :true",
      "renewed = :false AND attribute_not_exists(spentAt)",
      {
        ":true": { BOOL: true },
        ":false": { BOOL: false },
      },
    );
  }

  async spend(spending: Spending): Promise<boolean> {
    return succeeds(this.client.send(new UpdateItemCommand(this.spendingUpdate(spending))));
  }

  spending(spending: Spending): RequestStore {
    return {
      open: (request) => this.open(request),
      read: (id) => this.read(id),
      replace: async (next, expected) => {
        const failed = await this.transact([
          { Update: this.spendingUpdate(spending) },
          ...this.replacement(next, expected),
        ]);
        if (failed?.[0]?.Code === "ConditionalCheckFailed") throw new LinkSpent();
        return !failed;
      },
    };
  }

  async once(key: string, until: number): Promise<boolean> {
    return succeeds(
      this.client.send(
        new PutItemCommand({
          TableName: this.tableName,
          Item: { ...keyItem({ pk: `once#${key}`, sk: "once" }), [REQUEST_TABLE_TTL]: ttl(until, 0) },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );
  }

  /** The writes that put a request in its next state; a final one gives its operation free. */
  private replacement(
    next: ApprovalRequest,
    expected: { readonly state: State; readonly version: number },
  ): TransactWriteItem[] {
    const put: TransactWriteItem = {
      Put: {
        TableName: this.tableName,
        Item: requestItem(next),
        ConditionExpression: "#state = :state AND #version = :version",
        ExpressionAttributeNames: { "#state": "state", "#version": "version" },
        ExpressionAttributeValues: {
          ":state": { S: expected.state },
          ":version": { N: String(expected.version) },
        },
      },
    };
    const writes = this.journal ? [put, this.journal(next, expected)] : [put];
    if (!isFinal(next.state)) return writes;
    return [
      ...writes,
      {
        Delete: {
          TableName: this.tableName,
          Key: keyItem({ pk: OPEN, sk: next.operationHash }),
          // Another request's, if this one was given free before.
          ConditionExpression: "attribute_not_exists(pk) OR requestId = :id",
          ExpressionAttributeValues: { ":id": { S: next.id } },
        },
      },
    ];
  }

  private spendingUpdate({ hash, at, action }: Spending) {
    return {
      TableName: this.tableName,
      Key: keyItem(linkKey(hash)),
      UpdateExpression: "SET spentAt = :at, spentOn = :action",
      ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(spentAt)",
      ExpressionAttributeValues: { ":at": { N: String(at) }, ":action": { S: action } },
    };
  }

  private changeLink(hash: string, update: string, condition: string, values: Item): Promise<boolean> {
    return succeeds(
      this.client.send(
        new UpdateItemCommand({
          TableName: this.tableName,
          Key: keyItem(linkKey(hash)),
          UpdateExpression: update,
          ConditionExpression: `attribute_exists(pk) AND ${condition}`,
          ExpressionAttributeValues: values,
        }),
      ),
    );
  }

  private async get(key: Key): Promise<Item | undefined> {
    const { Item: item } = await this.client.send(
      new GetItemCommand({ TableName: this.tableName, Key: keyItem(key), ConsistentRead: true }),
    );
    return item;
  }

  private async readJson<T>(key: Key, attribute: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const item = await this.get(key);
    return item && parsed(schema, json(item[attribute]?.S));
  }

  /** @returns the reasons, one for each write, when a condition did not hold or another transaction was at work on an item */
  private async transact(writes: TransactWriteItem[]): Promise<CancellationReason[] | undefined> {
    try {
      await this.client.send(new TransactWriteItemsCommand({ TransactItems: writes }));
      return undefined;
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (reasons.some(({ Code }) => Code === "ConditionalCheckFailed" || Code === "TransactionConflict")) {
        return reasons;
      }
      throw error;
    }
  }
}

interface Key {
  pk: string;
  sk: string;
}

const requestKey = (id: string): Key => ({ pk: `request#${id}`, sk: "request" });
const detailsKey = (id: string): Key => ({ pk: `request#${id}`, sk: "details" });
const linkKey = (hash: string): Key => ({ pk: `link#${hash}`, sk: "link" });
const keyItem = ({ pk, sk }: Key): Item => ({
  [REQUEST_TABLE_KEYS.hashKey]: { S: pk },
  [REQUEST_TABLE_KEYS.rangeKey]: { S: sk },
});
const ttl = (milliseconds: number, extraSeconds: number): AttributeValue => ({
  N: String(Math.ceil(milliseconds / 1_000) + extraSeconds),
});

function requestItem(request: ApprovalRequest): Item {
  const checked = requestSchema.parse(request);
  return {
    ...keyItem(requestKey(checked.id)),
    request: { S: JSON.stringify(checked) },
    state: { S: checked.state },
    version: { N: String(checked.version) },
    ...(isFinal(checked.state) && { [REQUEST_TABLE_TTL]: ttl(checked.stageAt, REQUEST_RETENTION_SECONDS) }),
  };
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BulkheadError(
    "request-malformed",
    "an item of the table of requests cannot be understood: was it changed by hand?",
    { cause: result.error },
  );
}

/** Whether a conditional write was made; other failures are thrown. */
async function succeeds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
