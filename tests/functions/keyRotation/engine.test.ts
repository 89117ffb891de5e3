import { expect } from "chai";
import { BackOff } from "../../../functions/keyRotation/engine/backOff";
import {
  parseCredentialReport,
  readCredentialReport,
} from "../../../functions/keyRotation/engine/credentialReport";
import type { Iam } from "../../../functions/keyRotation/engine/ports";
import { secretName, secretPolicy, versionOf } from "../../../functions/keyRotation/engine/secret";
import { runIn } from "./support/run";
import { World } from "./support/world";

describe("a run of the key rotation in one account", () => {
  it("takes a key through its cycle, each step on its day", async () => {
    const world = new World();
    const alice = world.addUser("alice");
    const first = world.addKey(alice, 0);
    const steps: string[] = [];
    for (let day = 0; day <= 115; day += 1) {
      const result = await runIn(world);
      expect(result.status, result.reason).to.equal("done");
      steps.push(...result.outcomes.flatMap(({ done }) => done.map((action) => `${day} ${action}`)));
      const id = world.readSecret(alice);
      for (const each of alice.keys)
        if (each.status === "Active" && (id ? each.id === id : each === first)) each.lastUsedAt = world.now;
      world.days(1);
    }
    expect(steps).to.deep.equal([
      `90 rotate:${first.id}`,
      `100 deactivate:${first.id}`,
      `110 delete:${first.id}`,
    ]);
    expect(world.violations).to.deep.equal([]);
    expect(world.mails()).to.deep.equal(
      ["alice rotated:", "alice deactivated:", "alice deleted:"].map((text) => `${text}${first.id}`),
    );
    expect(alice.keys.map(({ owned, status }) => ({ owned, status }))).to.deep.equal([
      { owned: true, status: "Active" },
    ]);
  });

  describe("counts its calls", () => {
    const counted = (world: World) => Object.fromEntries(world.calls);

    it("two for an account in which nothing is due, however many users it has", async () => {
      const world = new World();
      for (let i = 0; i < 1_000; i += 1) world.addKey(world.addUser(`user${i}`), 10);
      await runIn(world);
      expect(counted(world)).to.deep.equal({ GenerateCredentialReport: 1, GetCredentialReport: 1 });
    });

    it("five for each user who is rotated for the first time, three later, and nine for the account", async () => {
      const world = new World();
      for (let i = 0; i < 10; i += 1) world.addKey(world.addUser(`user${i}`), i < 7 ? 95 : 10);
      const account = {
        GenerateCredentialReport: 1,
        GetCredentialReport: 1,
        gate: 1,
        Query: 1,
        "Query (peer)": 1,
        GetAccountAuthorizationDetails: 1,
        SendMessage: 1,
      };
      const writes = {
        "TransactWriteItems (announce)": 1,
        "TransactWriteItems (complete)": 1,
        "TransactWriteItems (peer)": 1,
      };
      const later = { ListAccessKeys: 7, CreateAccessKey: 7, PutSecretValue: 7 };
      await runIn(world);
      expect(counted(world)).to.deep.equal({
        ...account,
        ...writes,
        ...later,
        CreateSecret: 7,
        PutResourcePolicy: 7,
      });
      for (const user of world.users.values()) if (user.keys.length > 1) user.keys.shift();
      world.days(91);
      for (const user of world.users.values()) if (user.keys[0]?.owned) user.keys = [];
      world.calls.clear();
      await runIn(world);
      expect(counted(world)).to.deep.equal({ ...account, ...writes, ...later });
    });

    it("none for a user whose rotation only waits", async () => {
      const world = new World();
      world.addKey(world.addUser("alice"), 95, { lastUsedAt: world.now });
      await runIn(world);
      world.days(5);
      world.calls.clear();
      await runIn(world);
      expect(world.calls.get("ListAccessKeys")).to.equal(undefined);
      expect(world.calls.get("DescribeSecret")).to.equal(undefined);
    });
  });

  it("changes nothing in audit mode, and tells each owner once", async () => {
    const world = new World();
    const user = world.addUser("alice");
    const { id } = world.addKey(user, 95);
    for (let day = 0; day < 5; day += 1) {
      await runIn(world, { mode: "audit" });
      world.days(1);
    }
    expect(user.keys).to.have.length(1);
    expect(world.secrets.size).to.equal(0);
    expect(world.notices.flatMap(({ entries }) => entries.map(({ what }) => what))).to.deep.equal([
      `due:${id}`,
    ]);
  });

  it("plans without changing anything, what it then does", async () => {
    const world = new World();
    for (let i = 0; i < 4; i += 1) world.addKey(world.addUser(`user${i}`), 60 + i * 20);
    const plan = await runIn(world, { planOnly: true });
    expect(plan.outcomes.flatMap(({ done }) => done)).to.deep.equal([]);
    expect(
      [...world.calls.keys()].filter((call) => /^(Create|Put|Update|Delete|Transact|Send)/.test(call)),
    ).to.deep.equal([]);
    const result = await runIn(world);
    expect(result.outcomes.map(({ due }) => due)).to.deep.equal(plan.outcomes.map(({ due }) => due));
    expect(result.outcomes.flatMap(({ done }) => done)).to.deep.equal(
      plan.outcomes.flatMap(({ due }) => due),
    );
  });

  it("rotates one user on demand, whatever the age, but no exempt one", async () => {
    const world = new World();
    world.addKey(world.addUser("alice", { tags: { "bulkhead:key-rotation-days": "300" } }), 3);
    world.addKey(world.addUser("bob", { tags: { "bulkhead:key-rotation": "exempt" } }), 300);
    world.addKey(world.addUser("carol"), 300);
    const only = (userName: string) => runIn(world, { only: { userName, force: true } });
    expect((await only("alice")).outcomes.map(({ done }) => done.length)).to.deep.equal([1]);
    expect((await only("bob")).outcomes.map(({ row }) => row)).to.deep.equal(["exempt-tag"]);
    expect(world.users.get("carol")?.keys).to.have.length(1);
    // The cycle goes on as after any rotation.
    world.days(11);
    const later = await runIn(world);
    expect(
      later.outcomes.find(({ userName }) => userName === "alice")?.done.map((action) => action.split(":")[0]),
    ).to.deep.equal(["deactivate"]);
  });

  it("works on every user of an account with more than a batch has room for", async () => {
    const world = new World();
    for (let i = 0; i < 230; i += 1) world.addKey(world.addUser(`user${i}`), 95);
    const result = await runIn(world);
    expect(result.outcomes.flatMap(({ done }) => done)).to.have.length(230);
    expect(world.calls.get("TransactWriteItems (announce)")).to.equal(3);
    expect(world.unfinished.size).to.equal(0);
  });

  it("stops between two batches when its time is up, and goes on when called again", async () => {
    const world = new World();
    for (let i = 0; i < 150; i += 1) world.addKey(world.addUser(`user${i}`), 95);
    const first = await runIn(world, { timeIsUp: () => true, runId: "same" });
    expect(first.more).to.equal(true);
    expect(first.outcomes.flatMap(({ done }) => done)).to.have.length(99);
    const second = await runIn(world, { runId: "same" });
    expect(second.outcomes.flatMap(({ done }) => done)).to.have.length(51);
  });
});

describe("the credential report", () => {
  const HEAD =
    "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";

  it("is read by the names of its columns, with N/A, no_information and quoted names", () => {
    const users = parseCredentialReport(
      `${HEAD}\n"a,b",arn:x,2020-01-01T00:00:00+00:00,true,2026-01-02T03:04:05+00:00,no_information,false,N/A,N/A\nc,arn:y,z,false,2025-01-01T00:00:00Z,N/A,true,2025-06-01T00:00:00Z,2025-07-01T00:00:00Z\n`,
    );
    expect(users.map(({ userName, keys }) => [userName, keys.length])).to.deep.equal([
      ["a,b", 1],
      ["c", 2],
    ]);
    expect(users[0]?.keys[0]?.lastUsedAt).to.equal(undefined);
    expect(
      users[1]?.keys.map(({ active, lastUsedAt }) => [active, lastUsedAt?.toISOString() ?? null]),
    ).to.deep.equal([
      [false, null],
      [true, "2025-07-01T00:00:00.000Z"],
    ]);
  });

  it("is refused when it is something else", () => {
    for (const text of [
      "",
      "<html>",
      `${HEAD}\na,b`,
      `${HEAD}\na,b,c,true,N/A,N/A,false,N/A,N/A`,
      `${HEAD}\na,b,c,true,soon,N/A,false,N/A,N/A`,
    ]) {
      expect(() => parseCredentialReport(text), text).to.throw(/GetCredentialReport/);
    }
  });

  it("is waited for while it is made, and asked for again when it has become too old", async () => {
    const states = ["STARTED", "INPROGRESS", "COMPLETE"] as const;
    let asked = 0;
    let slept = 0;
    const iam = {
      generateReport: async () => states[Math.min(asked++, 2)] ?? "COMPLETE",
      getReport: async () => (asked < 3 ? undefined : { csv: HEAD, generatedAt: new Date(0) }),
    } as unknown as Iam;
    const clock = {
      now: () => new Date(0),
      sleep: async (ms: number) => {
        slept += ms;
      },
      random: () => 0,
    };
    expect(await readCredentialReport(iam, new BackOff(clock), clock)).to.deep.equal({
      generatedAt: new Date(0),
      users: [],
    });
    expect([asked, slept > 0]).to.deep.equal([3, true]);
  });
});

describe("the secret", () => {
  it("has a name and version ids that follow from user and key", () => {
    expect(secretName("/bulkhead/keys", "111111111111", "a,b@c")).to.equal(
      "/bulkhead/keys/111111111111/a_2Cb@c",
    );
    const id = versionOf("111111111111", "alice", "AKIA1");
    expect(id).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(versionOf("111111111111", "alice", "AKIA1")).to.equal(id);
    expect(versionOf("111111111111", "alice", "AKIA2")).to.not.equal(id);
  });

  it("lets the named principals in, and denies all others", () => {
    const policy = JSON.parse(
      secretPolicy({
        partition: "aws-cn",
        accountId: "111111111111",
        userName: "alice",
        userArn: "arn:aws-cn:iam::111111111111:user/team/alice",
        readers: ["{userArn}", "arn:aws-cn:iam::{account}:role/deploy-{user}"],
      }),
    );
    const readers = [
      "arn:aws-cn:iam::111111111111:role/deploy-alice",
      "arn:aws-cn:iam::111111111111:user/team/alice",
    ];
    const [allow, deny] = policy.Statement;
    expect(allow.Principal).to.deep.equal({ AWS: ["arn:aws-cn:iam::111111111111:root"] });
    expect(allow.Condition).to.deep.equal({ ArnEquals: { "aws:PrincipalArn": readers } });
    expect(deny).to.deep.include({
      Effect: "Deny",
      Principal: "*",
      Condition: { ArnNotEquals: { "aws:PrincipalArn": readers } },
    });
  });
});
