/** Starts and stops the local AWS: one Python process that ends with the process that started it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";
import { ensurePython } from "./python";

/** Why the local AWS did not start. */
export type LocalAwsErrorCode = "port-in-use" | "start-failed" | "start-timeout";

/** The local AWS did not start, or refused a request of its own control interface. */
export class LocalAwsError extends Error {
  override readonly name = "LocalAwsError";
  constructor(
    readonly code: LocalAwsErrorCode | "control-failed",
    message: string,
  ) {
    super(message);
  }
}

/** Settings of {@link launchAws}. */
export interface LaunchAwsOptions {
  /** The checkout's folder, where `.bulkhead/venv` is kept. Required. */
  root: string;
  /**
   * TCP port on 127.0.0.1.
   * @default a free one
   */
  port?: number;
  /**
   * Receives each line that the emulator logs (warnings and errors).
   * @default lines are dropped
   */
  onLog?: (line: string) => void;
  /**
   * Is told what takes time at first use (making the Python environment).
   * @default nothing is told
   */
  onProgress?: (step: string) => void;
  /**
   * Folder for temporary files (unpacked function code and the like). It is removed when the emulator ends.
   * @default a new folder in the system's temporary folder
   */
  dataDir?: string;
  /**
   * What functions find in AWS_ENDPOINT_URL: the region proxy, so that an outage hits them too.
   * @default the emulator itself; see also {@link LocalAws.setLambdaEndpointUrl}
   */
  lambdaEndpointUrl?: string;
}

/** A running local AWS. */
export interface LocalAws {
  /** For example `http://127.0.0.1:4566`: the endpoint of every service in every region. */
  readonly url: string;
  readonly pid: number;
  /** Loopback port of a mail server whose mails land in the inbox. */
  readonly smtpPort: number;
  /** Resolves when the process has ended, whether by {@link stop} or by itself; tells the exit code, if it had one. */
  readonly ended: Promise<number | undefined>;
  /**
   * Accounts whose calls reach EventBridge only while a trail of theirs, or of their organization, logs them (fact 20). All others count as
   * covered by a trail that somebody else has made.
   */
  requireTrails(accountIds: readonly string[]): Promise<void>;
  /** Changes what functions started from now on find in AWS_ENDPOINT_URL. Those that already run are ended. */
  setLambdaEndpointUrl(url: string): Promise<void>;
  /** Sets the clock of functions started from now on ahead, in seconds. Those that already run are ended. */
  setFunctionClock(aheadSeconds: number): Promise<void>;
  /** Ends the process and everything that it started. May be called twice. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 3_000;

interface ReadyLine {
  port?: number;
  smtpPort?: number;
  error?: string;
  message?: string;
}

/**
 * Starts the local AWS and waits until it answers.
 * @throws PythonError when there is no usable Python
 * @throws LocalAwsError when the port is taken or the process does not come up
 * @example
 * const aws = await launchAws({ root: process.cwd() });
 * try { await new STSClient({ endpoint: aws.url, region: "us-west-2" }).send(new GetCallerIdentityCommand()); }
 * finally { await aws.stop(); }
 */
export async function launchAws(options: LaunchAwsOptions): Promise<LocalAws> {
  const { python } = await ensurePython({ root: options.root, onProgress: options.onProgress });
  const args = ["-m", "overlay", "--port", String(options.port ?? 0)];
  if (options.dataDir) args.push("--data-dir", path.resolve(options.dataDir));
  if (options.lambdaEndpointUrl) args.push("--lambda-endpoint-url", options.lambdaEndpointUrl);
  const child = spawn(python, args, {
    cwd: __dirname,
    env: childEnvironment(),
    stdio: ["pipe", "pipe", "pipe"],
    // A process group of its own, so that Ctrl-C reaches only us and stop() can end all of the group.
    detached: process.platform !== "win32",
  });
  const group = new ProcessGroup(child);
  try {
    const ready = await firstLine(child, options.onLog, options.port);
    const url = `http://127.0.0.1:${ready.port}`;
    await control(url, "GET", "/_bulkhead/health");
    return {
      url,
      pid: child.pid!,
      smtpPort: ready.smtpPort!,
      ended: group.ended,
      requireTrails: (accounts) => control(url, "PUT", "/_bulkhead/trails/required", { accounts }),
      setLambdaEndpointUrl: (to) => control(url, "PUT", "/_bulkhead/lambda-endpoint", { url: to }),
      setFunctionClock: (aheadSeconds) => control(url, "PUT", "/_bulkhead/function-clock", { aheadSeconds }),
      stop: () => group.stop(),
    };
  } catch (error) {
    await group.stop();
    throw error;
  }
}

/** Nothing of the caller's AWS settings or credentials may reach the emulator or the functions that it runs. */
function childEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(HOME|LANG|LC_.*|TMPDIR|TEMP|TMP|SYSTEMROOT|USERPROFILE|TZ)$/i.test(name)) env[name] = value;
  }
  // Functions run on the Node that runs this.
  env.PATH = [path.dirname(process.execPath), process.env.PATH].filter(Boolean).join(path.delimiter);
  env.PYTHONUNBUFFERED = "1";
  env.PYTHONUTF8 = "1";
  return env;
}

/** The emulator says on its first line where it listens, or why it does not. */
function firstLine(
  child: ChildProcessWithoutNullStreams,
  onLog: ((line: string) => void) | undefined,
  port: number | undefined,
): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const lastLogs: string[] = [];
    const timer = setTimeout(() => {
      reject(
        new LocalAwsError("start-timeout", `The local AWS did not start in ${START_TIMEOUT_MS / 1000} s.`),
      );
    }, START_TIMEOUT_MS);
    timer.unref();
    readline.createInterface({ input: child.stderr }).on("line", (line) => {
      if (lastLogs.push(line) > 5) lastLogs.shift();
      onLog?.(line);
    });
    let isFirst = true;
    readline.createInterface({ input: child.stdout }).on("line", (line) => {
      if (!isFirst) return onLog?.(line);
      isFirst = false;
      clearTimeout(timer);
      const ready = JSON.parse(line) as ReadyLine;
      if (!ready.error) resolve(ready);
      else if (ready.error === "port-in-use") {
        reject(
          new LocalAwsError(
            "port-in-use",
            `Port ${port} on 127.0.0.1 is in use: stop what listens there, or ask for another port.`,
          ),
        );
      } else reject(new LocalAwsError("start-failed", `The local AWS did not start: ${ready.message}`));
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new LocalAwsError("start-failed", `The local AWS could not be started: ${error.message}`));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      reject(
        new LocalAwsError(
          "start-failed",
          `The local AWS ended at once (code ${code}): ${lastLogs.join(" | ")}`,
        ),
      );
    });
  });
}

async function control(url: string, method: string, to: string, body?: unknown): Promise<void> {
  const response = await fetch(url + to, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  if (!response.ok) {
    throw new LocalAwsError(
      "control-failed",
      `${method} ${to} was answered ${response.status}: ${await response.text()}`,
    );
  }
  await response.arrayBuffer();
}

/** The emulator with all that it started. */
class ProcessGroup {
  readonly ended: Promise<number | undefined>;
  #hasEnded = false;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.ended = new Promise((resolve) => {
      child.once("error", () => resolve(undefined));
      child.once("exit", (code) => {
        this.#hasEnded = true;
        // Had it been killed, its functions' processes would be left.
        this.#kill();
        resolve(code ?? undefined);
      });
    });
    // The pipe may break while it is being closed; that is what closing is for.
    child.stdin.on("error", () => {});
  }

  async stop(): Promise<void> {
    if (this.#hasEnded || this.child.pid === undefined) return;
    // The end of its standard input tells it to end, as it would if this process died.
    this.child.stdin.end();
    const timer = setTimeout(() => this.#kill(), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #kill(): void {
    if (this.child.pid === undefined) return;
    try {
      if (process.platform === "win32") this.child.kill("SIGKILL");
      else process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // Nothing of the group is left.
    }
  }
}
