/** Child processes of the engine, all under the Node that runs it; none outlives it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as readline from "node:readline";

/** How long a child may take to end by itself after it was asked to, in ms. */
const GRACE_MS = 2000;
/** How many of the last lines of standard error are kept. */
const KEPT_LINES = 40;

export interface ChildOptions {
  /** Script and arguments. */
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Options of Node itself. @default [] */
  nodeArgs?: readonly string[];
  /** Gets each line of standard output. */
  onLine: (line: string) => void;
  /** Gets each line of standard error. @default the same as `onLine` */
  onErrorLine?: (line: string) => void;
}

export interface ChildHost {
  readonly pid: number | undefined;
  /** The exit code, or 128 and the like when a signal ended it. */
  readonly exited: Promise<number>;
  /** The last lines of standard error. */
  errorText(): string;
  /** Asks it to end, then makes it; resolves when it has ended. */
  stop(): Promise<void>;
}

/** Starts a Node script, in a process group of its own so that its children end with it. */
export function spawnNode(options: ChildOptions): ChildHost {
  const guard = path.join(__dirname, "childGuard.cjs");
  const child = spawn(process.execPath, ["-r", guard, ...(options.nodeArgs ?? []), ...options.args], {
    cwd: options.cwd,
    env: { ...process.env, ...compileCache(), ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const errors: string[] = [];
  const lines = readline.createInterface({ input: child.stdout! });
  lines.on("line", options.onLine);
  const errorLines = readline.createInterface({ input: child.stderr! });
  errorLines.on("line", (line) => {
    errors.push(line);
    if (errors.length > KEPT_LINES) errors.shift();
    (options.onErrorLine ?? options.onLine)(line);
  });
  child.stdio[3]?.on("error", () => {
    // The child ended first; its exit is told by `exited`.
  });
  const exited = (async () => {
    const failure = new Promise<never>((_, reject) => child.once("error", reject));
    const [code] = (await Promise.race([once(child, "close"), failure])) as [number | null];
    return code ?? 128;
  })();
  // Whoever cares awaits it; a child that could not be started must not end the engine's own process.
  exited.catch(() => {});
  return {
    pid: child.pid,
    exited,
    errorText: () => errors.join("\n"),
    async stop() {
      if (child.pid === undefined) return;
      signalGroup(child.pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child.pid!, "SIGKILL"), GRACE_MS);
      await exited.catch(() => {});
      clearTimeout(timer);
      // What it started itself and did not wait for.
      signalGroup(child.pid, "SIGKILL");
    },
  };
}

/** A folder of the project's node_modules, where other tools keep such things; undefined where there are none. */
function cacheFolder(name: string): string | undefined {
  const modules = path.join(__dirname, "..", "..", "node_modules");
  return fs.existsSync(modules) ? path.join(modules, ".cache", name) : undefined;
}

/**
 * Lets Node keep compiled code between runs, which takes a good third off the start of programs and packs; not where the caller has set
 * another place.
 */
export function compileCache(): Record<string, string> {
  const folder = cacheFolder("local-engine");
  if (process.env.NODE_COMPILE_CACHE !== undefined || folder === undefined) return {};
  return { NODE_COMPILE_CACHE: folder };
}

/** Lets programs keep what ts-node has made of their files; see transpileCache.cjs. */
export function transpileCache(): Record<string, string> {
  const folder = cacheFolder("local-engine-typescript");
  return folder === undefined ? {} : { BULKHEAD_TRANSPILE_CACHE: folder };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has ended.
  }
}

/** The path of one of the SDK's runners (`run`, `run-policy-pack`), as a program in `folder` would resolve it. */
export function programModule(runner: "run" | "run-policy-pack", folder: string): string {
  try {
    return createRequire(path.join(folder, "index.js")).resolve(`@pulumi/pulumi/cmd/${runner}`);
  } catch {
    throw new Error(`@pulumi/pulumi is not installed where ${folder} can load it; run npm ci in the project`);
  }
}
