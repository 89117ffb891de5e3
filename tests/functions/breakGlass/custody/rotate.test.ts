import { expect } from "chai";
import * as fc from "fast-check";
import { currentPasswords, lastEffective } from "../../../../functions/breakGlass/custody/currentPasswords";
import { CustodyError } from "../../../../functions/breakGlass/custody/custodyError";
import {
  type RotationRequest,
  type RotationResult,
  rotatePassword,
} from "../../../../functions/breakGlass/custody/rotate";
import { union } from "../../../../functions/breakGlass/records/bothCells";
import { rotationDue } from "../../../../functions/breakGlass/records/views";
import { ALICE, Crash, FakeCustodian, type Fault, Faults, failure, LostStore, USER, World } from "./support";

const INITIAL = "made-at-deployment-1";
const FAULTS: Fault[] = ["before", "after", "lost", "unanswered"];

describe("break-glass custody: rotating a password", () => {
  const alice = new FakeCustodian(ALICE);
  const request: RotationRequest = { userName: USER, custodian: ALICE, key: alice.key, cause: "rotation" };

  const recorded = async (world: World, ...stores: ("east" | "west")[]) =>
    union((await Promise.all(stores.map((store) => world[store].list("passwordIssued")))).flat());

  /** What the custodian can open, by what these tables hold. The password of the deployment is kept outside of them. */
  const openable = async (world: World, ...stores: ("east" | "west")[]) => {
    const records = await recorded(world, ...stores);
    const offered = currentPasswords(records, USER).map(({ ciphertext }) => alice.open(ciphertext));
    return lastEffective(records, USER) ? offered : [...offered, INITIAL];
  };

  const violations: string[] = [];
  beforeEach(() => violations.splice(0));
  // The flows catch errors, so an assertion within a call would not be seen.
  afterEach(() => expect(violations).to.deep.equal([]));

  const expectOpenable = async (world: World, ...stores: ("east" | "west")[]): Promise<void> => {
    const valid = world.iam.passwords.get(USER);
    const offered = await openable(world, ...stores);
    if (!offered.includes(valid)) violations.push(`${valid} is not among ${offered.join(", ")}`);
  };

  it("records the ciphertext in both cells before it changes anything, and that it is valid afterwards", async () => {
    const world = new World();
    const seen: string[] = [];
    const { setPassword } = world.iam;
    world.iam.setPassword = async function (userName, password) {
      seen.push(...(await recorded(world, "east")).map(({ state }) => state));
      seen.push(...(await recorded(world, "west")).map(({ state }) => state));
      await setPassword.call(this, userName, password);
    };
    const result = await rotatePassword(world.tools(), request);
    expect(seen).to.deep.equal(["prepared", "prepared"]);
    expect(result).to.deep.include({
      outcome: "effective",
      confirmed: true,
      keyFingerprint: alice.key.fingerprint,
    });
    expect(result.stored.map(({ cell, recorded: done }) => [cell, done])).to.deep.equal([
      ["prod", true],
      ["dr", true],
    ]);
    for (const store of ["east", "west"] as const) {
      expect((await recorded(world, store)).map(({ state }) => state)).to.deep.equal([
        "prepared",
        "effective",
      ]);
      expect(await openable(world, store)).to.deep.equal([world.iam.passwords.get(USER)]);
    }
  });

  for (const [what, stores] of [
    ["both cells answering", {}],
    ["the other cell lost", { west: new LostStore() }],
  ] as const) {
    it(`never leaves a valid password that the custodian cannot open, wherever it is cut off, with ${what}`, async () => {
      const both = Object.keys(stores).length === 0;
      const tables = both ? (["east", "west"] as const) : (["east"] as const);
      let reached = 0;
      for (let at = 0; reached === at; at++) {
        for (const fault of FAULTS) {
          const world = new World(stores);
          await rotatePassword(world.tools(), request);
          world.advance(3_600_000);
          const watch = () => expectOpenable(world, ...tables);
          const faults = new Faults(at, fault, watch);
          try {
            const { outcome, confirmed } = await rotatePassword(world.tools(faults), request);
            if (outcome === "unknown" || !confirmed) expect(fault).to.not.equal(undefined);
          } catch (error) {
            expect(error).to.satisfy((e: Error) => e instanceof Crash || e.message.length > 0);
          }
          if (faults.calls > at) reached = at + 1;
          await watch();
          // The next run needs no knowledge of what happened.
          world.advance(3_600_000);
          const next = await rotatePassword(world.tools(new Faults(undefined, undefined, watch)), request);
          expect(next.outcome).to.equal("effective");
          expect(await openable(world, ...tables)).to.deep.equal([world.iam.passwords.get(USER)]);
        }
      }
      // GetLoginProfile, two reads, two writes, the change, two writes.
      expect(reached).to.equal(both ? 8 : 8);
    });
  }

  it("keeps the first password of all openable until one is set, wherever it is cut off", async () => {
    for (let at = 0; at < 8; at++) {
      for (const fault of FAULTS) {
        const world = new World();
        const watch = () => expectOpenable(world, "east", "west");
        await rotatePassword(world.tools(new Faults(at, fault, watch)), request).catch(() => undefined);
        await watch();
      }
    }
  });

  it("offers the valid password after any interleaving of two operators, one of whom may crash", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(7),
        fc.constantFrom<Fault | undefined>(undefined, ...FAULTS),
        fc.boolean(),
        async (scheduler, at, fault, before) => {
          const world = new World();
          if (before) await rotatePassword(world.tools(), request);
          world.advance(before ? 3_600_000 : 0);
          const watch = () => expectOpenable(world, "east", "west");
          const yields = () => scheduler.schedule(Promise.resolve());
          const run = (faults: Faults): Promise<RotationResult | undefined> =>
            rotatePassword(world.tools(faults), request).catch(() => undefined);
          const both = Promise.all([
            run(new Faults(at, fault, watch, yields)),
            run(new Faults(undefined, undefined, watch, yields)),
          ]);
          await scheduler.waitFor(both);
          await watch();
          world.advance(3_600_000);
          await rotatePassword(world.tools(), request);
          expect(await openable(world, "east", "west")).to.deep.equal([world.iam.passwords.get(USER)]);
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });

  it("survives clocks that differ: what is offered does not depend on times", async () => {
    const world = new World();
    await rotatePassword(world.tools(), request);
    world.advance(-7 * 24 * 3_600_000);
    await rotatePassword(world.tools(), request);
    expect(await openable(world, "east", "west")).to.deep.equal([world.iam.passwords.get(USER)]);
  });

  it("changes nothing while IAM does not answer, and prepares nothing either", async () => {
    const world = new World();
    const error = await failure(rotatePassword(world.tools(new Faults(0, "lost")), request));
    expect(error).to.be.instanceOf(CustodyError);
    expect(error.code).to.equal("iam-unavailable");
    expect(await recorded(world, "east", "west")).to.deep.equal([]);
  });

  it("changes nothing when no cell takes the record", async () => {
    const world = new World({ east: new LostStore(), west: new LostStore() });
    expect((await failure(rotatePassword(world.tools(), request))).code).to.equal("evidence-unavailable");
    expect(world.iam.passwords.get(USER)).to.equal(INITIAL);
  });

  it("changes nothing when the cell that has to record it does not", async () => {
    const world = new World({ east: new LostStore() });
    const error = await failure(rotatePassword(world.tools(), { ...request, requiredCell: "prod" }));
    expect(error.code).to.equal("not-recorded");
    expect(error.message).to.include("could not be recorded in prod (us-east-1)");
    expect(world.iam.passwords.get(USER)).to.equal(INITIAL);
    expect(await openable(world, "west")).to.deep.equal([INITIAL]);
  });

  it("does not offer a password that IAM refused by name", async () => {
    const world = new World();
    world.iam.setPassword = async () => {
      throw new CustodyError("password-refused", "does not fit the policy");
    };
    expect((await failure(rotatePassword(world.tools(), request))).code).to.equal("password-refused");
    expect((await recorded(world, "west")).map(({ state }) => state)).to.deep.equal([
      "prepared",
      "abandoned",
    ]);
    expect(await openable(world, "east", "west")).to.deep.equal([INITIAL]);
  });

  it("offers both when IAM set the password without an answer, then refused it as used before", async () => {
    const world = new World();
    await rotatePassword(world.tools(), request);
    let attempts = 0;
    const set = world.iam.setPassword.bind(world.iam);
    world.iam.setPassword = async (userName, password) => {
      if (attempts++ > 0) throw new CustodyError("password-refused", "used before");
      await set(userName, password);
      throw new CustodyError("iam-unavailable", "no answer");
    };
    const { outcome, confirmed } = await rotatePassword(world.tools(), request);
    expect({ outcome, confirmed }).to.deep.equal({ outcome: "unknown", confirmed: false });
    expect(await openable(world, "east"))
      .to.have.length(2)
      .and.include(world.iam.passwords.get(USER));
  });

  it("does not set a password that was prepared long ago, and asks before every attempt", async () => {
    const world = new World();
    const late = { ...request, beforeChange: async () => world.advance(121_000) };
    expect((await failure(rotatePassword(world.tools(), late))).code).to.equal("stopped");
    const refused = {
      ...request,
      async beforeChange() {
        throw new CustodyError("stopped", "not the acting cell any more");
      },
    };
    expect((await failure(rotatePassword(world.tools(), refused))).message).to.include("not the acting cell");
    expect(world.iam.passwords.get(USER)).to.equal(INITIAL);
    expect(await openable(world, "east", "west")).to.deep.equal([INITIAL]);
  });

  it("says that the password is valid although it could not be recorded", async () => {
    const world = new World();
    let writes = 0;
    const append = world.east.append.bind(world.east);
    for (const store of [world.east, world.west]) {
      store.append = async (record) => {
        if (writes++ >= 2) return new LostStore().append(record);
        await append(record);
      };
    }
    const result = await rotatePassword(world.tools(), request);
    expect(result).to.include({ outcome: "effective", confirmed: false });
    await expectOpenable(world, "east");
  });

  it("makes a use during the change demand another one", async () => {
    const world = new World();
    const set = world.iam.setPassword.bind(world.iam);
    let usedAt = "";
    world.iam.setPassword = async (userName, password) => {
      usedAt = world.now().toISOString();
      await set(userName, password);
    };
    await rotatePassword(world.tools(), request);
    const use = {
      kind: "useOpened" as const,
      id: `${usedAt}#u`,
      at: usedAt,
      by: "tracker",
      userName: USER,
      useId: "u",
      cell: "prod",
      firstCall: "ConsoleLogin",
      region: "us-east-1",
    };
    expect(rotationDue([use], await recorded(world, "east"))).to.have.length(1);
    await rotatePassword(world.tools(), request);
    expect(rotationDue([use], await recorded(world, "east"))).to.deep.equal([]);
  });
});
