import { expect } from "chai";
import { CellFence } from "../../../functions/approval/engine/fence";
import { InMemoryActivationStore } from "../../../functions/shared/activation/inMemoryActivationStore";
import { type ActivationRecord, initialRecord } from "../../../functions/shared/activation/record";
import { type ActivationStore, ActivationUnreadable } from "../../../functions/shared/activation/store";

const EAST = "us-east-1";
const WEST = "us-west-2";
const THIRD = "eu-central-1";

/** What stands in the two records, and whether each side can read the other's. */
interface Situation {
  prod: Partial<ActivationRecord> | undefined;
  dr: Partial<ActivationRecord> | undefined;
  cutOff?: boolean;
}

const BEGINNING: Situation = { prod: {}, dr: {} };
const LOST: Situation = { ...BEGINNING, cutOff: true };
const PROMOTED: Situation = { prod: { active: false }, dr: { active: true, epoch: 2, highestSeen: 2 } };
const DECLARED_DEAD: Situation = {
  prod: {},
  dr: { active: true, epoch: 2, highestSeen: 2, peerRequired: false },
  cutOff: true,
};
const NO_RECORD: Situation = { prod: undefined, dr: undefined };

const UNREACHABLE: ActivationStore = {
  read: async () => {
    throw new ActivationUnreadable("no answer", "Timeout");
  },
  write: async () => {
    throw new ActivationUnreadable("no answer", "Timeout");
  },
};

describe("the fence between the cells", () => {
  function fences({ prod, dr, cutOff = false }: Situation, reopened: string[] = []) {
    const record = (cell: string, change: Partial<ActivationRecord> | undefined) =>
      change ? [{ ...initialRecord(cell, cell === "prod"), ...change }] : [];
    const stores = {
      prod: new InMemoryActivationStore(...record("prod", prod)),
      dr: new InMemoryActivationStore(...record("dr", dr)),
    };
    const regions = { prod: EAST, dr: WEST };
    const fenceOf = (own: "prod" | "dr", peer: "prod" | "dr") =>
      new CellFence({
        own: { cell: own, region: regions[own], store: stores[own] },
        peer: {
          cell: peer,
          region: regions[peer],
          store: cutOff ? UNREACHABLE : stores[peer],
        },
        by: "test",
        requests: {
          readReopening: async (requestId) =>
            reopened.includes(requestId) ? { requestId, newRequestId: "new", at: 1 } : undefined,
        },
      });
    return { prod: fenceOf("prod", "dr"), dr: fenceOf("dr", "prod") };
  }

  /** Which cells may, for each region: `p` for prod, `d` for dr. */
  async function who(situation: Situation, may: "mayTakeIn" | "mayOpen" | "mayExecute"): Promise<string[]> {
    return Promise.all(
      [EAST, WEST, THIRD].map(async (region) => {
        let letters = "";
        for (const cell of ["prod", "dr"] as const) {
          const fence = fences(situation)[cell];
          const answer =
            may === "mayExecute" ? await fence.mayExecute("r", region) : await fence[may](region);
          if (answer.allowed) letters += cell[0];
        }
        return letters;
      }),
    );
  }

  // By situation: us-east-1, us-west-2, another region.
  const table: [string, Situation, Record<"mayTakeIn" | "mayOpen" | "mayExecute", string[]>][] = [
    [
      "all is well",
      BEGINNING,
      { mayTakeIn: ["p", "d", "p"], mayOpen: ["p", "pd", "p"], mayExecute: ["p", "pd", "p"] },
    ],
    [
      "the cells do not see each other and nobody has promoted anything",
      LOST,
      { mayTakeIn: ["p", "d", "p"], mayOpen: ["p", "pd", "p"], mayExecute: ["p", "d", ""] },
    ],
    [
      "dr was promoted while prod answered",
      PROMOTED,
      { mayTakeIn: ["p", "d", "d"], mayOpen: ["pd", "d", "d"], mayExecute: ["pd", "d", "d"] },
    ],
    [
      "dr was promoted and us-east-1 declared dead, which lives on unseen",
      DECLARED_DEAD,
      { mayTakeIn: ["pd", "d", "pd"], mayOpen: ["pd", "pd", "pd"], mayExecute: ["pd", "d", "d"] },
    ],
    [
      "there are no records",
      NO_RECORD,
      { mayTakeIn: ["p", "d", ""], mayOpen: ["p", "d", ""], mayExecute: ["p", "d", ""] },
    ],
  ];
  for (const [name, situation, expected] of table) {
    it(`each cell serves its own region, the active one all others: ${name}`, async () => {
      for (const may of ["mayTakeIn", "mayOpen", "mayExecute"] as const) {
        expect(await who(situation, may), may).to.deep.equal(expected[may]);
      }
    });
  }

  it("an event that does not say its region is the active cell's", async () => {
    const { prod, dr } = fences(BEGINNING);
    expect(await prod.mayTakeIn(undefined)).to.deep.equal({ allowed: true });
    expect(await dr.mayTakeIn(undefined)).to.have.property("allowed", false);
  });

  it("nothing that the other cell has opened anew is carried out, wherever it is", async () => {
    const { prod } = fences(BEGINNING, ["moved"]);
    for (const region of [EAST, THIRD]) {
      const answer = await prod.mayExecute("moved", region);
      expect(answer).to.deep.include({ allowed: false, final: true });
      expect(answer).to.have.property("why").that.includes("cell dr has opened it anew as new");
    }
  });

  it("says whom to ask", async () => {
    const { dr } = fences(BEGINNING);
    expect(await dr.mayOpen(THIRD))
      .to.have.property("why")
      .that.includes("us-west-2 only: ask cell prod");
    expect(await dr.mayTakeIn(EAST))
      .to.have.property("why")
      .that.includes("standby");
  });
});
