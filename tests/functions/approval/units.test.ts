import { expect } from "chai";
import { OrganizationUnits } from "../../../functions/approval/engine/units";
import type { Log } from "../../../functions/shared/logging/logger";

const QUIET: Log = { info() {}, warn() {}, error() {} };
const PARENTS: Record<string, { Id: string; Type: string }> = {
  "111122223333": { Id: "ou-ab12-34567890", Type: "ORGANIZATIONAL_UNIT" },
  "ou-ab12-34567890": { Id: "r-ab12", Type: "ROOT" },
};

describe("in which units an account is", () => {
  function organization() {
    const state = { now: 0, calls: 0, lost: false };
    const send = async ({ input }: { input: { ChildId: string } }) => {
      state.calls++;
      if (state.lost) throw new Error("no answer");
      return { Parents: [PARENTS[input.ChildId]!] };
    };
    const units = new OrganizationUnits({ send } as never, QUIET, () => state.now);
    return { state, units };
  }

  it("is read up to the root, and remembered for an hour", async () => {
    const { state, units } = organization();
    for (let i = 0; i < 2; i++) {
      expect(await units.of("111122223333")).to.deep.equal(["ou-ab12-34567890", "r-ab12"]);
    }
    expect(state.calls).to.equal(2);
    state.now = 3_600_001;
    await units.of("111122223333");
    expect(state.calls).to.equal(4);
  });

  it("stays what it was while Organizations is lost, and that is asked once a minute", async () => {
    const { state, units } = organization();
    await units.of("111122223333");
    state.now = 3_600_001;
    state.lost = true;
    expect(await units.of("111122223333")).to.deep.equal(["ou-ab12-34567890", "r-ab12"]);
    expect(await units.of("444455556666")).to.deep.equal([]);
    expect(state.calls).to.equal(3);
    state.now += 60_001;
    state.lost = false;
    expect(await units.of("111122223333")).to.deep.equal(["ou-ab12-34567890", "r-ab12"]);
    expect(state.calls).to.equal(5);
  });
});
