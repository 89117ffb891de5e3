import * as http from "node:http";
import type * as net from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbActivationStore } from "../../../functions/shared/activation/dynamoDbActivationStore";
import { toItem } from "../../../functions/shared/activation/item";
import { initialRecord } from "../../../functions/shared/activation/record";
import { ActivationConflict, ActivationUnreadable } from "../../../functions/shared/activation/store";

const RECORD = initialRecord("prod", true);
const NEXT = { ...RECORD, epoch: 2, highestSeen: 2, changedAt: "2026-03-01T12:00:00.000Z", reason: "drill" };

interface Request {
  operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: the body of any DynamoDB request; the tests compare it with literals
  body: any;
}
type Answer = { status?: number; body: unknown } | "hang" | "drop";

describe("DynamoDbActivationStore", () => {
  let server: http.Server;
  let url: string;
  let requests: Request[];
  /** One answer for each request; the last one repeats. */
  let answers: Answer[];
  const clients: DynamoDBClient[] = [];

  before(async () => {
    server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const operation = String(request.headers["x-amz-target"]).split(".")[1]!;
        requests.push({ operation, body: JSON.parse(Buffer.concat(chunks).toString()) });
        const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
        if (answer === "hang") return;
        if (answer === "drop") {
          request.socket.destroy();
          return;
        }
        response.writeHead(answer.status ?? 200, { "content-type": "application/x-amz-json-1.0" });
        response.end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  });
  beforeEach(() => {
    requests = [];
  });
  after(async () => {
    for (const client of clients) client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function store(timeoutMilliseconds?: number, endpoint = url, maxAttempts = 1) {
    const client = new DynamoDBClient({
      region: "us-east-1",
      endpoint,
      maxAttempts,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    clients.push(client);
    return new DynamoDbActivationStore({ client, tableName: "t", region: "us-east-1", timeoutMilliseconds });
  }

  function refusal(type: string, status = 400): Answer {
    return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type } };
  }

  async function failure(run: Promise<unknown>): Promise<ActivationUnreadable> {
    const error = await run.then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).to.be.instanceOf(ActivationUnreadable);
    expect(error.message).to.contain("table t (us-east-1)");
    return error;
  }

  it("reads the record strongly consistently", async () => {
    answers = [{ body: { Item: toItem(RECORD) } }];
    expect(await store().read("prod")).to.deep.equal(RECORD);
    expect(requests).to.deep.equal([
      { operation: "GetItem", body: { TableName: "t", Key: { cell: { S: "prod" } }, ConsistentRead: true } },
    ]);
  });

  it("reads undefined where there is no record", async () => {
    answers = [{ body: {} }];
    expect(await store().read("prod")).to.equal(undefined);
  });

  it("takes a malformed record for unreadable and names the wrong fields, not their values", async () => {
    answers = [{ body: { Item: { ...toItem(RECORD), epoch: { S: "one" }, extra: { S: "x" } } } }];
    const error = await failure(store().read("prod"));
    expect(error.code).to.equal("Malformed");
    expect(error.message).to.contain("epoch").and.not.to.contain("one");
    answers = [{ body: { Item: toItem(initialRecord("dr", true)) } }];
    expect((await failure(store().read("prod"))).code).to.equal("Malformed");
  });

  it("writes on the condition that the expected record is still there", async () => {
    answers = [{ body: {} }];
    await store().write(NEXT, RECORD);
    expect(requests).to.deep.equal([
      {
        operation: "PutItem",
        body: {
          TableName: "t",
          Item: toItem(NEXT),
          ConditionExpression:
            "#active = :active AND #epoch = :epoch AND #peerRequired = :peerRequired AND " +
            "#highestSeen = :highestSeen AND #changedAt = :changedAt",
          ExpressionAttributeNames: {
            "#active": "active",
            "#epoch": "epoch",
            "#peerRequired": "peerRequired",
            "#highestSeen": "highestSeen",
            "#changedAt": "changedAt",
          },
          ExpressionAttributeValues: {
            ":active": { BOOL: true },
            ":epoch": { N: "1" },
            ":peerRequired": { BOOL: true },
            ":highestSeen": { N: "1" },
            ":changedAt": { S: RECORD.changedAt },
          },
        },
      },
    ]);
  });

  it("tells a conflict from its own write whose answer was lost", async () => {
    const conflict = refusal("ConditionalCheckFailedException");
    answers = [conflict, { body: { Item: toItem(NEXT) } }];
    await store().write(NEXT, RECORD);

    answers = [conflict, { body: { Item: toItem({ ...NEXT, changedBy: "someone else" }) } }];
    const error = await store()
      .write(NEXT, RECORD)
      .catch((reason) => reason);
    expect(error).to.be.instanceOf(ActivationConflict);
    expect(error.message).to.contain("nothing was written");
    expect(error.cause.name).to.equal("ConditionalCheckFailedException");
  });

  it("gives up on a region that hangs, within the time allowed", async () => {
    answers = ["hang"];
    const begin = Date.now();
    expect((await failure(store(100).read("prod"))).code).to.equal("Timeout");
    expect((await failure(store(100).write(NEXT, RECORD))).code).to.equal("Timeout");
    expect(Date.now() - begin).to.be.below(3000);
  });

  it("counts retries in the time allowed", async () => {
    answers = ["drop"];
    const begin = Date.now();
    const code = (await failure(store(150, url, 50).read("prod"))).code;
    expect(code).to.equal("Timeout");
    expect(Date.now() - begin).to.be.below(3000);
  });

  it("says by a code why there was no answer, and keeps the cause", async () => {
    const codes: [Answer, string][] = [
      ["drop", "Unavailable"],
      [refusal("InternalServerError", 500), "Unavailable"],
      [refusal("ProvisionedThroughputExceededException"), "Unavailable"],
      [refusal("ResourceNotFoundException"), "TableMissing"],
      [refusal("AccessDeniedException"), "Denied"],
      [refusal("ExpiredTokenException"), "Denied"],
      [refusal("UnrecognizedClientException"), "Denied"],
    ];
    for (const [answer, code] of codes) {
      answers = [answer];
      const error = await failure(store().read("prod"));
      expect(error.code).to.equal(code);
      expect(error.cause).to.be.instanceOf(Error);
    }
    expect((await failure(store(undefined, "http://127.0.0.1:9").read("prod"))).code).to.equal("Unavailable");
  });
});
