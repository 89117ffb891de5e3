/**
 * The state machine of a request, and what its role may do. Pure. What the states do is written in functions/approval/settings.ts: the table of
 * requests says where a request stands, and an execution only looks there, waits, and looks again. So nothing is lost with an execution.
 */
import { type Cell, cellArn, regionalName } from "../regional/cell";
import { arn } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { type Definition, RETRY_LOST_INVOCATION, type State } from "../stateMachine/stateMachine";
import { APPROVAL, approvalFunctionArn } from "./names";

/** Seconds that each function of the machine may run. */
export const MACHINE_FUNCTION_SECONDS = {
  "approval-step": 60,
  "approval-wait": 15,
  "approval-work": 300,
} as const;
type MachineFunction = keyof typeof MACHINE_FUNCTION_SECONDS;

/** Seconds between two attempts at something that failed. */
const PAUSE_SECONDS = 10;

function invoke(cell: Cell, name: MachineFunction, callback: boolean, payload: object, more: object): State {
  return {
    Type: "Task",
    Resource: arn({
      partition: cell.partition,
      service: "states",
      resource: `lambda:invoke${callback ? ".waitForTaskToken" : ""}`,
    }),
    Parameters: {
      FunctionName: approvalFunctionArn(cell, name),
      Payload: { "requestId.$": "$.requestId", ...payload },
    },
    ...more,
  };
}

/** A look that finds out what is next may be taken as often as it likes to fail: it is tried for about an hour. */
const RETRY_LOOK = {
  ErrorEquals: ["States.TaskFailed", "States.Timeout"],
  IntervalSeconds: 2,
  MaxAttempts: 20,
  BackoffRate: 2,
  MaxDelaySeconds: 240,
  JitterStrategy: "FULL",
};

/** What a state goes on to when it failed; the failure itself is in the log. */
const onFailure = (Next: string, ErrorEquals = ["States.ALL"]) => ({ ErrorEquals, ResultPath: null, Next });

/** The definition, as the state machine takes it after JSON.stringify. */
export function approvalDefinition(cell: Cell): Definition {
  const next = (StringEquals: string, Next: string) => ({ Variable: "$.next", StringEquals, Next });
  return {
    StartAt: "Step",
    States: {
      Step: invoke(
        cell,
        "approval-step",
        false,
        {},
        {
          TimeoutSeconds: MACHINE_FUNCTION_SECONDS["approval-step"] + 30,
          Retry: [RETRY_LOST_INVOCATION, RETRY_LOOK],
          OutputPath: "$.Payload",
          Next: "Next",
        },
      ),
      Next: {
        Type: "Choice",
        Choices: [next("wait", "Wait"), next("work", "Work"), next("end", "Done")],
        Default: "Unknown",
      },
      Wait: invoke(
        cell,
        "approval-wait",
        true,
        { "version.$": "$.version", "token.$": "$$.Task.Token" },
        {
          TimeoutSecondsPath: "$.seconds",
          Retry: [RETRY_LOST_INVOCATION],
          // The time is over, or nobody could be waited for; the latter not without a pause.
          Catch: [onFailure("Step", ["States.Timeout"]), onFailure("Pause")],
          ResultPath: null,
          Next: "Step",
        },
      ),
      Work: invoke(
        cell,
        "approval-work",
        false,
        {},
        {
          TimeoutSeconds: MACHINE_FUNCTION_SECONDS["approval-work"] + 30,
          // Only what was not run at all: what a run that failed has done, the next look finds in the table.
          Retry: [RETRY_LOST_INVOCATION],
          Catch: [onFailure("Pause")],
          OutputPath: "$.Payload",
          Next: "WorkNext",
        },
      ),
      WorkNext: {
        Type: "Choice",
        Choices: [next("again", "Pause"), next("step", "Step")],
        Default: "Unknown",
      },
      Pause: { Type: "Wait", Seconds: PAUSE_SECONDS, Next: "Step" },
      Done: { Type: "Succeed" },
      Unknown: {
        Type: "Fail",
        Error: "ApprovalFailed",
        Cause: "A function did not say what is next: its log says why. The sweep starts the request again.",
      },
    },
  };
}

/** What the state machine's role may do: invoke its functions. */
export function approvalMachineStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "InvokeFunctions",
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: (Object.keys(MACHINE_FUNCTION_SECONDS) as MachineFunction[]).map((name) =>
        approvalFunctionArn(cell, name),
      ),
    },
  ];
}

/** ARN of all executions of the cell's machine. */
export function executionsArn(cell: Cell): string {
  return cellArn(cell, "states", `execution:${regionalName(cell, APPROVAL)}:*`);
}
