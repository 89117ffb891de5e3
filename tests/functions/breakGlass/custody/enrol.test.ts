import { expect } from "chai";
import { CustodyError } from "../../../../functions/breakGlass/custody/custodyError";
import { enrolSecurityKey } from "../../../../functions/breakGlass/custody/enrolSecurityKey";
import { type EnrolmentDesk, enrolTotp } from "../../../../functions/breakGlass/custody/enrolTotp";
import type { Secret } from "../../../../functions/breakGlass/custody/secret";
import {
  ALICE,
  BOB,
  Crash,
  codeOf,
  type Fault,
  Faults,
  failure,
  LostStore,
  OTHER,
  USER,
  World,
} from "./support";

const REQUEST = { userName: USER, holder: ALICE, path: "/break-glass/" };
const SERIAL = `arn:aws:iam::222222222222:mfa/break-glass/${USER}-${ALICE}`;

/** A person with an authenticator. */
class Person implements EnrolmentDesk {
  readonly problems: string[] = [];
  shown = 0;
  closed = 0;
  private seed: Secret | undefined;

  /** @param answers given before the right ones */
  constructor(private readonly answers: ([string, string] | Error)[] = []) {}

  async show({ seed }: { seed: Secret }): Promise<void> {
    this.shown++;
    this.seed = seed;
  }

  async codes(problem?: string): Promise<readonly [string, string]> {
    if (problem) this.problems.push(problem);
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    const seed = this.seed!.reveal();
    return answer ?? [codeOf(seed, 1), codeOf(seed, 2)];
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** Whether the seed can still be read. */
  get knows(): boolean {
    try {
      return Boolean(this.seed?.reveal());
    } catch {
      return false;
    }
  }
}

const enrolled = (world: World, store: "east" | "west" = "east") => world[store].list("deviceEnrolled");

describe("break-glass custody: enrolling a TOTP device", () => {
  it("enables a device named after user and holder, records the holder in both cells, and forgets the seed", async () => {
    const world = new World();
    const person = new Person();
    const result = await enrolTotp(world.tools(), REQUEST, person);
    expect(result).to.deep.include({
      serialNumber: SERIAL,
      kind: "totp",
      holder: ALICE,
      removedLeftovers: [],
    });
    expect(result.serialNumbers).to.deep.equal([SERIAL]);
    for (const store of ["east", "west"] as const) {
      expect(await enrolled(world, store)).to.have.length(1);
      expect((await enrolled(world, store))[0]).to.deep.include({
        userName: USER,
        holder: ALICE,
        serialNumber: SERIAL,
      });
    }
    expect(person).to.include({ shown: 1, knows: false });
    expect(person.closed).to.be.at.least(1);
  });

  it("explains wrong codes and asks again, but not for ever", async () => {
    const world = new World();
    const patient = new Person([
      ["12345", "654321"],
      ["111111", "111111"],
      ["111111", "222222"],
    ]);
    await enrolTotp(world.tools(), REQUEST, patient);
    expect(patient.problems.map((problem) => problem.slice(0, 20))).to.deep.equal([
      "A code has six digit",
      "These are the same c",
      "IAM does not take th",
    ]);
    const wrong = new Person(Array.from({ length: 9 }, () => ["111111", "222222"] as [string, string]));
    const error = await failure(enrolTotp(world.tools(), { ...REQUEST, holder: BOB }, wrong));
    expect(error.message).to.include("5 times").and.include("was deleted again");
    expect(await world.iam.unassignedDevices()).to.deep.equal([]);
    expect(wrong.knows).to.equal(false);
  });

  it("deletes the device when the person gives up", async () => {
    const world = new World();
    const person = new Person([new CustodyError("stopped", "Stopped.")]);
    const error = await failure(enrolTotp(world.tools(), REQUEST, person));
    expect(error.message).to.equal(`Stopped. The device ${SERIAL} was deleted again; ${USER} is as before.`);
    expect(world.iam.store.size).to.equal(0);
    expect(await enrolled(world)).to.deep.equal([]);
  });

  it("takes the next name for a second device of the same holder, and refuses a ninth", async () => {
    const world = new World();
    for (let count = 1; count <= 8; count++) {
      const { serialNumber } = await enrolTotp(world.tools(), REQUEST, new Person());
      expect(serialNumber).to.equal(count === 1 ? SERIAL : `${SERIAL},${count}`);
    }
    const person = new Person();
    const error = await failure(enrolTotp(world.tools(), REQUEST, person));
    expect(error.code).to.equal("device-limit");
    expect(error.message).to.include(`remove-device --user ${USER} --serial ${SERIAL},8`);
    expect(person.shown).to.equal(0);
  });

  it("never keeps an unusable device and never loses a holder, wherever it is cut off and run again", async () => {
    let reached = 0;
    for (let at = 0; reached === at; at++) {
      for (const fault of ["before", "after", "lost", "unanswered"] as Fault[]) {
        const world = new World();
        const faults = new Faults(at, fault);
        const first = await enrolTotp(world.tools(faults), REQUEST, new Person()).catch(
          (error: Error) => error,
        );
        if (faults.calls > at) reached = at + 1;
        const done = !(first instanceof Error);
        if (!done && !(first instanceof Crash)) expect(first.message).to.not.equal("");
        // The same person again; whoever has a device by then gets a second one.
        await enrolTotp(world.tools(), REQUEST, new Person());
        expect(await world.iam.unassignedDevices()).to.deep.equal([]);
        const devices = (await world.iam.devices(USER)).map(({ serialNumber }) => serialNumber);
        const records = await world.records("deviceEnrolled");
        expect(devices.length).to.be.within(1, 2);
        expect(new Set(records.map(({ serialNumber }) => serialNumber))).to.deep.equal(new Set(devices));
        expect(records.every(({ holder }) => holder === ALICE)).to.equal(true);
      }
    }
    expect(reached).to.be.at.least(8);
  });

  it("leaves devices alone that another enrolment may be making right now", async () => {
    const world = new World();
    await world.iam.createTotpDevice(`${USER}-${BOB}`, "/break-glass/");
    await world.iam.createTotpDevice(`${OTHER}-${ALICE}`, "/break-glass/");
    const { removedLeftovers } = await enrolTotp(world.tools(), REQUEST, new Person());
    expect(removedLeftovers).to.deep.equal([]);
    expect(await world.iam.unassignedDevices()).to.have.length(2);
  });

  it("keeps a device that IAM enabled without an answer", async () => {
    const world = new World();
    const enable = world.iam.enableTotpDevice.bind(world.iam);
    world.iam.enableTotpDevice = async (...args) => {
      await enable(...args);
      throw new CustodyError("iam-unavailable", "no answer");
    };
    const { stored } = await enrolTotp(world.tools(), REQUEST, new Person());
    expect(stored.every(({ recorded }) => recorded)).to.equal(true);
    expect(await world.iam.devices(USER)).to.have.length(1);
  });

  it("says where the record is lacking", async () => {
    const world = new World({ west: new LostStore() });
    const { stored } = await enrolTotp(world.tools(), REQUEST, new Person());
    expect(stored.map(({ cell, recorded }) => [cell, recorded])).to.deep.equal([
      ["prod", true],
      ["dr", false],
    ]);
  });
});

describe("break-glass custody: enrolling a security key", () => {
  const guide = (register: (attempt: number) => void) => ({
    async guide(attempt: number) {
      register(attempt);
    },
  });

  it("waits until IAM lists the new key, and records the holder", async () => {
    const world = new World();
    const old = world.iam.give(USER, "old-key", "u2f");
    let serial = "";
    const desk = guide((attempt) => {
      if (attempt === 2) serial = world.iam.give(USER, "new-key", "u2f");
    });
    const result = await enrolSecurityKey(world.tools(), { userName: USER, holder: BOB }, desk);
    expect(result).to.deep.include({ serialNumber: serial, kind: "fido", holder: BOB });
    expect(result.serialNumbers).to.deep.equal([old, serial]);
    expect((await enrolled(world, "west"))[0]).to.deep.include({ deviceKind: "fido", holder: BOB });
  });

  it("records nothing when no key appears, or a device of another kind", async () => {
    const world = new World();
    let asked = 0;
    const desk = guide(() => {
      asked++;
      world.iam.give(USER, `totp-${asked}`);
    });
    const error = await failure(enrolSecurityKey(world.tools(), { userName: USER, holder: BOB }, desk));
    expect(error.message).to.include("no new security key").and.include("--serial SERIAL");
    expect(asked).to.equal(3);
    expect(await enrolled(world)).to.deep.equal([]);
  });

  it("does not guess between two keys, and records the holder of one that is named", async () => {
    const world = new World();
    const keys: string[] = [];
    const desk = guide(() => keys.push(world.iam.give(USER, "a", "u2f"), world.iam.give(USER, "b", "u2f")));
    const error = await failure(enrolSecurityKey(world.tools(), { userName: USER, holder: BOB }, desk));
    expect(error.message).to.include(keys[0]).and.include(keys[1]);
    const named = { userName: USER, holder: BOB, serialNumber: keys[1]! };
    expect((await enrolSecurityKey(world.tools(), named, desk)).serialNumber).to.equal(keys[1]);
    expect((await failure(enrolSecurityKey(world.tools(), named, desk))).message).to.include("already");
  });
});
