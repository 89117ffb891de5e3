/** The table of requests in memory and on the local AWS: the same behaviour, of which DynamoDB's conditions decide the second. */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import {
  DynamoDbRequestTable,
  REQUEST_TABLE_KEYS,
} from "../../../../functions/approval/links/dynamoDbRequestTable";
import { InMemoryRequestTable } from "../../../../functions/approval/links/inMemoryRequestTable";
import { issueLink } from "../../../../functions/approval/links/issue";
import { linkHash } from "../../../../functions/approval/links/secret";
import { LinkSpent } from "../../../../functions/approval/links/store";
import { type ApprovalRequest, newRequest } from "../../../../functions/approval/workflow/request";
import type { LocalAws } from "../../../../local/aws/launch";
import { EAST, failure, launch, rootOf, SECURITY, settings } from "../../../localAws/support";
import { sampleDetails } from "../../../support/approvalPages";

const START = Date.UTC(2026, 10, 22, 3);
let next = 0;

const newId = () => {
  next += 1;
  return `id-${next}`;
};

/** A request of an operation of its own. */
function aRequest(more: Partial<ApprovalRequest> = {}): ApprovalRequest {
  next += 1;
  const request = newRequest(
    {
      id: `request-${next}`,
      operationHash: next.toString(16).padStart(64, "0"),
      previewHash: "a".repeat(64),
      requester: ["person:alice"],
      levels: [{ group: "dba", quorum: 1, timeoutSeconds: 600 }],
      snapshotFirst: false,
      confirmationSeconds: 600,
      workSeconds: 60,
    },
    START,
  );
  return { ...request, ...more };
}
const nextOf = (request: ApprovalRequest, state: ApprovalRequest["state"]): ApprovalRequest => ({
  ...request,
  state,
  version: request.version + 1,
});

function behavesAsATable(makeTable: () => InMemoryRequestTable | DynamoDbRequestTable) {
  const link = (table: ReturnType<typeof makeTable>, requestId: string) =>
    issueLink(
      table,
      { requestId, person: "alice", purpose: "confirm", expiresAt: START + 600_000 },
      { cell: "prod", now: () => START },
    );

  it("opens one request for an id and for an operation, of many at the same time", async () => {
    const table = makeTable();
    const request = aRequest();
    const same = Array.from({ length: 5 }, () => table.open(request));
    const others = Array.from({ length: 5 }, () =>
      table.open(aRequest({ operationHash: request.operationHash })),
    );
    const openings = await Promise.all([...same, ...others]);
    expect(openings.filter(({ opened }) => opened)).to.have.length(1);
    const open = (await table.listOpen()).filter(
      ({ operationHash }) => operationHash === request.operationHash,
    );
    expect(open).to.have.length(1);
  });

  it("replaces what still stands, and gives the operation of a final request free", async () => {
    const table = makeTable();
    const request = aRequest();
    await table.open(request);
    expect(await table.replace(nextOf(request, "approving"), request)).to.equal(true);
    expect(await table.replace(nextOf(request, "cancelled"), request)).to.equal(false);
    const present = (await table.read(request.id))!;
    expect(present).to.include({ state: "approving", version: 2 });
    expect(await table.replace(nextOf(present, "denied"), present)).to.equal(true);
    const again = aRequest({ operationHash: request.operationHash });
    expect(await table.open(again)).to.deep.equal({ opened: true });
    expect(await table.read("nobody")).to.equal(undefined);
  });

  it("keeps details as they were first written", async () => {
    const table = makeTable();
    const details = sampleDetails({ requestId: newId() });
    await table.writeDetails(details);
    await table.writeDetails({ ...details, region: "eu-west-1" });
    expect(await table.readDetails(details.requestId)).to.deep.equal(details);
  });

  it("spends a link with the change of its request, both or neither", async () => {
    const table = makeTable();
    const request = aRequest();
    await table.open(request);
    const { id } = await link(table, request.id);
    const hash = linkHash(id);
    const store = table.spending({ hash, at: START + 5, action: "confirm" });
    const stale = { ...request, version: 9 };
    expect(await store.replace(nextOf(stale, "approving"), stale)).to.equal(false);
    expect((await table.readLink(hash))!.spent).to.equal(undefined);
    const racers = await Promise.allSettled(
      Array.from({ length: 4 }, () => store.replace(nextOf(request, "approving"), request)),
    );
    expect(racers.filter((each) => each.status === "fulfilled" && each.value)).to.have.length(1);
    expect((await table.readLink(hash))!.spent).to.deep.equal({ at: START + 5, action: "confirm" });
    const present = (await table.read(request.id))!;
    expect(await failure(store.replace(nextOf(present, "cancelled"), present))).to.be.instanceOf(LinkSpent);
    expect((await table.read(request.id))!.version).to.equal(2);
  });

  it("counts attempts, renewals and spending by conditions", async () => {
    const table = makeTable();
    const { id } = await link(table, "any");
    const hash = linkHash(id);
    const taken = await Promise.all(Array.from({ length: 9 }, () => table.takeAttempt(hash, 5)));
    expect(taken.filter(Boolean)).to.have.length(5);
    const renewed = await Promise.all([table.takeRenewal(hash), table.takeRenewal(hash)]);
    expect(renewed.filter(Boolean)).to.have.length(1);
    const spent = await Promise.all([1, 2].map((at) => table.spend({ hash, at, action: "form" })));
    expect(spent.filter(Boolean)).to.have.length(1);
    expect(await table.readLink(hash)).to.deep.include({
      attempts: 5,
      renewed: true,
      person: "alice",
      cell: "prod",
    });
    for (const refused of [
      table.takeAttempt(hash, 99),
      table.takeRenewal(hash),
      table.takeAttempt("none", 5),
    ]) {
      expect(await refused).to.equal(false);
    }
    expect(await table.readLink("0".repeat(64))).to.equal(undefined);
  });

  it("remembers a key", async () => {
    const table = makeTable();
    const key = newId();
    const seen = await Promise.all([1, 2, 3].map(() => table.once(key, START)));
    expect(seen.filter(Boolean)).to.have.length(1);
  });
}

describe("the table of requests in memory", () => behavesAsATable(() => new InMemoryRequestTable()));

describe("the table of requests in DynamoDB", () => {
  let aws: LocalAws;
  let client: DynamoDBClient;
  const tableName = "bulkhead-approval-requests-prod";

  before(async () => {
    aws = await launch();
    client = new DynamoDBClient(settings(aws, rootOf(SECURITY), EAST));
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: REQUEST_TABLE_KEYS.hashKey, KeyType: "HASH" },
          { AttributeName: REQUEST_TABLE_KEYS.rangeKey, KeyType: "RANGE" },
        ],
        AttributeDefinitions: Object.values(REQUEST_TABLE_KEYS).map((AttributeName) => ({
          AttributeName,
          AttributeType: "S" as const,
        })),
      }),
    );
  });
  after(async () => {
    client?.destroy();
    await aws?.stop();
  });

  behavesAsATable(() => new DynamoDbRequestTable(client, tableName));
});
