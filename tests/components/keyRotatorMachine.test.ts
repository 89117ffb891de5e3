import { expect } from "chai";
import { machineDefinition, machineStatements } from "../../components/keyRotator/machine";
import { normalizeCell } from "../../components/regional/cell";
import {
  type Definition,
  machineBaseStatements,
  type State,
} from "../../components/stateMachine/stateMachine";

const CELL = normalizeCell({ name: "prod", region: "us-east-1", accountId: "222222222222" });
const settings = { cell: CELL, accountConcurrency: 10, toleratedFailurePercentage: 25, intervalHours: 24 };

/** Every machine in a definition: itself, and what its maps run for each item. */
function machines(definition: Definition): Definition[] {
  const inner = Object.values(definition.States).flatMap((state) =>
    state.ItemProcessor ? machines(state.ItemProcessor as Definition) : [],
  );
  return [definition, ...inner];
}

/** Where a state may go on. */
function following(state: State): string[] {
  const choices = (state.Choices ?? []) as { Next: string }[];
  const catchers = (state.Catch ?? []) as { Next: string }[];
  return [
    ...(state.Next ? [state.Next] : []),
    ...choices.map(({ Next }) => Next),
    ...(state.Default ? [state.Default as string] : []),
    ...catchers.map(({ Next }) => Next),
  ];
}

describe("the key rotator's state machine", () => {
  const definition = machineDefinition(settings);
  const all = machines(definition);
  const states = all.flatMap((machine) => Object.entries(machine.States));

  it("has two machines: the run's and the account's", () => {
    expect(all).to.have.length(2);
    expect(Buffer.byteLength(JSON.stringify(definition))).to.be.below(1_048_576);
  });

  it("reaches every state, goes to no other, and ends", () => {
    for (const { StartAt, States } of all) {
      const reached = new Set<string>();
      const visit = (name: string) => {
        expect(States, `a state named ${name}`).to.have.property(name);
        if (reached.has(name)) return;
        reached.add(name);
        following(States[name]!).forEach(visit);
      };
      visit(StartAt);
      expect([...reached].sort()).to.deep.equal(Object.keys(States).sort());
      const ends = Object.values(States).filter(
        (state) => state.End || state.Type === "Succeed" || state.Type === "Fail",
      );
      expect(ends.length).to.be.at.least(2);
    }
  });

  it("lets every state go on or end, and not both", () => {
    for (const [name, state] of states) {
      const ways = [state.Next !== undefined, state.End === true, state.Choices !== undefined].filter(
        Boolean,
      );
      const terminal = state.Type === "Succeed" || state.Type === "Fail";
      expect(ways.length, name).to.equal(terminal ? 0 : 1);
      if (state.Type === "Choice") expect(state.Default, name).to.be.a("string");
    }
  });

  it("gives every task a timeout, retries with jitter for what may pass, and a way out", () => {
    const tasks = states.filter(([, state]) => state.Type === "Task");
    expect(tasks.map(([name]) => name).sort()).to.deep.equal([
      "Account",
      "Inventory",
      "Summary",
      "SummaryOfFailure",
    ]);
    for (const [name, state] of tasks) {
      expect(state.TimeoutSeconds, name).to.equal(930);
      expect(state.Resource, name).to.equal("arn:aws:states:::lambda:invoke");
      const retries = state.Retry as { ErrorEquals: string[]; JitterStrategy: string; MaxAttempts: number }[];
      expect(
        retries.flatMap((each) => each.ErrorEquals),
        name,
      ).to.include.members([
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "States.TaskFailed",
        "States.Timeout",
      ]);
      for (const { JitterStrategy, MaxAttempts } of retries) {
        expect(JitterStrategy).to.equal("FULL");
        expect(MaxAttempts).to.be.within(1, 10);
      }
      const [catcher] = state.Catch as { ErrorEquals: string[]; ResultPath: string }[];
      expect(catcher!.ErrorEquals, name).to.deep.equal(["States.ALL"]);
      expect(catcher!.ResultPath, name).to.match(/^\$\./);
    }
  });

  it("works on the accounts of the list, some at a time, and tolerates some failures", () => {
    const map = definition.States.Accounts!;
    expect(map).to.deep.include({
      MaxConcurrency: 10,
      ToleratedFailurePercentage: 25,
      Label: "Accounts",
      ItemReader: {
        Resource: "arn:aws:states:::s3:getObject",
        ReaderConfig: { InputType: "JSON" },
        Parameters: {
          Bucket: "bulkhead-keys-prod-222222222222-us-east-1",
          "Key.$": "$.inventory.accountsKey",
        },
      },
      ResultWriter: {
        Resource: "arn:aws:states:::s3:putObject",
        Parameters: {
          Bucket: "bulkhead-keys-prod-222222222222-us-east-1",
          "Prefix.$": "States.Format('key-rotation/runs/{}', $$.Execution.Name)",
        },
      },
    });
    expect(map.ItemProcessor).to.deep.include({
      ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
    });
  });

  it("ends before the next run begins", () => {
    for (const intervalHours of [1, 6, 24, 144]) {
      const { TimeoutSeconds } = machineDefinition({ ...settings, intervalHours });
      expect(TimeoutSeconds)
        .to.be.below(intervalHours * 3600)
        .and.at.most(23 * 3600);
    }
  });

  it("is right in other partitions", () => {
    const text = JSON.stringify(
      machineDefinition({
        ...settings,
        cell: normalizeCell({ name: "prod", region: "cn-north-1", accountId: "222222222222" }),
      }),
    );
    expect(text).to.contain("arn:aws-cn:states:::lambda:invoke").and.contain("arn:aws-cn:lambda:cn-north-1:");
    expect(text).to.not.contain("arn:aws:");
  });

  it("has a role that invokes these functions, runs children of this machine, and reaches this bucket only", () => {
    const statements = [
      ...machineStatements(CELL),
      ...machineBaseStatements("arn:aws:kms:us-east-1:222222222222:key/cell"),
    ];
    const wide = statements.filter(({ Resource }) => [Resource].flat().includes("*"));
    expect(wide.map(({ Sid }) => Sid)).to.deep.equal(["LogDelivery", "Traces"]);
    const invoked = statements.find(({ Sid }) => Sid === "InvokeFunctions")!;
    const named = new Set(JSON.stringify(definition).match(/arn:aws:lambda:[^"]+/g));
    expect([...named].sort()).to.deep.equal([...(invoked.Resource as string[])].sort());
    expect(statements.find(({ Sid }) => Sid === "StartChildren")!.Resource).to.equal(
      "arn:aws:states:us-east-1:222222222222:stateMachine:bulkhead-key-rotator",
    );
  });
});
