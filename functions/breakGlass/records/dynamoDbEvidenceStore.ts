import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { withDeadline } from "../../shared/clients/deadline";
import { type EvidenceKind, type EvidenceOf, type EvidenceRecord, evidenceRecordSchema } from "./record";
import { type EvidenceStore, EvidenceUnavailable } from "./store";

/** The table's keys, both of type S, and the attribute that holds the record as JSON. */
export const EVIDENCE_TABLE_KEYS = { hashKey: "kind", rangeKey: "id" } as const;

/** What {@link DynamoDbEvidenceStore} works with. */
export interface DynamoDbEvidenceStoreOptions {
  /** A client of the table's region. */
  client: DynamoDBClient;
  /** Name of the cell's table, see `evidenceTableName`. */
  tableName: string;
  /** The table's region, for messages. */
  region: string;
  /**
   * How long one call may take in all, in milliseconds: a region that hangs must not hang the caller.
   * @default 3000
   */
  timeoutMilliseconds?: number;
}

/** A cell's evidence in a DynamoDB table of its region. Data-plane calls only (fact 33): PutItem that never overwrites, and Query. */
export class DynamoDbEvidenceStore implements EvidenceStore {
  constructor(private readonly options: DynamoDbEvidenceStoreOptions) {}

  async append(record: EvidenceRecord): Promise<void> {
    const { client, tableName } = this.options;
    const { kind, id } = evidenceRecordSchema.parse(record);
    await this.answer(`recording ${kind}`, async (abortSignal) => {
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: { kind: { S: kind }, id: { S: id }, record: { S: JSON.stringify(record) } },
            ConditionExpression: "attribute_not_exists(#kind)",
            ExpressionAttributeNames: { "#kind": EVIDENCE_TABLE_KEYS.hashKey },
          }),
          { abortSignal },
        );
      } catch (error) {
        // It is there: a retry, or a repair by the other cell.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    });
  }

  async list<Kind extends EvidenceKind>(kind: Kind, since = ""): Promise<EvidenceOf<Kind>[]> {
    const { client, tableName } = this.options;
    return this.answer(`reading the records of kind ${kind}`, async (abortSignal) => {
      const records: EvidenceOf<Kind>[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: tableName,
          KeyConditionExpression: since ? "#kind = :kind AND #id >= :since" : "#kind = :kind",
          ExpressionAttributeNames: {
            "#kind": EVIDENCE_TABLE_KEYS.hashKey,
            ...(since && { "#id": EVIDENCE_TABLE_KEYS.rangeKey }),
          },
          ExpressionAttributeValues: { ":kind": { S: kind }, ...(since && { ":since": { S: since } }) },
          ConsistentRead: true,
        },
        { abortSignal },
      );
      for await (const { Items = [] } of pages) {
        for (const item of Items) records.push(parse(item.record?.S, kind));
      }
      return records;
    });
  }

  /** Runs calls under the deadline and turns every failure into EvidenceUnavailable. */
  private async answer<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { tableName, region, timeoutMilliseconds = 3_000 } = this.options;
    const place = `${doing} in table ${tableName} (${region})`;
    try {
      return await withDeadline(
        timeoutMilliseconds,
        call,
        () => new EvidenceUnavailable(`${place}: no answer within ${timeoutMilliseconds} ms`),
      );
    } catch (error) {
      if (error instanceof EvidenceUnavailable) throw error;
      if (error instanceof MalformedRecord) {
        throw new EvidenceUnavailable(`${place}: a record cannot be understood`, { cause: error });
      }
      if (error instanceof ResourceNotFoundException) {
        throw new EvidenceUnavailable(`${place}: there is no such table. Is the cell deployed?`, {
          cause: error,
        });
      }
      throw new EvidenceUnavailable(`${place}: ${error instanceof Error ? error.name : "no answer"}`, {
        cause: error,
      });
    }
  }
}

class MalformedRecord extends Error {}

function parse<Kind extends EvidenceKind>(json: string | undefined, kind: Kind): EvidenceOf<Kind> {
  let value: unknown;
  try {
    value = JSON.parse(json ?? "");
  } catch (error) {
    throw new MalformedRecord("not JSON", { cause: error });
  }
  const parsed = evidenceRecordSchema.safeParse(value);
  if (!parsed.success || parsed.data.kind !== kind)
    throw new MalformedRecord("wrong fields", { cause: parsed.error });
  return parsed.data as EvidenceOf<Kind>;
}
