import { expect } from "chai";
import { countCalls, Journal } from "../../local/outage/journal";
import type { CallFacts } from "../../local/outage/types";

const facts = (service: string): CallFacts => ({
  service,
  region: "us-west-2",
  action: "A",
  home: "regional",
  credential: "user",
});

describe("Journal of calls", () => {
  it("shows calls as they were when it was asked", () => {
    const journal = new Journal();
    const entry = journal.enter(facts("sts"), performance.now());
    const before = journal.calls();
    entry.mark("hung");
    entry.end(200);
    entry.end(500);
    expect(before[0]).to.include({ outcome: "passed" }).and.not.to.have.property("status");
    expect(journal.calls()[0]).to.include({ outcome: "hung", status: 200 });
  });

  it("keeps calls that end after a reset in the past", () => {
    const journal = new Journal();
    const entry = journal.enter(facts("sts"), performance.now());
    journal.reset();
    entry.end(200);
    expect(journal.calls()).to.deep.equal([]);
  });

  it("forgets the oldest beyond its limit, and says how many", () => {
    const journal = new Journal(100);
    for (let i = 0; i < 500; i += 1) journal.enter(facts(`s${i}`), performance.now());
    const calls = journal.calls();
    expect(calls.length).to.be.within(100, 110);
    expect(calls.at(-1)?.service).to.equal("s499");
    expect(calls.length + journal.forgotten).to.equal(500);
  });

  it("counts by region, service and outcome", () => {
    const call = (service: string, outcome: "passed" | "refused") => ({
      region: "us-west-2",
      service,
      outcome,
    });
    expect(countCalls([call("sts", "refused"), call("sns", "passed"), call("sts", "refused")])).to.deep.equal(
      [
        { region: "us-west-2", service: "sns", outcome: "passed", count: 1 },
        { region: "us-west-2", service: "sts", outcome: "refused", count: 2 },
      ],
    );
  });
});
