/** The driver for machines without the `pulumi` command: everything runs in this process but program and policy packs. */

import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { PolicyPack } from "./analyzer";
import { type Project, readConfig, readProject, type StackConfig } from "./config";
import { deleteAll } from "./deletion";
import { Deployment } from "./deployment";
import type { DeploymentOptions, DeploymentResult, StackDriver } from "./driver";
import { engineService } from "./engineService";
import { Journal } from "./journal";
import { Limiter } from "./limiter";
import { StackLock } from "./lock";
import { monitorService } from "./monitor";
import { exitProblem, programEnvironment, startProgram } from "./program";
import { masked } from "./propertyDiff";
import { type ProviderFactory, ProviderRegistry } from "./providers";
import { recover } from "./recovery";
import { refreshAll } from "./refresh";
import { Snapshot } from "./snapshot";
import { crypterOf, decodeState, type ExportedState, type ResourceState } from "./state";
import { readExported, StateStore, stateFile } from "./store";
import { ROOT_TYPE } from "./urn";
import { isSecret, mapValues, type Props, plainProps } from "./wire";

/** Stacks of a local folder have no organization; Pulumi gives them this one. */
const ORGANIZATION = "organization";
const PARALLEL = 32;
/** How long a program may take to end after a resource has failed, in ms. */
const FAILED_GRACE_MS = 3000;
const MESSAGE_BYTES = 400 * 1024 * 1024;

export interface EmbeddedOptions {
  /** Required. Folder of the state files, one `STACK.json` each. */
  stateDir: string;
  /** Required. Encrypts secrets in state and decrypts those of the configuration. */
  passphrase: string;
  /** Required. Makes a provider for a package; throws, naming it, when there is none. */
  providers: ProviderFactory;
}

/** What the operations have in common. */
export interface Run {
  options: DeploymentOptions;
  journal: Journal;
  project: Project;
  config: StackConfig;
  store: StateStore;
  limiter: Limiter;
}

/** One program run against one deployment. */
interface Phase {
  run: Run;
  journal: Journal;
  preview: boolean;
  resources: readonly ResourceState[];
  packs: Promise<readonly PolicyPack[]>;
}

/** Deploys with the engine of this folder. */
export class EmbeddedDriver implements StackDriver {
  readonly name = "local engine";

  constructor(private readonly settings: EmbeddedOptions) {}

  async preview(options: DeploymentOptions): Promise<DeploymentResult> {
    const journal = new Journal(options, true);
    return await this.guarded(journal, options, async () => {
      const run = await this.open(options, journal);
      return await this.withPacks(run, async (packs) => {
        const resources = await this.recovered(run, journal);
        const deployment = await this.phase({ run, journal, preview: true, resources, packs });
        return deployment.outputs();
      });
    });
  }

  async up(options: DeploymentOptions): Promise<DeploymentResult> {
    const journal = new Journal(options, false);
    let refused: DeploymentResult | undefined;
    const result = await this.guarded(journal, options, async () => {
      const lock = this.lock(options.stack);
      try {
        const run = await this.open(options, journal);
        return await this.withPacks(run, async (packs) => {
          const resources = await this.recovered(run, journal);
          if ((options.policyPacks ?? []).length > 0 && !options.skipPreview) {
            // What the policies would stop half-way is stopped before anything is made.
            refused = await journal.timed("preview", () => this.rehearse(run, resources, packs));
            if (refused !== undefined) return {};
          }
          const phase = { run, journal, preview: false, resources, packs };
          const deployment = await journal.timed("deployment", () => this.phase(phase));
          return deployment.outputs();
        });
      } finally {
        lock.release();
      }
    });
    if (refused === undefined) return result;
    // The rehearsal was silent; what was wrong with it is told now.
    for (const { severity, message, urn } of refused.diagnostics) journal.diagnostic(severity, message, urn);
    for (const violation of refused.policyViolations) journal.violation(violation);
    return { ...journal.result(refused.outputs, refused.cancelled), ok: false, plan: refused.plan };
  }

  async refresh(options: DeploymentOptions): Promise<DeploymentResult> {
    return await this.withoutProgram(options, async (run, journal, resources) => {
      const snapshot = new Snapshot(resources);
      const registry = new ProviderRegistry(this.settings.providers, snapshot, run.limiter);
      const next = await refreshAll(resources, registry, journal, () => options.signal?.aborted === true);
      run.store.follow(() => ({ resources: next, pending: [] }));
      await run.store.save();
      return stackOutputs(next);
    });
  }

  async destroy(options: DeploymentOptions): Promise<DeploymentResult> {
    return await this.withoutProgram(options, async (run, journal, resources) => {
      const snapshot = new Snapshot(resources);
      const registry = new ProviderRegistry(this.settings.providers, snapshot, run.limiter);
      run.store.follow(() => snapshot.checkpoint());
      const context = {
        preview: false,
        snapshot,
        providers: registry,
        journal,
        save: () => run.store.save(),
        stopped: () => options.signal?.aborted === true,
        deleted: new Set<string>(),
      };
      await deleteAll(context, snapshot.rest);
      await run.store.save();
      return {};
    });
  }

  async outputs(stack: string, options: { showSecrets?: boolean } = {}): Promise<Record<string, unknown>> {
    const outputs = await this.clearOutputs(stack);
    return options.showSecrets === true ? plainProps(outputs) : (masked(outputs) as Props);
  }

  async exportState(stack: string): Promise<ExportedState> {
    const file = stateFile(this.settings.stateDir, stack);
    const exported = readExported(file);
    if (exported === undefined)
      throw new Error(`there is no stack ${stack} in ${this.settings.stateDir}; deploy it first`);
    return exported;
  }

  // ---- the parts of a run ----------------------------------------------------------------------------------------

  private lock(stack: string): StackLock {
    return StackLock.acquire(`${stateFile(this.settings.stateDir, stack)}.lock`, stack);
  }

  private async open(options: DeploymentOptions, journal: Journal): Promise<Run> {
    const { stateDir, passphrase } = this.settings;
    return await journal.timed("opening", async () => {
      const project = readProject(options.projectDir);
      const config = await readConfig(project, options.stack, passphrase, options);
      const salt = config.salt;
      const store = await StateStore.open({
        stateDir,
        stack: options.stack,
        passphrase,
        ...(salt ? { salt } : {}),
      });
      return { options, journal, project, config, store, limiter: new Limiter(options.parallel ?? PARALLEL) };
    });
  }

  /** The resources to start from, after what an interrupted run left has been looked into. */
  private async recovered(run: Run, journal: Journal): Promise<ResourceState[]> {
    const { initial } = run.store;
    if (initial.pending.length === 0) return initial.resources;
    const registry = new ProviderRegistry(
      this.settings.providers,
      new Snapshot(initial.resources),
      run.limiter,
    );
    return await journal.timed("recovery", () => recover(initial, registry, journal));
  }

  /** Previews without a word; gives the result if it does not allow to go on. */
  private async rehearse(
    run: Run,
    resources: readonly ResourceState[],
    packs: Promise<readonly PolicyPack[]>,
  ): Promise<DeploymentResult | undefined> {
    const journal = new Journal({}, true);
    const deployment = await this.phase({ run, journal, preview: true, resources, packs });
    const result = journal.result(deployment.outputs(), run.options.signal?.aborted === true);
    return result.ok ? undefined : result;
  }

  /** Starts the packs, and ends them however the work ends. They start while the program does. */
  private async withPacks<T>(
    run: Run,
    work: (packs: Promise<readonly PolicyPack[]>) => Promise<T>,
  ): Promise<T> {
    const { options, journal, project, config } = run;
    const folders = options.policyPacks ?? [];
    if (folders.length === 0) return await work(Promise.resolve([]));
    const server = await serve(
      engineService({
        root: () => undefined,
        onLog: (severity, text, urn) => journal.diagnostic(severity, text, urn),
      }),
    );
    const env = programEnvironment({
      project,
      config,
      stack: options.stack,
      organization: ORGANIZATION,
      // One process serves the rehearsal and the deployment.
      preview: true,
      env: options.env ?? {},
    });
    const starting = folders.map((folder) =>
      PolicyPack.start({
        folder,
        engine: server.address,
        env,
        output: (line) => journal.line(line),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    );
    const packs = journal.timed("starting policy packs", () => Promise.all(starting));
    packs.catch(() => {
      // Reported where it is awaited, by the first resource that is checked.
    });
    try {
      return await work(packs);
    } finally {
      const started = await Promise.allSettled(starting);
      await Promise.all(started.map((s) => (s.status === "fulfilled" ? s.value.stop() : undefined)));
      server.stop();
    }
  }

  /** Runs the program once against a deployment, to its end: policies over the whole stack and deletions included. */
  private async phase({ run, journal, preview, resources, packs }: Phase): Promise<Deployment> {
    const { options, project, config, store, limiter } = run;
    const snapshot = new Snapshot(resources);
    const providers = new ProviderRegistry(this.settings.providers, snapshot, limiter);
    if (!preview) store.follow(() => snapshot.checkpoint());
    const deployment = new Deployment({
      project: project.name,
      stack: options.stack,
      preview,
      config,
      snapshot,
      providers,
      journal,
      packs,
      workingDirectory: project.workingDirectory,
      seed: store.time,
      save: async () => {
        if (!preview) await store.save();
      },
      readStack: (name) => this.stackReference(name, project.name),
    });
    if (!preview) await store.save();
    try {
      const isComplete = await this.runProgram(run, journal, deployment, preview);
      const goesOn = isComplete && !options.signal?.aborted && (preview || !journal.failed);
      if (goesOn) {
        await journal.timed("policies", () => deployment.analyzeStack());
        if (preview || !journal.failed) await journal.timed("deletions", () => deployment.deleteRest());
      }
    } finally {
      if (!preview) await journal.timed("saving", () => store.close());
    }
    return deployment;
  }

  /** Runs the program; true when it came to its end well. */
  protected async runProgram(
    run: Run,
    journal: Journal,
    deployment: Deployment,
    preview: boolean,
  ): Promise<boolean> {
    const { options, project, config } = run;
    const { signal, stack, parallel = PARALLEL } = options;
    let isComplete = false;
    let impatience: NodeJS.Timeout | undefined;
    // Once a resource has failed nothing can come of the program any more; one that does not notice is ended.
    deployment.onFailure(() => {
      void deployment.settled().then(() => {
        impatience = setTimeout(() => void child.stop(), FAILED_GRACE_MS);
      });
    });
    const begin = performance.now();
    const monitor = monitorService(deployment, {
      project: project.name,
      stack,
      organization: ORGANIZATION,
      preview,
      parallel,
      config,
      onFirst: () => {
        journal.timings["starting the program"] ??= Math.round(performance.now() - begin);
      },
      onComplete: () => {
        isComplete = true;
      },
      onRefusal: (message) => journal.diagnostic("error", message),
    });
    const engine = engineService({
      root: () => deployment.root,
      onLog: (severity, text, urn) => {
        // The SDK repeats, with a stack, what was answered to it.
        const isEcho =
          severity === "error" &&
          journal.diagnostics.some((d) => d.severity === "error" && text.includes(d.message));
        if (!isEcho) journal.diagnostic(severity, text, urn);
      },
    });
    const server = await serve(monitor, engine);
    const child = startProgram({
      project,
      stack,
      organization: ORGANIZATION,
      config,
      preview,
      parallel,
      address: server.address,
      env: options.env ?? {},
      onLine: (line) => journal.line(`   ${line}`),
    });
    const cancel = () => {
      deployment.stop();
      void child.stop();
    };
    signal?.addEventListener("abort", cancel);
    try {
      if (signal?.aborted) cancel();
      const code = await journal.timed("program", () => child.exited);
      await deployment.settled();
      if (signal?.aborted) {
        journal.diagnostic("warning", "the run was cancelled; what was done so far is recorded");
        return false;
      }
      const problem = exitProblem(code, isComplete, child.errorText(), journal.failed);
      if (problem !== undefined) journal.diagnostic("error", problem);
      return code === 0 && isComplete;
    } finally {
      clearTimeout(impatience);
      signal?.removeEventListener("abort", cancel);
      await child.stop();
      server.stop();
    }
  }

  /** An operation on the state alone. */
  private async withoutProgram(
    options: DeploymentOptions,
    work: (run: Run, journal: Journal, resources: ResourceState[]) => Promise<Record<string, unknown>>,
  ): Promise<DeploymentResult> {
    const journal = new Journal(options, false);
    return await this.guarded(journal, options, async () => {
      const lock = this.lock(options.stack);
      try {
        const run = await this.open(options, journal);
        const resources = await this.recovered(run, journal);
        try {
          return await work(run, journal, resources);
        } finally {
          await run.store.close();
        }
      } finally {
        lock.release();
      }
    });
  }

  /** Turns what is thrown into a diagnostic. */
  private async guarded(
    journal: Journal,
    options: DeploymentOptions,
    work: () => Promise<Record<string, unknown>>,
  ): Promise<DeploymentResult> {
    let outputs: Record<string, unknown> = {};
    try {
      outputs = await journal.timed("total", work);
    } catch (error) {
      journal.diagnostic("error", (error as Error).message);
    }
    return journal.result(outputs, options.signal?.aborted === true);
  }

  /** What `new StackReference(name)` gives: outputs of another stack of this project in the same folder. */
  private async stackReference(name: string, project: string): Promise<Props> {
    const parts = name.split("/");
    const [stack] = parts.slice(-1);
    const isLocal = parts.length === 1 || (parts.length === 3 && parts[0] === ORGANIZATION);
    if (!isLocal || stack === undefined) {
      throw new Error(`the stack reference "${name}" is not STACK or ${ORGANIZATION}/PROJECT/STACK`);
    }
    if (parts.length === 3 && parts[1] !== project) {
      throw new Error(
        `the stack reference "${name}" is to another project; local mode knows the stacks of ${project} only`,
      );
    }
    const outputs = await this.clearOutputs(stack);
    const secretNames = Object.keys(outputs).filter((key) => isSecret(outputs[key]));
    return { name, outputs, secretOutputNames: secretNames };
  }

  private async clearOutputs(stack: string): Promise<Props> {
    const file = stateFile(this.settings.stateDir, stack);
    const exported = await this.exportState(stack);
    const { resources } = decodeState(
      exported,
      await crypterOf(exported, this.settings.passphrase, file),
      file,
    );
    const root = resources.find((r) => r.type === ROOT_TYPE);
    if (root === undefined)
      throw new Error(`stack ${stack} has not been deployed (${path.basename(file)} holds no stack)`);
    return root.outputs;
  }
}

function stackOutputs(resources: readonly ResourceState[]): Record<string, unknown> {
  const root = resources.find((r) => r.type === ROOT_TYPE);
  return root === undefined ? {} : mapValues(root.outputs, masked);
}

/** Serves on a free port of this machine only. */
async function serve(
  ...services: [grpc.ServiceDefinition, grpc.UntypedServiceImplementation][]
): Promise<{ address: string; stop: () => void }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES,
    "grpc.max_send_message_length": MESSAGE_BYTES,
  });
  for (const [definition, methods] of services) server.addService(definition, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
