import { expect } from "chai";
import { type Phase, runPhases, type Step } from "../../local/drill/runner";
import { drillRunSchema } from "../../local/report/json";

const step = (name: string, run: Step["run"] = async () => undefined): Step => ({
  name,
  expectation: `${name} works`,
  run,
});
const phase = (name: string, ...steps: Step[]): Phase => ({ name, description: name, steps });
const outcomes = (record: Awaited<ReturnType<typeof runPhases>>) =>
  record.phases.flatMap((p) => p.steps.map((s) => `${s.name} ${s.outcome}`));

describe("drill runner", () => {
  it("runs every step in order and keeps what each found", async () => {
    const order: string[] = [];
    const record = await runPhases([
      phase(
        "one",
        step("a", async () => void order.push("a")),
        step("b", async () => ({ detail: "seen" })),
      ),
      phase(
        "two",
        step("c", async () => ({ evidence: [{ label: "l", value: "v" }] })),
      ),
    ]);
    expect(order).to.deep.equal(["a"]);
    expect(record.outcome).to.equal("passed");
    expect(outcomes(record)).to.deep.equal(["a passed", "b passed", "c passed"]);
    expect(record.phases[0]!.steps[1]).to.include({ detail: "seen" });
    expect(record.phases[1]!.steps[0]!.evidence).to.deep.equal([{ label: "l", value: "v" }]);
    expect(drillRunSchema.shape.phases.safeParse(record.phases).success).to.equal(true);
  });

  it("ends at the first failure, says why, and leaves no step out of the record", async () => {
    const record = await runPhases([
      phase(
        "one",
        step("a", async () => Promise.reject(new Error("no mail came"))),
        step("b"),
      ),
      phase("two", step("c")),
    ]);
    expect(record.outcome).to.equal("failed");
    expect(outcomes(record)).to.deep.equal(["a failed", "b skipped", "c skipped"]);
    expect(record.phases[0]!.steps[0]!.detail).to.equal("no mail came");
  });

  it("stops when it is told to, between steps and within one", async () => {
    for (const failing of [false, true]) {
      const control = new AbortController();
      const record = await runPhases(
        [
          phase(
            "one",
            step("a", async () => {
              control.abort();
              if (failing) throw new Error("aborted");
            }),
            step("b"),
          ),
        ],
        { signal: control.signal },
      );
      expect(record.outcome).to.equal("stopped");
      expect(outcomes(record)).to.deep.equal([failing ? "a failed" : "a passed", "b skipped"]);
    }
  });

  it("tells a listener of what runs, not of what is skipped", async () => {
    const told: string[] = [];
    await runPhases(
      [
        phase(
          "one",
          step("a", async () => Promise.reject(new Error("x"))),
          step("b"),
        ),
        phase("two", step("c")),
      ],
      {
        listener: {
          phaseStarted: (p) => told.push(`phase ${p.name}`),
          stepStarted: (s) => told.push(`start ${s.name}`),
          stepEnded: (s) => told.push(`end ${s.name} ${s.outcome}`),
        },
      },
    );
    expect(told).to.deep.equal(["phase one", "start a", "end a failed"]);
  });
});
