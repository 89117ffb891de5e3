import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { failureKind } from "../engine/failure";
import type { Claims } from "../notify/deliver";
import { awsCall } from "./calls";

/** Remembers in the table of records what was mailed, an item for each entry, beside the records. */
export class DynamoDbClaims implements Claims {
  constructor(
    private readonly client: Pick<DynamoDBClient, "send">,
    private readonly tableName: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async take(accountId: string, ids: string[]): Promise<Set<string>> {
    const taken = new Set<string>();
    const takenAt = { S: this.now().toISOString() };
    for (const id of ids) {
      try {
        await awsCall("PutItem", () =>
          this.client.send(
            new PutItemCommand({
              TableName: this.tableName,
              Item: { ...key(accountId, id), takenAt },
              ConditionExpression: "attribute_not_exists(userName)",
            }),
          ),
        );
        taken.add(id);
      } catch (error) {
        if (failureKind(error) !== "conflict") {
          await this.giveBack(accountId, [...taken]);
          throw error;
        }
      }
    }
    return taken;
  }

  async giveBack(accountId: string, ids: string[]): Promise<void> {
    for (const id of ids) {
      await awsCall("DeleteItem", () =>
        this.client.send(new DeleteItemCommand({ TableName: this.tableName, Key: key(accountId, id) })),
      );
    }
  }
}

/** Account ids are digits, so the items are apart from the records. */
function key(accountId: string, id: string) {
  return { accountId: { S: `#told#${accountId}` }, userName: { S: id } };
}
