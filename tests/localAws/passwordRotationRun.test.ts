/** Automatic rotation after a use, on the local AWS: the components' own users, rules, tables, functions and roles. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutRuleCommand } from "@aws-sdk/client-eventbridge";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { ActivationRecord } from "../../components/activation/activationRecord";
import { BreakGlassAccount } from "../../components/breakGlassAccount/breakGlassAccount";
import { BreakGlassRecords } from "../../components/breakGlassAccount/breakGlassRecords";
import { evidenceTableName } from "../../components/breakGlassAccount/evidenceTable";
import { EmergencyPasswordRotation } from "../../components/breakGlassAccount/passwordRotation";
import { normalizeCell } from "../../components/regional/cell";
import { DynamoDbEvidenceStore } from "../../functions/breakGlass/records/dynamoDbEvidenceStore";
import type { EvidenceKind, EvidenceOf } from "../../functions/breakGlass/records/record";
import type { RotationRunResult } from "../../functions/breakGlass/rotation/run";
import { TICK } from "../../functions/breakGlass/use/handle";
import type { LocalAws } from "../../local/aws/launch";
import { type Custodian, createCustodian } from "../../local/drill/custodian";
import { keptIn } from "../../local/drill/parts/secrets";
import { type RegionProxy, startRegionProxy } from "../../local/outage/proxy";
import { secretsIn } from "../functions/breakGlass/custody/canary";
import { ensureBuilt } from "../support/builtFunctions";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";
import { deployRegistered } from "./deployed";
import {
  addDevice,
  type ConsoleUser,
  createQueue,
  EAST,
  iamClient,
  launch,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  signIn,
  WEST,
  waitFor,
} from "./support";

const PROD = { name: "prod", region: EAST };
const DR = { name: "dr", region: WEST };
const CELLS = [PROD, DR];
const USER = "breakglass-admin-1";
const OTHER = "breakglass-admin-2";
const SCHEDULE = "bulkhead-breakglass-rotation";
/** Longer than a use may be idle. */
const IDLE_SECONDS = 120;

/** Registers what the two cells have of it with Pulumi's mocks. */
async function program(keyArns: Record<string, string>, custodians: Custodian[]): Promise<PulumiMocks> {
  const mocks = await startMocks();
  const users = [USER, OTHER].map((userName, index) => ({
    userName,
    custodian: custodians[index]!.address,
    pgpPublicKey: custodians[index]!.publicKey,
  }));
  for (const [own, peer] of [
    [PROD, DR],
    [DR, PROD],
  ] as const) {
    const opts = { provider: new aws.Provider(own.name, { region: own.region }) };
    const cell = { ...own, accountId: SECURITY };
    const kmsKeyArn = keyArns[own.region]!;
    const alertTopicArn = `arn:aws:sns:${own.region}:${SECURITY}:alerts`;
    const initiallyActive = own === PROD;
    const common = { cell, kmsKeyArn, alertTopicArn };
    const components = [
      new ActivationRecord(`${own.name}-record`, { cell, peer, kmsKeyArn, initiallyActive }, opts),
      new BreakGlassRecords(`${own.name}-records`, { cell, kmsKeyArn }, opts),
      new EmergencyPasswordRotation(`${own.name}-rotation`, { ...common, peer, users }, opts),
    ];
    for (const component of components) await mocks.outputsOf(component);
    if (own !== PROD) continue;
    const tracking = { peer, recordEvidence: true, idleSeconds: IDLE_SECONDS };
    await mocks.outputsOf(new BreakGlassAccount("account", { ...common, users, tracking }, opts));
  }
  await mocks.settle();
  return mocks;
}

describe("automatic password rotation on the local AWS, with its own role, function, rule and tables", () => {
  let local: LocalAws;
  let proxy: RegionProxy;
  let alice: Custodian;
  let device: Pick<ConsoleUser, "code">;
  let first: string;
  let told: { sqs: SQSClient; queueUrl: string };

  before(async function () {
    this.timeout(180_000);
    ensureBuilt("breakGlass-rotation", "breakGlass-use");
    local = await launch();
    proxy = await startRegionProxy({ target: local.url });
    await local.setLambdaEndpointUrl(proxy.url);
    const custodians = await Promise.all(["alice@example.com", "bob@example.com"].map(createCustodian));
    alice = custodians[0]!;
    const keyArns: Record<string, string> = {};
    for (const { region } of CELLS) {
      const root = settings(local, rootOf(SECURITY), region);
      keyArns[region] = (await new KMSClient(root).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
      await new SNSClient(root).send(new CreateTopicCommand({ Name: "alerts" }));
    }
    const made = await deployRegistered(local.url, await program(keyArns, custodians));
    first = await alice.decrypt(String(made.get(`account-${USER}-password`)!.encryptedPassword));
    const iam = iamClient(local, rootOf(SECURITY));
    device = await addDevice(iam, USER);
    const sqs = new SQSClient(settings(local, rootOf(SECURITY), EAST));
    const { queueUrl, queueArn } = await createQueue(sqs, "told", "sns.amazonaws.com");
    const TopicArn = `arn:aws:sns:${EAST}:${SECURITY}:alerts`;
    await new SNSClient(settings(local, rootOf(SECURITY), EAST)).send(
      new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queueArn }),
    );
    told = { sqs, queueUrl };
  });
  after(async () => {
    await proxy?.stop();
    await local?.stop();
  });

  async function invoke(region: string, functionName: string, payload: object) {
    const lambda = new LambdaClient(settings(local, rootOf(SECURITY), region));
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) }),
    );
    const answer = Buffer.from(Payload ?? []).toString();
    expect(FunctionError, answer).to.equal(undefined);
    return JSON.parse(answer);
  }

  const rotate = (region: string): Promise<RotationRunResult> => invoke(region, SCHEDULE, {});

  /** The records of a kind, cell by cell. */
  const records = <Kind extends EvidenceKind>(kind: Kind): Promise<EvidenceOf<Kind>[][]> =>
    Promise.all(
      CELLS.map((cell) => {
        const client = new DynamoDBClient(settings(local, rootOf(SECURITY), cell.region));
        const tableName = evidenceTableName(normalizeCell({ ...cell, accountId: SECURITY }));
        return new DynamoDbEvidenceStore({ client, tableName, region: cell.region }).list(kind);
      }),
    );

  /** Waits until each cell has so many records of a kind. */
  const recorded = <Kind extends EvidenceKind>(kind: Kind, count: number) =>
    waitFor(async () => {
      const found = await records(kind);
      return found.every(({ length }) => length >= count) ? found : undefined;
    }, 60_000);

  /** Whether the page goes on to ask for the code. Nobody is signed in by that. */
  const isTaken = async (password: string) =>
    /MFA device/.test((await signIn(local, { userName: USER, password })).body.message ?? "");

  const setSchedule = async (ScheduleExpression: string) => {
    const events = new EventBridgeClient(settings(local, rootOf(SECURITY), EAST));
    await events.send(new PutRuleCommand({ Name: SCHEDULE, ScheduleExpression }));
  };

  it("leaves the password alone while the use may be going on", async () => {
    const session = await signIn(
      local,
      { userName: USER, password: first },
      { mfaCode: await device.code() },
    );
    expect(session.body.mfa).to.equal(true);
    await recorded("useOpened", 1);
    const { acted, users } = await rotate(EAST);
    expect({ acted, users: users.map(({ outcome }) => outcome) }).to.deep.equal({
      acted: true,
      users: ["waiting"],
    });
    expect(await records("passwordIssued")).to.deep.equal([[], []]);
  }).timeout(120_000);

  it("changes nothing while IAM's control plane is cut off, however often it runs", async () => {
    await local.setFunctionClock(IDLE_SECONDS + 60);
    await invoke(EAST, "bulkhead-breakglass-use", TICK);
    await recorded("useClosed", 1);
    await local.setFunctionClock(0);
    await proxy.setOutage({ regions: [], globalServices: true, mode: "refuse" });
    for (const _ of [1, 2]) {
      const { users } = await rotate(EAST);
      expect(users).to.have.length(1);
      expect(users[0]).to.include({ userName: USER, outcome: "paused" });
      expect(users[0]?.reason).to.include("IAM's control plane does not answer");
    }
    expect(await records("passwordIssued")).to.deep.equal([[], []]);
    expect(await isTaken(first)).to.equal(true);
    await proxy.setOutage(undefined);
  }).timeout(180_000);

  it("goes on by its own rule once IAM answers, and the custodian alone has the new password", async () => {
    expect(await rotate(WEST)).to.deep.include({ acted: false, users: [] });
    // The hour of its rule, come early.
    await setSchedule("rate(1 minute)");
    const issued = await recorded("passwordIssued", 2).finally(() => setSchedule("rate(1 hour)"));
    const states = issued.map((each) => each.map(({ state, cause }) => `${state} ${cause}`));
    expect(states).to.deep.equal(CELLS.map(() => ["prepared afterUse", "effective afterUse"]));
    expect(new Set(issued.flat().map(({ rotationId }) => rotationId)).size).to.equal(1);

    const opened = await Promise.all(issued.map((each) => alice.decrypt(each[1]!.ciphertext)));
    const [fresh] = opened;
    expect(opened).to.deep.equal([fresh, fresh]);
    expect(fresh).to.have.length(40).and.not.equal(first);
    expect(await isTaken(fresh!)).to.equal(true);
    expect(await isTaken(first)).to.equal(false);

    const messages = await waitFor(async () => {
      const found = await receiveAll(told.sqs, told.queueUrl);
      return found.some((text) => text.includes(`New password of ${USER} waits for ${alice.address}`))
        ? found
        : undefined;
    }, 30_000);
    expect(await rotate(EAST)).to.deep.include({ acted: true, users: [] });
    expect((await records("passwordIssued")).map(({ length }) => length)).to.deep.equal([2, 2]);

    const kept = await Promise.all(
      CELLS.map(({ region }) => keptIn(settings(local, rootOf(SECURITY), region))),
    );
    const texts = [...kept.flat(), ["the topic", messages.join("\n")] as const];
    expect(texts.filter(([, text]) => text.includes("BEGIN PGP MESSAGE"))).to.have.length(2);
    expect(texts.filter(([place]) => place.includes("/aws/lambda/"))).not.to.deep.equal([]);
    for (const [place, text] of texts) expect(secretsIn(text, [first, fresh!]), place).to.deep.equal([]);

    const session = await signIn(
      local,
      { userName: USER, password: fresh! },
      { mfaCode: await device.code(1) },
    );
    expect(session.body.mfa).to.equal(true);
  }).timeout(180_000);
});
