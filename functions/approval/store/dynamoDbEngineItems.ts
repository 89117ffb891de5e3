import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { REQUEST_TABLE_KEYS, REQUEST_TABLE_TTL } from "../links/dynamoDbRequestTable";
import type { EngineItems, Reopening, WaitingTask } from "./engineItems";

type Item = Record<string, AttributeValue>;

/** Longer than any request lives. */
const RETENTION_SECONDS = 400 * 24 * 3600;

const REOPENED = "reopened";

/**
 * What the engine keeps in the table of requests:
 *
 * | pk | sk | what |
 * | --- | --- | --- |
 * | `request#ID` | `task` | the task token that waits |
 * | `request#ID` | `told#KEY` | that somebody was told of a stage |
 * | `reopened` | ID | the request that the other cell's request ID was opened anew as |
 */
export class DynamoDbEngineItems implements EngineItems {
  /** @param tableName the own cell's; or the peer's replica, to read */
  constructor(
    private readonly client: Pick<DynamoDBClient, "send">,
    private readonly tableName: string,
    private readonly now: () => number = Date.now,
  ) {}

  async putTask(requestId: string, { token, version }: WaitingTask): Promise<void> {
    await this.put({
      ...key(`request#${requestId}`, "task"),
      token: { S: token },
      version: { N: String(version) },
      ...this.end(),
    });
  }

  async readTask(requestId: string): Promise<WaitingTask | undefined> {
    const item = await this.get(`request#${requestId}`, "task");
    return item?.token?.S === undefined
      ? undefined
      : { token: item.token.S, version: Number(item.version?.N) };
  }

  async wasTold(requestId: string, what: string): Promise<boolean> {
    return (await this.get(`request#${requestId}`, `told#${what}`)) !== undefined;
  }

  async markTold(requestId: string, what: string): Promise<void> {
    await this.put({ ...key(`request#${requestId}`, `told#${what}`), ...this.end() });
  }

  async putReopening(reopening: Reopening): Promise<Reopening> {
    const { requestId, newRequestId, at } = reopening;
    try {
      await this.client.send(
        new PutItemCommand({
          TableName: this.tableName,
          Item: { ...key(REOPENED, requestId), newRequestId: { S: newRequestId }, at: { N: String(at) } },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      );
      return reopening;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const known = await this.readReopening(requestId);
      if (!known) throw error;
      return known;
    }
  }

  async readReopening(requestId: string): Promise<Reopening | undefined> {
    const item = await this.get(REOPENED, requestId);
    if (!item) return undefined;
    if (item.newRequestId?.S === undefined) {
      throw new BulkheadError("request-malformed", "an item of the table of requests cannot be understood");
    }
    return { requestId, newRequestId: item.newRequestId.S, at: Number(item.at?.N) };
  }

  private end(): Item {
    return { [REQUEST_TABLE_TTL]: { N: String(Math.ceil(this.now() / 1_000) + RETENTION_SECONDS) } };
  }

  private async put(item: Item): Promise<void> {
    await this.client.send(new PutItemCommand({ TableName: this.tableName, Item: item }));
  }

  private async get(pk: string, sk: string): Promise<Item | undefined> {
    const { Item: item } = await this.client.send(
      new GetItemCommand({ TableName: this.tableName, Key: key(pk, sk), ConsistentRead: true }),
    );
    return item;
  }
}

function key(pk: string, sk: string): Item {
  return { [REQUEST_TABLE_KEYS.hashKey]: { S: pk }, [REQUEST_TABLE_KEYS.rangeKey]: { S: sk } };
}
