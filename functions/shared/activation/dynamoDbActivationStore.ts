import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { withDeadline } from "../clients/deadline";
import { fromItem, toItem } from "./item";
import { type ActivationRecord, activationRecordSchema } from "./record";
import {
  ActivationConflict,
  type ActivationStore,
  ActivationUnreadable,
  sameRecord,
  type UnreadableCode,
} from "./store";

/** What {@link DynamoDbActivationStore} works with. */
export interface DynamoDbActivationStoreOptions {
  /** A client of the record's region, with that region's endpoint and retry settings. */
  client: DynamoDBClient;
  /** Name of the region's table, see `activationTableName`. */
  tableName: string;
  /** The table's region, for messages. */
  region: string;
  /**
   * How long one read or write may take in all, retries and credentials included, in milliseconds: a region that hangs must not hang the
   * caller.
   * @default 3000
   */
  timeoutMilliseconds?: number;
}

/** The fields that decide. They change with every write that means anything, so they are what a write is conditioned on. */
const CONDITION_FIELDS = ["active", "epoch", "peerRequired", "highestSeen", "changedAt"] as const;

/**
 * A cell's record in a DynamoDB table of its region. Uses data-plane calls only (GetItem and PutItem), which work on when every control
 * plane is gone (fact 33), and never a global table, whose conditional writes are decided on the local copy (fact 32).
 */
export class DynamoDbActivationStore implements ActivationStore {
  private readonly timeout: number;

  constructor(private readonly options: DynamoDbActivationStoreOptions) {
    this.timeout = options.timeoutMilliseconds ?? 3000;
  }

  async read(cell: string): Promise<ActivationRecord | undefined> {
    const { client, tableName } = this.options;
    const command = new GetItemCommand({
      TableName: tableName,
      Key: { cell: { S: cell } },
      ConsistentRead: true,
    });
    const { Item } = await this.answer(`reading the record of ${cell}`, (abortSignal) =>
      client.send(command, { abortSignal }),
    );
    if (!Item) return undefined;
    const parsed = activationRecordSchema.safeParse(fromItem(Item));
    if (!parsed.success || parsed.data.cell !== cell) {
      const fields = parsed.error?.issues.map((issue) => issue.path.join(".")).join(", ") || "cell";
      throw this.unreadable(`reading the record of ${cell}`, "Malformed", `wrong fields: ${fields}`);
    }
    return parsed.data;
  }

  async write(record: ActivationRecord, expected: ActivationRecord): Promise<void> {
    const { client, tableName } = this.options;
    const wanted = toItem(expected);
    const command = new PutItemCommand({
      TableName: tableName,
      Item: toItem(record),
      ConditionExpression: CONDITION_FIELDS.map((field) => `#${field} = :${field}`).join(" AND "),
      ExpressionAttributeNames: Object.fromEntries(CONDITION_FIELDS.map((field) => [`#${field}`, field])),
      ExpressionAttributeValues: Object.fromEntries(
        CONDITION_FIELDS.map((field) => [`:${field}`, wanted[field]]),
      ),
    });
    const doing = `writing the record of ${record.cell}`;
    try {
      await this.answer(doing, (abortSignal) => client.send(command, { abortSignal }));
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // The client repeats a request whose answer was lost, and then the first one's success looks like a conflict.
      if (sameRecord(await this.read(record.cell), record)) return;
      throw new ActivationConflict(
        `${doing} in ${this.place()}: it changed in between, nothing was written. Run the command again.`,
        { cause: error },
      );
    }
  }

  private place(): string {
    return `table ${this.options.tableName} (${this.options.region})`;
  }

  private unreadable(doing: string, code: UnreadableCode, detail: string, cause?: unknown) {
    return new ActivationUnreadable(`${doing} in ${this.place()}: ${detail}`, code, { cause });
  }

  /** Runs a call under the deadline and turns every failure, a failed condition apart, into ActivationUnreadable. */
  private async answer<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.timeout, call, () =>
        this.unreadable(doing, "Timeout", `no answer within ${this.timeout} ms`),
      );
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException || error instanceof ActivationUnreadable)
        throw error;
      const code = codeOf(error);
      throw this.unreadable(doing, code, error instanceof Error ? error.message : String(error), error);
    }
  }
}

function codeOf(error: unknown): UnreadableCode {
  if (!(error instanceof DynamoDBServiceException)) return "Unavailable";
  if (error.name === "ResourceNotFoundException") return "TableMissing";
  // AccessDeniedException; a key that may not be used; expired or unknown credentials.
  const denials =
    /^(AccessDenied|KMS|UnrecognizedClient|InvalidSignature|ExpiredToken|MissingAuthentication)/;
  return denials.test(error.name) ? "Denied" : "Unavailable";
}
