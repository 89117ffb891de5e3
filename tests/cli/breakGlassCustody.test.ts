/** Passwords and devices with the true command, against the local AWS behind the region proxy. A spy in front of it knows every secret. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { CreateTableCommand, DynamoDBClient, PutItemCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import {
  CreateLoginProfileCommand,
  CreateUserCommand,
  DeleteAccountPasswordPolicyCommand,
  IAMClient,
  ListMFADevicesCommand,
  ListVirtualMFADevicesCommand,
  UpdateAccountPasswordPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { generate } from "otplib";
import { stringify } from "yaml";
import { EXIT_CODES } from "../../cli/exitCodes";
import { pgpPublicKeyBase64 } from "../../components/breakGlassAccount/pgpPublicKey";
import { bundlePath } from "../../components/lambda/bundle";
import {
  DynamoDbEvidenceStore,
  EVIDENCE_TABLE_KEYS,
} from "../../functions/breakGlass/records/dynamoDbEvidenceStore";
import { type EvidenceRecord, evidenceRecordSchema } from "../../functions/breakGlass/records/record";
import { ACTIVATION_TABLE_KEY, toItem } from "../../functions/shared/activation/item";
import { initialRecord } from "../../functions/shared/activation/record";
import type { LocalAws } from "../../local/aws/launch";
import { type Custodian, createCustodian } from "../../local/drill/custodian";
import { type RegionProxy, startRegionProxy } from "../../local/outage/proxy";
import { secretsIn, variants } from "../functions/breakGlass/custody/canary";
import { EAST, launch, ROOT, rootOf, SECURITY, settings, signIn, WEST, waitFor } from "../localAws/support";
import { ensureBuilt } from "../support/builtFunctions";

const USER = "breakglass-admin-1";
const OTHER = "breakglass-admin-2";
const PATH = "/break-glass/";

/** Stands in front of the region proxy and notes the secrets that pass. */
class Spy {
  readonly passwords: string[] = [];
  readonly seeds: string[] = [];
  private readonly server: http.Server;

  private constructor(target: string) {
    this.server = http.createServer((request, response) => {
      const sent: Buffer[] = [];
      request.on("data", (chunk) => sent.push(chunk));
      request.on("end", () => {
        const { method, headers, url } = request;
        const onward = http.request(new URL(url!, target), { method, headers }, (answer) => {
          const received: Buffer[] = [];
          answer.on("data", (chunk) => received.push(chunk));
          answer.on("end", () => {
            this.note(Buffer.concat(sent).toString(), Buffer.concat(received).toString());
            response.writeHead(answer.statusCode!, answer.headers).end(Buffer.concat(received));
          });
        });
        onward.on("error", () => response.destroy());
        onward.end(Buffer.concat(sent));
      });
    });
  }

  static async start(target: string): Promise<Spy> {
    const spy = new Spy(target);
    spy.server.listen(0, "127.0.0.1");
    await once(spy.server, "listening");
    return spy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private note(request: string, answer: string): void {
    const form = new URLSearchParams(request);
    if (form.get("Action") === "UpdateLoginProfile") this.passwords.push(form.get("Password")!);
    const seed = /<Base32StringSeed>(.+?)<\/Base32StringSeed>/.exec(answer)?.[1];
    if (seed) this.seeds.push(Buffer.from(seed, "base64").toString());
  }
}

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A command under way, whose questions the test answers. */
class Running {
  stdout = "";
  stderr = "";
  private readonly exit: Promise<unknown>;

  constructor(readonly child: ChildProcess) {
    child.stdout!.on("data", (chunk) => {
      this.stdout += chunk;
    });
    child.stderr!.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.exit = once(child, "close");
  }

  /** Waits until the text stands on standard error so many times. */
  async asked(text: string, times = 1): Promise<void> {
    await waitFor(async () => {
      if (this.stderr.split(text).length > times) return true;
      if (this.child.exitCode !== null) throw new Error(`it ended before "${text}": ${this.stderr}`);
      return undefined;
    }, 20_000);
  }

  answer(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  async ended(): Promise<Ended> {
    await this.exit;
    return { status: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }
}

describe("bulkhead break-glass: passwords and devices", () => {
  let aws: LocalAws;
  let proxy: RegionProxy;
  let spy: Spy;
  let project: string;
  let iam: IAMClient;
  let alice: Custodian;
  let bob: Custodian;
  let carol: Custodian;
  const outputs: string[] = [];
  const tables: { client: DynamoDBClient; name: string }[] = [];

  before(async () => {
    ensureBuilt("breakGlass-rotation");
    [aws, alice, bob, carol] = await Promise.all([
      launch(),
      createCustodian("alice@example.com"),
      createCustodian("bob@example.com"),
      createCustodian("carol@example.com"),
    ]);
    proxy = await startRegionProxy({ target: aws.url });
    spy = await Spy.start(proxy.url);
    iam = new IAMClient(settings(aws, rootOf(SECURITY)));
    for (const name of [USER, OTHER]) {
      await iam.send(new CreateUserCommand({ UserName: name, Path: PATH }));
      await iam.send(
        new CreateLoginProfileCommand({ UserName: name, Password: "Made-at-Deployment-7-and-long" }),
      );
    }
    for (const [cell, region] of [
      ["prod", EAST],
      ["dr", WEST],
    ] as const) {
      const client = new DynamoDBClient(settings(aws, rootOf(SECURITY), region));
      const name = `bulkhead-breakglass-records-${cell}`;
      tables.push({ client, name });
      const { hashKey, rangeKey } = EVIDENCE_TABLE_KEYS;
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [
            { AttributeName: hashKey, KeyType: "HASH" },
            { AttributeName: rangeKey, KeyType: "RANGE" },
          ],
          AttributeDefinitions: [hashKey, rangeKey].map((key) => ({
            AttributeName: key,
            AttributeType: "S",
          })),
        }),
      );
    }
    project = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-custody-"));
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
    configure([alice, bob]);
    const dr = { role: "standby", region: WEST, peerName: "prod", peerRegion: EAST };
    writeStack("dr", dr);
  });
  after(async () => {
    for (const { client } of tables) client.destroy();
    iam?.destroy();
    await spy?.stop();
    await proxy?.stop();
    await aws?.stop();
    if (project) fs.rmSync(project, { recursive: true });
  });
  afterEach(() => proxy.setOutage(undefined));

  function writeStack(name: string, values: Record<string, unknown>): void {
    const config = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`bulkhead:${key}`, value]),
    );
    fs.writeFileSync(path.join(project, `Pulumi.${name}.yaml`), stringify({ config }));
  }

  function configure(custodians: Custodian[]): void {
    writeStack("prod", {
      role: "primary",
      region: EAST,
      peerName: "dr",
      peerRegion: WEST,
      accountId: SECURITY,
      custodians: custodians.map(({ address }) => address),
      custodianPgpKeys: custodians.map(({ publicKey }) => publicKey),
    });
  }

  function start(...args: string[]): Running {
    const child = spawn(
      process.execPath,
      [path.join(ROOT, "cli/bulkhead.js"), "break-glass", ...args, "--project", project],
      {
        cwd: project,
        env: {
          PATH: process.env.PATH,
          HOME: project,
          AWS_ENDPOINT_URL: spy.url,
          AWS_REGION: EAST,
          AWS_ACCESS_KEY_ID: SECURITY,
          AWS_SECRET_ACCESS_KEY: "test",
        },
        stdio: "pipe",
      },
    );
    return new Running(child);
  }

  /** Runs the command with nothing on standard input. */
  async function bulkhead(...args: string[]): Promise<Ended> {
    const running = start(...args);
    running.child.stdin!.end();
    return keep(await running.ended());
  }

  function keep(ended: Ended): Ended {
    outputs.push(ended.stdout, ended.stderr);
    return ended;
  }

  async function records(cell: "prod" | "dr"): Promise<EvidenceRecord[]> {
    const { client, name } = tables[cell === "prod" ? 0 : 1]!;
    const found: EvidenceRecord[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: name })) {
      for (const item of Items) found.push(evidenceRecordSchema.parse(JSON.parse(item.record!.S!)));
    }
    return found;
  }

  const open = (custodian: Custodian, armored: string) =>
    custodian.decrypt(
      Buffer.from(
        armored
          .split(/\r?\n\r?\n/)[1]!
          .split("\n")
          .filter((line) => !/^[=-]/.test(line))
          .join(""),
        "base64",
      ).toString("base64"),
    );

  const unassigned = async () =>
    (await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: "Unassigned" }))).VirtualMFADevices!;

  const codeAt = (seed: string, step: number) =>
    generate({ secret: seed, epoch: Math.floor(Date.now() / 1000) + step * 30 });

  /** Enrols a device, the codes of the last minute typed in. Returns its seed too. */
  async function enrol(user: string, ...args: string[]): Promise<Ended & { seed: string }> {
    const png = path.join(project, `qr-${spy.seeds.length}.png`);
    const running = start("enrol", "--user", user, "--png", png, ...args);
    await running.asked("Code that the authenticator shows");
    const seed = spy.seeds.at(-1)!;
    running.answer(await codeAt(seed, -1));
    running.answer(await codeAt(seed, 0));
    const ended = keep(await running.ended());
    expect(fs.existsSync(png)).to.equal(false);
    return { ...ended, seed };
  }

  it("gives a new password that the custodian alone can open, and keeps it in both cells", async () => {
    const { status, stdout, stderr } = await bulkhead("rotate", "--user", USER);
    expect({ status, stderr }).to.deep.equal({ status: EXIT_CODES.ok, stderr: "" });
    expect(stdout).to.match(/^breakglass-admin-1 has a new password since 20/);
    expect(stdout).to.include("prod (us-east-1) and dr (us-west-2)");
    const password = spy.passwords.at(-1)!;
    expect(password).to.have.length(40);
    expect((await signIn(aws, { userName: USER, password })).status).to.equal(200);
    for (const cell of ["prod", "dr"] as const) {
      const kept = (await records(cell)).filter((record) => record.kind === "passwordIssued");
      expect(kept.map(({ state }) => state)).to.have.members(["prepared", "effective"]);
      for (const { ciphertext } of kept) expect(await open(alice, ciphertext)).to.equal(password);
    }
  });

  it("hands the ciphertext out, as text and as files with checksums", async () => {
    const printed = await bulkhead("password", "--user", USER);
    expect(printed).to.include({ status: EXIT_CODES.ok, stderr: "" });
    expect(await open(alice, printed.stdout)).to.equal(spy.passwords.at(-1));
    const failed = await open(bob, printed.stdout).catch((error: Error) => error);
    expect(failed).to.be.instanceOf(Error);

    const folder = path.join(project, "safe");
    const written = await bulkhead("password", "--out", folder);
    // The other user's password is still the one of the deployment.
    expect(written.status).to.equal(EXIT_CODES.failed);
    expect(written.stderr).to.include(
      "pulumi stack output encryptedPasswords --json, the entry breakglass-admin-2",
    );
    const file = path.join(folder, `${USER}.pgp.asc`);
    expect(fs.statSync(file).mode & 0o777).to.equal(0o600);
    expect(await open(alice, fs.readFileSync(file, "utf8"))).to.equal(spy.passwords.at(-1));
    const digest = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
    expect(fs.readFileSync(path.join(folder, "SHA256SUMS"), "utf8")).to.equal(`${digest}  ${USER}.pgp.asc\n`);

    const named = path.join(folder, "alice.asc");
    expect((await bulkhead("password", "--user", USER, "--out", named)).status).to.equal(EXIT_CODES.ok);
    expect(await open(alice, fs.readFileSync(named, "utf8"))).to.equal(spy.passwords.at(-1));
    const sums = fs.readFileSync(path.join(folder, "SHA256SUMS"), "utf8");
    expect(sums.match(/\S+$/gm)).to.deep.equal([`${USER}.pgp.asc`, "alice.asc"]);
  });

  for (const mode of ["refuse", "hang"] as const) {
    it(`hands it out with us-east-1 and IAM gone (${mode}), asked of either cell`, async () => {
      await proxy.setOutage({ regions: [EAST], globalServices: true, mode });
      const stack = mode === "refuse" ? "prod" : "dr";
      const { status, stdout, stderr } = await bulkhead("password", "--user", USER, "--stack", stack);
      expect(status).to.equal(EXIT_CODES.ok);
      expect(stderr).to.include("prod (us-east-1) does not answer");
      expect(await open(alice, stdout)).to.equal(spy.passwords.at(-1));
    });
  }

  it("changes nothing while IAM is out of reach, and says so", async () => {
    const before = [await records("prod"), await records("dr")];
    await proxy.setOutage({ regions: [], globalServices: true, mode: "refuse" });
    const { status, stderr, stdout } = await bulkhead("rotate", "--user", USER);
    expect({ status, stdout }).to.deep.equal({ status: EXIT_CODES.environment, stdout: "" });
    expect(stderr)
      .to.include("IAM's control plane does not answer")
      .and.not.match(/^ +at /m);
    await proxy.setOutage(undefined);
    expect([await records("prod"), await records("dr")]).to.deep.equal(before);
  });

  it("says which cell did not take its copy, and adds it with the next rotation", async () => {
    await proxy.setOutage({ regions: [WEST], globalServices: false, mode: "refuse" });
    const { status, stdout } = await bulkhead("rotate", "--user", OTHER, "--stack", "prod");
    expect(status).to.equal(EXIT_CODES.ok);
    expect(stdout).to.include("Kept in      prod (us-east-1)\n").and.include("NOT kept in  dr (us-west-2)");
    await proxy.setOutage(undefined);
    expect((await bulkhead("rotate", "--user", USER)).status).to.equal(EXIT_CODES.ok);
    const ids = async (cell: "prod" | "dr") => (await records(cell)).map(({ id }) => id).sort();
    expect(await ids("dr")).to.deep.equal(await ids("prod"));
  });

  it("explains what the account's password policy refuses, and fits it when told to", async () => {
    await iam.send(
      new UpdateAccountPasswordPolicyCommand({
        MinimumPasswordLength: 60,
        RequireSymbols: true,
        RequireNumbers: true,
        RequireUppercaseCharacters: true,
        RequireLowercaseCharacters: true,
      }),
    );
    const refused = await bulkhead("rotate", "--user", USER);
    expect(refused.status).to.equal(EXIT_CODES.failed);
    expect(refused.stderr).to.include("does not fit the account's password policy").and.include("--length");
    expect((await bulkhead("rotate", "--user", USER, "--length", "64")).status).to.equal(EXIT_CODES.ok);
    await iam.send(new DeleteAccountPasswordPolicyCommand());
    const { stdout, stderr } = await bulkhead("password", "--user", USER);
    expect(stderr).to.equal("");
    expect(await open(alice, stdout))
      .to.equal(spy.passwords.at(-1))
      .and.have.length(64);
  });

  it("enrols a TOTP device: wrong codes are explained, the picture is private and goes again", async () => {
    const png = path.join(project, "qr.png");
    const running = start("enrol", "--user", USER, "--png", png);
    await running.asked("Code that the authenticator shows");
    expect(fs.statSync(png).mode & 0o777).to.equal(0o600);
    expect(fs.readFileSync(png).subarray(1, 4).toString()).to.equal("PNG");
    const seed = spy.seeds.at(-1)!;
    for (const line of ["123456", "123456", "000000", "000001"]) running.answer(line);
    await running.asked("IAM does not take these codes");
    expect(running.stderr).to.include("These are the same code");
    running.answer(await codeAt(seed, -1));
    running.answer(await codeAt(seed, 0));
    const { status, stdout } = keep(await running.ended());
    expect(status).to.equal(EXIT_CODES.ok);
    expect(stdout).to.include(`alice@example.com now holds a TOTP device of ${USER}.`);
    expect(stdout).to.include(`mfa/break-glass/${USER}-alice@example.com\n`);
    expect(stdout).to.include("1 of at least 2 devices");
    expect(fs.existsSync(png)).to.equal(false);

    const password = spy.passwords.at(-1)!;
    const code = { mfaCode: await codeAt(seed, 1) };
    expect((await signIn(aws, { userName: USER, password }, code)).body.mfa).to.equal(true);
    const [record] = (await records("dr")).filter(({ kind }) => kind === "deviceEnrolled");
    expect(record).to.deep.include({ userName: USER, holder: "alice@example.com", deviceKind: "totp" });
  });

  it("leaves no device behind when nobody answers, or somebody stops it", async () => {
    const png = path.join(project, "unanswered.png");
    const ended = await bulkhead("enrol", "--user", USER, "--png", png, "--holder", "bob@example.com");
    expect(ended.status).to.equal(EXIT_CODES.usage);
    expect(ended.stderr).to.include("standard input has ended").and.include("was deleted again");
    expect(fs.existsSync(png)).to.equal(false);
    expect(await unassigned()).to.deep.equal([]);

    const running = start("enrol", "--user", USER, "--png", png, "--holder", "bob@example.com");
    await running.asked("Code that the authenticator shows");
    running.child.kill("SIGINT");
    const stopped = keep(await running.ended());
    expect(stopped.status).to.equal(EXIT_CODES.interrupted);
    expect(stopped.stderr).to.include("was deleted again");
    expect(fs.existsSync(png)).to.equal(false);
    expect(await unassigned()).to.deep.equal([]);
  });

  it("deletes what a killed enrolment left behind when it is run again", async () => {
    const running = start(
      "enrol",
      "--user",
      USER,
      "--png",
      path.join(project, "killed.png"),
      "--holder",
      "bob@example.com",
    );
    await running.asked("Code that the authenticator shows");
    running.child.kill("SIGKILL");
    keep(await running.ended());
    const [left] = await unassigned();
    expect(left!.SerialNumber).to.match(/breakglass-admin-1-bob@example\.com$/);
    expect((await bulkhead("devices")).stdout).to.include(`${left!.SerialNumber} belongs to no user`);
    fs.rmSync(path.join(project, "killed.png"));

    const { status, stdout } = await enrol(USER, "--holder", "bob@example.com");
    expect(status).to.equal(EXIT_CODES.ok);
    expect(stdout).to.include(`Deleted      ${left!.SerialNumber}`).and.include("has 2 devices");
    expect(await unassigned()).to.deep.equal([]);
  });

  it("lists who holds what, from the records alone when IAM is gone", async () => {
    const { status, stdout } = await bulkhead("devices");
    expect(status).to.equal(EXIT_CODES.failed);
    expect(stdout).to.include("TOTP device   alice@example.com").and.include("TOTP device   bob@example.com");
    expect(stdout).to.include("TOO LITTLE: 0 of at least 2 devices");
    await proxy.setOutage({ regions: [EAST], globalServices: true, mode: "refuse" });
    const lost = await bulkhead("devices", "--json");
    expect(lost.status).to.equal(EXIT_CODES.failed);
    const listing = JSON.parse(lost.stdout);
    expect(listing).to.include({ iamAnswered: false });
    expect(listing.devices.map((device: { holder: string }) => device.holder)).to.have.members([
      "alice@example.com",
      "bob@example.com",
    ]);
  });

  it("rotates what a custodian held when they leave, never silently below what is needed, and goes on where it was", async () => {
    const key = path.join(project, "carol.asc");
    fs.writeFileSync(key, carol.publicKey);
    const args = [
      "custodian",
      "leave",
      "--custodian",
      alice.address,
      "--successor",
      carol.address,
      "--key",
      key,
    ];
    const unconfirmed = start(...args);
    unconfirmed.child.stdin!.end("no\n");
    expect(keep(await unconfirmed.ended())).to.include({ status: EXIT_CODES.usage, stdout: "" });

    const running = start(...args);
    await running.asked("in person or by telephone");
    running.answer("yes");
    const first = keep(await running.ended());
    expect(first.status).to.equal(EXIT_CODES.failed);
    expect(first.stdout)
      .to.include("NOT DONE:")
      .and.include("would have too little: 1 of at least 2 devices");
    expect(first.stdout).to.include("'bulkhead:custodians[0]' carol@example.com");
    const printed = await bulkhead("password", "--user", USER);
    expect(await open(carol, printed.stdout)).to.equal(spy.passwords.at(-1));

    const fingerprint = /Fingerprint ([0-9A-F ]+)/.exec(first.stderr)![1]!;
    const replaced = await enrol(USER, "--holder", carol.address);
    expect(replaced.stdout).to.include("has 3 devices");
    const second = await bulkhead(...args, "--fingerprint", fingerprint);
    expect(second.status).to.equal(EXIT_CODES.ok);
    expect(second.stdout).to.include("by an earlier run that this one went on with");
    expect(second.stdout).to.not.include("new password");
    const { MFADevices } = await iam.send(new ListMFADevicesCommand({ UserName: USER }));
    expect(MFADevices!.map(({ SerialNumber }) => SerialNumber!.split("/").at(-1))).to.have.members([
      `${USER}-bob@example.com`,
      `${USER}-carol@example.com`,
    ]);
    expect((await records("dr")).filter(({ kind }) => kind === "custodianLeft")).to.have.length(1);

    // The configuration still names who left.
    const behind = await bulkhead("rotate", "--user", USER);
    expect(behind.status).to.equal(EXIT_CODES.usage);
    expect(behind.stderr).to.include("alice@example.com left on").and.include("Nothing was changed");
    const holder = await bulkhead("enrol", "--user", USER, "--png", path.join(project, "none.png"));
    expect(holder.status).to.equal(EXIT_CODES.usage);
    expect(holder.stderr).to.include("--holder ADDRESS");
    configure([carol, bob]);
    expect((await bulkhead("rotate", "--user", USER)).status).to.equal(EXIT_CODES.ok);
  });

  it("has its rotation function change a password after a use, as it is deployed", async () => {
    const clients = tables.map(({ client }) => client);
    for (const [index, cell] of ["prod", "dr"].entries()) {
      const TableName = `bulkhead-activation-${cell}`;
      await clients[index]!.send(
        new CreateTableCommand({
          TableName,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [{ AttributeName: ACTIVATION_TABLE_KEY, KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: ACTIVATION_TABLE_KEY, AttributeType: "S" }],
        }),
      );
      const Item = toItem(initialRecord(cell, cell === "prod"));
      await clients[index]!.send(new PutItemCommand({ TableName, Item }));
    }
    const sns = new SNSClient(settings(aws, rootOf(SECURITY)));
    const ssm = new SSMClient(settings(aws, rootOf(SECURITY)));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "alerts" }));
    const Value = pgpPublicKeyBase64(bob.publicKey, bob.address);
    const keyParameter = `/bulkhead/break-glass/${OTHER}/pgp-public-key`;
    await ssm.send(new PutParameterCommand({ Name: keyParameter, Type: "String", Value }));
    sns.destroy();
    ssm.destroy();
    // An hour ago by the clock of the one who used it; the record of the end is in the other cell only.
    const at = new Date().toISOString();
    const use = { by: "tracker", userName: OTHER, useId: "u", cell: "prod", at };
    const stores = [EAST, WEST].map(
      (region, index) =>
        new DynamoDbEvidenceStore({ client: clients[index]!, tableName: tables[index]!.name, region }),
    );
    await stores[0]!.append({
      ...use,
      kind: "useOpened",
      id: `${at}#u`,
      firstCall: "ConsoleLogin",
      region: EAST,
    });
    await stores[1]!.append({
      ...use,
      kind: "useClosed",
      id: `${at}#u`,
      startedAt: at,
      endedAt: at,
      events: 1,
    });

    const environment = {
      ...process.env,
      AWS_ENDPOINT_URL: spy.url,
      AWS_REGION: EAST,
      AWS_ACCESS_KEY_ID: SECURITY,
      AWS_SECRET_ACCESS_KEY: "test",
      BULKHEAD_CELL: "prod",
      PEER_CELL: "dr",
      PEER_REGION: WEST,
      ACTIVATION_TABLE: "bulkhead-activation-prod",
      PEER_ACTIVATION_TABLE: "bulkhead-activation-dr",
      EVIDENCE_TABLE: tables[0]!.name,
      PEER_EVIDENCE_TABLE: tables[1]!.name,
      IAM_REGION: EAST,
      ALERT_TOPIC_ARN: TopicArn,
      MAXIMUM_USE_HOURS: "12",
      PASSWORD_LENGTH: "48",
      EMERGENCY_USERS: JSON.stringify([
        {
          userName: OTHER,
          custodian: bob.address,
          keyParameter,
          keySha256: createHash("sha256").update(Value).digest("hex"),
        },
      ]),
    };
    const bundle = bundlePath("breakGlass-rotation");
    const script = `import { handler } from ${JSON.stringify(bundle)}; const result = await handler(); process.stderr.write(JSON.stringify(result)); process.exit(0);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      env: environment,
      stdio: "pipe",
    });
    const { status, stdout, stderr } = keep(await new Running(child).ended());
    expect({ status, stdout: stdout.includes("EmergencyPasswordRotated") }).to.deep.equal({
      status: 0,
      stdout: true,
    });
    const result = JSON.parse(stderr);
    expect(result).to.deep.include({ acted: true, users: [{ userName: OTHER, outcome: "rotated" }] });
    expect(result.repair.added).to.deep.equal({ prod: 1, dr: 1 });
    const printed = await bulkhead("password", "--user", OTHER);
    expect(await open(bob, printed.stdout))
      .to.equal(spy.passwords.at(-1))
      .and.have.length(48);
  });

  for (const [what, args, status, message] of [
    ["a user that is none", ["rotate", "--user", "root"], EXIT_CODES.usage, "root is no emergency user"],
    ["a QR code without a terminal", ["enrol", "--user", USER], EXIT_CODES.usage, "Give --png FILE"],
    [
      "a length that is too short",
      ["rotate", "--user", USER, "--length", "16"],
      EXIT_CODES.usage,
      "from 32 to 128",
    ],
    ["neither user nor folder", ["password"], EXIT_CODES.usage, "--user NAME"],
    [
      "a security key that is not there",
      ["enrol", "--user", USER, "--device", "fido", "--serial", "arn:aws:iam::222222222222:u2f/user/x/y"],
      EXIT_CODES.usage,
      "has no security key",
    ],
    [
      "a device that is not there",
      ["remove-device", "--user", USER, "--serial", "arn:aws:iam::222222222222:mfa/none"],
      EXIT_CODES.usage,
      "has no device",
    ],
    [
      "a custodian nobody knows",
      [
        "custodian",
        "leave",
        "--custodian",
        "x@example.com",
        "--successor",
        "y@example.com",
        "--key",
        "none.asc",
      ],
      EXIT_CODES.usage,
      "none.asc cannot be read",
    ],
  ] as const) {
    it(`refuses ${what} with one message`, async () => {
      const ended = await bulkhead(...args);
      expect(ended.status).to.equal(status);
      expect(ended.stderr)
        .to.include(message)
        .and.not.match(/^ +at /m);
      expect(ended.stdout).to.equal("");
    });
  }

  it("refuses a security key in China, where there is none, and guides nobody (fact 12)", async () => {
    const [north, northwest] = ["cn-north-1", "cn-northwest-1"];
    writeStack("north", {
      role: "primary",
      region: north,
      peerName: "northwest",
      peerRegion: northwest,
      accountId: SECURITY,
      partition: "aws-cn",
      custodians: [alice.address, bob.address],
      custodianPgpKeys: [alice.publicKey, bob.publicKey],
    });
    writeStack("northwest", {
      role: "standby",
      region: northwest,
      peerName: "north",
      peerRegion: north,
      partition: "aws-cn",
    });
    for (const stack of ["north", "northwest"]) {
      const refused = await bulkhead("enrol", "--stack", stack, "--user", USER, "--device", "fido");
      expect(refused).to.include({ status: EXIT_CODES.usage, stdout: "" });
      expect(refused.stderr.trim()).to.equal(
        `--device is fido, and IAM in partition aws-cn knows no security keys: MFA is by TOTP only. Nothing was changed. Enrol a TOTP device instead: bulkhead break-glass enrol --stack ${stack} --user ${USER} --holder ${alice.address}`,
      );
    }
  });

  it("shows no password and no seed anywhere", async () => {
    const secrets = [...spy.passwords, ...spy.seeds];
    expect(spy.passwords).to.have.length.greaterThan(5);
    expect(spy.seeds).to.have.length.greaterThan(5);
    const kept = [JSON.stringify(await records("prod")), JSON.stringify(await records("dr"))];
    const files = fs
      .readdirSync(project, { recursive: true, encoding: "utf8" })
      .map((name) => path.join(project, name))
      .filter((file) => fs.statSync(file).isFile())
      .map((file) => fs.readFileSync(file, "latin1"));
    for (const text of [...outputs, ...kept, ...files]) expect(secretsIn(text, secrets)).to.deep.equal([]);
    // The search itself finds what is there.
    for (const secret of secrets) {
      for (const variant of variants(secret)) expect(secretsIn(`x${variant}y`, secrets)).to.include(secret);
    }
  });
});
