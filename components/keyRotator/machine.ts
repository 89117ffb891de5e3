/**
 * The state machine of a run, and what its role may do. Pure.
 *
 * What the states hand on, all of it ids and keys of objects in the rotator's bucket, never a credential:
 *
 * | state | gets | gives |
 * | --- | --- | --- |
 * | Inventory | `{runId, startedAt, only}` | `{state, accountsKey, ...}`; `state` is `run` when there are accounts to work on |
 * | Account, once for each item of the list at `accountsKey` | `{runId, startedAt, account}` | its result; `more: true` when the time did not suffice |
 * | Summary | `{runId, startedAt, inventory, map}`; `map` says where the results are, or how the map ended | anything |
 *
 * `runId` is the execution's name.
 */
import type { Cell } from "../regional/cell";
import { cellArn } from "../regional/cell";
import { arn } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { type Definition, RETRY_LOST_INVOCATION, type State } from "../stateMachine/stateMachine";
import { bucketArn, bucketName, machineArn, machineName, rotatorFunctionArn } from "./names";
import { BUCKET_PREFIX } from "./settings";

/** Label of the map, a part of its children's names. */
export const MAP_LABEL = "Accounts";
/** Where a run's results are, below the bucket's prefix: `runs/RUN/`. */
export const RESULTS_FOLDER = `${BUCKET_PREFIX}runs`;
/** The functions' timeout, in seconds: the longest that Lambda has. */
export const FUNCTION_TIMEOUT = 900;
/** A run that takes longer is stopped, in seconds: the next one goes on where it was. */
const RUN_TIMEOUT = 23 * 3600;

/** What may differ from one rotator to the other. */
export interface MachineSettings {
  cell: Cell;
  accountConcurrency: number;
  toleratedFailurePercentage: number;
  intervalHours: number;
}

/** What a function itself throws is retried as well: every function may run twice. */
const RETRY = [
  RETRY_LOST_INVOCATION,
  {
    ErrorEquals: ["States.TaskFailed", "States.Timeout"],
    IntervalSeconds: 10,
    MaxAttempts: 2,
    BackoffRate: 3,
    JitterStrategy: "FULL",
  },
];

function invoke(
  cell: Cell,
  which: "inventory" | "account" | "summary",
  payload: object,
  more: object,
): State {
  return {
    Type: "Task",
    Resource: arn({ partition: cell.partition, service: "states", resource: "lambda:invoke" }),
    Parameters: { FunctionName: rotatorFunctionArn(cell, which), Payload: payload },
    TimeoutSeconds: FUNCTION_TIMEOUT + 30,
    Retry: RETRY,
    ...more,
  };
}

/** The definition, as the state machine takes it after JSON.stringify. */
export function machineDefinition(settings: MachineSettings): Definition & { TimeoutSeconds: number } {
  const { cell } = settings;
  const run = { "runId.$": "$$.Execution.Name", "startedAt.$": "$$.Execution.StartTime" };
  const failed = (Cause: string): State => ({ Type: "Fail", Error: "KeyRotationFailed", Cause });
  const caught = (ResultPath: string, Next: string) => [{ ErrorEquals: ["States.ALL"], ResultPath, Next }];
  const summary = (more: object) =>
    invoke(cell, "summary", { ...run, "inventory.$": "$.inventory", "map.$": "$.map" }, more);
  return {
    StartAt: "Inventory",
    TimeoutSeconds: Math.min(RUN_TIMEOUT, settings.intervalHours * 3600 - 600),
    States: {
      Inventory: invoke(
        cell,
        "inventory",
        { ...run, "only.$": "$$.Execution.Input" },
        {
          ResultSelector: { "result.$": "$.Payload" },
          ResultPath: "$.inventory",
          OutputPath: "$",
          Catch: caught("$.failure", "InventoryFailed"),
          Next: "Flatten",
        },
      ),
      // A run's input may be anything; from here on there is only what the inventory said.
      Flatten: {
        Type: "Pass",
        Parameters: { "inventory.$": "$.inventory.result", map: null },
        Next: "IsThereWork",
      },
      IsThereWork: {
        Type: "Choice",
        Choices: [{ Variable: "$.inventory.state", StringEquals: "run", Next: "Accounts" }],
        Default: "Summary",
      },
      Accounts: {
        Type: "Map",
        Label: MAP_LABEL,
        MaxConcurrency: settings.accountConcurrency,
        ToleratedFailurePercentage: settings.toleratedFailurePercentage,
        ItemReader: {
          Resource: arn({ partition: cell.partition, service: "states", resource: "s3:getObject" }),
          ReaderConfig: { InputType: "JSON" },
          Parameters: { Bucket: bucketName(cell), "Key.$": "$.inventory.accountsKey" },
        },
        ItemSelector: { ...run, "account.$": "$$.Map.Item.Value" },
        ItemProcessor: {
          ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
          ...child(cell),
        },
        ResultWriter: {
          Resource: arn({ partition: cell.partition, service: "states", resource: "s3:putObject" }),
          Parameters: {
            Bucket: bucketName(cell),
            "Prefix.$": `States.Format('${RESULTS_FOLDER}/{}', $$.Execution.Name)`,
          },
        },
        ResultPath: "$.map",
        Catch: caught("$.map", "SummaryOfFailure"),
        Next: "Summary",
      },
      Summary: summary({ ResultPath: null, Catch: caught("$.failure", "SummaryFailed"), Next: "Done" }),
      // What was done is summed up although the map was given up, and then the run counts as failed.
      SummaryOfFailure: summary({
        ResultPath: null,
        Catch: caught("$.failure", "SummaryFailed"),
        Next: "AccountsFailed",
      }),
      Done: { Type: "Succeed" },
      InventoryFailed: failed(
        "The list of accounts could not be made: the log of the inventory function says why.",
      ),
      AccountsFailed: failed(
        "More accounts failed than are tolerated: the run's report says which, and why.",
      ),
      SummaryFailed: failed("The run's report could not be made: the log of the summary function says why."),
    },
  };
}

/** What is run for each account: again and again while the account says that there is more. */
function child(cell: Cell): Definition {
  return {
    StartAt: "Account",
    States: {
      Account: invoke(
        cell,
        "account",
        { "runId.$": "$.runId", "startedAt.$": "$.startedAt", "account.$": "$.account" },
        {
          ResultSelector: { "result.$": "$.Payload" },
          ResultPath: "$.done",
          Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "AccountFailed" }],
          Next: "IsThereMore",
        },
      ),
      IsThereMore: {
        Type: "Choice",
        Choices: [
          {
            And: [
              { Variable: "$.done.result.more", IsPresent: true },
              { Variable: "$.done.result.more", BooleanEquals: true },
            ],
            Next: "Account",
          },
        ],
        Default: "AccountDone",
      },
      AccountDone: {
        Type: "Pass",
        Parameters: { "result.$": "$.done.result" },
        OutputPath: "$.result",
        End: true,
      },
      AccountFailed: {
        Type: "Fail",
        ErrorPath: "$.failure.Error",
        CausePath: "$.failure.Cause",
      },
    },
  };
}

/** What the state machine's role may do: invoke its functions, run its children, read lists and write results. */
export function machineStatements(cell: Cell): PolicyStatement[] {
  const name = machineName(cell);
  return [
    {
      Sid: "InvokeFunctions",
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: (["inventory", "account", "summary"] as const).map((which) =>
        rotatorFunctionArn(cell, which),
      ),
    },
    // A distributed map starts its children as executions of the machine itself.
    { Sid: "StartChildren", Effect: "Allow", Action: "states:StartExecution", Resource: machineArn(cell) },
    {
      Sid: "FollowChildren",
      Effect: "Allow",
      Action: ["states:DescribeExecution", "states:StopExecution"],
      Resource: [
        cellArn(cell, "states", `execution:${name}:*`),
        cellArn(cell, "states", `execution:${name}/${MAP_LABEL}:*`),
      ],
    },
    {
      Sid: "ReadAccountLists",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: bucketArn(cell, `${BUCKET_PREFIX}*`),
    },
    {
      Sid: "WriteResults",
      Effect: "Allow",
      Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
      Resource: bucketArn(cell, `${RESULTS_FOLDER}/*`),
    },
  ];
}
