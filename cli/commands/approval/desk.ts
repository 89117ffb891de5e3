import type { Answer, Wish } from "../../../functions/approval/desk/desk";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { stackCell } from "../../stackConfig";

/** A cell's desk: the function that does what people want from the command line. */
export interface Desk {
  readonly cell: string;
  /** @throws CliError when the desk cannot be reached, or refuses */
  ask<Kind extends keyof Answers>(wish: Extract<Wish, { kind: Kind }>): Promise<Answers[Kind]>;
}

/** The answers, by what was wanted. */
interface Answers {
  open: Extract<Answer, { opened: string } | { exists: string }>;
  openEvent: Extract<Answer, { opened: string } | { exists: string }>;
  reopen: Extract<Answer, { opened: string } | { exists: string }>;
  list: Extract<Answer, { list: unknown }>;
  show: Extract<Answer, { shown: unknown }>;
  cancel: Extract<Answer, { cancelled: string }>;
  audit: Extract<Answer, { more: boolean }>;
}

/** Options that every subcommand has. */
export interface DeskOptions {
  cell: string;
  project: string;
}

/** Where a command reaches a desk; a parameter, so that tests need no AWS. */
export type ConnectDesk = (folder: string, stack: string) => Desk;

/**
 * The desk of a cell, found by the stack's files: no state is read. The caller needs lambda:InvokeFunction on it and nothing else.
 * @throws CliError when the stack's files are missing or lack a value
 */
export const connectDesk: ConnectDesk = (folder, stack) => {
  const { functionNames } =
    require("../../../components/lambda/functionNames") as typeof import("../../../components/lambda/functionNames");
  const { answerSchema } =
    require("../../../functions/approval/desk/desk") as typeof import("../../../functions/approval/desk/desk");
  const cell = stackCell(folder, stack);
  const { functionArn } = functionNames(cell, "approval-desk");
  return {
    cell: stack,
    async ask<Kind extends keyof Answers>(wish: Extract<Wish, { kind: Kind }>): Promise<Answers[Kind]> {
      const answer = answerSchema.safeParse(await invoke(functionArn, cell.region, stack, wish));
      if (!answer.success) {
        throw new CliError(
          EXIT_CODES.failed,
          "The answer of approval-desk cannot be understood: is it of another version?",
        );
      }
      if ("refused" in answer.data) throw new CliError(EXIT_CODES.failed, `Refused: ${answer.data.refused}.`);
      return answer.data as Answers[Kind];
    },
  };
};

async function invoke(functionArn: string, region: string, cell: string, wish: unknown): Promise<unknown> {
  const { InvokeCommand, LambdaClient } =
    require("@aws-sdk/client-lambda") as typeof import("@aws-sdk/client-lambda");
  const { signedIdentity } = require("./identity") as typeof import("./identity");
  try {
    const proof = await signedIdentity(region, cell, wish);
    const lambda = new LambdaClient({ region, maxAttempts: 1 });
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify({ wish, proof }) }),
    );
    if (FunctionError !== undefined) throw new Error("the function failed; its log says why");
    return JSON.parse(Buffer.from(Payload ?? []).toString("utf8") || "null");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT_CODES.environment, `The desk of cell ${cell} cannot be asked: ${reason}`, {
      cause: error,
    });
  }
}
