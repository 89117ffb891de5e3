import type { AccountAnswer } from "../../../functions/keyRotation/account/work";
import type { AccountItem } from "../../../functions/keyRotation/inventory/list";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { stackCell } from "../../stackConfig";

/** A cell's rotator, as the command reaches it: its functions and its bucket, in the cell's region. */
export interface Rotator {
  /** The accounts that the next run looks after. */
  accounts(): Promise<AccountItem[]>;
  /** What the account function answers. */
  account(event: object): Promise<AccountAnswer>;
  /** An object below the rotator's prefix; undefined: there is none. */
  object(key: string): Promise<string | undefined>;
}

/** Longest run of the account function, and a little more. */
const INVOKE_MILLISECONDS = 910_000;

/**
 * Finds a cell's rotator by the stack's files: no state is read. The functions do the work with their own roles, so that the command sees what
 * the next run will see, and needs no more than the permission to invoke them.
 *
 * @throws CliError when the stack's files are missing or lack a value
 */
export function connectRotator(folder: string, stack: string): Rotator {
  const names =
    require("../../../components/keyRotator/names") as typeof import("../../../components/keyRotator/names");
  const { LambdaClient } = require("@aws-sdk/client-lambda") as typeof import("@aws-sdk/client-lambda");
  const { S3Client } = require("@aws-sdk/client-s3") as typeof import("@aws-sdk/client-s3");
  const { S3Objects } =
    require("../../../functions/keyRotation/adapters/objects") as typeof import("../../../functions/keyRotation/adapters/objects");
  const cell = stackCell(folder, stack);
  const { region } = cell;
  const requestHandler = { requestTimeout: INVOKE_MILLISECONDS, connectionTimeout: 5_000 };
  const lambda = new LambdaClient({ region, maxAttempts: 1, requestHandler });
  const objects = new S3Objects(new S3Client({ region, maxAttempts: 3 }), names.bucketName(cell));
  const call = (which: "inventory" | "account", event: object) =>
    invoke(lambda, names.rotatorFunctionArn(cell, which), event);
  return {
    async accounts() {
      const answer = (await call("inventory", { runId: runName(), inline: true })) as {
        list?: AccountItem[];
        reason?: string;
      };
      if (!answer.list) {
        throw new CliError(
          EXIT_CODES.failed,
          `The accounts cannot be listed: ${answer.reason || "no answer"}.`,
        );
      }
      return answer.list;
    },
    account: async (event) => (await call("account", { runId: runName(), ...event })) as AccountAnswer,
    object: (key) => objects.get(`key-rotation/${key}`),
  };
}

/** Name of a run of the command's own. */
function runName(): string {
  return `cli-${new Date().toISOString().replace(/\D/g, "")}`;
}

async function invoke(
  lambda: import("@aws-sdk/client-lambda").LambdaClient,
  functionArn: string,
  event: object,
): Promise<unknown> {
  const { InvokeCommand } = require("@aws-sdk/client-lambda") as typeof import("@aws-sdk/client-lambda");
  const name = functionArn.split(":").at(-1);
  let answer: import("@aws-sdk/client-lambda").InvokeCommandOutput;
  try {
    answer = await lambda.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT_CODES.environment, `The function ${name} cannot be called: ${reason}`, {
      cause: error,
    });
  }
  const payload: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString("utf8") || "null");
  if (answer.FunctionError) {
    const { errorMessage = "no message" } = (payload ?? {}) as { errorMessage?: string };
    throw new CliError(EXIT_CODES.failed, `The function ${name} failed: ${errorMessage}`);
  }
  return payload;
}
