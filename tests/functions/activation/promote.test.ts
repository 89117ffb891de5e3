import { expect } from "chai";
import { checkActivation, type Side } from "../../../functions/shared/activation/check";
import { InMemoryActivationStore } from "../../../functions/shared/activation/inMemoryActivationStore";
import {
  failback,
  PeerUnreadable,
  PromotionRefused,
  PromotionUnfinished,
  promote,
  status,
} from "../../../functions/shared/activation/promote";
import { type ActivationRecord, initialRecord } from "../../../functions/shared/activation/record";
import {
  ActivationConflict,
  type ActivationStore,
  ActivationUnreadable,
  type UnreadableCode,
} from "../../../functions/shared/activation/store";

const AT = "2026-03-01T12:00:00.000Z";

/** A store that can be lost, and that fails at a chosen write. */
class TestStore implements ActivationStore {
  readonly inner: InMemoryActivationStore;
  lost: UnreadableCode | undefined;
  /** Fails the next write with this error; `applied`: after having made it. */
  nextWrite: { error: Error; applied: boolean } | undefined;
  readonly calls: string[] = [];

  constructor(
    readonly region: string,
    ...records: ActivationRecord[]
  ) {
    this.inner = new InMemoryActivationStore(...records);
  }

  async read(cell: string) {
    this.calls.push("read");
    if (this.lost) throw new ActivationUnreadable(`${this.region}: no answer`, this.lost);
    return this.inner.read(cell);
  }

  async write(record: ActivationRecord, expected: ActivationRecord) {
    this.calls.push("write");
    if (this.lost) throw new ActivationUnreadable(`${this.region}: no answer`, this.lost);
    const failure = this.nextWrite;
    this.nextWrite = undefined;
    if (failure && !failure.applied) throw failure.error;
    await this.inner.write(record, expected);
    if (failure) throw failure.error;
  }
}

function cells() {
  const stores = {
    prod: new TestStore("us-east-1", initialRecord("prod", true)),
    dr: new TestStore("us-west-2", initialRecord("dr", false)),
  };
  const sides: Record<"prod" | "dr", Side> = {
    prod: { cell: "prod", region: "us-east-1", store: stores.prod },
    dr: { cell: "dr", region: "us-west-2", store: stores.dr },
  };
  const input = { by: "operator", reason: "drill", now: () => new Date(AT) };
  return {
    ...stores,
    toDr: { own: sides.dr, peer: sides.prod, ...input },
    toProd: { own: sides.prod, peer: sides.dr, ...input },
    work: (cell: "prod" | "dr") =>
      checkActivation({ own: sides[cell], peer: sides[cell === "dr" ? "prod" : "dr"], by: "worker" }),
    record: async (cell: "prod" | "dr") => (await stores[cell].inner.read(cell))!,
    status: () => status({ own: sides.prod, peer: sides.dr }),
  };
}

async function errorOf<E extends Error>(
  run: Promise<unknown>,
  type: new (...args: never[]) => E,
): Promise<E> {
  const error = await run.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).to.be.instanceOf(type);
  return error;
}

describe("promotion", () => {
  it("with both regions there: promotes, stands the other down, and says so", async () => {
    const { toDr, work, record } = cells();
    const result = await promote(toDr);
    expect(result).to.deep.include({ cell: "dr", region: "us-west-2", peerAnswered: true, next: [] });
    expect(result.writes.map(({ cell, region, outcome }) => [cell, region, outcome])).to.deep.equal([
      ["dr", "us-west-2", "written"],
      ["prod", "us-east-1", "written"],
    ]);
    expect(result.record).to.deep.equal(await record("dr"));
    expect(await record("dr")).to.deep.equal({
      cell: "dr",
      active: true,
      epoch: 2,
      highestSeen: 2,
      peerRequired: true,
      changedAt: AT,
      changedBy: "operator",
      reason: "drill",
    });
    expect(await record("prod")).to.include({ active: false, epoch: 1, highestSeen: 2, peerRequired: true });
    expect((await work("dr")).decision).to.deep.equal({ act: true });
    expect((await work("prod")).decision).to.deep.equal({ act: false, reason: "standby" });
  });

  it("with the other region lost: refuses, writes nothing, and names the region to declare dead", async () => {
    const { toDr, prod, dr, record } = cells();
    prod.lost = "Timeout";
    const error = await errorOf(promote(toDr), PeerUnreadable);
    expect(error.message).to.contain('declare it dead by its name, "us-east-1"').and.to.contain("no answer");
    expect(dr.calls).to.deep.equal(["read"]);
    expect(await record("dr")).to.deep.equal(initialRecord("dr", false));
  });

  it("with the other region declared dead: one write, acts unasked, and says what to do when it returns", async () => {
    const { toDr, prod, dr, work } = cells();
    prod.lost = "Timeout";
    const result = await promote({ ...toDr, declaredDead: "us-east-1" });
    expect(result).to.include({ peerAnswered: false });
    expect(result.writes.map(({ cell, outcome }) => [cell, outcome])).to.deep.equal([["dr", "written"]]);
    expect(result.record).to.include({ active: true, epoch: 2, peerRequired: false });
    expect(result.next.join(" ")).to.contain("acts without asking prod until us-east-1 is seen again");
    expect(dr.calls).to.deep.equal(["read", "write"]);
    expect(prod.calls).to.deep.equal(["read"]);
    expect((await work("dr")).decision).to.deep.equal({ act: true });
  });

  it("takes the confirmation only if it is exactly the other region's name", async () => {
    for (const declaredDead of ["us-west-2", "US-EAST-1", "prod", "", " us-east-1"]) {
      const { toDr, prod, dr } = cells();
      prod.lost = "Timeout";
      const error = await errorOf(promote({ ...toDr, declaredDead }), PromotionRefused);
      expect(error.code).to.equal("DeclaredRegionMismatch");
      expect(error.message).to.contain('type exactly "us-east-1"');
      expect([...prod.calls, ...dr.calls]).to.deep.equal([]);
    }
  });

  it("does not take a region for dead that answers", async () => {
    const { toDr, record } = cells();
    const result = await promote({ ...toDr, declaredDead: "us-east-1" });
    expect(result.record.peerRequired).to.equal(true);
    expect(result.next).to.deep.equal([
      "us-east-1 was declared dead but answers: dr keeps reading prod's record.",
    ]);
    expect(await record("prod")).to.include({ active: false });
  });

  it("asks back when the region that was declared dead did answer, if not with a record", async () => {
    const { toDr, prod } = cells();
    prod.lost = "Denied";
    const result = await promote({ ...toDr, declaredDead: "us-east-1" });
    expect(result.next.at(-1)).to.contain("Is us-east-1 really lost?");
  });

  it("is refused when the own region does not answer or has no record", async () => {
    const lost = cells();
    lost.dr.lost = "Timeout";
    expect((await errorOf(promote(lost.toDr), PromotionRefused)).code).to.equal("OwnUnreadable");
    const { toDr } = cells();
    const empty = { ...toDr.own, store: new TestStore("us-west-2") };
    expect((await errorOf(promote({ ...toDr, own: empty }), PromotionRefused)).code).to.equal("NoRecord");
  });

  it("run twice writes nothing the second time, with the peer there or declared dead", async () => {
    for (const lost of [false, true]) {
      const { toDr, prod, dr } = cells();
      if (lost) prod.lost = "Timeout";
      const input = { ...toDr, ...(lost && { declaredDead: "us-east-1" }) };
      const first = await promote(input);
      dr.calls.length = 0;
      const second = await promote(input);
      expect(second.writes).to.deep.equal([]);
      expect(second.record).to.deep.equal(first.record);
      expect(dr.calls).to.deep.equal(["read"]);
    }
  });

  it("after the best-effort write failed: says so, is safe meanwhile, and the next run makes it", async () => {
    const { toDr, prod, work, record } = cells();
    prod.nextWrite = { error: new ActivationUnreadable("us-east-1: no answer", "Timeout"), applied: false };
    const result = await promote(toDr);
    expect(result.writes.map(({ outcome }) => outcome)).to.deep.equal(["written", "unknown"]);
    expect(result.next[0]).to.contain("prod could not be stood down").and.to.contain("stands down by itself");
    expect((await status({ own: toDr.own, peer: toDr.peer })).writers).to.equal("one");

    const again = await promote(toDr);
    expect(again.writes.map(({ cell, outcome }) => [cell, outcome])).to.deep.equal([["prod", "written"]]);
    expect(await record("dr")).to.include({ epoch: 2 });
    expect((await work("prod")).decision).to.deep.equal({ act: false, reason: "standby" });
  });

  it("whose own write gets no answer does not claim success, and running it again finishes", async () => {
    for (const applied of [true, false]) {
      const { toDr, dr, record } = cells();
      dr.nextWrite = { error: new ActivationUnreadable("us-west-2: no answer", "Timeout"), applied };
      const error = await errorOf(promote(toDr), PromotionUnfinished);
      expect(error.message).to.contain("may or may not have been written");
      expect(error.result.writes.map(({ outcome }) => outcome)).to.deep.equal(["unknown", "not-made"]);
      const again = await promote(toDr);
      expect(again.record).to.include({ active: true, epoch: 2 });
      expect(await record("prod")).to.include({ active: false });
    }
  });

  it("that finds its record changed writes nothing and says so", async () => {
    const { toDr, dr, record } = cells();
    dr.nextWrite = { error: new ActivationConflict("it changed in between"), applied: false };
    const error = await errorOf(promote(toDr), PromotionUnfinished);
    expect(error.message).to.contain("was not written").and.to.contain("Nothing else was written");
    expect(await record("prod")).to.deep.equal(initialRecord("prod", true));
  });
});

describe("failback", () => {
  async function failedOver() {
    const all = cells();
    all.prod.lost = "Timeout";
    await promote({ ...all.toDr, declaredDead: "us-east-1" });
    all.prod.lost = undefined;
    return all;
  }

  it("gives the work back: tells dr first that prod is there, then promotes prod, then stands dr down", async () => {
    const { toProd, work, record } = await failedOver();
    const result = await failback(toProd);
    expect(result.writes.map(({ cell, outcome }) => [cell, outcome])).to.deep.equal([
      ["dr", "written"],
      ["prod", "written"],
      ["dr", "written"],
    ]);
    expect(await record("prod")).to.include({ active: true, epoch: 3, peerRequired: true });
    expect(await record("dr")).to.include({ active: false, epoch: 2, highestSeen: 3, peerRequired: true });
    expect((await work("prod")).decision).to.deep.equal({ act: true });
    expect((await work("dr")).decision).to.deep.equal({ act: false, reason: "standby" });
  });

  it("needs the other region: declaring it dead is a promotion's business", async () => {
    const { toProd, dr, record } = await failedOver();
    dr.lost = "Timeout";
    await errorOf(failback(toProd), PeerUnreadable);
    expect(await record("prod")).to.include({ epoch: 1 });
  });

  it("that cannot tell dr first promotes nobody", async () => {
    const { toProd, dr, record } = await failedOver();
    dr.nextWrite = { error: new ActivationUnreadable("us-west-2: no answer", "Timeout"), applied: false };
    const error = await errorOf(failback(toProd), PromotionUnfinished);
    expect(error.result.writes.map(({ outcome }) => outcome)).to.deep.equal([
      "unknown",
      "not-made",
      "not-made",
    ]);
    expect(await record("prod")).to.include({ active: true, epoch: 1 });
    expect((await failback(toProd)).record).to.include({ epoch: 3 });
  });

  it("that crashed halfway leaves no cell that acts unasked, even if the other region is then lost and declared dead", async () => {
    const { toProd, prod, dr, work } = await failedOver();
    // The first two writes are made, then the connection is gone.
    prod.nextWrite = { error: new ActivationUnreadable("us-east-1: no answer", "Timeout"), applied: true };
    await errorOf(failback(toProd), PromotionUnfinished);
    dr.lost = "Timeout";
    await promote({ ...toProd, declaredDead: "us-west-2" });
    expect((await work("prod")).decision).to.deep.equal({ act: true });
    // dr returns, and cannot reach prod: it has seen prod through the failback, so it asks.
    dr.lost = undefined;
    prod.lost = "Timeout";
    expect((await work("dr")).decision).to.deep.equal({ act: false, reason: "peer-unreadable" });
  });
});

describe("a worker's check", () => {
  it("of a returned region stands down by itself, and of the promoted one asks again", async () => {
    const { toDr, prod, work, record } = cells();
    prod.lost = "Timeout";
    await promote({ ...toDr, declaredDead: "us-east-1" });
    prod.lost = undefined;
    expect((await work("prod")).decision).to.deep.equal({ act: false, reason: "standby" });
    expect(await record("prod")).to.include({ active: false, highestSeen: 2, changedBy: "worker" });
    expect((await work("dr")).decision).to.deep.equal({ act: true });
    expect(await record("dr")).to.include({ active: true, peerRequired: true, epoch: 2 });
    prod.lost = "Timeout";
    expect((await work("dr")).decision).to.deep.equal({ act: false, reason: "peer-unreadable" });
  });

  it("of the active cell pauses while the peer is lost and nobody has declared it dead", async () => {
    const { dr, work } = cells();
    dr.lost = "Timeout";
    expect((await work("prod")).decision).to.deep.equal({ act: false, reason: "peer-unreadable" });
  });

  it("fails when the own record cannot be read, and does not act without one", async () => {
    const { dr, toDr, work } = cells();
    dr.lost = "Timeout";
    await errorOf(work("dr"), ActivationUnreadable);
    const own = { ...toDr.own, store: new TestStore("us-west-2") };
    expect((await checkActivation({ own, peer: toDr.peer, by: "worker" })).decision).to.deep.equal({
      act: false,
      reason: "no-record",
    });
  });

  it("does not act when what it saw could not be recorded", async () => {
    const { toDr, prod, dr, work, record } = cells();
    prod.lost = "Timeout";
    await promote({ ...toDr, declaredDead: "us-east-1" });
    prod.lost = undefined;
    dr.nextWrite = { error: new ActivationUnreadable("us-west-2: no answer", "Timeout"), applied: false };
    await errorOf(work("dr"), ActivationUnreadable);
    expect(await record("dr")).to.include({ peerRequired: false });
  });

  it("gives up when the record keeps changing", async () => {
    const { toDr, dr, prod, work } = cells();
    prod.lost = "Timeout";
    await promote({ ...toDr, declaredDead: "us-east-1" });
    prod.lost = undefined;
    dr.write = async () => {
      throw new ActivationConflict("it changed in between");
    };
    await errorOf(work("dr"), ActivationConflict);
  });
});

describe("status", () => {
  it("of a quiet pair: one writer, nothing to do", async () => {
    const result = await cells().status();
    expect(result).to.deep.include({ writers: "one", next: [] });
    expect(result.cells.map(({ cell, answered, decision }) => [cell, answered, decision])).to.deep.equal([
      ["prod", true, { act: true }],
      ["dr", true, { act: false, reason: "standby" }],
    ]);
  });

  it("reads and never writes", async () => {
    const { status: both, prod, dr } = cells();
    await both();
    expect([prod.calls, dr.calls]).to.deep.equal([["read"], ["read"]]);
  });

  it("with a lost region: unknown, and why the other does not act", async () => {
    const { status: both, dr } = cells();
    dr.lost = "Timeout";
    const result = await both();
    expect(result.writers).to.equal("unknown");
    expect(result.next[0]).to.contain("prod (us-east-1) is active but does not act");
    expect(result.next[1]).to.contain("dr (us-west-2) does not answer");
  });

  it("names the one state that no protocol prevents, and it ends at the first contact from either side", async () => {
    for (const first of ["prod", "dr"] as const) {
      const { status: both, prod, dr, toProd, toDr, work } = cells();
      prod.lost = "Timeout";
      await promote({ ...toDr, declaredDead: "us-east-1" });
      [prod.lost, dr.lost] = [undefined, "Timeout"];
      await promote({ ...toProd, declaredDead: "us-west-2" });
      dr.lost = undefined;
      const result = await both();
      expect(result.writers).to.equal("both");
      expect(result.next[0]).to.contain("promote the one that is to go on");

      await work(first);
      const acting = [await work("prod"), await work("dr"), await work("prod")].map(
        ({ decision }) => decision.act,
      );
      // Both hold epoch 2; by name prod's is the higher one.
      expect(acting.slice(1)).to.deep.equal([false, true]);
      expect((await both()).writers).to.equal("one");
    }
  });

  it("without any active cell says to promote one", async () => {
    const { toProd, prod, status: both } = cells();
    await prod.inner.write({ ...initialRecord("prod", true), active: false }, initialRecord("prod", true));
    expect(await both()).to.deep.include({ writers: "none", next: ["No cell acts: promote one."] });
    expect((await promote(toProd)).record).to.include({ epoch: 2 });
  });
});
