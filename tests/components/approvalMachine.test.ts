import { expect } from "chai";
import { approvalDefinition, approvalMachineStatements } from "../../components/approvalWorkflow/machine";
import { normalizeCell } from "../../components/regional/cell";
import type { State } from "../../components/stateMachine/stateMachine";
import { leaksInStateMachine } from "../../policypacks/identity-dr/lib/taskTokens";
import type { Plain } from "../../policypacks/identity-dr/lib/walk";

const PROD = normalizeCell({ name: "prod", region: "us-east-1", accountId: "222222222222" });
const CHINA = normalizeCell({ name: "prod", region: "cn-north-1", accountId: "222222222222" });

type Catcher = { ErrorEquals: string[]; Next: string; ResultPath: null };
type Retrier = { ErrorEquals: string[]; MaxAttempts: number };

const catchers = (state: State) => (state.Catch ?? []) as Catcher[];

/** Where a state may go on. */
function following(state: State): string[] {
  const choices = (state.Choices ?? []) as { Next: string }[];
  return [
    ...(state.Next ? [state.Next] : []),
    ...choices.map(({ Next }) => Next),
    ...(state.Default ? [state.Default as string] : []),
    ...catchers(state).map(({ Next }) => Next),
  ];
}

describe("the state machine of approval", () => {
  const definition = approvalDefinition(PROD);
  const { States } = definition;

  it("reaches every state, goes to no other, and ends in two ways", () => {
    const reached = new Set<string>();
    const visit = (name: string) => {
      expect(States, `a state named ${name}`).to.have.property(name);
      if (reached.has(name)) return;
      reached.add(name);
      following(States[name]!).forEach(visit);
    };
    visit(definition.StartAt);
    expect([...reached].sort()).to.deep.equal(Object.keys(States).sort());
    const ends = Object.entries(States).filter(([, { Type }]) => Type === "Succeed" || Type === "Fail");
    expect(ends.map(([name]) => name).sort()).to.deep.equal(["Done", "Unknown"]);
  });

  it("goes by what the functions say, and by nothing else", () => {
    const choices = (name: string) =>
      (States[name]!.Choices as { Variable: string; StringEquals: string; Next: string }[]).map(
        ({ Variable, StringEquals, Next }) => [Variable, StringEquals, Next],
      );
    expect(choices("Next")).to.deep.equal([
      ["$.next", "wait", "Wait"],
      ["$.next", "work", "Work"],
      ["$.next", "end", "Done"],
    ]);
    expect(choices("WorkNext")).to.deep.equal([
      ["$.next", "again", "Pause"],
      ["$.next", "step", "Step"],
    ]);
  });

  it("gives the functions the request's id, and the task token to the one that keeps it", () => {
    const given = (name: string) => (States[name]!.Parameters as { Payload: object }).Payload;
    expect(given("Step")).to.deep.equal({ "requestId.$": "$.requestId" });
    expect(given("Work")).to.deep.equal({ "requestId.$": "$.requestId" });
    expect(given("Wait")).to.deep.equal({
      "requestId.$": "$.requestId",
      "version.$": "$.version",
      "token.$": "$$.Task.Token",
    });
    expect(leaksInStateMachine(definition as unknown as Plain)).to.deep.equal([]);
    for (const name of ["Wait"]) expect(States[name]!.ResultPath).to.equal(null);
  });

  it("waits as long as it is told, and looks again at the end", () => {
    expect(States.Wait).to.include({ TimeoutSecondsPath: "$.seconds", Next: "Step" });
    expect(catchers(States.Wait!)[0]).to.deep.include({ ErrorEquals: ["States.Timeout"], Next: "Step" });
    // Whoever cannot be waited for is not looked at in a tight loop.
    expect(catchers(States.Wait!)[1]).to.deep.include({ ErrorEquals: ["States.ALL"], Next: "Pause" });
    expect(States.Pause).to.deep.equal({ Type: "Wait", Seconds: 10, Next: "Step" });
  });

  it("repeats only invocations that were lost, of what does the work", () => {
    const retriers = (name: string) => States[name]!.Retry as Retrier[];
    for (const name of ["Work", "Wait"]) {
      expect(retriers(name)).to.have.length(1);
      for (const error of retriers(name)[0]!.ErrorEquals) expect(error).to.match(/^Lambda\./);
    }
    expect(catchers(States.Work!)).to.deep.equal([
      { ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Pause" },
    ]);
    expect(retriers("Step")[1]).to.deep.include({ ErrorEquals: ["States.TaskFailed", "States.Timeout"] });
  });

  it("names resources of its own partition, region and account", () => {
    const text = JSON.stringify([approvalDefinition(CHINA), approvalMachineStatements(CHINA)]);
    expect(text).to.include("arn:aws-cn:states:::lambda:invoke.waitForTaskToken");
    expect(text).to.include("arn:aws-cn:lambda:cn-north-1:222222222222:function:bulkhead-approval-work");
    expect(text).to.not.match(/arn:aws:/);
  });

  it("may invoke its three functions", () => {
    expect(approvalMachineStatements(PROD)).to.deep.equal([
      {
        Sid: "InvokeFunctions",
        Effect: "Allow",
        Action: "lambda:InvokeFunction",
        Resource: ["step", "wait", "work"].map(
          (name) => `arn:aws:lambda:us-east-1:222222222222:function:bulkhead-approval-${name}`,
        ),
      },
    ]);
  });
});
