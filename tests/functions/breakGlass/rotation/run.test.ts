import { createHash } from "node:crypto";
import { expect } from "chai";
import * as openpgp from "openpgp";
import { currentPasswords } from "../../../../functions/breakGlass/custody/currentPasswords";
import { CustodyError } from "../../../../functions/breakGlass/custody/custodyError";
import type { EvidenceRecord } from "../../../../functions/breakGlass/records/record";
import { repairEvidence } from "../../../../functions/breakGlass/rotation/repair";
import { type RotationRunTools, runRotation } from "../../../../functions/breakGlass/rotation/run";
import { makeNotice, type NoticeInput } from "../../../../functions/shared/notice/notice";
import { fakeLog } from "../../notification/support/fakes";
import { secretsIn } from "../custody/canary";
import {
  ALICE,
  BOB,
  CAROL,
  type Fault,
  Faults,
  failure,
  LostStore,
  OTHER,
  USER,
  World,
} from "../custody/support";

const HOUR = 3_600_000;

describe("break-glass rotation function", () => {
  let privateKey: openpgp.PrivateKey;
  let armored: string;
  let base64: string;

  before(async () => {
    const pair = await openpgp.generateKey({
      type: "ecc",
      userIDs: [{ email: ALICE }],
      date: new Date("2025-01-01"),
      format: "object",
    });
    privateKey = pair.privateKey;
    armored = pair.publicKey.armor();
    base64 = Buffer.from(pair.publicKey.write()).toString("base64");
  });

  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

  function setUp(world = new World(), overrides: Partial<RotationRunTools> = {}, faults = new Faults()) {
    const { log, count, lines, counts } = fakeLog();
    const notices: NoticeInput[] = [];
    const user = (userName: string, custodian: string) => ({
      userName,
      custodian,
      keyParameter: `/bulkhead/break-glass/${userName}/pgp-public-key`,
      keySha256: sha256(base64),
    });
    const tools: RotationRunTools = {
      ...world.tools(faults),
      by: "breakglass-rotation@prod",
      now: world.now,
      cell: "prod",
      region: "us-east-1",
      users: [user(USER, ALICE), user(OTHER, BOB)],
      maximumUseHours: 12,
      passwordLength: 40,
      standby: async () => undefined,
      readParameter: async () => base64,
      publish: async (notice) => {
        notices.push(makeNotice(notice));
      },
      log,
      count,
      ...overrides,
    };
    return { world, tools, notices, lines, counts };
  }

  /** Somebody used the user; closed or not. */
  async function use(world: World, userName: string, useId: string, closed = true) {
    const at = world.now().toISOString();
    const base = { by: "tracker", userName, useId, cell: "prod" };
    const records: EvidenceRecord[] = [
      {
        ...base,
        kind: "useOpened",
        id: `${at}#${useId}`,
        at,
        firstCall: "ConsoleLogin",
        region: "us-east-1",
      },
    ];
    const end = new Date(world.now().getTime() + 60_000).toISOString();
    if (closed) {
      records.push({
        ...base,
        kind: "useClosed",
        id: `${end}#${useId}`,
        at: end,
        startedAt: at,
        endedAt: end,
        events: 3,
      });
    }
    for (const record of records) await world.east.append(record);
    world.advance(HOUR);
  }

  async function opened(world: World, userName = USER): Promise<string[]> {
    const offered = currentPasswords(await world.records("passwordIssued"), userName);
    return Promise.all(
      offered.map(async ({ ciphertext }) => {
        const message = await openpgp.readMessage({ armoredMessage: ciphertext });
        return (await openpgp.decrypt({ message, decryptionKeys: privateKey })).data as string;
      }),
    );
  }

  it("changes the password after a use that is over, once, in both cells, and tells the topic", async () => {
    const { world, tools, notices } = setUp();
    await use(world, USER, "u1");
    const result = await runRotation(tools);
    expect(result.users).to.deep.equal([{ userName: USER, outcome: "rotated" }]);
    expect(await opened(world)).to.deep.equal([world.iam.passwords.get(USER)]);
    for (const store of [world.east, world.west]) {
      const records = await store.list("passwordIssued");
      expect(records.map(({ state, cause }) => [state, cause])).to.deep.equal([
        ["prepared", "afterUse"],
        ["effective", "afterUse"],
      ]);
    }
    expect(notices).to.have.length(1);
    expect(notices[0]).to.include({ title: `New password of ${USER} waits for ${ALICE}`, severity: "info" });
    expect(notices[0]!.text).to.include("is expected").and.include(`password --user ${USER}`);

    expect((await runRotation(tools)).users).to.deep.equal([]);
    expect(notices).to.have.length(1);
  });

  it("waits while the use may be going on, and not for ever when nobody closes it", async () => {
    const { world, tools } = setUp();
    await use(world, USER, "u1");
    await use(world, USER, "u2", false);
    const waiting = await runRotation(tools);
    expect(waiting.users[0]).to.include({ userName: USER, outcome: "waiting" });
    expect(waiting.users[0]!.reason).to.match(/until 2026-03-01T13:/);
    world.advance(12 * HOUR);
    expect((await runRotation(tools)).users[0]).to.include({ outcome: "rotated" });
  });

  it("does nothing where the cell is not the acting one", async () => {
    const { world, tools, lines } = setUp(new World(), { standby: async () => "the cell is on standby" });
    await use(world, USER, "u1");
    expect(await runRotation(tools)).to.deep.equal({
      acted: false,
      reason: "the cell is on standby",
      users: [],
    });
    expect(await world.records("passwordIssued")).to.deep.equal([]);
    expect(await world.west.list("useOpened")).to.deep.equal([]);
    expect(lines[0]![1]).to.equal("standby");
  });

  it("asks again right before the change, and goes on in a later run", async () => {
    let asked = 0;
    const { world, tools } = setUp(new World(), {
      standby: async () => (asked++ === 1 ? "the peer was promoted later" : undefined),
    });
    await use(world, USER, "u1");
    const before = world.iam.passwords.get(USER);
    const { users } = await runRotation(tools);
    expect(users[0]).to.deep.include({ outcome: "paused" });
    expect(users[0]!.reason).to.include("the peer was promoted later");
    expect(world.iam.passwords.get(USER)).to.equal(before);
    asked = 0;
    const unsure = async () => {
      if (asked++ === 0) return undefined;
      throw new Error("the own record cannot be read");
    };
    expect((await runRotation({ ...tools, standby: unsure })).users[0]).to.deep.include({
      outcome: "paused",
    });
    expect(world.iam.passwords.get(USER)).to.equal(before);
    expect((await runRotation({ ...tools, standby: async () => undefined })).users[0]).to.include({
      outcome: "rotated",
    });
  });

  it("pauses while IAM is out of reach, prepares nothing, and goes on later", async () => {
    const { world, tools, counts } = setUp();
    await use(world, USER, "u1");
    const check = world.iam.checkPassword.bind(world.iam);
    world.iam.checkPassword = async () => {
      throw new CustodyError("iam-unavailable", "IAM's control plane does not answer.");
    };
    for (let run = 0; run < 3; run++) {
      expect((await runRotation(tools)).users[0]).to.include({ outcome: "paused" });
    }
    expect(await world.records("passwordIssued")).to.deep.equal([]);
    expect(counts[0]).to.include("EmergencyPasswordRotationPaused");
    world.iam.checkPassword = check;
    expect((await runRotation(tools)).users[0]).to.include({ outcome: "rotated" });
  });

  it("needs its own cell's table, not the peer's; the next run adds what the peer missed", async () => {
    const { world, tools, notices } = setUp(new World({ west: new LostStore() }));
    await use(world, USER, "u1");
    const result = await runRotation(tools);
    expect(result.users[0]).to.include({ outcome: "rotated" });
    expect(result.repair!.unanswered).to.deep.equal(["dr"]);
    expect(notices[0]).to.include({ severity: "warning" });
    expect(notices[0]!.text).to.include("dr (us-west-2) did not take its copy");

    const lost = setUp(new World({ east: new LostStore() }));
    await lost.world.west.append((await world.east.list("useOpened"))[0]!);
    lost.world.advance(20 * HOUR);
    expect((await runRotation(lost.tools)).users[0]).to.include({ outcome: "paused" });
  });

  it("gives nothing to a custodian who has left, and says what to change", async () => {
    const { world, tools, lines } = setUp();
    await use(world, USER, "u1");
    const at = world.now().toISOString();
    const left = { custodian: ALICE, successor: CAROL, userNames: [USER] };
    await world.west.append({ kind: "custodianLeft", id: `${at}#x`, at, by: "operator", ...left });
    const error = await failure(runRotation(tools));
    expect(error.code).to.equal("rotation-failed");
    expect(JSON.stringify(lines)).to.include(`${ALICE} left on`).and.include(CAROL);
    expect(await world.records("passwordIssued")).to.deep.equal([]);
  });

  it("refuses a key that was put into the parameter past the deployment", async () => {
    const other = await openpgp.generateKey({
      type: "ecc",
      userIDs: [{ email: ALICE }],
      date: new Date("2025-01-01"),
      format: "object",
    });
    const { world, tools, lines } = setUp(new World(), {
      readParameter: async () => Buffer.from(other.publicKey.write()).toString("base64"),
    });
    await use(world, USER, "u1");
    expect((await failure(runRotation(tools))).code).to.equal("rotation-failed");
    expect(JSON.stringify(lines)).to.include("does not hold the key that was deployed");
    expect(await world.records("passwordIssued")).to.deep.equal([]);
  });

  it("does one user's rotation although another's fails, then fails as a whole", async () => {
    const { world, tools } = setUp(new World(), {
      readParameter: async (name) => (name.includes(USER) ? armored : base64),
    });
    await use(world, USER, "u1");
    await use(world, OTHER, "u2");
    const error = await failure(runRotation(tools));
    expect(error.message).to.include(`the password of ${USER} is due`);
    expect(await opened(world, OTHER)).to.deep.equal([world.iam.passwords.get(OTHER)]);
  });

  it("is seen to fail when the topic could not be told, and does not change the password again", async () => {
    const { world, tools } = setUp(new World(), {
      publish: async () => {
        throw new Error("no topic");
      },
    });
    await use(world, USER, "u1");
    expect((await failure(runRotation(tools))).message).to.include("nobody could be told");
    expect(await opened(world)).to.deep.equal([world.iam.passwords.get(USER)]);
    expect((await runRotation(tools)).users).to.deep.equal([]);
  });

  it("keeps every promise wherever a run is cut off, and says no password anywhere", async () => {
    let reached = 0;
    for (let at = 0; reached === at; at++) {
      for (const fault of ["before", "after", "lost", "unanswered"] as Fault[]) {
        const world = new World();
        await use(world, USER, "u1");
        const faults = new Faults(at, fault);
        const first = setUp(world, {}, faults);
        const ended = await runRotation(first.tools).catch((error: Error) => error.message);
        if (faults.calls > at) reached = at + 1;
        const initial = world.iam.secrets.length ? [] : [world.iam.passwords.get(USER)];
        expect([...(await opened(world)), ...initial]).to.include(world.iam.passwords.get(USER));
        world.advance(HOUR);
        const next = setUp(world);
        await runRotation(next.tools);
        expect(await opened(world)).to.deep.equal([world.iam.passwords.get(USER)]);
        expect((await runRotation(next.tools)).users).to.deep.equal([]);
        const everything = JSON.stringify([
          ended,
          [first, next].map(({ lines, counts, notices }) => [lines, counts, notices]),
          await world.records("passwordIssued"),
        ]);
        expect(secretsIn(everything, world.iam.secrets)).to.deep.equal([]);
      }
    }
    expect(reached).to.be.at.least(25);
  }).timeout(30_000);
});

describe("break-glass evidence repair", () => {
  it("gives each cell what only the other has, and only when both answer", async () => {
    const world = new World();
    const at = "2026-03-01T00:00:00.000Z";
    const drill = (id: string): EvidenceRecord => ({
      kind: "deviceRemoved",
      id: `${at}#${id}`,
      at,
      by: "operator",
      userName: USER,
      serialNumber: "serial",
      reason: "lost",
    });
    await world.east.append(drill("both"));
    await world.west.append(drill("both"));
    await world.east.append(drill("east"));
    await world.west.append(drill("west"));
    const { sides } = world.tools();
    expect(await repairEvidence(sides)).to.deep.equal({ added: { prod: 1, dr: 1 }, unanswered: [] });
    expect(await world.east.list("deviceRemoved")).to.deep.equal(await world.west.list("deviceRemoved"));
    expect(await repairEvidence(sides)).to.deep.equal({ added: { prod: 0, dr: 0 }, unanswered: [] });
    const lost = [sides[0]!, { ...sides[1]!, store: new LostStore() }];
    expect(await repairEvidence(lost)).to.deep.equal({ added: { prod: 0, dr: 0 }, unanswered: ["dr"] });
  });
});
