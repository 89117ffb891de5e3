import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { waitFor } from "../../local/waitFor";

export const root = path.join(__dirname, "../..");

/** A running `bulkhead` command: the true process, as a user starts it. */
export interface RunningCommand {
  readonly child: ChildProcess;
  output(): string;
  /** Waits until standard output holds the text; fails when the process ends before. */
  seen(text: string): Promise<void>;
  /** Waits for the end; the exit code, or undefined when a signal ended it. */
  ended(): Promise<number | undefined>;
}

/** Starts the command in a process group of its own, so that a signal to the group is what Ctrl-C is on a terminal. */
export function start(args: string[], env: Record<string, string> = {}): RunningCommand {
  const child = spawn(process.execPath, [path.join(root, "cli/bulkhead.js"), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exit = once(child, "exit");
  return {
    child,
    output: () => output,
    async seen(text) {
      await waitFor(
        `"${text}" in the output`,
        async () => {
          if (output.includes(text)) return true;
          if (child.exitCode !== null) throw new Error(`the command ended before "${text}":\n${output}`);
          return undefined;
        },
        { timeoutMs: 400_000 },
      );
    },
    async ended() {
      const [code] = await exit;
      return code ?? undefined;
    },
  };
}

/** Sends a signal to the command's whole group, as a terminal does. */
export function signalGroup(command: RunningCommand, signal: NodeJS.Signals): void {
  process.kill(-command.child.pid!, signal);
}

/** Ids of processes that belong to local mode in this checkout: emulator, policy packs, programs, plugins, and what they started. */
export function localProcesses(): number[] {
  const own = new Set([process.pid, process.ppid]);
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      if (own.has(pid)) return false;
      try {
        const command = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        const cwd = fs.readlinkSync(`/proc/${pid}/cwd`);
        const ours = cwd.startsWith(root) || command.some((part) => part.startsWith(root));
        return (
          ours &&
          command.some((part) => /overlay|run-policy-pack|cmd\/run|bulkhead\.js|plugin|function/.test(part))
        );
      } catch {
        return false; // it has ended meanwhile
      }
    });
}

/** Waits until no process of local mode is left beyond those that were there before. */
export async function noneLeft(before: readonly number[]): Promise<void> {
  await waitFor(
    "the end of every process of local mode",
    async () => (localProcesses().every((pid) => before.includes(pid)) ? true : undefined),
    { timeoutMs: 15_000, intervalMs: 100 },
  );
}
