import { randomBytes } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
  type QueryCommandInput,
  type TransactWriteItem,
} from "@aws-sdk/client-dynamodb";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { Journal } from "../links/dynamoDbRequestTable";
import { AUDIT_TABLE_INDEXES, AUDIT_TABLE_KEYS } from "../settings";
import { type AuditReader, type AuditTrail, byTime } from "./auditTrail";
import { type AuditEntry, auditEntrySchema, changeEntry } from "./entry";

type Item = Record<string, AttributeValue>;

/** The day of a time, which one partition of the index `byDay` is for. */
const dayOf = (at: string) => at.slice(0, 10);

/** An entry as it is stored: as JSON, with what indexes need beside it. */
function itemOf(entry: AuditEntry): Item {
  const checked = auditEntrySchema.parse(entry);
  const { requestId, at, version, what, requester, call } = checked;
  return {
    [AUDIT_TABLE_KEYS.hashKey]: { S: requestId },
    // In order of time; the last part keeps two of the same moment apart.
    [AUDIT_TABLE_KEYS.rangeKey]: {
      S: `${at}#${String(version).padStart(4, "0")}#${what}#${randomBytes(6).toString("hex")}`,
    },
    at: { S: at },
    day: { S: dayOf(at) },
    requester: { S: requester[0]! },
    what: { S: what },
    ...(call !== undefined && { call: { S: call } }),
    json: { S: JSON.stringify(checked) },
  };
}

function put(tableName: string, entry: AuditEntry) {
  return {
    TableName: tableName,
    Item: itemOf(entry),
    // Nothing is ever written over.
    ConditionExpression: `attribute_not_exists(${AUDIT_TABLE_KEYS.hashKey})`,
  };
}

/** What is written with each change of a request, in the same transaction: no change without its entry, and no entry without its change. */
export function auditJournal(tableName: string, cell: string): Journal {
  return (request, before): TransactWriteItem => ({
    Put: put(tableName, changeEntry(request, before, cell)),
  });
}

/** The audit of a cell, in its own table. */
export class DynamoDbAuditTrail implements AuditTrail {
  constructor(
    private readonly client: Pick<DynamoDBClient, "send">,
    private readonly tableName: string,
  ) {}

  async append(entry: AuditEntry): Promise<void> {
    await this.client.send(new PutItemCommand(put(this.tableName, entry)));
  }
}

/** The audit of all cells, from the tables (or their replicas) in this region. */
export class DynamoDbAuditReader implements AuditReader {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly tableNames: readonly string[],
  ) {}

  async ofRequest(requestId: string): Promise<AuditEntry[]> {
    const entries = await this.all({
      KeyConditionExpression: "#hash = :hash",
      ExpressionAttributeNames: { "#hash": AUDIT_TABLE_KEYS.hashKey },
      ExpressionAttributeValues: { ":hash": { S: requestId } },
    });
    return entries.sort(byTime);
  }

  async *between(since: Date, until: Date): AsyncIterable<AuditEntry> {
    const [from, to] = [since.toISOString(), until.toISOString()];
    for (let day = new Date(dayOf(from)); day < until; day = new Date(day.getTime() + 86_400_000)) {
      // A day at a time, so that years of entries need not be in memory at once.
      const entries = await this.all({
        IndexName: "byDay",
        KeyConditionExpression: "#hash = :hash AND #at >= :from",
        ExpressionAttributeNames: { "#hash": "day", "#at": "at" },
        ExpressionAttributeValues: { ":hash": { S: dayOf(day.toISOString()) }, ":from": { S: from } },
      });
      yield* entries.filter(({ at }) => at < to).sort(byTime);
    }
  }

  async ofRequester(names: readonly string[], since: Date): Promise<AuditEntry[]> {
    const found = await Promise.all(
      names.map((name) => this.all(this.sinceIn("byRequester", name, since, {}))),
    );
    return found.flat();
  }

  async countOfCall(call: string, what: string, since: Date): Promise<number> {
    const filter = {
      FilterExpression: "#what = :what",
      names: { "#what": "what" },
      values: { ":what": what },
    };
    return (await this.all(this.sinceIn("byCall", call, since, filter))).length;
  }

  private sinceIn(
    name: keyof typeof AUDIT_TABLE_INDEXES,
    hash: string,
    since: Date,
    filter: {
      readonly FilterExpression?: string;
      readonly names?: Readonly<Record<string, string>>;
      readonly values?: Readonly<Record<string, string>>;
    },
  ): Omit<QueryCommandInput, "TableName"> {
    const values = { ":hash": hash, ":since": since.toISOString(), ...filter.values };
    return {
      IndexName: name,
      KeyConditionExpression: "#hash = :hash AND #at >= :since",
      ...(filter.FilterExpression !== undefined && { FilterExpression: filter.FilterExpression }),
      ExpressionAttributeNames: { "#hash": AUDIT_TABLE_INDEXES[name].hashKey, "#at": "at", ...filter.names },
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, { S: value }]),
      ),
    };
  }

  private async all(query: Omit<QueryCommandInput, "TableName">): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    for (const TableName of this.tableNames) {
      for await (const { Items = [] } of paginateQuery({ client: this.client }, { ...query, TableName })) {
        entries.push(...Items.map(readEntry));
      }
    }
    return entries;
  }
}

function readEntry(item: Item): AuditEntry {
  try {
    return auditEntrySchema.parse(JSON.parse(item.json?.S ?? ""));
  } catch (cause) {
    throw new BulkheadError(
      "audit-malformed",
      "an entry of the audit cannot be understood: was it written by something else?",
      { cause },
    );
  }
}
