import { expect } from "chai";
import { currentPasswords, departure } from "../../../../functions/breakGlass/custody/currentPasswords";
import { inventory } from "../../../../functions/breakGlass/custody/devices";
import { recordEnrolment } from "../../../../functions/breakGlass/custody/enrolTotp";
import { custodianLeaves, type LeaveRequest } from "../../../../functions/breakGlass/custody/leave";
import { removeDevice } from "../../../../functions/breakGlass/custody/removeDevice";
import { rotatePassword } from "../../../../functions/breakGlass/custody/rotate";
import {
  ALICE,
  BOB,
  CAROL,
  FakeCustodian,
  type Fault,
  Faults,
  failure,
  LostStore,
  OTHER,
  USER,
  World,
} from "./support";

describe("break-glass custody: removing a device", () => {
  async function withDevices(...names: string[]) {
    const world = new World();
    const serials = names.map((name) => world.iam.give(USER, name, name.startsWith("key") ? "u2f" : "mfa"));
    return { world, serials, request: { userName: USER, reason: "lost", recorded: false } };
  }

  it("takes it away, deletes a virtual one, and records why", async () => {
    const { world, serials, request } = await withDevices("a", "b", "key-c");
    const result = await removeDevice(world.tools(), { ...request, serialNumber: serials[0]! });
    expect(result).to.deep.include({ wasEnabled: true });
    expect(result).to.not.have.property("shortfall");
    expect([...world.iam.store.keys()]).to.deep.equal(serials.slice(1));
    expect((await world.west.list("deviceRemoved"))[0]).to.deep.include({
      reason: "lost",
      serialNumber: serials[0],
    });
  });

  for (const [what, names, removed, lacking] of [
    ["the second device", ["a", "b"], 0, "1 of at least 2 devices"],
    ["the last TOTP device", ["a", "key-b", "key-c"], 0, "no TOTP device"],
  ] as const) {
    it(`does not remove ${what} unless told to, and then says what is lacking`, async () => {
      const { world, serials, request } = await withDevices(...names);
      const serialNumber = serials[removed]!;
      const error = await failure(removeDevice(world.tools(), { ...request, serialNumber }));
      expect(error.code).to.equal("too-few-devices");
      expect(error.message).to.include(lacking).and.include("--force");
      expect(world.iam.store.size).to.equal(serials.length);
      const result = await removeDevice(world.tools(), { ...request, serialNumber, force: true });
      expect(result.shortfall).to.include(lacking);
    });
  }

  it("completes a removal that was cut off anywhere", async () => {
    for (let at = 0; at < 6; at++) {
      for (const fault of ["before", "after", "lost", "unanswered"] as Fault[]) {
        const { world, request } = await withDevices("a", "b");
        const serialNumber = world.iam.give(USER, `${USER}-${ALICE}`);
        await recordEnrolment(world.tools(), { userName: USER, serialNumber, holder: ALICE });
        const tools = world.tools(new Faults(at, fault));
        await removeDevice(tools, { ...request, serialNumber, recorded: true }).catch(() => undefined);
        await removeDevice(world.tools(), { ...request, serialNumber, recorded: true });
        expect(world.iam.store.has(serialNumber)).to.equal(false);
        for (const store of [world.east, world.west]) {
          expect((await store.list("deviceRemoved")).length).to.be.at.least(1);
        }
      }
    }
  });

  it("refuses a device that the user never had", async () => {
    const { world, request } = await withDevices("a", "b", "c");
    const serialNumber = world.iam.give(OTHER, "theirs");
    expect((await failure(removeDevice(world.tools(), { ...request, serialNumber }))).code).to.equal(
      "no-such-device",
    );
    expect(world.iam.store.has(serialNumber)).to.equal(true);
  });
});

describe("break-glass custody: a custodian leaves", () => {
  const alice = new FakeCustodian(ALICE);
  const carol = new FakeCustodian(CAROL);
  const users = [
    { userName: USER, custodian: ALICE },
    { userName: OTHER, custodian: BOB },
  ];
  const request: LeaveRequest = { custodian: ALICE, successor: CAROL, key: carol.key, users, force: false };

  /** Alice keeps the first user's password and a device of each user; each user has two others. */
  async function prepared(world = new World()) {
    await rotatePassword(world.tools(), {
      userName: USER,
      custodian: ALICE,
      key: alice.key,
      cause: "rotation",
    });
    for (const userName of [USER, OTHER]) {
      for (const holder of [ALICE, BOB, CAROL]) {
        const serialNumber = world.iam.give(userName, `${userName}-${holder}`);
        await recordEnrolment(world.tools(), { userName, serialNumber, holder });
      }
    }
    world.advance(3_600_000);
    return world;
  }

  const holders = async (world: World) => {
    const enabled = new Map([
      [USER, await world.iam.devices(USER)],
      [OTHER, await world.iam.devices(OTHER)],
    ]);
    const enrolled = await world.records("deviceEnrolled");
    const removed = await world.records("deviceRemoved");
    return inventory({ userNames: [USER, OTHER], enrolled, removed, enabled, unassigned: [] }).devices.map(
      ({ holder }) => holder,
    );
  };

  const expectDone = async (world: World) => {
    const offered = currentPasswords(await world.records("passwordIssued"), USER);
    expect(offered.map(({ ciphertext }) => carol.open(ciphertext))).to.deep.equal([
      world.iam.passwords.get(USER),
    ]);
    expect(await holders(world)).to.not.include(ALICE);
    expect(await world.iam.unassignedDevices()).to.deep.equal([]);
    const left = await world.records("custodianLeft");
    expect(left).to.have.length.within(1, 2);
  };

  it("gives their passwords to the successor, removes their devices, and touches nothing else", async () => {
    const world = await prepared();
    const untouched = world.iam.passwords.get(OTHER);
    const result = await custodianLeaves(world.tools(), request);
    expect(result).to.deep.include({ resumed: false, remaining: [], shortfalls: [], configured: [0] });
    expect(result.rotated.map(({ userName, cause }) => [userName, cause])).to.deep.equal([
      [USER, "custodianLeft"],
    ]);
    expect(result.removed.map(({ userName }) => userName)).to.deep.equal([USER, OTHER]);
    expect(world.iam.passwords.get(OTHER)).to.equal(untouched);
    await expectDone(world);
    const left = await world.records("custodianLeft");
    expect(left[0]).to.deep.include({ custodian: ALICE, successor: CAROL, userNames: [USER, OTHER] });

    const again = await custodianLeaves(world.tools(), request);
    expect(again).to.deep.include({ resumed: true, rotated: [], removed: [], remaining: [] });
    expect(await world.records("custodianLeft")).to.have.length(1);
  });

  it("is completed by the next run, wherever it was cut off", async () => {
    let reached = 0;
    for (let at = 0; reached === at; at++) {
      for (const fault of ["before", "after", "lost", "unanswered"] as Fault[]) {
        const world = await prepared();
        const faults = new Faults(at, fault);
        const first = await custodianLeaves(world.tools(faults), request).catch((error: Error) => error);
        if (faults.calls > at) reached = at + 1;
        if (!(first instanceof Error) && !first.remaining.length && first.rotated[0]?.confirmed)
          await expectDone(world);
        world.advance(3_600_000);
        const next = await custodianLeaves(world.tools(), request);
        expect(next.remaining).to.deep.equal([]);
        await expectDone(world);
      }
    }
    expect(reached).to.be.at.least(20);
  });

  it("rotates the password first, and leaves devices that are needed until there are others, or it is told to", async () => {
    const world = await prepared();
    await removeDevice(world.tools(), {
      userName: USER,
      serialNumber: `arn:aws:iam::222222222222:mfa/break-glass/${USER}-${CAROL}`,
      reason: "lost",
      recorded: true,
    });
    const result = await custodianLeaves(world.tools(), request);
    expect(result.remaining).to.have.length(1);
    expect(result.remaining[0]).to.include("would have too little");
    expect(carol.open(currentPasswords(await world.records("passwordIssued"), USER)[0]!.ciphertext)).to.equal(
      world.iam.passwords.get(USER),
    );
    const forced = await custodianLeaves(world.tools(), { ...request, force: true });
    expect(forced.shortfalls.map(({ userName }) => userName)).to.deep.equal([USER]);
    await expectDone(world);
  });

  it("takes over a password that only the deployment issued", async () => {
    const world = new World();
    const { rotated } = await custodianLeaves(world.tools(), request);
    expect(rotated.map(({ userName }) => userName)).to.deep.equal([USER]);
  });

  it("keeps who left from getting anything, until they are given something on purpose", async () => {
    const world = await prepared();
    await custodianLeaves(world.tools(), request);
    const gone = async () =>
      departure(await world.records("custodianLeft"), await world.records("passwordIssued"), USER, ALICE);
    expect((await gone())?.successor).to.equal(CAROL);
    world.advance(1_000);
    await rotatePassword(world.tools(), {
      userName: USER,
      custodian: ALICE,
      key: alice.key,
      cause: "rotation",
    });
    expect(await gone()).to.equal(undefined);
    world.advance(1_000);
    expect((await custodianLeaves(world.tools(), request)).resumed).to.equal(false);
    expect(await world.records("custodianLeft")).to.have.length(2);
  });

  for (const [what, change, message] of [
    ["a successor who is the leaver", { successor: ALICE }, "cannot be their own successor"],
    ["the leaver's own key", { key: alice.key }, "could still open everything"],
    ["somebody who holds nothing", { custodian: "x@example.com" }, "holds nothing"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const world = await prepared();
      const before = world.iam.passwords.get(USER);
      expect((await failure(custodianLeaves(world.tools(), { ...request, ...change }))).message).to.include(
        message,
      );
      expect(world.iam.passwords.get(USER)).to.equal(before);
      expect(await world.records("custodianLeft")).to.deep.equal([]);
    });
  }

  it("changes nothing when IAM or both tables are gone", async () => {
    const world = await prepared();
    const tools = world.tools(new Faults(8, "lost"));
    expect((await failure(custodianLeaves(tools, request))).code).to.equal("iam-unavailable");
    const lost = new World({ east: new LostStore(), west: new LostStore() });
    expect((await failure(custodianLeaves(lost.tools(), request))).code).to.equal("evidence-unavailable");
  });
});
