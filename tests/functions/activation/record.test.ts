import { expect } from "chai";
import * as fc from "fast-check";
import {
  type ActivationRecord,
  activationRecordSchema,
  compareEpochs,
  type Decision,
  initialRecord,
  mayAct,
  type PeerView,
  planContact,
  planFailback,
  planPromotion,
  planStandDown,
} from "../../../functions/shared/activation/record";

const AT = new Date("2026-03-01T12:00:00Z");
const CHANGE = { by: "operator", reason: "drill", at: AT };

function record(cell: string, fields: Partial<ActivationRecord> = {}): ActivationRecord {
  return { ...initialRecord(cell, true), highestSeen: fields.epoch ?? 1, ...fields };
}

describe("activation record", () => {
  describe("mayAct", () => {
    // The whole truth table: 5 own states x 10 peer states. Cells are compared as "dr" < "prod".
    const owns: Record<string, ActivationRecord | undefined> = {
      none: undefined,
      standby: record("prod", { active: false, epoch: 2 }),
      "standby, peer not required": record("prod", { active: false, epoch: 2, peerRequired: false }),
      active: record("prod", { epoch: 2 }),
      "active, peer not required": record("prod", { epoch: 2, peerRequired: false }),
    };
    const peers: Record<string, PeerView> = {
      unreadable: { unreadable: true },
      none: { read: undefined },
      "lower, standby": { read: record("dr", { active: false, epoch: 1 }) },
      "lower, active": { read: record("dr", { epoch: 1 }) },
      "lower, acts alone": { read: record("dr", { epoch: 1, peerRequired: false }) },
      "same number, lower name, standby": { read: record("dr", { active: false, epoch: 2 }) },
      "same number, lower name, acts alone": { read: record("dr", { epoch: 2, peerRequired: false }) },
      "same number, higher name, standby": { read: record("west", { active: false, epoch: 2 }) },
      "higher, standby": { read: record("dr", { active: false, epoch: 3 }) },
      "higher, active": { read: record("dr", { epoch: 3 }) },
    };
    const ACT: Decision = { act: true };
    const no = (reason: string) => ({ act: false, reason });
    const whenActive: Record<string, object> = {
      none: ACT,
      "lower, standby": ACT,
      "lower, active": ACT,
      "lower, acts alone": no("peer-acts-alone"),
      "same number, lower name, standby": ACT,
      "same number, lower name, acts alone": no("peer-acts-alone"),
      "same number, higher name, standby": no("higher-epoch-at-peer"),
      "higher, standby": no("higher-epoch-at-peer"),
      "higher, active": no("higher-epoch-at-peer"),
    };
    const expected: Record<string, (peer: string) => object> = {
      none: () => no("no-record"),
      standby: () => no("standby"),
      "standby, peer not required": () => no("standby"),
      active: (peer) => whenActive[peer] ?? no("peer-unreadable"),
      "active, peer not required": (peer) => whenActive[peer] ?? ACT,
    };
    for (const [own, ownRecord] of Object.entries(owns)) {
      for (const [peer, peerView] of Object.entries(peers)) {
        it(`own: ${own}; peer: ${peer}`, () => {
          expect(mayAct({ own: ownRecord, peer: peerView })).to.deep.equal(expected[own]!(peer));
        });
      }
    }

    it("says act to at most one of two cells that read each other", () => {
      fc.assert(
        fc.property(anyRecord("dr"), anyRecord("prod"), (dr, prod) => {
          const both =
            mayAct({ own: dr, peer: { read: prod } }).act && mayAct({ own: prod, peer: { read: dr } }).act;
          expect(both).to.equal(false);
        }),
        { seed: 1, numRuns: 2000 },
      );
    });
  });

  describe("compareEpochs", () => {
    it("orders by number, then by name", () => {
      const ordered = [
        { cell: "b", epoch: 1 },
        { cell: "a", epoch: 2 },
        { cell: "b", epoch: 2 },
        { cell: "b2", epoch: 2 },
        { cell: "a", epoch: 10 },
      ];
      for (const [i, a] of ordered.entries()) {
        for (const [j, b] of ordered.entries()) {
          expect(Math.sign(compareEpochs(a, b)), `${i} ${j}`).to.equal(Math.sign(i - j));
        }
      }
    });

    it("never holds two different cells for equal", () => {
      fc.assert(
        fc.property(fc.string(), fc.string(), fc.nat(3), fc.nat(3), (a, b, m, n) => {
          fc.pre(a !== b);
          const forth = compareEpochs({ cell: a, epoch: m }, { cell: b, epoch: n });
          const back = compareEpochs({ cell: b, epoch: n }, { cell: a, epoch: m });
          expect(Math.sign(forth)).to.equal(-Math.sign(back)).and.not.equal(0);
        }),
        { seed: 2 },
      );
    });
  });

  describe("planPromotion", () => {
    const standby = initialRecord("dr", false);
    const active = initialRecord("prod", true);

    it("with an answering peer: active first, one above all that was seen, then the peer stands down", () => {
      const plan = planPromotion({
        own: standby,
        peer: { read: active },
        declaredDead: false,
        change: CHANGE,
      });
      const promoted = { ...changed(standby), active: true, epoch: 2, highestSeen: 2, peerRequired: true };
      expect(plan).to.deep.equal({
        promoted,
        writes: [
          { side: "own", record: promoted, expected: standby, required: true },
          {
            side: "peer",
            required: false,
            expected: active,
            record: {
              ...changed(active),
              reason: "dr was promoted (epoch 2): drill",
              active: false,
              epoch: 1,
              highestSeen: 2,
            },
          },
        ],
      });
    });

    it("with a peer that was declared dead: one write, peer not required, above the epoch that was last seen", () => {
      const own = { ...standby, highestSeen: 7 };
      const plan = planPromotion({ own, peer: { unreadable: true }, declaredDead: true, change: CHANGE });
      const promoted = { ...changed(own), active: true, epoch: 8, highestSeen: 8, peerRequired: false };
      expect(plan).to.deep.equal({
        promoted,
        writes: [{ side: "own", record: promoted, expected: own, required: true }],
      });
    });

    it("does not take an answering peer for dead", () => {
      const situation = { own: standby, peer: { read: active }, change: CHANGE };
      expect(planPromotion({ ...situation, declaredDead: true })).to.deep.equal(
        planPromotion({ ...situation, declaredDead: false }),
      );
    });

    it("refuses when the peer does not answer and was not declared dead, and without a record", () => {
      const situation = { peer: { unreadable: true } as const, declaredDead: false, change: CHANGE };
      expect(planPromotion({ ...situation, own: standby })).to.deep.equal({ refused: "peer-unreadable" });
      expect(planPromotion({ ...situation, own: undefined })).to.deep.equal({ refused: "no-record" });
    });

    it("tells a peer that acts alone that it has been seen, before anything else", () => {
      const alone = record("dr", { epoch: 2, peerRequired: false });
      const plan = planPromotion({ own: active, peer: { read: alone }, declaredDead: false, change: CHANGE });
      if (plan.refused) throw new Error(plan.refused);
      expect(plan.writes.map(({ side, required }) => [side, required])).to.deep.equal([
        ["peer", true],
        ["own", true],
        ["peer", false],
      ]);
      expect(plan.writes[0]!.record).to.include({ active: true, epoch: 2, peerRequired: true });
      expect(plan.writes[2]!.expected).to.deep.equal(plan.writes[0]!.record);
    });

    it("run again after each of its writes, plans exactly what is left", () => {
      fc.assert(
        fc.property(anyRecord("dr"), fc.option(anyRecord("prod")), (own, prod) => {
          const stored: Record<string, ActivationRecord | undefined> = { own, peer: prod ?? undefined };
          const plan = () =>
            planPromotion({
              own: stored.own,
              peer: { read: stored.peer },
              declaredDead: false,
              change: CHANGE,
            });
          let left = plan();
          if (left.refused) throw new Error(left.refused);
          const promoted = left.promoted;
          for (let crashes = 0; left.writes.length > 0; crashes++) {
            expect(crashes, "a promotion ends").to.be.below(4);
            const write = left.writes[0]!;
            stored[write.side] = write.record;
            left = plan();
            if (left.refused) throw new Error(left.refused);
          }
          expect(stored.own).to.include({ active: true, peerRequired: true, epoch: promoted.epoch });
          expect(mayAct({ own: stored.own, peer: { read: stored.peer } })).to.deep.equal({ act: true });
          if (stored.peer) {
            expect(mayAct({ own: stored.peer, peer: { read: stored.own } })).to.include({ act: false });
            expect(stored.peer).to.include({ active: false, peerRequired: true });
          }
        }),
        { seed: 3, numRuns: 1000 },
      );
    });

    it("never lowers an epoch, changes a cell's name or makes a malformed record", () => {
      fc.assert(
        fc.property(anyRecord("dr"), anyPeer("prod"), fc.boolean(), (own, peer, declaredDead) => {
          const plan = planPromotion({ own, peer, declaredDead, change: CHANGE });
          for (const write of plan.refused ? [] : plan.writes) {
            expect(write.record.cell).to.equal(write.expected.cell);
            expect(write.record.epoch).to.be.at.least(write.expected.epoch);
            expect(write.record.highestSeen).to.be.at.least(write.record.epoch);
            expect(activationRecordSchema.parse(write.record)).to.deep.equal(write.record);
          }
        }),
        { seed: 4, numRuns: 1000 },
      );
    });
  });

  describe("planFailback", () => {
    const own = record("prod", { active: false });

    it("is a promotion when the peer answers", () => {
      const peer = { read: record("dr", { epoch: 2, peerRequired: false }) };
      expect(planFailback({ own, peer, change: CHANGE })).to.deep.equal(
        planPromotion({ own, peer, declaredDead: false, change: CHANGE }),
      );
    });

    it("refuses when the peer does not answer or has no record", () => {
      expect(planFailback({ own, peer: { unreadable: true }, change: CHANGE })).to.deep.equal({
        refused: "peer-unreadable",
      });
      expect(planFailback({ own, peer: { read: undefined }, change: CHANGE })).to.deep.equal({
        refused: "not-failed-over",
      });
      expect(planFailback({ own: undefined, peer: { read: undefined }, change: CHANGE })).to.deep.equal({
        refused: "no-record",
      });
    });
  });

  describe("planContact", () => {
    const by = { by: "rotator", at: AT };

    it("stands down to a higher epoch, keeps its own and remembers the higher one", () => {
      const own = record("prod", { epoch: 1, peerRequired: false });
      expect(planContact(own, record("dr", { epoch: 2 }), by)).to.deep.include({
        active: false,
        peerRequired: true,
        epoch: 1,
        highestSeen: 2,
        changedBy: "rotator",
        reason: "dr was promoted later (epoch 2)",
      });
    });

    it("asks again as soon as the region is seen again, even if it has no record", () => {
      const own = record("dr", { epoch: 2, peerRequired: false });
      for (const peer of [undefined, record("prod", { epoch: 1 })]) {
        expect(planContact(own, peer, by)).to.include({ active: true, peerRequired: true, epoch: 2 });
      }
    });

    it("remembers on standby what the peer's epoch is", () => {
      const own = record("dr", { active: false, epoch: 0, highestSeen: 1 });
      expect(planContact(own, record("prod", { epoch: 5 }), by)).to.include({
        active: false,
        highestSeen: 5,
      });
    });

    it("changes nothing when there is nothing to change, and nothing after its own change", () => {
      expect(planContact(record("prod"), initialRecord("dr", false), by)).to.equal(undefined);
      fc.assert(
        fc.property(anyRecord("dr"), fc.option(anyRecord("prod")), (own, peer) => {
          const next = planContact(own, peer ?? undefined, by);
          if (next) expect(planContact(next, peer ?? undefined, by)).to.equal(undefined);
        }),
        { seed: 5 },
      );
    });
  });

  it("planStandDown keeps the epoch and asks its peer again", () => {
    const own = record("prod", { epoch: 4, peerRequired: false });
    expect(planStandDown(own, 2, CHANGE)).to.deep.equal({
      ...changed(own),
      active: false,
      peerRequired: true,
      highestSeen: 4,
    });
  });
});

function changed(from: ActivationRecord): ActivationRecord {
  return { ...from, changedAt: AT.toISOString(), changedBy: "operator", reason: "drill" };
}

function anyRecord(cell: string): fc.Arbitrary<ActivationRecord> {
  return fc
    .record({ active: fc.boolean(), epoch: fc.nat(4), peerRequired: fc.boolean(), ahead: fc.nat(3) })
    .map(({ ahead, ...fields }) =>
      // Not active and not asking its peer is no state of the protocol: standing down restores the asking.
      record(cell, {
        ...fields,
        peerRequired: fields.peerRequired || !fields.active,
        highestSeen: fields.epoch + ahead,
      }),
    );
}

function anyPeer(cell: string): fc.Arbitrary<PeerView> {
  return fc.oneof(
    fc.constant<PeerView>({ unreadable: true }),
    fc.option(anyRecord(cell), { nil: undefined }).map((read): PeerView => ({ read })),
  );
}
