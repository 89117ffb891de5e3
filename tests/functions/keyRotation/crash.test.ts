import { expect } from "chai";
import * as fc from "fast-check";
import type { FailureKind } from "../../../functions/keyRotation/engine/failure";
import { secretName, versionOf } from "../../../functions/keyRotation/engine/secret";
import { runIn } from "./support/run";
import { type Fate, type FateOf, World, type WorldUser } from "./support/world";

/** A world in which a run has something to do, or nothing; by the row of the decision table. */
const SCENARIOS: Record<string, (world: World) => void | Promise<void>> = {
  rotate: (world) => {
    world.addKey(world.addUser("u"), 95, { lastUsedAt: world.now });
  },
  "rotate, the second time": async (world) => {
    await rotatedLongAgo(world, 111);
    world.days(80);
    useCurrent(world);
  },
  young: (world) => {
    world.addKey(world.addUser("u"), 20);
  },
  "no-room": (world) => {
    const user = world.addUser("u");
    world.addKey(user, 200);
    world.addKey(user, 150);
  },
  "no-room: one disabled": (world) => {
    const user = world.addUser("u");
    world.addKey(user, 200, { status: "Inactive" });
    world.addKey(user, 150);
  },
  "a key its owner disabled": (world) => {
    world.addKey(world.addUser("u"), 50, { status: "Inactive" });
  },
  exempt: (world) => {
    world.groups.add("exempt");
    world.addKey(world.addUser("u", { groups: ["exempt"] }), 200);
    world.addKey(world.addUser("v", { path: "/break-glass/" }), 200);
    world.addKey(world.addUser("w", { tags: { "bulkhead:key-rotation": "exempt" } }), 200);
    world.addKey(world.addUser("x"), 200);
  },
  "waiting-for-deactivation": (world) => rotatedLongAgo(world, 95),
  deactivate: (world) => rotatedLongAgo(world, 100),
  "old-key-in-use": async (world) => {
    await rotatedLongAgo(world, 100);
    for (const user of world.users.values()) for (const key of user.keys) key.lastUsedAt = world.now;
  },
  delete: (world) => rotatedLongAgo(world, 110),
  "used-since-replacement": async (world) => {
    await rotatedLongAgo(world, 108);
    world.days(3);
    for (const user of world.users.values())
      for (const key of user.keys) if (key.status === "Inactive") key.lastUsedAt = world.now - 8 * 86_400_000;
  },
  "re-enabled": async (world) => {
    await rotatedLongAgo(world, 108);
    for (const user of world.users.values()) for (const key of user.keys) key.status = "Active";
    world.days(3);
  },
  "replacement-gone-rotate": async (world) => {
    await rotatedLongAgo(world, 95);
    for (const user of world.users.values()) user.keys.pop();
  },
  "several users": (world) => {
    for (let i = 0; i < 4; i += 1) world.addKey(world.addUser(`u${i}`), 95 + i);
    world.addKey(world.addUser("young"), 5);
  },
};

/** What the first run does in each of them, by user: the row, and the actions without ids. */
const FIRST: Record<string, string[]> = {
  rotate: ["rotate rotate"],
  "rotate, the second time": ["rotate rotate"],
  young: [],
  "no-room": ["no-room"],
  "no-room: one disabled": ["no-room"],
  "a key its owner disabled": [],
  exempt: ["exempt-group", "break-glass", "exempt-tag", "rotate rotate"],
  "waiting-for-deactivation": [],
  deactivate: ["deactivate deactivate"],
  "old-key-in-use": ["old-key-in-use"],
  delete: ["delete delete"],
  "used-since-replacement": ["used-since-replacement"],
  "re-enabled": ["re-enabled"],
  "replacement-gone-rotate": ["replacement-gone-rotate rotate"],
  "several users": ["rotate rotate", "rotate rotate", "rotate rotate", "rotate rotate"],
};

function useCurrent(world: World): void {
  for (const user of world.users.values()) {
    const id = world.readSecret(user);
    for (const key of user.keys) if (key.id === id && key.status === "Active") key.lastUsedAt = world.now;
  }
}

/** Two users, one of whom took the new key from the secret, run daily until the first key has this age. */
async function rotatedLongAgo(world: World, age: number): Promise<void> {
  world.addKey(world.addUser("u"), 89, { lastUsedAt: world.now });
  for (let day = 89; day < age; day += 1) {
    await runIn(world);
    useCurrent(world);
    world.days(1);
  }
}

async function worldOf(scenario: string): Promise<World> {
  const world = new World();
  world.latency = 100;
  await SCENARIOS[scenario]?.(world);
  return world;
}

/** Runs daily, with an owner who changes to the new key at once, for a while. */
async function liveOn(world: World, days: number, cell = "prod"): Promise<void> {
  for (let day = 0; day < days; day += 1) {
    useCurrent(world);
    world.days(1);
    await runIn(world, { cell });
    expect(world.violations).to.deep.equal([]);
    for (const user of world.users.values()) mustWork(world, user);
  }
}

function mustWork(world: World, user: WorldUser): void {
  if (user.keys.some(({ status }) => status === "Active"))
    expect(world.hasWorkingKey(user), `${user.name} has a working key`).to.equal(true);
}

/** What people can see in the end, without ids. */
function summary(world: World) {
  return [...world.users.values()].map((user) => [user.name, user.keys.map(({ status }) => status).sort()]);
}

describe("the rotation of keys, interrupted", () => {
  for (const scenario of Object.keys(SCENARIOS)) {
    it(`${scenario}: a crash before and after every call, then another run`, async function () {
      this.timeout(120_000);
      const clean = await worldOf(scenario);
      const { calls, outcomes } = await runIn(clean);
      const rows = outcomes.map(({ row, done }) =>
        [row, ...done.map((action) => action.split(":")[0])].join(" "),
      );
      expect(rows).to.deep.equal(FIRST[scenario]);
      await liveOn(clean, 25);
      expect(clean.orphans()).to.deep.equal([]);
      const mails = clean.mails().length;
      for (let at = 0; at < calls; at += 1) {
        for (const fate of ["crashBefore", "crashAfter"] as const) {
          for (const [pause, cell] of [
            [30 / 1440, "prod"],
            [1, "prod"],
            [30 / 1440, "dr"],
          ] as const) {
            const what = `${scenario}, ${fate} ${at} of ${calls}, then ${cell} after ${pause} days`;
            const world = await worldOf(scenario);
            await runIn(world, { fate: (_, index) => (index === at ? fate : "works") });
            for (const user of world.users.values()) mustWork(world, user);
            world.days(pause);
            if (cell === "dr") fail(world);
            await runIn(world, { cell });
            expect(world.violations, what).to.deep.equal([]);
            expect(world.orphans(), what).to.deep.equal([]);
            await liveOn(world, 25, cell);
            expect(summary(world), what).to.deep.equal(summary(clean));
            // An orphan that was removed is told as well.
            const told = world.mails().filter((mail) => !mail.includes("orphan-deleted"));
            expect(told.length, `${what}: ${told.join(", ")}`).to.be.within(mails - 1, mails + 1);
          }
        }
      }
    });
  }

  it("has nothing left to delete when the run dies twice at the same user", async () => {
    for (let first = 0; first < 20; first += 1) {
      for (let second = 0; second < 20; second += 1) {
        const world = await worldOf("rotate");
        await runIn(world, { fate: (_, index) => (index === first ? "crashAfter" : "works") });
        world.days(0.05);
        await runIn(world, { fate: (_, index) => (index === second ? "crashAfter" : "works") });
        world.days(1);
        await runIn(world);
        await liveOn(world, 25);
        expect(world.orphans(), `${first}, ${second}`).to.deep.equal([]);
        expect(summary(world)).to.deep.equal([["u", ["Active"]]]);
      }
    }
  });

  const KINDS: FailureKind[] = [
    "throttled",
    "unreachable",
    "denied",
    "other",
    "missing",
    "limit",
    "conflict",
    "exists",
  ];
  for (const scenario of ["rotate", "deactivate", "delete", "several users", "exempt", "old-key-in-use"]) {
    it(`${scenario}: an error of every kind at every call, and answers that are lost`, async function () {
      this.timeout(120_000);
      const { calls } = await runIn(await worldOf(scenario));
      const clean = await worldOf(scenario);
      await runIn(clean);
      await liveOn(clean, 30);
      for (const fate of [...KINDS, "lostAnswer"] as Fate[]) {
        for (let at = 0; at < calls; at += 1) {
          const what = `${scenario}: ${fate} at ${at}`;
          const world = await worldOf(scenario);
          await runIn(world, { fate: (_, index) => (index === at ? fate : "works") });
          expect(world.violations, what).to.deep.equal([]);
          for (const user of world.users.values()) mustWork(world, user);
          world.days(0.1);
          await liveOn(world, 30);
          expect(world.orphans(), what).to.deep.equal([]);
          expect(summary(world), what).to.deep.equal(summary(clean));
        }
      }
    });
  }

  it("goes on after any amount of throttling, and makes no call twice that was made", async () => {
    const world = await worldOf("several users");
    const result = await runIn(world, {
      fate: (call, index) => (index % 2 === 1 || call === "gate" ? "works" : "throttled"),
    });
    expect(result.status).to.equal("done");
    expect(result.outcomes.flatMap(({ done }) => done)).to.have.length(4);
    for (const user of world.users.values()) expect(user.keys.length).to.be.at.most(2);
    expect(world.orphans()).to.deep.equal([]);
  });

  it("counts an unreadable last use as unknown (measured: a throttled call deletes a key in daily use)", async () => {
    for (const kind of ["throttled", "denied", "other"] as const) {
      const world = await worldOf("deactivate");
      for (const user of world.users.values()) for (const key of user.keys) key.lastUsedAt = world.now;
      const result = await runIn(world, {
        fate: (call) => (call === "GetAccessKeyLastUsed" ? kind : "works"),
      });
      expect(result.outcomes.map(({ row, done }) => ({ row, done }))).to.deep.equal([
        { row: "unknown-last-use", done: [] },
      ]);
    }
  });

  it("leaves everybody alone when groups, tags or records cannot be read (measured: exempt users are rotated)", async () => {
    for (const call of ["GetAccountAuthorizationDetails", "Query", "Query (peer)", "ListAccessKeys"]) {
      const world = await worldOf("exempt");
      const result = await runIn(world, { fate: (name) => (name === call ? "denied" : "works") });
      expect(
        result.outcomes.flatMap(({ done }) => done),
        call,
      ).to.deep.equal([]);
      expect(
        result.outcomes.flatMap(({ reports }) => reports),
        call,
      ).to.not.deep.equal([]);
    }
  });

  it("touches nobody in an account that lacks the exemption group", async () => {
    const world = await worldOf("rotate");
    const result = await runIn(world, { exemptGroup: "misspelt" });
    expect(result.outcomes.map(({ row }) => row)).to.deep.equal(["exempt-group-unreadable"]);
    expect(world.calls.get("CreateAccessKey")).to.equal(undefined);
  });

  it("pauses while IAM's control plane is out of reach, and goes on afterwards", async () => {
    const world = await worldOf("several users");
    const iam = [
      "GenerateCredentialReport",
      "GetCredentialReport",
      "GetAccountAuthorizationDetails",
      "ListAccessKeys",
      "CreateAccessKey",
    ];
    const paused = await runIn(world, { fate: (call) => (iam.includes(call) ? "unreachable" : "works") });
    expect(paused).to.deep.include({ status: "paused", reason: "iam-unreachable" });
    const late = await runIn(world, {
      fate: (call) => (call === "CreateAccessKey" ? "unreachable" : "works"),
    });
    expect(late.outcomes.flatMap(({ done }) => done)).to.deep.equal([]);
    world.days(1);
    const after = await runIn(world);
    expect(after.outcomes.flatMap(({ done }) => done)).to.have.length(4);
    expect(world.orphans()).to.deep.equal([]);
  });

  it("keeps the key when storing it fails, by removing it again (measured: the credential is lost)", async () => {
    const world = await worldOf("rotate");
    const result = await runIn(world, { fate: (call) => (call === "PutSecretValue" ? "denied" : "works") });
    expect(result.outcomes[0]?.failed).to.deep.equal([
      { action: `rotate:${world.users.get("u")?.keys[0]?.id}`, code: "denied" },
    ]);
    expect(world.users.get("u")?.keys).to.have.length(1);
    expect(world.orphans()).to.deep.equal([]);
    expect(world.mails().map((mail) => mail.split(":")[0])).to.deep.equal(["u failed"]);
    world.days(1);
    expect((await runIn(world)).outcomes[0]?.done).to.have.length(1);
  });

  it("makes the secret anew that somebody deleted", async () => {
    const world = await worldOf("rotate, the second time");
    world.secrets.clear();
    const result = await runIn(world);
    expect(result.outcomes[0]?.done).to.have.length(1);
    expect(world.readSecret(world.users.get("u") as WorldUser)).to.equal(world.users.get("u")?.keys[1]?.id);
  });

  it("never takes a key of the owner's for an orphan", async () => {
    // A run dies before it makes the key; a day later the owner makes one.
    for (const at of [5, 6, 7, 8, 9, 10]) {
      const world = await worldOf("rotate");
      await runIn(world, { fate: (_, index) => (index === at ? "crashBefore" : "works") });
      const user = world.users.get("u") as WorldUser;
      if (user.keys.length > 1) continue;
      world.days(0.5);
      const own = world.addKey(user, 0);
      world.days(0.5);
      await liveOn(world, 30);
      expect(user.keys).to.include(own);
    }
  });

  describe("two cells", () => {
    it("do no harm when both run at once, each believing that it may act", async () => {
      for (const scenario of Object.keys(SCENARIOS)) {
        for (let seed = 0; seed < 12; seed += 1) {
          const world = await worldOf(scenario);
          world.gate.dr = {
            active: true,
            higherEpochAtPeer: false,
            peerReadable: false,
            peerRequired: false,
          };
          const lag = { calls: seed };
          const late: FateOf = () => "works";
          await Promise.all([
            runIn(world, { cell: "prod" }),
            (async () => {
              for (let turn = 0; turn < lag.calls * 3; turn += 1) await Promise.resolve();
              await runIn(world, { cell: "dr", fate: late });
            })(),
          ]);
          expect(world.violations, `${scenario}, ${seed}`).to.deep.equal([]);
          for (const user of world.users.values()) mustWork(world, user);
          world.gate.dr = { active: false, higherEpochAtPeer: true, peerReadable: true, peerRequired: true };
          await liveOn(world, 30);
          expect(world.orphans(), `${scenario}, ${seed}`).to.deep.equal([]);
        }
      }
    });

    it("stand down in the middle of a run", async () => {
      for (const scenario of ["deactivate", "delete", "several users", "rotate"]) {
        const { calls } = await runIn(await worldOf(scenario));
        for (let at = 0; at < calls; at += 1) {
          const world = await worldOf(scenario);
          let asked = false;
          let destructive = 0;
          const result = await runIn(world, {
            fate: (call, index) => {
              if (index === at) fail(world);
              if (index >= at && call === "gate") asked = true;
              // Only the call for which the gate was asked just before the promotion may still be made.
              if (asked && ["UpdateAccessKey", "DeleteAccessKey", "CreateAccessKey"].includes(call))
                destructive += 1;
              return "works";
            },
          });
          expect(destructive, `${scenario}, ${at}: ${result.reason}`).to.equal(0);
          world.days(0.1);
          await runIn(world, { cell: "dr" });
          await liveOn(world, 30, "dr");
          expect(world.orphans()).to.deep.equal([]);
        }
      }
    });

    it("leave a user alone at whom another run was a moment ago", async () => {
      const world = await worldOf("rotate");
      await runIn(world, { fate: (call) => (call === "CreateAccessKey" ? "crashAfter" : "works") });
      fail(world);
      world.now += 5 * 60_000;
      // The other cell does not see the announcement in its own table, and so reads both.
      const early = await runIn(world, { cell: "dr" });
      expect(early.outcomes.map(({ row, done }) => ({ row, done }))).to.deep.equal([
        { row: "busy", done: [] },
      ]);
      world.now += 30 * 60_000;
      const later = await runIn(world, { cell: "dr" });
      expect(later.outcomes[0]?.done.map((action) => action.split(":")[0])).to.deep.equal([
        "deleteOrphan",
        "rotate",
      ]);
    });

    it("do not repeat what the other one did", async () => {
      const world = await worldOf("rotate");
      fail(world);
      // Promoted, with the other region's table out of reach.
      await runIn(world, {
        cell: "dr",
        fate: (call) => (call.includes("peer") && call.startsWith("Transact") ? "unreachable" : "works"),
      });
      expect(world.tables.prod?.size).to.equal(0);
      world.gate.prod = { active: true, higherEpochAtPeer: false, peerReadable: true, peerRequired: true };
      world.days(1);
      const back = await runIn(world);
      expect(back.outcomes.flatMap(({ done }) => done)).to.deep.equal([]);
      expect(world.users.get("u")?.keys).to.have.length(2);
      expect(world.mails()).to.have.length(1);
    });

    it("do nothing while they stand by, and read no user", async () => {
      const world = await worldOf("several users");
      const result = await runIn(world, { cell: "dr" });
      expect(result).to.deep.include({ status: "paused", reason: "standby" });
      expect([...world.calls.keys()].sort()).to.deep.equal([
        "GenerateCredentialReport",
        "GetCredentialReport",
        "gate",
      ]);
    });
  });

  describe("clocks that jump", () => {
    for (const days of [-400, -20, -1, -0.2, 0.5, 15, 100, 4000]) {
      it(`by ${days} days: does nothing in that run`, async () => {
        for (const scenario of Object.keys(SCENARIOS)) {
          const world = await worldOf(scenario);
          world.days(0.2);
          const result = await runIn(world, { clockAhead: days * 86_400_000 });
          expect(
            result.outcomes.flatMap(({ done }) => done),
            scenario,
          ).to.deep.equal([]);
          expect(result.reason, scenario).to.equal("clock-wrong");
          await liveOn(world, 25);
          expect(world.orphans()).to.deep.equal([]);
        }
      });
    }
  });

  it("holds over years, with owners of all habits, failures and crashes", async function () {
    this.timeout(300_000);
    const habit = fc.record({
      age: fc.integer({ min: 0, max: 200 }),
      /** Days until the owner changes to a new key; 1000: never. */
      delay: fc.constantFrom(0, 1, 5, 12, 40, 1000),
      second: fc.constantFrom("none", "none", "active", "inactive"),
    });
    /** What happens on a day: one in many is special. */
    const events = fc.array(
      fc.record({
        day: fc.integer({ min: 0, max: 800 }),
        user: fc.nat({ max: 3 }),
        kind: fc.constantFrom(
          "crash",
          "error",
          "disable",
          "enable",
          "removeOld",
          "removeNew",
          "ownKey",
          "skip",
          "failover",
        ),
        at: fc.nat({ max: 40 }),
        fate: fc.constantFrom<Fate>(
          "crashBefore",
          "crashAfter",
          "throttled",
          "unreachable",
          "denied",
          "other",
          "lostAnswer",
        ),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(habit, { minLength: 1, maxLength: 4 }),
        events,
        async (habits, happenings) => {
          const world = new World();
          world.latency = 50;
          const uses = new Map<string, { id: string; since: number }>();
          for (const [index, { age, second }] of habits.entries()) {
            const user = world.addUser(`u${index}`);
            uses.set(user.name, { id: world.addKey(user, age).id, since: 0 });
            if (second !== "none")
              world.addKey(user, age, { status: second === "active" ? "Active" : "Inactive" });
          }
          let cell = "prod";
          for (let day = 0; day < 800; day += 1) {
            const today = happenings.filter((each) => each.day === day);
            for (const { kind, user: index } of today) {
              const user = [...world.users.values()][index % habits.length];
              if (user) ownerDoes(world, user, kind);
              if (kind === "failover") {
                cell = cell === "prod" ? "dr" : "prod";
                promote(world, cell);
              }
            }
            for (const [index, user] of [...world.users.values()].entries()) {
              const inUse = uses.get(user.name);
              const stored = world.readSecretId(user);
              if (!inUse) continue;
              if (stored && stored !== inUse.id) {
                inUse.since += 1;
                if (
                  inUse.since > (habits[index]?.delay ?? 0) ||
                  !user.keys.some(({ id, status }) => id === inUse.id && status === "Active")
                ) {
                  world.readSecret(user);
                  Object.assign(inUse, { id: stored, since: 0 });
                }
              }
              for (const key of user.keys)
                if (key.id === inUse.id && key.status === "Active") key.lastUsedAt = world.now;
            }
            const trouble = today.find(({ kind }) => kind === "crash" || kind === "error");
            const before = new Map(
              [...world.users.values()].map((user) => [user.name, world.hasWorkingKey(user)]),
            );
            if (!today.some(({ kind }) => kind === "skip")) {
              await runIn(world, {
                cell,
                fate: (_, at) => (trouble && at === trouble.at ? trouble.fate : "works"),
              });
            }
            expect(world.violations).to.deep.equal([]);
            for (const user of world.users.values()) {
              if (before.get(user.name))
                expect(world.hasWorkingKey(user), `${user.name} on day ${day}`).to.equal(true);
            }
            world.days(1);
          }
          await runIn(world, { cell });
          world.days(1);
          await runIn(world, { cell });
          expect(world.orphans()).to.deep.equal([]);
        },
      ),
      { seed: 20_260_102, numRuns: 40 },
    );
  });

  it("keeps secrets out of everything but the secret", async () => {
    const world = await worldOf("several users");
    const result = await runIn(world);
    const seen = JSON.stringify([
      result,
      world.notices,
      [...(world.tables.prod ?? [])],
      [...(world.tables.dr ?? [])],
    ]);
    for (const user of world.users.values())
      for (const { secret } of user.keys) expect(seen).to.not.include(secret);
    const user = world.users.get("u0") as WorldUser;
    const secret = world.secrets.get(secretName("/bulkhead/keys", world.accountId, "u0"));
    expect(secret?.current).to.equal(versionOf(world.accountId, "u0", user.keys[1]?.id ?? ""));
  });
});

/** The other cell is promoted. */
function fail(world: World): void {
  promote(world, "dr");
}

function promote(world: World, cell: string): void {
  for (const each of ["prod", "dr"]) {
    world.gate[each] = {
      active: each === cell,
      higherEpochAtPeer: each !== cell,
      peerReadable: true,
      peerRequired: true,
    };
  }
}

function ownerDoes(world: World, user: WorldUser, kind: string): void {
  const [first, last] = [user.keys[0], user.keys.at(-1)];
  if (kind === "disable" && first) first.status = "Inactive";
  if (kind === "enable") for (const key of user.keys) key.status = "Active";
  if (kind === "removeOld" && user.keys.length > 1) user.keys.shift();
  if (kind === "removeNew" && user.keys.length > 1 && last) user.keys.pop();
  if (kind === "ownKey" && user.keys.length < 2) world.addKey(user, 0);
}
