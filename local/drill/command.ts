import { spawn } from "node:child_process";
import * as path from "node:path";
import type { LocalEnvironment } from "../environment";

/** What a run of the product's command said, and how it ended. */
export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** An answer to a question of the command, in the order in which they come. */
export interface Answer {
  /** Part of the question, which the command prints before it waits. */
  to: string;
  /** What is typed; made when the question has come, so that what was asked for can be done meanwhile. */
  reply(): string | Promise<string>;
}

/**
 * Runs `bulkhead`, as an operator would: a process of its own, with the deployer's credentials, against the local AWS.
 *
 * @param args the arguments, without `--project`
 * @param answers what is typed at its questions
 * @throws Error when it ends before all questions have come
 */
export async function runCommand(
  environment: LocalEnvironment,
  args: readonly string[],
  options: { answers?: readonly Answer[]; signal?: AbortSignal } = {},
): Promise<CommandResult> {
  const { deployer } = environment.organization;
  const child = spawn(
    process.execPath,
    [path.join(environment.root, "cli", "bulkhead.js"), ...args, "--project", environment.projectDir],
    {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        AWS_ENDPOINT_URL: environment.proxy.url,
        AWS_ACCESS_KEY_ID: deployer.accessKeyId,
        AWS_SECRET_ACCESS_KEY: deployer.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
      },
      stdio: ["pipe", "pipe", "pipe"],
      signal: options.signal,
    },
  );
  let stdout = "";
  let stderr = "";
  let said = () => {};
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
    said();
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      said();
      resolve(code ?? 1);
    });
  });
  // Looked at below, once all questions have been answered.
  ended.catch(() => {});
  // A command that ends early takes no more answers; that it did is told below.
  child.stdin.on("error", () => {});
  let heard = 0;
  for (const answer of options.answers ?? []) {
    await new Promise<void>((resolve, reject) => {
      said = () => {
        const at = stderr.indexOf(answer.to, heard);
        if (at >= 0) {
          heard = at + answer.to.length;
          resolve();
        } else if (child.exitCode !== null || child.signalCode !== null) {
          reject(new Error(`"bulkhead ${args.join(" ")}" ended without asking "${answer.to}":\n${stderr}`));
        }
      };
      said();
    });
    child.stdin.write(`${await answer.reply()}\n`);
  }
  said = () => {};
  child.stdin.end();
  return { exitCode: await ended, stdout, stderr };
}
