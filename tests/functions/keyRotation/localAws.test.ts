import * as path from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  AddUserToGroupCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  IAMClient,
  ListAccessKeysCommand,
  TagUserCommand,
} from "@aws-sdk/client-iam";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import {
  CELLS,
  CENTRAL,
  createMember,
  createRotation,
  functionEnvironment,
  type RotationOnLocalAws,
  rootClient,
} from "../../../bench/support/keysOnLocalAws";
import type { AccountAnswer } from "../../../functions/keyRotation/account/work";
import { AwsAccounts } from "../../../functions/keyRotation/adapters/awsAccounts";
import type { KeyRotationSettingsInput } from "../../../functions/keyRotation/settings";
import { readInbox } from "../../../local/aws/inbox";
import { backDate, daysAgo } from "../../../local/aws/keyHistory";
import type { LocalAws } from "../../../local/aws/launch";
import { createOrganization, type LocalOrganization } from "../../../local/aws/organization";
import { launch } from "../../localAws/support";

const MEMBER = "333333333333";
const FUNCTIONS = path.resolve(__dirname, "../../../functions/keyRotation");

describe("the functions of key rotation on the local AWS", function () {
  this.timeout(120_000);
  let aws: LocalAws;
  let rotation: RotationOnLocalAws;
  let organization: LocalOrganization;
  let keys: Record<string, string>;
  const environment = { ...process.env };
  const account = { id: MEMBER, name: "workload", email: "owner@example.com" };

  before(async () => {
    aws = await launch();
    organization = await createOrganization(aws);
    rotation = await createRotation(aws.url);
    keys = await createMember(aws.url, MEMBER, [
      { name: "alice", ageDays: 95 },
      { name: "bob", ageDays: 40 },
      { name: "carol", ageDays: 200 },
      { name: "dave", ageDays: 200 },
    ]);
    const iam = new IAMClient(rootClient(aws.url, MEMBER));
    await iam.send(new CreateGroupCommand({ GroupName: "rotation-exempt" }));
    await iam.send(new AddUserToGroupCommand({ GroupName: "rotation-exempt", UserName: "carol" }));
    await iam.send(
      new TagUserCommand({ UserName: "dave", Tags: [{ Key: "bulkhead:key-rotation", Value: "exempt" }] }),
    );
  });
  after(async () => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    await aws?.stop();
  });

  /** A function's handler, loaded as in Lambda: with its environment. */
  function load<T>(name: string, cell: "prod" | "dr", other: Partial<KeyRotationSettingsInput> = {}): T {
    const settings = rotation.settings(cell, { exemptGroup: "rotation-exempt", ...other });
    Object.assign(process.env, functionEnvironment(aws.url, CELLS[cell], settings));
    const file = path.join(FUNCTIONS, name, "handler.ts");
    delete require.cache[require.resolve(file)];
    return (require(file) as { handler: T }).handler;
  }
  const accountHandler = (cell: "prod" | "dr", other?: Partial<KeyRotationSettingsInput>) =>
    load<(event: unknown) => Promise<AccountAnswer>>("account", cell, other);
  const listed = async (userName: string) => {
    const iam = new IAMClient(rootClient(aws.url, MEMBER));
    const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: userName }));
    return (AccessKeyMetadata ?? []).map(({ AccessKeyId, Status }) => ({ id: AccessKeyId, status: Status }));
  };
  async function movedBack(userName: string, days: number): Promise<void> {
    for (const [cell, region] of Object.entries(CELLS)) {
      const client = new DynamoDBClient(rootClient(aws.url, CENTRAL, region));
      const TableName = `bulkhead-key-rotations-${cell}`;
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: { accountId: { S: MEMBER }, userName: { S: userName } } }),
      );
      const record = JSON.parse(Item?.record?.S ?? "null");
      for (const field of ["rotatedAt", "deactivatedAt"]) {
        if (record[field])
          record[field] = new Date(Date.parse(record[field]) - days * 86_400_000).toISOString();
      }
      await client.send(
        new PutItemCommand({ TableName, Item: { ...Item, record: { S: JSON.stringify(record) } } }),
      );
    }
  }

  it("lists accounts, in units and below them, and stands by in the other cell", async () => {
    const source = new AwsAccounts(new OrganizationsClient(rootClient(aws.url, "111111111111")));
    const ids = async (accounts: AsyncIterable<{ id: string; active: boolean }>) => {
      const found: string[] = [];
      for await (const { id, active } of accounts) if (active) found.push(id);
      return found.sort();
    };
    expect(await ids(source.all())).to.deep.equal([
      "111111111111",
      "222222222222",
      ...organization.memberAccountIds,
    ]);
    const { Workloads, Sandbox } = organization.unitIds;
    const workloads = await ids(source.inUnit(Workloads));
    expect(await ids(source.inUnit(organization.rootId)))
      .to.include.members(workloads)
      .and.to.have.length(5);
    expect(await ids(source.inUnit(Sandbox))).to.not.have.members(workloads);
    expect(await source.tags("333333333333")).to.deep.equal({});

    const inventory = load<(event: unknown) => Promise<Record<string, unknown>>>("inventory", "prod", {
      accounts: { include: [MEMBER, "444444444444"], exclude: ["444444444444"] },
    });
    const result = await inventory({ runId: "run-1" });
    expect(result).to.deep.include({
      state: "run",
      accounts: 1,
      accountsKey: "key-rotation/runs/run-1/accounts.json",
    });
    const list = await new S3Client({ ...rootClient(aws.url, CENTRAL), forcePathStyle: true }).send(
      new GetObjectCommand({ Bucket: "bulkhead-keys-bench", Key: String(result.accountsKey) }),
    );
    expect(JSON.parse((await list.Body?.transformToString()) ?? "")).to.deep.equal([
      { id: MEMBER, name: "", email: "", merged: true, unfinished: false },
    ]);
    const standby = load<(event: unknown) => Promise<Record<string, unknown>>>("inventory", "dr", {
      accounts: { include: [MEMBER] },
    });
    expect(await standby({ runId: "run-1" })).to.deep.include({ state: "standby", reason: "standby" });
  });

  it("plans what it then does, and touches nobody else", async () => {
    const handler = accountHandler("prod");
    const plan = await handler({ runId: "plan", account, plan: true });
    expect(plan.outcomes.map(({ userName, row, due }) => ({ userName, row, due }))).to.deep.equal([
      { userName: "alice", row: "rotate", due: [`rotate:${keys.alice}`] },
      { userName: "carol", row: "exempt-group", due: [] },
      { userName: "dave", row: "exempt-tag", due: [] },
    ]);
    expect(await listed("alice")).to.have.length(1);

    const result = await handler({ runId: "run-1", account });
    expect(result).to.deep.include({ status: "done", users: 4 });
    expect(result.outcomes[0]?.done).to.deep.equal([`rotate:${keys.alice}`]);
    const now = await listed("alice");
    expect(now).to.have.length(2);
    for (const name of ["bob", "carol", "dave"]) expect(await listed(name)).to.have.length(1);

    for (const region of Object.values(CELLS)) {
      const central = new SecretsManagerClient(rootClient(aws.url, CENTRAL, region));
      const SecretId = `/bulkhead/keys/${MEMBER}/alice`;
      const { SecretString } = await central.send(new GetSecretValueCommand({ SecretId }));
      expect(JSON.parse(SecretString ?? "").accessKeyId).to.equal(
        now.find(({ id }) => id !== keys.alice)?.id,
      );
    }
    expect(JSON.stringify(result)).to.not.include("secretAccessKey");
  });

  it("does nothing when it runs again", async () => {
    const again = await accountHandler("prod")({ runId: "run-2", account });
    expect(again.outcomes.flatMap(({ done }) => done)).to.deep.equal([]);
    expect(await listed("alice")).to.have.length(2);
  });

  it("deactivates and deletes the old key in its time, and not while it is in use", async () => {
    const handler = accountHandler("prod");
    const [, fresh] = await listed("alice");
    const past = (used: number | null) =>
      backDate(aws.url, [
        {
          accessKeyId: keys.alice ?? "",
          createDate: daysAgo(106),
          lastUsed: used === null ? null : { date: daysAgo(used) },
        },
        { accessKeyId: fresh?.id ?? "", createDate: daysAgo(11) },
      ]);
    await movedBack("alice", 11);
    await past(1);
    expect(
      (await handler({ runId: "run-3", account })).outcomes.find(({ userName }) => userName === "alice"),
    ).to.deep.include({ row: "old-key-in-use", done: [] });
    await past(20);
    expect(
      (await handler({ runId: "run-4", account })).outcomes.find(({ userName }) => userName === "alice")
        ?.done,
    ).to.deep.equal([`deactivate:${keys.alice}`]);
    expect((await listed("alice")).map(({ status }) => status).sort()).to.deep.equal(["Active", "Inactive"]);
    await movedBack("alice", 11);
    await backDate(aws.url, [
      { accessKeyId: keys.alice ?? "", createDate: daysAgo(117), lastUsed: { date: daysAgo(31) } },
      { accessKeyId: fresh?.id ?? "", createDate: daysAgo(22) },
    ]);
    const last = await handler({ runId: "run-5", account });
    expect(last.outcomes.find(({ userName }) => userName === "alice")?.done).to.deep.equal([
      `delete:${keys.alice}`,
    ]);
    expect(await listed("alice")).to.deep.equal([{ id: fresh?.id, status: "Active" }]);
  });

  it("mails the owner what was done, once", async () => {
    const sqs = new SQSClient(rootClient(aws.url, CENTRAL));
    const Records: { messageId: string; body: string }[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: rotation.queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) break;
      Records.push(
        ...Messages.map(({ MessageId, Body }) => ({ messageId: MessageId ?? "", body: Body ?? "" })),
      );
    }
    expect(Records).to.have.length(4);
    const [host, port] = ["127.0.0.1", aws.smtpPort];
    const notify = load<(event: unknown) => Promise<{ batchItemFailures: unknown[] }>>("notify", "prod", {
      mail: { transport: { kind: "smtp", from: "keys@example.com", host, port } },
    });
    expect(await notify({ Records })).to.deep.equal({ batchItemFailures: [] });
    expect(await notify({ Records })).to.deep.equal({ batchItemFailures: [] });
    const mails = await readInbox(aws.url);
    expect(mails.map(({ text }) => text).filter((text) => text?.includes(keys.alice ?? "-"))).to.have.length(
      4,
    );
    expect(JSON.stringify(mails)).to.include("/bulkhead/keys/333333333333/alice");
  });

  it("rotates one user at once when told to, and refuses a user with two keys", async () => {
    const handler = accountHandler("prod", { mode: "audit" });
    const forced = await handler({ runId: "cli-1", account, only: { userName: "bob", force: true } });
    expect(forced.outcomes).to.have.length(1);
    expect(forced.outcomes[0]?.done).to.deep.equal([`rotate:${keys.bob}`]);
    const iam = new IAMClient(rootClient(aws.url, MEMBER));
    await iam.send(new CreateAccessKeyCommand({ UserName: "carol" }));
    const exempt = await handler({ runId: "cli-2", account, only: { userName: "carol", force: true } });
    expect(exempt.outcomes[0]).to.deep.include({ row: "exempt-group", done: [] });
  });

  it("fails the account whose role cannot be assumed, and says so", async () => {
    const result = await accountHandler("prod")({
      runId: "run-6",
      account: { ...account, id: "444444444444" },
    });
    expect(result).to.deep.include({ status: "failed", reason: "call-denied" });
  });

  it("sums the run up, as page, CSV and JSON", async () => {
    const answer = await accountHandler("prod")({ runId: "run-7", account });
    const summary = load<(event: unknown) => Promise<Record<string, unknown>>>("summary", "prod");
    const result = await summary({ runId: "run-7", inventory: { state: "run", accounts: 1 }, map: [answer] });
    expect(result.reportKey).to.equal("key-rotation/reports/run-7/report.html");
    const s3 = new S3Client({ ...rootClient(aws.url, CENTRAL), forcePathStyle: true });
    const read = async (name: string) => {
      const { Body } = await s3.send(
        new GetObjectCommand({ Bucket: "bulkhead-keys-bench", Key: `key-rotation/reports/run-7/${name}` }),
      );
      return (await Body?.transformToString()) ?? "";
    };
    expect(await read("report.html")).to.include("<svg");
    expect((await read("keys.csv")).split("\r\n")[0]).to.equal(
      "account,user,key,state,age_days,last_used_days_ago,days_until_due,owner",
    );
    expect(JSON.parse(await read("keys.json"))).to.have.length(5);
  });
});
