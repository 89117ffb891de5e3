import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { DynamoDbUseStore, USE_TABLE_KEYS } from "../../../functions/breakGlass/use/dynamoDbUseStore";
import { InMemoryUseStore } from "../../../functions/breakGlass/use/inMemoryUseStore";
import type { Observation } from "../../../functions/breakGlass/use/observation";
import type { StoredEvent, Use, UseStore } from "../../../functions/breakGlass/use/store";
import { snsNotice } from "../../../functions/shared/notice/snsNotice";
import { confirmSubscriptions, readInbox } from "../../../local/aws/inbox";
import type { LocalAws } from "../../../local/aws/launch";
import { failure, launch, rootOf, SECURITY, settings, WEST, waitFor } from "../../localAws/support";
import { MINUTE, tampering, told, UseWorld, userCall } from "./useWorld";

const observation = (eventId: string): Observation => ({
  eventId,
  time: "2026-03-02T03:00:00.000Z",
  service: "iam.amazonaws.com",
  call: "CreateUser",
  region: "us-east-1",
  account: "222222222222",
  actor: "arn:aws:iam::222222222222:user/break-glass/breakglass-admin-1",
  ip: "192.0.2.17",
  agent: "",
  mfa: "yes",
  error: "",
  readOnly: false,
  via: "",
  role: "",
  on: "",
  rule: "emergency-user-call",
  why: "Everything is told.",
});
const event = (eventId: string, seenAt: string, more: Partial<StoredEvent> = {}): StoredEvent => ({
  observation: observation(eventId),
  seenAt,
  ...more,
});
const use = (subject: string, useId: string, more: Partial<Use> = {}): Use => ({
  subject,
  useId,
  lastSeenAt: "2026-03-02T03:00:00.000Z",
  first: observation("1"),
  openingDueAt: "2026-03-02T03:00:00.000Z",
  openingTold: false,
  openingClaimedUntil: "",
  toldThrough: "",
  lastToldAt: "2026-03-02T03:00:00.000Z",
  claimedUntil: "",
  enteredRecorded: false,
  toldAtOnce: 0,
  ...more,
});
const T1 = "2026-03-02T03:01:00.000Z";
const T2 = "2026-03-02T03:02:00.000Z";
const T3 = "2026-03-02T03:03:00.000Z";

describe("store of uses", () => {
  let aws: LocalAws;
  let client: DynamoDBClient;
  let tables = 0;
  before(async () => {
    aws = await launch();
    client = new DynamoDBClient(settings(aws, rootOf(SECURITY), WEST));
  });
  after(async () => {
    client?.destroy();
    await aws?.stop();
  });
  const dynamoDb = async () => {
    const TableName = `bulkhead-breakglass-uses-${tables++}`;
    const { hashKey, rangeKey } = USE_TABLE_KEYS;
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: hashKey, KeyType: "HASH" },
          { AttributeName: rangeKey, KeyType: "RANGE" },
        ],
        AttributeDefinitions: [hashKey, rangeKey].map((AttributeName) => ({
          AttributeName,
          AttributeType: "S",
        })),
      }),
    );
    return { store: new DynamoDbUseStore(client, TableName), TableName };
  };

  for (const [what, make] of [
    ["in memory", async (): Promise<UseStore> => new InMemoryUseStore()],
    ["in DynamoDB", async (): Promise<UseStore> => (await dynamoDb()).store],
  ] as const) {
    describe(what, () => {
      let store: UseStore;
      beforeEach(async () => {
        store = await make();
      });

      it("keeps each event once, and lists those not reported, oldest first", async () => {
        expect(await store.event("a", "1")).to.equal(undefined);
        expect(await store.addEvent("a", event("1", T2))).to.equal(true);
        expect(await store.addEvent("a", event("1", T3))).to.equal(false);
        expect(await store.addEvent("a", event("2", T1))).to.equal(true);
        expect(await store.addEvent("ab", event("1", T1))).to.equal(true);
        expect(await store.event("a", "1")).to.deep.equal(event("1", T2));
        expect((await store.unreported("a")).map(({ observation: { eventId } }) => eventId)).to.deep.equal([
          "2",
          "1",
        ]);
        await store.reportEvent("a", "1", "use-1");
        await store.reportEvent("a", "1", "use-2");
        await store.reportEvent("a", "none", "use-2");
        expect(await store.event("a", "1")).to.deep.equal(event("1", T2, { reportedIn: "use-1" }));
        expect(await store.event("a", "none")).to.equal(undefined);
        expect(await store.unreported("a")).to.have.length(1);
        expect(await store.unreported("ab")).to.have.length(1);
      });

      it("lets one at a time claim an event that is not reported", async () => {
        await store.addEvent("a", event("1", T1));
        expect(await store.claimEvent("a", "1", T1, T2)).to.equal(true);
        expect(await store.claimEvent("a", "1", T1, T2)).to.equal(false);
        expect(await store.claimEvent("a", "1", T3, T3)).to.equal(true);
        await store.reportEvent("a", "1", "x");
        expect(await store.claimEvent("a", "1", "2027", "2028")).to.equal(false);
        expect(await store.claimEvent("a", "none", T1, T2)).to.equal(false);
      });

      it("has one open use for each subject, changed only as long as it is that one", async () => {
        expect(await store.open("a")).to.equal(undefined);
        expect(await store.addUse(use("a", "u1"))).to.equal(true);
        expect(await store.addUse(use("a", "u2"))).to.equal(false);
        expect(await store.addUse(use("b", "u3", { entered: observation("2") }))).to.equal(true);
        expect(await store.updateUse({ subject: "a", useId: "u2" }, { toldAtOnce: 5 })).to.equal(false);
        expect(await store.updateUse({ subject: "c", useId: "u2" }, { toldAtOnce: 5 })).to.equal(false);
        expect(
          await store.updateUse({ subject: "a", useId: "u1" }, { toldAtOnce: 1, openingTold: true }),
        ).to.equal(true);
        expect(await store.open("a")).to.deep.equal(use("a", "u1", { toldAtOnce: 1, openingTold: true }));
        expect((await store.allOpen()).map(({ useId }) => useId).sort()).to.deep.equal(["u1", "u3"]);
      });

      it("changes a use only under the conditions given", async () => {
        await store.addUse(use("a", "u1"));
        const key = { subject: "a", useId: "u1" };
        expect(await store.updateUse(key, { toldAtOnce: 1 }, { equal: { toldAtOnce: 1 } })).to.equal(false);
        expect(
          await store.updateUse(key, { toldAtOnce: 1 }, { equal: { toldAtOnce: 0, openingTold: false } }),
        ).to.equal(true);
        expect(
          await store.updateUse(key, { entered: observation("2") }, { equal: { entered: undefined } }),
        ).to.equal(true);
        expect(
          await store.updateUse(key, { entered: observation("3") }, { equal: { entered: undefined } }),
        ).to.equal(false);
        expect(await store.updateUse(key, { claimedUntil: T2 }, { before: { claimedUntil: T1 } })).to.equal(
          true,
        );
        expect(await store.updateUse(key, { claimedUntil: T3 }, { before: { claimedUntil: T1 } })).to.equal(
          false,
        );
        expect(await store.updateUse(key, { claimedUntil: "" }, { before: { claimedUntil: T2 } })).to.equal(
          false,
        );
        expect(await store.open("a")).to.deep.include({
          entered: observation("2"),
          toldAtOnce: 1,
          claimedUntil: T2,
        });
      });

      it("ends a use only if nothing was seen since", async () => {
        await store.addUse(use("a", "u1", { claimedUntil: T1 }));
        const seen = (await store.open("a"))!;
        await store.updateUse(seen, { lastSeenAt: T2 });
        expect(await store.startClosing(seen)).to.equal(false);
        expect(await store.removeUse(seen)).to.equal(false);
        expect(await store.allClosing()).to.deep.equal([]);
        const now = (await store.open("a"))!;
        expect(await store.startClosing(now)).to.equal(true);
        expect(await store.startClosing(now)).to.equal(false);
        expect(await store.open("a")).to.equal(undefined);
        expect(await store.allClosing()).to.deep.equal([{ ...now, claimedUntil: "" }]);
        await store.addUse(use("b", "u2"));
        expect(await store.removeUse(use("b", "u2"))).to.equal(true);
        expect(await store.allOpen()).to.deep.equal([]);
      });

      it("keeps what was reported of a closing use until it is removed", async () => {
        const report = { startedAt: T1, endedAt: T2, events: 3 };
        await store.addUse(use("a", "u1"));
        await store.startClosing((await store.open("a"))!);
        expect(
          await store.updateClosing("u1", { claimedUntil: T2 }, { before: { claimedUntil: T1 } }),
        ).to.equal(true);
        expect(
          await store.updateClosing("u1", { claimedUntil: T3 }, { before: { claimedUntil: T1 } }),
        ).to.equal(false);
        expect(await store.updateClosing("u1", { report })).to.equal(true);
        expect(await store.updateClosing("u9", { report })).to.equal(false);
        expect((await store.allClosing())[0]).to.deep.include({ useId: "u1", report });
        await store.removeClosing("u1");
        await store.removeClosing("u1");
        expect(await store.allClosing()).to.deep.equal([]);
      });

      it("tells each thing once although many processes follow at the same time", async () => {
        const world = new UseWorld(store);
        const ids = Array.from({ length: 12 }, (_, id) => id);
        await Promise.all([
          ...ids.flatMap((id) =>
            [userCall(id), userCall(id), tampering(`t${id}`)].map((one) => world.tracker.onEvent(one)),
          ),
          world.tracker.sweep(),
        ]);
        for (let minutes = 0; minutes < 60; minutes += 1) {
          world.time += MINUTE;
          if (minutes % 15 === 0 || minutes > 29)
            await Promise.all([world.tracker.sweep(), world.tracker.sweep()]);
        }
        for (const id of ids) {
          expect(told(world, `Call${id}`, "closing"), `Call${id}`).to.equal(1);
          expect(told(world, `Tampert${id}`, "tampering", "tamperings"), `Tamper${id}`).to.equal(1);
        }
        expect(world.sent.filter(({ kind }) => kind === "opening")).to.have.length(1);
        expect(world.sent.filter(({ kind }) => kind === "closing")).to.have.length(1);
        expect(await store.allOpen()).to.deep.equal([]);
        expect(await store.allClosing()).to.deep.equal([]);
      });
    });
  }

  it("lists more events than one page of DynamoDB holds", async function () {
    this.timeout(120_000);
    const { store } = await dynamoDb();
    const big = { ...observation("x"), agent: "a".repeat(4_000), on: "b".repeat(4_000) };
    for (let start = 0; start < 160; start += 40) {
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          store.addEvent("a", { observation: { ...big, eventId: `${start + n}` }, seenAt: T1 }),
        ),
      );
    }
    expect(await store.unreported("a")).to.have.length(160);
  });

  it("refuses an item that is not its own, and fails with the store's error when there is no table", async () => {
    const { store, TableName } = await dynamoDb();
    await client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: "open" }, sk: { S: "a" }, useId: { S: "u" } } }),
    );
    expect(await failure(store.open("a"))).to.include({ code: "use-malformed" });
    const none = new DynamoDbUseStore(client, "bulkhead-breakglass-uses-none");
    expect(await failure(none.addUse(use("a", "u1")))).to.include({ name: "ResourceNotFoundException" });
  });

  it("is told of by SNS's own mails in words, and to functions as a notice", async () => {
    const sns = new SNSClient(settings(aws, rootOf(SECURITY), WEST));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "bulkhead-breakglass-alerts" }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "security@example.com" }));
    await confirmSubscriptions(aws.url);
    const message = snsNotice({
      title: "Use of breakglass-admin-1 is over",
      severity: "critical",
      text: "Ä\n- 1 x iam CreateUser",
      lines: [{ label: "MFA", value: "yes" }],
    });
    await sns.send(new PublishCommand({ TopicArn, ...message }));
    sns.destroy();
    const mail = await waitFor(async () =>
      (await readInbox(aws.url)).find(({ subject }) => subject.includes("is over")),
    );
    expect(mail.subject).to.equal("[Critical] Use of breakglass-admin-1 is over");
    expect(mail.text)
      .to.include("- 1 x iam CreateUser")
      .and.to.match(/MFA: +yes/);
    expect(mail.text).not.to.include("bulkheadNotice");
    expect(JSON.parse(JSON.parse(message.Message).default)).to.include({
      bulkheadNotice: 1,
      severity: "critical",
    });
  });
});
