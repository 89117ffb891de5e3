/**
 * Finds a Python and keeps the virtual environment that the local AWS runs in: `<root>/.bulkhead/venv`, made from
 * `requirements.txt` with every file's hash checked.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isAlive } from "../processes";

/** What can go wrong before the emulator starts; each comes with one message that says what to do. */
export type PythonErrorCode =
  | "no-python"
  | "python-too-old"
  | "no-venv-module"
  | "no-network"
  | "install-failed";

/** Why no virtual environment could be had. */
export class PythonError extends Error {
  override readonly name = "PythonError";
  constructor(
    readonly code: PythonErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Settings of {@link ensurePython}. */
export interface EnsurePythonOptions {
  /** The checkout's folder; the environment is made below its `.bulkhead/`. Required. */
  root: string;
  /**
   * Environment variables that the search and the installation run with.
   * @default process.env
   */
  env?: NodeJS.ProcessEnv;
  /**
   * The pinned requirements.
   * @default requirements.txt beside this file
   */
  requirements?: string;
  /**
   * Is told, in a few words, what takes time.
   * @default nothing is told
   */
  onProgress?: (step: string) => void;
}

/** A virtual environment that is ready. */
export interface PythonEnvironment {
  /** Path of its python. */
  python: string;
  /** Whether it was made by this call. */
  created: boolean;
}

const OLDEST = [3, 10] as const;
/** The newest version that the pinned packages have prebuilt files for; newer ones are tried last. */
const NEWEST_KNOWN = 14;
const MARKER = "bulkhead.json";

interface Interpreter {
  command: string;
  args: string[];
  version: [number, number];
  hasVenv: boolean;
}

interface Finished {
  code: number | undefined;
  output: string;
}

/**
 * The python of `<root>/.bulkhead/venv`, which is made when it is absent, half-made, of other requirements, or of a Python
 * that is gone. Two processes may call this at the same time.
 * @throws PythonError
 */
export async function ensurePython(options: EnsurePythonOptions): Promise<PythonEnvironment> {
  const env = options.env ?? process.env;
  const requirements = options.requirements ?? path.join(__dirname, "requirements.txt");
  const wanted = createHash("sha256")
    .update(await fs.readFile(requirements))
    .digest("hex");
  const home = path.join(options.root, ".bulkhead");
  const venv = path.join(home, "venv");
  if (await isReady(venv, wanted)) return { python: pythonIn(venv), created: false };

  const interpreter = await findInterpreter(env);
  await fs.mkdir(home, { recursive: true });
  await discardAbandoned(home);
  // Made under another name and renamed when whole: what carries the real name is complete, or lacks its marker.
  const draft = path.join(home, `venv-draft-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    options.onProgress?.(`making a Python ${interpreter.version.join(".")} environment`);
    await makeVenv(interpreter, draft, env);
    options.onProgress?.("installing the local AWS");
    await install(draft, requirements, env);
    await fs.writeFile(
      path.join(draft, MARKER),
      JSON.stringify({ requirements: wanted, python: interpreter.version.join(".") }),
    );
    await putInPlace(draft, venv, wanted);
  } finally {
    await fs.rm(draft, { recursive: true, force: true });
  }
  return { python: pythonIn(venv), created: true };
}

function pythonIn(venv: string): string {
  return process.platform === "win32"
    ? path.join(venv, "Scripts", "python.exe")
    : path.join(venv, "bin", "python");
}

async function isReady(venv: string, wanted: string): Promise<boolean> {
  try {
    const marker: unknown = JSON.parse(await fs.readFile(path.join(venv, MARKER), "utf8"));
    // Follows the link to the base interpreter, which an upgrade of the system may have removed.
    await fs.access(pythonIn(venv), fs.constants.X_OK);
    return (
      typeof marker === "object" && (marker as { requirements?: string } | null)?.requirements === wanted
    );
  } catch {
    return false;
  }
}

/** Removes drafts of processes that are gone. */
async function discardAbandoned(home: string): Promise<void> {
  for (const entry of await fs.readdir(home)) {
    const owner = /^venv-(?:draft|old)-(\d+)-/.exec(entry)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) {
      await fs.rm(path.join(home, entry), { recursive: true, force: true });
    }
  }
}

async function putInPlace(draft: string, venv: string, wanted: string): Promise<void> {
  if (await isReady(venv, wanted)) return; // Another process was quicker.
  const old = path.join(path.dirname(venv), `venv-old-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    await fs.rename(venv, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  try {
    await fs.rename(draft, venv);
  } catch (error) {
    if (!(await isReady(venv, wanted))) throw error;
  } finally {
    await fs.rm(old, { recursive: true, force: true });
  }
}

/** Names that a Python 3 goes by, in the order of preference. */
function candidates(): { command: string; args: string[] }[] {
  const names = ["python3"];
  for (let minor = NEWEST_KNOWN; minor >= OLDEST[1]; minor--) names.push(`python3.${minor}`);
  names.push("python");
  const list = names.map((command) => ({ command, args: [] as string[] }));
  return process.platform === "win32" ? [{ command: "py", args: ["-3"] }, ...list] : list;
}

const PROBE =
  "import importlib.util as u, sys;" +
  "print('bulkhead', sys.version_info[0], sys.version_info[1], int(bool(u.find_spec('venv') and u.find_spec('ensurepip'))))";

async function findInterpreter(env: NodeJS.ProcessEnv): Promise<Interpreter> {
  const found: Interpreter[] = [];
  for (const candidate of candidates()) {
    const { code, output } = await run(candidate.command, [...candidate.args, "-c", PROBE], env);
    const answer = /^bulkhead (\d+) (\d+) ([01])\s*$/m.exec(output);
    if (code !== 0 || !answer) continue;
    const interpreter: Interpreter = {
      ...candidate,
      version: [Number(answer[1]), Number(answer[2])],
      hasVenv: answer[3] === "1",
    };
    if (isSupported(interpreter) && interpreter.hasVenv && interpreter.version[1] <= NEWEST_KNOWN) {
      return interpreter;
    }
    found.push(interpreter);
  }
  const supported = found.filter(isSupported);
  const usable = supported.find((each) => each.hasVenv);
  if (usable) return usable;
  const needed = `Python ${OLDEST.join(".")} or newer`;
  const lacking = supported[0];
  if (lacking) {
    throw new PythonError("no-venv-module", noVenvMessage(lacking));
  }
  const tooOld = found[0];
  if (tooOld) {
    throw new PythonError(
      "python-too-old",
      `The local AWS needs ${needed}, but ${tooOld.command} is Python ${tooOld.version.join(".")}: install ${needed} and put it on PATH.`,
    );
  }
  throw new PythonError(
    "no-python",
    `The local AWS needs ${needed}, and none was found on PATH (looked for python3, python3.${NEWEST_KNOWN} to python3.${OLDEST[1]}, python): install it, for example with \`apt install python3 python3-venv\` or \`brew install python\`.`,
  );
}

function isSupported(interpreter: Interpreter): boolean {
  const [major, minor] = interpreter.version;
  return major === OLDEST[0] && minor >= OLDEST[1];
}

function noVenvMessage(interpreter: Interpreter): string {
  return `${interpreter.command} (Python ${interpreter.version.join(".")}) cannot make virtual environments: its modules venv and ensurepip are missing. Run \`apt install python3-venv\` (or your system's equivalent) and start again.`;
}

async function makeVenv(interpreter: Interpreter, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { code, output } = await run(interpreter.command, [...interpreter.args, "-m", "venv", folder], env);
  if (code === 0) return;
  if (/ensurepip|No module named '?venv/.test(output)) {
    throw new PythonError("no-venv-module", noVenvMessage(interpreter));
  }
  throw new PythonError(
    "install-failed",
    `Making a virtual environment in ${folder} with ${interpreter.command} failed: ${lastLines(output)}`,
  );
}

const UNREACHABLE =
  /Failed to establish a new connection|NewConnectionError|NameResolutionError|name resolution|ConnectTimeoutError|ReadTimeoutError|ProxyError|Connection refused|Network is unreachable|Max retries exceeded/i;

async function install(venv: string, requirements: string, env: NodeJS.ProcessEnv): Promise<void> {
  // Prebuilt files only: building from source would download build tools whose hashes nobody checks.
  const args = [
    "-m",
    "pip",
    "install",
    "--require-hashes",
    "--only-binary",
    ":all:",
    "--no-input",
    "--quiet",
  ];
  args.push("--disable-pip-version-check", "--no-warn-script-location", "--retries", "2", "-r", requirements);
  const { code, output } = await run(pythonIn(venv), args, env);
  if (code === 0) return;
  if (UNREACHABLE.test(output)) {
    throw new PythonError(
      "no-network",
      "The local AWS is installed from the Python package index at first use, and the index could not be reached: connect to the network (or set PIP_INDEX_URL to a mirror that you can reach) and start again.",
    );
  }
  throw new PythonError(
    "install-failed",
    `Installing ${path.basename(requirements)} failed: ${lastLines(output)}`,
  );
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-3).join(" | ") || "no output";
}

/** Runs a program to its end, with standard output and standard error as one text. An absent program has no code. */
function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer) => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", () => resolve({ code: undefined, output }));
    child.on("close", (code) => resolve({ code: code ?? undefined, output }));
  });
}
