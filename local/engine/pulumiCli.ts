/**
 * The driver over the genuine `pulumi` command, with everything of its own in one local folder: state (a file backend), its
 * home, the stacks' configuration, and a folder of plugins that comes first on PATH.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import * as yaml from "yaml";
import { isAlive } from "../processes";
import { installPlugin } from "../provider/launcher";
import { compileCache } from "./child";
import { readProject } from "./config";
import type { DeploymentOptions, DeploymentResult, StackDriver } from "./driver";
import { readEventLog } from "./eventLog";
import { Journal } from "./journal";
import { Crypter } from "./secrets";
import type { ExportedState } from "./state";
import type { Props } from "./wire";

/** How long the command may take to end by itself after a cancellation, in ms; it finishes the steps under way. */
const GRACE_MS = 30_000;

export interface PulumiCliOptions {
  /** Required. Folder for state, configuration and plugins. Several projects may share it. */
  stateDir: string;
  /** Required. Encrypts secrets in state and decrypts those of the configuration. */
  passphrase: string;
  /**
   * Provider plugins by package: scripts (TypeScript or JavaScript) that serve the gRPC protocol and print their port.
   * @default the stand-in for aws of local/provider
   */
  plugins?: Record<string, string>;
}

type Command = "preview" | "up" | "refresh" | "destroy";

/** Deploys with the `pulumi` on PATH. */
export class PulumiCliDriver implements StackDriver {
  readonly name: string;
  private readonly root: string;
  private readonly projects = new Map<string, string>();

  /** Throws when there is no `pulumi` on PATH. */
  constructor(private readonly settings: PulumiCliOptions) {
    const version = pulumiVersion();
    if (version === undefined) {
      throw new Error(
        "there is no pulumi on PATH; install it from https://www.pulumi.com/docs/install, or use the local engine",
      );
    }
    this.name = `pulumi ${version}`;
    this.root = path.resolve(settings.stateDir);
  }

  async preview(options: DeploymentOptions): Promise<DeploymentResult> {
    return await this.deploy("preview", options, []);
  }

  async up(options: DeploymentOptions): Promise<DeploymentResult> {
    // With policies the preview comes first, so that nothing is made when they refuse something.
    const first = (options.policyPacks ?? []).length > 0 && !options.skipPreview;
    const skip = first ? [] : ["--skip-preview"];
    return await this.deploy("up", options, ["--yes", ...skip]);
  }

  async refresh(options: DeploymentOptions): Promise<DeploymentResult> {
    return await this.deploy("refresh", options, ["--yes", "--skip-preview"]);
  }

  async destroy(options: DeploymentOptions): Promise<DeploymentResult> {
    return await this.deploy("destroy", options, ["--yes", "--skip-preview"]);
  }

  async outputs(stack: string, options: { showSecrets?: boolean } = {}): Promise<Record<string, unknown>> {
    const flags = options.showSecrets === true ? ["--show-secrets"] : [];
    return JSON.parse(await this.capture(stack, ["stack", "output", "--json", ...flags])) as Record<
      string,
      unknown
    >;
  }

  async exportState(stack: string): Promise<ExportedState> {
    return JSON.parse(await this.capture(stack, ["stack", "export"])) as ExportedState;
  }

  /** Puts an exported state in the stack's place. `projectDir` is that of its project. */
  async importState(
    options: Pick<DeploymentOptions, "stack" | "projectDir">,
    state: ExportedState,
  ): Promise<void> {
    await this.prepare(options);
    const file = path.join(this.workFolder(options.projectDir), `${options.stack}.import.json`);
    fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    try {
      await this.capture(options.stack, ["stack", "import", "--file", file]);
    } finally {
      fs.rmSync(file);
    }
  }

  // ---- a run -----------------------------------------------------------------------------------------------------

  private async deploy(
    command: Command,
    options: DeploymentOptions,
    flags: string[],
  ): Promise<DeploymentResult> {
    // Lines come from the command itself; the log afterwards only fills the result.
    const journal = new Journal(
      { ...(options.onEvent ? { onEvent: options.onEvent } : {}) },
      command === "preview",
    );
    const { signal, stack, policyPacks = [], onOutput = () => {} } = options;
    let outputs: Record<string, unknown> = {};
    let counts: DeploymentResult["counts"] = {};
    try {
      await journal.timed("total", async () => {
        const configFile = await journal.timed("opening", () => this.prepare(options));
        const log = path.join(this.workFolder(options.projectDir), `${stack}.events.jsonl`);
        fs.rmSync(log, { force: true });
        const withPacks = command === "preview" || command === "up";
        const args = [
          ...["-C", path.resolve(options.projectDir), command, "--stack", stack, "--config-file", configFile],
          ...["--non-interactive", "--color", "never", "--event-log", log],
          ...["--parallel", String(options.parallel ?? 32)],
          ...(withPacks ? policyPacks.flatMap((folder) => ["--policy-pack", path.resolve(folder)]) : []),
          ...flags,
        ];
        const { code, errors } = await journal.timed("pulumi", () =>
          this.run(args, { env: options.env ?? {}, onLine: onOutput, ...(signal ? { signal } : {}) }),
        );
        const text = fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
        ({ outputs, counts } = readEventLog(text, journal));
        fs.rmSync(log, { force: true });
        if (code !== 0 && !journal.failed) {
          journal.diagnostic("error", errors === "" ? `pulumi ${command} ended with code ${code}` : errors);
        }
      });
    } catch (error) {
      journal.diagnostic("error", (error as Error).message);
      onOutput(`error: ${(error as Error).message}`);
    }
    return { ...journal.result(outputs, signal?.aborted === true), counts };
  }

  /**
   * Makes the stack, its configuration file and the plugins' folder. The configuration file is a copy, so that nothing of
   * local mode gets into the project's own. Returns its path.
   */
  private async prepare(
    options: Pick<DeploymentOptions, "stack" | "projectDir" | "config" | "secretConfig">,
  ): Promise<string> {
    const project = readProject(options.projectDir);
    this.projects.set(options.stack, options.projectDir);
    await this.writePlugins();
    const folder = this.workFolder(options.projectDir);
    fs.mkdirSync(folder, { recursive: true });
    // A project of this name and no more: where `stack init` may write.
    fs.writeFileSync(
      path.join(folder, "Pulumi.yaml"),
      yaml.stringify({ name: project.name, runtime: "nodejs" }),
    );
    const file = path.join(folder, `Pulumi.${options.stack}.yaml`);
    const theirs = path.join(project.root, `Pulumi.${options.stack}.yaml`);
    const content: Props = fs.existsSync(theirs) ? (yaml.parse(fs.readFileSync(theirs, "utf8")) ?? {}) : {};
    if (content.secretsprovider !== undefined && !String(content.secretsprovider).startsWith("passphrase")) {
      // The state of real deployments is another one; local state is under the passphrase.
      delete content.secretsprovider;
      delete content.encryptedkey;
    }
    const before: Props = fs.existsSync(file) ? (yaml.parse(fs.readFileSync(file, "utf8")) ?? {}) : {};
    if (content.encryptionsalt === undefined && before.encryptionsalt !== undefined) {
      content.encryptionsalt = before.encryptionsalt;
    }
    let crypter: Crypter;
    if (typeof content.encryptionsalt === "string") {
      crypter = await Crypter.open(content.encryptionsalt, this.settings.passphrase, theirs);
    } else {
      crypter = await Crypter.create(this.settings.passphrase);
      content.encryptionsalt = crypter.salt;
    }
    const config: Props = { ...content.config };
    const full = (key: string): string => (key.includes(":") ? key : `${project.name}:${key}`);
    for (const [key, value] of Object.entries(options.config ?? {})) {
      config[full(key)] = structured(project.declarations[key]?.type, value);
    }
    for (const [key, value] of Object.entries(options.secretConfig ?? {})) {
      config[full(key)] = { secure: crypter.encrypt(value) };
    }
    fs.writeFileSync(file, yaml.stringify({ ...content, config }), { mode: 0o600 });
    this.breakDeadLocks(project.name, options.stack);
    if (
      !fs.existsSync(
        path.join(this.root, "backend", ".pulumi", "stacks", project.name, `${options.stack}.json`),
      )
    ) {
      await this.capture(options.stack, ["stack", "init", "--secrets-provider", "passphrase"]);
    }
    return file;
  }

  /** A command that was killed leaves its lock; the lock of a process that is gone is removed. */
  private breakDeadLocks(project: string, stack: string): void {
    const folder = path.join(this.root, "backend", ".pulumi", "locks", "organization", project, stack);
    for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
      const file = path.join(folder, name);
      const { pid } = JSON.parse(fs.readFileSync(file, "utf8")) as { pid?: number };
      if (pid !== undefined && !isAlive(pid)) fs.rmSync(file);
    }
  }

  private workFolder(projectDir: string): string {
    return path.join(this.root, "projects", readProject(projectDir).name);
  }

  /** Runs a command about one stack and returns what it prints. Throws with its errors when it fails. */
  private async capture(stack: string, args: string[]): Promise<string> {
    const projectDir = this.projects.get(stack);
    if (projectDir === undefined) throw new Error(`stack ${stack} is not known; preview or deploy it first`);
    const lines: string[] = [];
    const folder = this.workFolder(projectDir);
    const [first, second, ...rest] = args as [string, string, ...string[]];
    const named = second === "init" ? [stack] : ["--stack", stack];
    const all = ["-C", folder, first, second, ...named, ...rest, "--non-interactive", "--color", "never"];
    const { code, errors } = await this.run(all, {
      env: {},
      onLine: (line) => lines.push(line),
      quietErrors: true,
    });
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${errors}`);
    return lines.join("\n");
  }

  private async run(
    args: string[],
    options: {
      env: Record<string, string>;
      onLine: (line: string) => void;
      signal?: AbortSignal;
      quietErrors?: boolean;
    },
  ): Promise<{ code: number; errors: string }> {
    if (options.signal?.aborted) return { code: 130, errors: "cancelled before it began" };
    const child = spawn("pulumi", args, {
      env: { ...process.env, ...this.environment(), ...options.env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const errors: string[] = [];
    readline.createInterface({ input: child.stdout }).on("line", options.onLine);
    readline.createInterface({ input: child.stderr }).on("line", (line) => {
      errors.push(line);
      if (options.quietErrors !== true) options.onLine(line);
    });
    let timer: NodeJS.Timeout | undefined;
    const cancel = () => {
      // As Ctrl-C: it finishes the steps under way, records them, and ends its plugins.
      child.kill("SIGINT");
      timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), GRACE_MS);
    };
    options.signal?.addEventListener("abort", cancel);
    try {
      const failure = new Promise<never>((_, reject) => child.once("error", reject));
      const [code] = (await Promise.race([once(child, "close"), failure])) as [number | null];
      return { code: code ?? 128, errors: errors.join("\n") };
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", cancel);
      // Plugins that outlived the command.
      killGroup(child.pid, "SIGKILL");
    }
  }

  private environment(): Record<string, string> {
    const node = path.dirname(process.execPath);
    const backend = path.join(this.root, "backend");
    fs.mkdirSync(backend, { recursive: true });
    return {
      PATH: [this.pluginFolder(), node, process.env.PATH ?? ""].join(path.delimiter),
      PULUMI_HOME: path.join(this.root, "home"),
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: this.settings.passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      // Without this the command does not know --event-log.
      PULUMI_DEBUG_COMMANDS: "true",
      ...compileCache(),
    };
  }

  private pluginFolder(): string {
    return path.join(this.root, "plugins");
  }

  /** One executable for each plugin, under the name that pulumi looks for. */
  private async writePlugins(): Promise<void> {
    if (this.settings.plugins === undefined) {
      await installPlugin(this.pluginFolder());
      return;
    }
    fs.mkdirSync(this.pluginFolder(), { recursive: true });
    const loader = require.resolve("tsx/cjs");
    for (const [name, script] of Object.entries(this.settings.plugins)) {
      const file = path.join(this.pluginFolder(), `pulumi-resource-${name}`);
      const command = [process.execPath, "-r", loader, path.resolve(script)].map(quoted).join(" ");
      fs.writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
    }
  }
}

/** The version of the `pulumi` on PATH, as `v3.260.0`; undefined when there is none. */
export function pulumiVersion(): string | undefined {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { status, stdout } = spawnSync("pulumi", ["version"], { encoding: "utf8", env });
  return status === 0 ? stdout.trim() : undefined;
}

/** A value given as text, in the form that its declared type has in a configuration file. */
function structured(type: string | undefined, text: string): unknown {
  return type === "array" || type === "object" ? JSON.parse(text) : text;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
