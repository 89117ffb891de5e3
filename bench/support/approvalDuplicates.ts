import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import { APPROVAL, approvalFunctionArn } from "../../components/approvalWorkflow/names";
import { normalizeCell } from "../../components/regional/cell";
import { stateMachineArn } from "../../components/stateMachine/machineArn";
import { forEachOf } from "../../functions/keyRotation/engine/pool";
import { CELLS, CENTRAL, rootClient } from "./keysOnLocalAws";
import { time } from "./measure";
import type { Metric } from "./types";

const CELL = normalizeCell({ name: "prod", region: CELLS.prod, accountId: CENTRAL });
const DUPLICATES = 1_000;
const DIFFERENT = 200;
const AT_ONCE = 16;

/** An event of the operator's denied call, as EventBridge delivers it. */
function event(n: number): object {
  const eventID = `3c4226b0-1e81-48a8-a333-${n.toString(16).padStart(12, "0")}`;
  const instanceId = `i-${n.toString(16).padStart(17, "0")}`;
  return {
    source: "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    account: CENTRAL,
    region: CELL.region,
    detail: {
      eventID,
      eventTime: "2026-11-23T10:00:00Z",
      eventSource: "ec2.amazonaws.com",
      eventName: "TerminateInstances",
      awsRegion: CELL.region,
      errorCode: "Client.UnauthorizedOperation",
      recipientAccountId: CENTRAL,
      requestParameters: { instancesSet: { items: [{ instanceId }] } },
      userIdentity: {
        type: "IAMUser",
        arn: `arn:aws:iam::${CENTRAL}:user/alice`,
        accountId: CENTRAL,
        userName: "alice",
      },
    },
  };
}

/** A burst of duplicates of one event, and different ones at once: how long they take, and how many executions come of them. */
export async function measureDuplicates(url: string, progress: (text: string) => void): Promise<Metric[]> {
  const lambda = new LambdaClient(rootClient(url, CENTRAL));
  const sfn = new SFNClient(rootClient(url, CENTRAL));
  const FunctionName = approvalFunctionArn(CELL, "approval-intake");
  const send = async (events: readonly object[]) =>
    time(() =>
      forEachOf(events, AT_ONCE, async (each) => {
        const { FunctionError } = await lambda.send(
          new InvokeCommand({ FunctionName, Payload: JSON.stringify(each) }),
        );
        if (FunctionError) throw new Error("the intake function failed");
      }),
    );
  const executions = async () => {
    let count = 0;
    let nextToken: string | undefined;
    do {
      const page = await sfn.send(
        new ListExecutionsCommand({ stateMachineArn: stateMachineArn(CELL, APPROVAL), nextToken }),
      );
      count += page.executions?.length ?? 0;
      nextToken = page.nextToken;
    } while (nextToken);
    return count;
  };
  const before = await executions();
  progress(`${DUPLICATES} duplicates`);
  const duplicates = await send(Array.from({ length: DUPLICATES }, () => event(1)));
  const one = (await executions()) - before;
  progress(`${DIFFERENT} different ones`);
  const different = await send(Array.from({ length: DIFFERENT }, (_, n) => event(2 + n)));
  const each = (await executions()) - before - one;
  return [
    { metric: `${DUPLICATES} duplicates of one event`, value: duplicates, unit: "ms" },
    { metric: `executions of ${DUPLICATES} duplicates`, value: one, unit: "executions", target: 1 },
    { metric: `${DIFFERENT} different events`, value: different, unit: "ms" },
    { metric: `of ${DIFFERENT} different events, lost`, value: DIFFERENT - each, unit: "events", target: 0 },
  ];
}
