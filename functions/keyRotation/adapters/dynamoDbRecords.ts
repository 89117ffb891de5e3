import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { CallFailure } from "../engine/failure";
import type { Records } from "../engine/ports";
import { type StoredRecord, storedRecordSchema } from "../engine/record";
import { awsCall } from "./calls";

/** A cell's table of rotation records. */
export interface RecordTable {
  client: Pick<DynamoDBClient, "send">;
  tableName: string;
}

/** Hash keys of items that are no records. Account ids are digits, so nothing clashes. */
const UNFINISHED = "#unfinished";
const MERGED = "#merged";

/** DynamoDB's limit of a transaction. */
const TRANSACTION = 100;

type Item = Record<string, AttributeValue>;

/**
 * Rotation records in the cell's own table, with a copy in the other cell's: what the other one has to know after a promotion. A record is only
 * ever replaced by one of a higher version. Two plain tables, not a global one: there the last writer wins, whichever cell it is (fact 32).
 */
export class DynamoDbRecords implements Records {
  constructor(
    private readonly own: RecordTable,
    private readonly peer: RecordTable,
    /** Whether the other cell's table has to answer when it is read; not when its region was declared dead. */
    private readonly peerHasToAnswer: () => boolean,
  ) {}

  async read(accountId: string, merged: boolean): Promise<StoredRecord[]> {
    const [mine, theirs] = await Promise.all([
      query(this.own, accountId),
      merged
        ? []
        : query(this.peer, accountId).catch((error: unknown) => {
            if (this.peerHasToAnswer()) throw error;
            return [];
          }),
    ]);
    const latest = new Map<string, StoredRecord>();
    for (const record of [...theirs, ...mine].map(fromItem)) {
      const other = latest.get(record.userName);
      if (!other || record.version >= other.version) latest.set(record.userName, record);
    }
    return [...latest.values()];
  }

  async announce(accountId: string, records: StoredRecord[]): Promise<Set<string>> {
    const mark = { accountId: { S: UNFINISHED }, userName: { S: accountId } };
    return write(this.own, records, [{ Put: { TableName: this.own.tableName, Item: mark } }]);
  }

  async complete(accountId: string, records: StoredRecord[], finished: boolean): Promise<Set<string>> {
    const mark = { accountId: { S: UNFINISHED }, userName: { S: accountId } };
    const conflicts = await write(
      this.own,
      records,
      finished ? [{ Delete: { TableName: this.own.tableName, Key: mark } }] : [],
    );
    if (records.length > 0) {
      // A region that does not answer gets them when this cell's table is merged into its own.
      await write(this.peer, records, []).catch(() => undefined);
    }
    return conflicts;
  }
}

/** Ids of accounts in which something announced was not finished. */
export async function unfinishedAccounts(table: RecordTable): Promise<Set<string>> {
  const items = await query(table, UNFINISHED);
  return new Set(items.map(({ userName }) => userName?.S ?? ""));
}

/**
 * Brings a cell's table up to date with the other one's, once for each epoch in which the cell acts: whatever the other cell has done, it did
 * before this one was promoted. Afterwards the other table need not be read.
 * @returns whether the table is up to date; false when the other one does not answer
 */
export async function mergeRecords(own: RecordTable, peer: RecordTable, epoch: number): Promise<boolean> {
  const key = { accountId: { S: MERGED }, userName: { S: String(epoch) } };
  const { Item } = await awsCall("GetItem", () =>
    own.client.send(new GetItemCommand({ TableName: own.tableName, Key: key, ConsistentRead: true })),
  );
  if (Item) return true;
  try {
    let start: Item | undefined;
    do {
      const page = await awsCall("Scan", () =>
        peer.client.send(
          new ScanCommand({ TableName: peer.tableName, ConsistentRead: true, ExclusiveStartKey: start }),
        ),
      );
      const items = (page.Items ?? []).filter(({ accountId }) => /^\d{12}$/.test(accountId?.S ?? ""));
      for (let at = 0; at < items.length; at += TRANSACTION) {
        await write(own, items.slice(at, at + TRANSACTION).map(fromItem), []);
      }
      start = page.LastEvaluatedKey;
    } while (start);
  } catch {
    return false;
  }
  await awsCall("PutItem", () =>
    own.client.send(new PutItemCommand({ TableName: own.tableName, Item: key })),
  );
  return true;
}

async function query({ client, tableName }: RecordTable, hash: string): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await awsCall("Query", () =>
      client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "accountId = :hash",
          ExpressionAttributeValues: { ":hash": { S: hash } },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      ),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}

/**
 * Writes records, each only over one of a lower version, all in one call. Those that are refused are left out, and the others written.
 * @returns user names of those that were refused
 */
async function write(
  { client, tableName }: RecordTable,
  records: StoredRecord[],
  others: TransactWriteItem[],
): Promise<Set<string>> {
  const refused = new Set<string>();
  let left = records;
  for (let attempt = 0; left.length + others.length > 0; attempt += 1) {
    const puts = left.map((record) => ({
      Put: {
        TableName: tableName,
        Item: toItem(record),
        ConditionExpression: "attribute_not_exists(version) OR version < :version",
        ExpressionAttributeValues: { ":version": { N: String(record.version) } },
      },
    }));
    try {
      await awsCall("TransactWriteItems", () =>
        client.send(new TransactWriteItemsCommand({ TransactItems: [...puts, ...others] })),
      );
      break;
    } catch (error) {
      const reasons = cancellations(error);
      const lost = left.filter((_, index) => reasons[index] === "ConditionalCheckFailed");
      if (lost.length === 0 && (attempt >= 3 || !reasons.includes("TransactionConflict"))) throw error;
      for (const { userName } of lost) refused.add(userName);
      left = left.filter((record) => !lost.includes(record));
    }
  }
  return refused;
}

function cancellations(error: unknown): string[] {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof TransactionCanceledException)) return [];
  return (cause.CancellationReasons ?? []).map(({ Code }) => Code ?? "");
}

function toItem(record: StoredRecord): Item {
  const { accountId, userName, version } = record;
  return {
    accountId: { S: accountId },
    userName: { S: userName },
    version: { N: String(version) },
    record: { S: JSON.stringify(record) },
  };
}

/** @throws CallFailure when an item is not a record: what was done before is then not known */
function fromItem(item: Item): StoredRecord {
  try {
    return storedRecordSchema.parse(JSON.parse(item.record?.S ?? ""));
  } catch (cause) {
    throw new CallFailure("other", "Query", { cause });
  }
}
