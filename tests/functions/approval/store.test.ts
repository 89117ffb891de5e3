/** The engine with its tables, roles and calls on the local AWS. */
import { CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import {
  auditJournal,
  DynamoDbAuditReader,
  DynamoDbAuditTrail,
} from "../../../functions/approval/audit/dynamoDbAudit";
import { AuditedPast } from "../../../functions/approval/audit/past";
import { actorOf } from "../../../functions/approval/directory/directory";
import { planOf } from "../../../functions/approval/engine/planOf";
import type { EngineParts } from "../../../functions/approval/engine/ports";
import { step } from "../../../functions/approval/engine/step";
import { takeIn } from "../../../functions/approval/engine/takeIn";
import { work } from "../../../functions/approval/engine/work";
import type { Access } from "../../../functions/approval/execute/access";
import { SdkActor } from "../../../functions/approval/execute/act";
import { RoleLooker } from "../../../functions/approval/execute/readers";
import { SessionAccess } from "../../../functions/approval/execute/sessionAccess";
import {
  sweepRoles,
  TEMPORARY_ROLE_PATH,
  TemporaryRoleAccess,
} from "../../../functions/approval/execute/temporaryRole";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import {
  DynamoDbRequestTable,
  REQUEST_TABLE_KEYS,
} from "../../../functions/approval/links/dynamoDbRequestTable";
import { PREVIEW_ACTIONS } from "../../../functions/approval/preview/look";
import { AUDIT_TABLE_INDEXES, AUDIT_TABLE_KEYS } from "../../../functions/approval/settings";
import { DynamoDbEngineItems } from "../../../functions/approval/store/dynamoDbEngineItems";
import { happen } from "../../../functions/approval/workflow/happen";
import type { LocalAws } from "../../../local/aws/launch";
import { launch, rootOf, SECURITY, settings } from "../../localAws/support";
import { world } from "./support/engineWorld";
import { ACCOUNT, denied, REGION } from "./support/events";

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const eventId = (n: number) => `3c4226b0-1e81-48a8-a333-${n.toString(16).padStart(12, "0")}`;
const termination = (id: string, ...instances: string[]) =>
  denied(
    "ec2",
    "TerminateInstances",
    { instancesSet: { items: instances.map((instanceId) => ({ instanceId })) } },
    { eventID: id },
  );
const someInstance = (n: number) => `i-${n.toString(16).padStart(17, "0")}`;

describe("the engine on the local AWS", () => {
  let aws: LocalAws;
  let dynamo: DynamoDBClient;
  let worker: { accessKeyId: string; secretAccessKey: string };

  before(async function () {
    this.timeout(60_000);
    aws = await launch();
    dynamo = new DynamoDBClient(settings(aws, rootOf(SECURITY), REGION));
    await createTables();
    worker = await createWorker();
    await createRoles();
  });
  after(() => aws?.stop());

  async function createTables() {
    const text = (names: string[]) =>
      [...new Set(names)].map((AttributeName) => ({ AttributeName, AttributeType: "S" as const }));
    const keys = ({ hashKey, rangeKey }: { hashKey: string; rangeKey: string }) => [
      { AttributeName: hashKey, KeyType: "HASH" as const },
      { AttributeName: rangeKey, KeyType: "RANGE" as const },
    ];
    const indexes = Object.entries(AUDIT_TABLE_INDEXES);
    await dynamo.send(
      new CreateTableCommand({
        TableName: "requests",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: text(Object.values(REQUEST_TABLE_KEYS)),
        KeySchema: keys(REQUEST_TABLE_KEYS),
      }),
    );
    await dynamo.send(
      new CreateTableCommand({
        TableName: "audit",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: text([
          ...Object.values(AUDIT_TABLE_KEYS),
          ...indexes.flatMap(([, { hashKey, rangeKey }]) => [hashKey, rangeKey]),
        ]),
        KeySchema: keys(AUDIT_TABLE_KEYS),
        GlobalSecondaryIndexes: indexes.map(([IndexName, index]) => ({
          IndexName,
          KeySchema: keys(index),
          Projection: { ProjectionType: "ALL" },
        })),
      }),
    );
  }

  async function createWorker() {
    const iam = new IAMClient(settings(aws, rootOf(SECURITY), REGION));
    await iam.send(new CreateUserCommand({ UserName: "worker" }));
    await iam.send(
      new PutUserPolicyCommand({
        UserName: "worker",
        PolicyName: "p",
        PolicyDocument: document({
          Effect: "Allow",
          Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
          Resource: "*",
        }),
      }),
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "worker" }));
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  }

  async function createRoles() {
    const iam = new IAMClient(settings(aws, rootOf(ACCOUNT), REGION));
    const actions = {
      executor: ["ec2:TerminateInstances"],
      reader: [...PREVIEW_ACTIONS],
      manager: ["iam:*Role*"],
    };
    await iam.send(
      new CreatePolicyCommand({
        PolicyName: "boundary",
        PolicyDocument: document({ Effect: "Allow", Action: "ec2:TerminateInstances", Resource: "*" }),
      }),
    );
    for (const [RoleName, Action] of Object.entries(actions)) {
      await iam.send(
        new CreateRoleCommand({
          RoleName,
          AssumeRolePolicyDocument: document({
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${SECURITY}:user/worker` },
            Action: ["sts:AssumeRole", "sts:SetSourceIdentity"],
          }),
        }),
      );
      await iam.send(
        new PutRolePolicyCommand({
          RoleName,
          PolicyName: "p",
          PolicyDocument: document({ Effect: "Allow", Action, Resource: "*" }),
        }),
      );
    }
  }

  /** The engine with tables that begin with nothing of the test's own ids, and the true clock. */
  function engine() {
    const { parts, directory, state } = world();
    const sts = new STSClient(settings(aws, worker, REGION));
    const given: Access[] = [];
    const session = new SessionAccess({ sts, role: "executor", externalId: undefined });
    const table = new DynamoDbRequestTable(dynamo, "requests", auditJournal("audit", "prod"));
    const audit = new DynamoDbAuditReader(dynamo, ["audit"]);
    const own: EngineParts = {
      ...parts,
      table,
      items: new DynamoDbEngineItems(dynamo, "requests"),
      audit: new DynamoDbAuditTrail(dynamo, "audit"),
      past: new AuditedPast(audit),
      now: Date.now,
    };
    const real: EngineParts = {
      ...own,
      looker: new RoleLooker({ sts, role: "reader", externalId: undefined, endpoint: aws.url }),
      access: {
        give: async (...args) => {
          const access = await session.give(...args);
          given.push(access);
          return access;
        },
      },
      actor: new SdkActor(aws.url),
    };
    const act = (id: string, person: string, kind: "confirm" | "finallyConfirm" | "approve", level = 0) => {
      const actor = actorOf(directory.person(person)!, "page");
      return happen(table, id, kind === "approve" ? { kind, actor, level } : { kind, actor }, Date.now);
    };
    return { own, real, table, audit, given, act, state };
  }

  const ec2 = (credentials: object) =>
    new EC2Client({ ...settings(aws, rootOf(ACCOUNT), REGION), ...(credentials as object) });
  async function run(count: number): Promise<string[]> {
    const { Instances } = await ec2({}).send(
      new RunInstancesCommand({
        ImageId: "ami-12345678",
        MinCount: count,
        MaxCount: count,
        InstanceType: "t3.micro",
      }),
    );
    return Instances!.map(({ InstanceId }) => InstanceId!);
  }
  async function stateOf(id: string) {
    const { Reservations } = await ec2({}).send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    return Reservations![0]!.Instances![0]!.State!.Name;
  }

  it("terminates the instance that was approved, with credentials that are good for nothing else", async () => {
    const [target, other] = (await run(2)) as [string, string];
    const { real, table, audit, given, act } = engine();
    const id = eventId(1);
    expect(await takeIn(real, intakeSettings(), termination(id, target))).to.deep.include({
      result: "opened",
    });
    const details = (await table.readDetails(id))!;
    expect(details.preview.find(({ label }) => label === "Type")?.value ?? details.preview[0]!.value).to.be.a(
      "string",
    );
    expect(planOf(details).operation.input).to.deep.equal({ InstanceIds: [target] });
    expect((await step(real, id)).next).to.equal("wait");
    await act(id, "alice", "confirm");
    await act(id, "bob", "approve", 0);
    expect(await stateOf(target)).to.not.match(/terminated|shutting/);
    await act(id, "carol", "approve", 1);
    await act(id, "alice", "finallyConfirm");
    expect((await step(real, id)).next).to.equal("work");
    expect(await work(real, id)).to.deep.equal({ requestId: id, next: "step" });
    expect(await table.read(id)).to.include({ state: "done" });
    expect(await stateOf(target)).to.match(/terminated|shutting/);
    expect((await step(real, id)).next).to.equal("end");
    // The same credentials for anything else.
    const client = ec2({ credentials: given[0]!.credentials });
    const refused = await client
      .send(new TerminateInstancesCommand({ InstanceIds: [other] }))
      .catch((error: Error) => error.name);
    expect(refused).to.match(/Unauthorized|AccessDenied/);
    expect(await stateOf(other)).to.not.match(/terminated|shutting/);
    const entries = await audit.ofRequest(id);
    expect(entries.filter(({ after }) => after).map(({ after }) => after)).to.deep.equal([
      "requested",
      "approving",
      "approving",
      "approved",
      "verifying",
      "executing",
      "done",
    ]);
    // Work that is begun again makes no second call.
    expect(await work(real, id)).to.deep.equal({ requestId: id, next: "step" });
    expect(given).to.have.length(1);
  }).timeout(30_000);

  it("gives access that has ended two minutes later", async () => {
    const [target] = (await run(1)) as [string];
    const { real, table } = engine();
    const id = eventId(2);
    await takeIn(real, intakeSettings(), termination(id, target));
    const plan = planOf((await table.readDetails(id))!);
    const access = await real.access.give(plan, id, new Date(Date.now() - 121_000));
    const outcome = await real.actor.act(plan, access.credentials, new AbortController().signal);
    expect(outcome).to.have.property("outcome", "failed");
    expect(await stateOf(target)).to.not.match(/terminated|shutting/);
  }).timeout(30_000);

  it("gives access by a temporary role, which is gone afterwards, or swept when it was left over", async () => {
    const [target, second] = (await run(2)) as [string, string];
    const { real, table } = engine();
    const iam = new IAMClient(settings(aws, rootOf(ACCOUNT), REGION));
    const giver = new TemporaryRoleAccess({
      sts: new STSClient(settings(aws, worker, REGION)),
      iamOf: (credentials) => new IAMClient({ ...settings(aws, credentials, REGION) }),
      roleManager: "manager",
      boundary: "boundary",
      trusted: `arn:aws:iam::${SECURITY}:user/worker`,
      externalId: undefined,
      propagation: 5,
      wait: async () => {},
      now: Date.now,
    });
    const temporary = async () =>
      ((await iam.send(new ListRolesCommand({ PathPrefix: TEMPORARY_ROLE_PATH }))).Roles ?? []).length;
    const id = eventId(5);
    await takeIn(real, intakeSettings(), termination(id, target));
    const plan = planOf((await table.readDetails(id))!);
    const access = await giver.give(plan, id, new Date());
    expect(await temporary()).to.equal(1);
    const other = ec2({ credentials: access.credentials });
    const refused = await other
      .send(new TerminateInstancesCommand({ InstanceIds: [second] }))
      .catch((error: Error) => error.name);
    expect(refused).to.match(/Unauthorized|AccessDenied/);
    const outcome = await real.actor.act(plan, access.credentials, new AbortController().signal);
    expect(outcome).to.have.property("outcome", "done");
    await access.finish();
    expect(await temporary()).to.equal(0);
    await access.finish();
    // A process that dies after this leaves the role.
    await giver.give(plan, eventId(6), new Date());
    expect(await sweepRoles(iam, new Date(Date.now() - 900_000))).to.deep.equal([]);
    expect(await sweepRoles(iam, new Date(Date.now() + 1_000))).to.have.length(1);
    expect(await temporary()).to.equal(0);
  }).timeout(30_000);

  it("opens one request for a burst of 150 duplicates, and each of 100 different ones", async () => {
    const { own, table } = engine();
    const id = eventId(3);
    const results = await Promise.all(
      Array.from({ length: 150 }, () => takeIn(own, intakeSettings(), termination(id, someInstance(3)))),
    );
    expect(results.filter(({ result }) => result === "opened")).to.have.length(1);
    expect(
      new Set(results.map((taken) => ("requestId" in taken ? taken.requestId : taken.reason))),
    ).to.deep.equal(new Set([id]));
    const before = (await table.listOpen()).length;
    const ids = Array.from({ length: 100 }, (_, n) => eventId(1_000 + n));
    await Promise.all(
      ids.map((each, n) => takeIn(own, intakeSettings(), termination(each, someInstance(1_000 + n)))),
    );
    expect(await table.listOpen()).to.have.length(before + 100);
  }).timeout(120_000);

  it("lets one of two changes at the same instant count, with one entry in the audit", async () => {
    const { own, audit, act } = engine();
    const id = eventId(4);
    await takeIn(own, intakeSettings(), termination(id, someInstance(4)));
    await act(id, "alice", "confirm");
    await act(id, "bob", "approve", 0);
    const both = await Promise.all([act(id, "carol", "approve", 1), act(id, "dave", "approve", 1)]);
    expect(both.filter((happened) => "after" in happened)).to.have.length(1);
    expect((await audit.ofRequest(id)).filter(({ after }) => after === "approved")).to.have.length(1);
  }).timeout(30_000);

  it("answers what risk is weighed by, and pages of the audit", async () => {
    const { audit } = engine();
    const names = ["person:alice", "alice@example.com"];
    const past = await new AuditedPast(audit).of(names, "ec2", "TerminateInstances", new Date());
    expect(past).to.include({ sameCall: 1, anybodysCalls: 1, denied: 0 });
    expect(past.lastDay).to.be.greaterThan(100);
    const now = Date.now();
    const entries = [];
    for await (const entry of audit.between(new Date(now - 3_600_000), new Date(now + 1_000)))
      entries.push(entry.at);
    expect(entries.length).to.be.greaterThan(200);
    expect(entries).to.deep.equal([...entries].sort());
  }).timeout(30_000);

  it("keeps task tokens, what was told and what was opened anew apart, each once", async () => {
    const { own } = engine();
    const items = own.items;
    await items.putTask("r", { token: "secret-token", version: 3 });
    expect(await items.readTask("r")).to.deep.equal({ token: "secret-token", version: 3 });
    expect(await items.wasTold("r", "approved")).to.equal(false);
    await items.markTold("r", "approved");
    expect(await items.wasTold("r", "approved")).to.equal(true);
    const racing = await Promise.all(
      ["a", "b", "c"].map((newRequestId) => items.putReopening({ requestId: "lost", newRequestId, at: 1 })),
    );
    expect(new Set(racing.map(({ newRequestId }) => newRequestId)).size).to.equal(1);
    expect(await items.readReopening("lost")).to.deep.equal(racing[0]);
    // A token is nowhere but in its own item.
    const { Items = [] } = await dynamo.send(new ScanCommand({ TableName: "audit" }));
    expect(JSON.stringify(Items)).to.not.include("secret-token");
  });
});
