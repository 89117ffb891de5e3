/** A promotion and the way back over real tables: the local AWS decides the conditions. */
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { checkActivation, type Side } from "../../../functions/shared/activation/check";
import { DynamoDbActivationStore } from "../../../functions/shared/activation/dynamoDbActivationStore";
import { ACTIVATION_TABLE_KEY, toItem } from "../../../functions/shared/activation/item";
import { failback, promote, status } from "../../../functions/shared/activation/promote";
import { initialRecord } from "../../../functions/shared/activation/record";
import { ActivationConflict, ActivationUnreadable } from "../../../functions/shared/activation/store";
import type { LocalAws } from "../../../local/aws/launch";
import { EAST, failure, launch, rootOf, SECURITY, settings, WEST } from "../../localAws/support";

describe("activation on the local AWS", () => {
  let aws: LocalAws;
  let prod: Side;
  let dr: Side;
  const clients: DynamoDBClient[] = [];

  before(async () => {
    aws = await launch();
    prod = await makeSide("prod", EAST, true);
    dr = await makeSide("dr", WEST, false);
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await aws?.stop();
  });

  async function makeSide(cell: string, region: string, active: boolean): Promise<Side> {
    const client = new DynamoDBClient(settings(aws, rootOf(SECURITY), region));
    clients.push(client);
    const tableName = `bulkhead-activation-${cell}`;
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: ACTIVATION_TABLE_KEY, KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: ACTIVATION_TABLE_KEY, AttributeType: "S" }],
      }),
    );
    await client.send(
      new PutItemCommand({ TableName: tableName, Item: toItem(initialRecord(cell, active)) }),
    );
    return { cell, region, store: new DynamoDbActivationStore({ client, tableName, region }) };
  }

  it("promotes, stands down, fails back, and refuses what was decided on an old record", async () => {
    const change = { by: "operator", reason: "test" };
    const old = (await prod.store.read("prod"))!;
    expect((await status({ own: prod, peer: dr })).writers).to.equal("one");

    const promoted = await promote({ own: dr, peer: prod, ...change });
    expect(promoted.writes.map(({ outcome }) => outcome)).to.deep.equal(["written", "written"]);
    expect((await checkActivation({ own: dr, peer: prod, by: "worker" })).decision).to.deep.equal({
      act: true,
    });
    expect((await checkActivation({ own: prod, peer: dr, by: "worker" })).decision).to.deep.equal({
      act: false,
      reason: "standby",
    });
    expect(await failure(prod.store.write({ ...old, epoch: 9, highestSeen: 9 }, old))).to.be.instanceOf(
      ActivationConflict,
    );

    const back = await failback({ own: prod, peer: dr, ...change });
    expect(back.record).to.include({ epoch: 3, active: true });
    expect(await prod.store.read("prod")).to.deep.equal(back.record);
    expect(await dr.store.read("dr")).to.include({ epoch: 2, active: false, highestSeen: 3 });
  });

  it("says that a table is missing", async () => {
    const store = new DynamoDbActivationStore({
      client: clients[0]!,
      tableName: "bulkhead-activation-none",
      region: EAST,
    });
    const error = await failure(store.read("none"));
    expect(error).to.be.instanceOf(ActivationUnreadable).and.to.include({ code: "TableMissing" });
  });
});
