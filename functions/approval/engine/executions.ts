import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import type { Executions } from "./ports";

/** Executions of the cell's state machine, named after their requests. */
export class StepFunctionsExecutions implements Executions {
  constructor(
    private readonly client: Pick<SFNClient, "send">,
    private readonly stateMachineArn: string,
    private readonly now: () => number = Date.now,
  ) {}

  async ensure(requestId: string): Promise<void> {
    if (await this.start(requestId, requestId)) return;
    const executionArn = `${this.stateMachineArn.replace(":stateMachine:", ":execution:")}:${requestId}`;
    const { status } = await this.client.send(new DescribeExecutionCommand({ executionArn }));
    if (status === "RUNNING") return;
    // It ended before the request did: another one goes on, named so that several attempts within a quarter of an hour are one.
    await this.start(requestId, `${requestId}-${Math.floor(this.now() / 900_000)}`);
  }

  async wake(taskToken: string): Promise<void> {
    try {
      await this.client.send(new SendTaskSuccessCommand({ taskToken, output: "{}" }));
    } catch (error) {
      // The wait is over, or the token was an earlier one's.
      if (!/^(TaskTimedOut|TaskDoesNotExist|InvalidToken)/.test((error as Error).name)) throw error;
    }
  }

  private async start(requestId: string, name: string): Promise<boolean> {
    try {
      await this.client.send(
        new StartExecutionCommand({
          stateMachineArn: this.stateMachineArn,
          name,
          input: JSON.stringify({ requestId }),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return false;
      throw error;
    }
  }
}
