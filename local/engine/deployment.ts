/**
 * One run over one stack: takes what the program registers, decides with the planner, has the providers do it,
 * and keeps the state right at every moment. Knows nothing of processes and gRPC (see monitor.ts and embedded.ts).
 */

import { createHash, randomUUID } from "node:crypto";
import {
  type CheckFailure,
  type DiffResult,
  IncompleteResourceError,
  type ReadResult,
} from "../provider/types";
import type { PolicyPack, Subject } from "./analyzer";
import { hashAssets } from "./assets";
import type { StackConfig } from "./config";
import { type DeletionContext, deleteAll, deletionOf } from "./deletion";
import type { PlanItem } from "./driver";
import type { Journal } from "./journal";
import {
  type Alias,
  aliasUrns,
  applyIgnoreChanges,
  type Decision,
  decide,
  dependentReplacements,
  type Operation,
} from "./planner";
import { masked, propertyDiffs } from "./propertyDiff";
import {
  defaultProviderInputs,
  isDefaultProvider,
  type ProviderInstance,
  type ProviderRegistry,
} from "./providers";
import type { Entry, Snapshot } from "./snapshot";
import type { OperationType, ResourceState } from "./state";
import { TimedOut, withTimeout } from "./timeouts";
import {
  isProviderType,
  makeUrn,
  PROVIDER_PREFIX,
  packageOf,
  parseProviderRef,
  providerRef,
  ROOT_TYPE,
  typeOf,
} from "./urn";
import {
  alignAssets,
  containsUnknown,
  downgradeOutputs,
  isUnknown,
  markSecrets,
  type Props,
  plainProps,
  sameValue,
  secret,
  UNKNOWN,
} from "./wire";

/** What the program asks for one resource. Inputs are in wire form. */
export interface Registration {
  type: string;
  name: string;
  custom: boolean;
  parent?: string;
  inputs: Props;
  dependencies: string[];
  /** Undefined: every input depends on all of `dependencies`. */
  propertyDependencies?: Record<string, string[]>;
  /** Reference of the provider instance; empty or undefined: the package's default provider. */
  provider?: string;
  version?: string;
  protect?: boolean;
  deleteBeforeReplace?: boolean;
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  additionalSecretOutputs?: string[];
  aliases?: Alias[];
  /** Limits in seconds, by operation. */
  customTimeouts?: { create?: number; update?: number; delete?: number; read?: number };
  retainOnDelete?: boolean;
  deletedWith?: string;
  replaceWith?: string[];
  replacementTrigger?: unknown;
  hideDiffs?: string[];
}

/** What the program asks to read. */
export interface ReadRequest {
  type: string;
  name: string;
  id: string;
  parent?: string;
  inputs: Props;
  dependencies: string[];
  provider?: string;
  version?: string;
  additionalSecretOutputs?: string[];
}

/** What the program gets back. */
export interface Registered {
  urn: string;
  id: string;
  outputs: Props;
}

export interface DeploymentContext {
  project: string;
  stack: string;
  preview: boolean;
  config: StackConfig;
  snapshot: Snapshot;
  providers: ProviderRegistry;
  journal: Journal;
  /** Resolves when the packs serve; awaited before the first check. */
  packs: Promise<readonly PolicyPack[]>;
  /** Where relative asset paths start. */
  workingDirectory: string;
  /** Names the state that the run starts from: a preview and the deployment after it make up the same names. */
  seed: string;
  /** Makes the state durable; does nothing in a preview. */
  save: () => Promise<void>;
  /** Outputs of another stack, for stack references. */
  readStack: (name: string) => Promise<Props>;
}

/** Answers every request once the run has failed or was cancelled; the program ends quietly at it. */
export class Unavailable extends Error {
  constructor() {
    super("the run is ending");
    this.name = "Unavailable";
  }
}

/** A reason not to go on with a resource that has been told already. */
class Told extends Error {}

export class Deployment {
  /** URN of the stack itself, once it is registered. */
  root: string | undefined;
  private stopped = false;
  /** URN of each resource that the program registered, and its registration. */
  private readonly claimed = new Map<string, Registration>();
  /** Old URN of each resource that was found under an alias, by its present one, and the other way round. */
  private readonly aliasedFrom = new Map<string, string>();
  private readonly aliasedTo = new Map<string, string>();
  /** URNs that are replaced in this run. */
  private readonly replaced = new Set<string>();
  /** Resources deleted ahead, because one that they need is replaced; their replacement may follow. */
  private readonly deletedAhead = new Set<Entry>();
  private readonly defaults = new Map<string, Promise<string>>();
  private readonly defaultUrns = new Set<string>();
  private readonly failureListeners: (() => void)[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly deletion: DeletionContext;

  constructor(private readonly context: DeploymentContext) {
    this.deletion = {
      preview: context.preview,
      snapshot: context.snapshot,
      providers: context.providers,
      journal: context.journal,
      save: context.save,
      stopped: () => this.stopped,
      deleted: new Set(),
    };
  }

  /** Refuses everything from now on; what is under way goes on to its end. */
  stop(): void {
    this.stopped = true;
  }

  /** Calls `listener` when a resource fails and the run therefore ends. */
  onFailure(listener: () => void): void {
    this.failureListeners.push(listener);
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled([...this.underWay]);
  }

  /** Registers a resource: checks, decides, carries out. Throws {@link Unavailable} when the run is ending. */
  async register(request: Registration): Promise<Registered> {
    return await this.track(async () => {
      const goal = this.inherit(request);
      const urn = this.urnOf(goal);
      try {
        return await this.registerGoal(goal, urn);
      } catch (error) {
        return this.failed(error, urn, goal.inputs);
      }
    });
  }

  /** Reads a resource that the stack does not manage. */
  async read(request: ReadRequest): Promise<Registered> {
    return await this.track(async () => {
      const parent = request.parent || this.root;
      const urn = this.urnOf({ ...request, ...(parent === undefined ? {} : { parent }) });
      try {
        return await this.readResource(request, urn, parent);
      } catch (error) {
        return this.failed(error, urn, request.inputs);
      }
    });
  }

  /** Records a component's outputs; of the stack itself: the stack's outputs. */
  async registerOutputs(urn: string, outputs: Props): Promise<void> {
    const entry = this.context.snapshot.current.find((e) => e.state.urn === urn);
    if (entry === undefined) {
      if (this.stopped || this.context.preview) return;
      throw new Error(`outputs were registered for ${urn}, which is not registered itself`);
    }
    const hashed = (await hashAssets(downgradeOutputs(outputs), this.context.workingDirectory)) as Props;
    entry.state = { ...entry.state, outputs: hashed };
    // Nothing waits for this write; the next step's or the last one takes it along.
  }

  /** Calls a provider's function. Undefined: the result is unknown, since the provider's own arguments are. */
  async invoke(
    token: string,
    args: Props,
    provider: string | undefined,
    version: string,
  ): Promise<Props | undefined> {
    return await this.track(async () => {
      if (token === "pulumi:pulumi:getResource") return this.getResource(args);
      const instance = await this.context.providers.get(
        provider || (await this.defaultProvider(token, version)),
      );
      if (!instance.configured || containsUnknown(args)) return undefined;
      return await this.context.journal.timed("providers", () => instance.invoke(token, plainProps(args)));
    });
  }

  /** The stack's outputs so far, masked. */
  outputs(): Record<string, unknown> {
    const stack = this.context.snapshot.current.find((entry) => entry.state.type === ROOT_TYPE);
    return stack === undefined ? {} : (masked(stack.state.outputs) as Record<string, unknown>);
  }

  /** Runs the policies over the whole stack. */
  async analyzeStack(): Promise<void> {
    const packs = await this.context.packs;
    const { snapshot, journal } = this.context;
    const subjects = snapshot.current.map(({ state }) => this.subject(state, state.outputs));
    const lists = await Promise.all(packs.map((pack) => pack.analyzeStack(subjects, this.root ?? "")));
    for (const violation of lists.flat()) journal.violation(violation);
  }

  /** Deletes what the program did not register and what was replaced, in reverse dependency order. */
  async deleteRest(): Promise<void> {
    const { rest } = this.context.snapshot;
    const gone = rest.filter((e) => e.state.delete === true || !this.claimed.has(e.state.urn));
    await deleteAll(this.deletion, gone);
  }

  // ---- one registration ----------------------------------------------------------------------------------------

  private async registerGoal(goal: Registration, urn: string): Promise<Registered> {
    this.claim(goal, urn);
    if (goal.type === ROOT_TYPE) this.root = urn;
    const old = this.findOld(goal, urn);
    const inputs = (await hashAssets(downgradeOutputs(goal.inputs), this.context.workingDirectory)) as Props;
    if (isProviderType(goal.type)) return await this.registerProvider(goal, urn, inputs, old);
    if (!goal.custom) return await this.registerComponent(goal, urn, inputs, old);
    return await this.registerCustom(goal, urn, inputs, old);
  }

  private async registerComponent(
    goal: Registration,
    urn: string,
    inputs: Props,
    old: Entry | undefined,
  ): Promise<Registered> {
    if (old?.state.custom === true) {
      throw new Error(
        `${urn} was a resource and is now a component; give the component another name or type`,
      );
    }
    for (const option of [
      "ignoreChanges",
      "replaceOnChanges",
      "additionalSecretOutputs",
      "replaceWith",
    ] as const) {
      if ((goal[option] ?? []).length === 0) continue;
      this.context.journal.diagnostic("warning", `the option ${option} has no effect on a component`, urn);
    }
    const state = this.stateOf(goal, urn, inputs, { outputs: old?.state.outputs ?? {}, old: old?.state });
    await this.analyze(goal, state);
    const op =
      old === undefined
        ? "create"
        : sameValue(plainProps(old.state.inputs), plainProps(inputs))
          ? "same"
          : "update";
    this.finished(this.plan(op, state, old?.state));
    this.context.snapshot.add(state, old);
    return { urn, id: "", outputs: {} };
  }

  private async registerProvider(
    goal: Registration,
    urn: string,
    inputs: Props,
    old: Entry | undefined,
  ): Promise<Registered> {
    const { providers, snapshot, preview } = this.context;
    const given = goal.version ? { ...inputs, version: goal.version } : inputs;
    const kept =
      old === undefined ? given : applyIgnoreChanges(given, old.state.inputs, goal.ignoreChanges ?? []);
    const check = await providers.checkConfig(goal.type, plainProps(kept));
    this.tellFailures(urn, check.failures);
    const checked = markSecrets(check.inputs, kept, []);
    const draft = this.stateOf(goal, urn, checked, { outputs: checked, old: old?.state });
    const state = await this.analyze(goal, draft);
    const decision =
      old &&
      (await this.decision(
        goal,
        old.state,
        state,
        await providers.diffConfig(goal.type, old.state.inputs, state.inputs),
      ));
    // A provider has nothing to delete first: the old instance serves until its resources have moved.
    const op = decision?.op ?? "create";
    const id = op === "create" || op === "replace" ? (preview ? UNKNOWN : randomUUID()) : old!.state.id!;
    const next = { ...state, id };
    providers.register(providerRef(urn, id), goal.type, next.inputs);
    this.finished(this.plan(op, next, old?.state, decision));
    if (op === "replace") {
      this.replaced.add(urn);
      old!.state = { ...old!.state, delete: true };
      snapshot.add(next);
    } else {
      snapshot.add(next, old);
    }
    await this.context.save();
    return { urn, id, outputs: next.outputs };
  }

  private async registerCustom(
    goal: Registration,
    urn: string,
    inputs: Props,
    found: Entry | undefined,
  ): Promise<Registered> {
    const { providers } = this.context;
    const ref = goal.provider || (await this.defaultProvider(goal.type, goal.version ?? ""));
    const provider = await providers.get(ref);
    // A resource that was only read so far is none of ours: a new one is made, the record of the other goes.
    const old = found?.state.external === true || found?.state.custom === false ? undefined : found;
    const isRecreated = old !== undefined && this.deletedAhead.has(old);
    const known = old === undefined || isRecreated ? undefined : old.state;

    const wanted =
      known === undefined ? inputs : applyIgnoreChanges(inputs, known.inputs, goal.ignoreChanges ?? []);
    const checked = await this.check(provider, urn, known?.inputs ?? {}, wanted);
    const draft = this.stateOf({ ...goal, provider: ref }, urn, checked, { outputs: {}, old: old?.state });
    const state = await this.analyze(goal, draft);

    if (old === undefined) return await this.create(goal, provider, state, found);
    if (isRecreated) {
      const forced: Decision = { op: "replace", replaceKeys: [], deleteFirst: true };
      return await this.replace(goal, provider, state, old, forced);
    }
    const diff = await this.context.journal.timed("providers", () =>
      this.diff(provider, old.state, state.inputs),
    );
    const decision = await this.decision(goal, old.state, state, diff);
    switch (decision.op) {
      case "replace":
        return await this.replace(
          goal,
          provider,
          await this.rechecked(provider, state, inputs),
          old,
          decision,
        );
      case "update":
        return await this.update(goal, provider, state, old, diff);
      default:
        return this.keep(goal, provider, state, old);
    }
  }

  private async create(
    goal: Registration,
    provider: ProviderInstance,
    state: ResourceState,
    gone?: Entry,
  ): Promise<Registered> {
    const item = this.plan("create", state, undefined);
    const result = await this.make("create", goal, provider, state, { gone });
    this.finished(item);
    return result;
  }

  /**
   * Makes a new resource. `gone` is the record that it takes the place of; `condemned` the one that is to be deleted
   * when nothing needs it any more: marked in the same write, so that no state ever has two live ones.
   */
  private async make(
    op: "create" | "replace",
    goal: Registration,
    provider: ProviderInstance,
    state: ResourceState,
    { gone, condemned }: { gone?: Entry; condemned?: Entry },
  ): Promise<Registered> {
    const { preview, snapshot } = this.context;
    const seconds = goal.customTimeouts?.create;
    const record = async (id: string, outputs: Props, extra: Partial<ResourceState>): Promise<Registered> => {
      const time = new Date().toISOString();
      const next: ResourceState = {
        ...state,
        ...(id === "" ? {} : { id }),
        outputs: this.guarded(provider, state, outputs),
        created: time,
        modified: time,
        ...extra,
      };
      snapshot.add(next, gone);
      if (condemned !== undefined) condemned.state = { ...condemned.state, delete: true };
      await this.context.save();
      return { urn: next.urn, id, outputs: next.outputs };
    };
    try {
      const made = await this.perform(op, "creating", state, () =>
        withTimeout(provider.create(state.urn, plainProps(state.inputs), preview), seconds, "create"),
      );
      if (!preview && made.id === "") throw new Error(`the provider made ${state.urn} but gave it no id`);
      return await record(made.id, made.outputs, {});
    } catch (error) {
      if (error instanceof IncompleteResourceError)
        await record(error.id, error.outputs, unfinished(error, state));
      throw error;
    }
  }

  private async update(
    goal: Registration,
    provider: ProviderInstance,
    state: ResourceState,
    old: Entry,
    diff: DiffResult,
  ): Promise<Registered> {
    const { preview, snapshot } = this.context;
    const id = old.state.id!;
    const item = this.plan("update", state, old.state, undefined, diff.changed);
    const seconds = goal.customTimeouts?.update;
    const record = async (outputs: Props, extra: Partial<ResourceState>): Promise<Registered> => {
      const marked = this.guarded(provider, state, outputs);
      snapshot.add({ ...state, id, outputs: marked, modified: new Date().toISOString(), ...extra }, old);
      await this.context.save();
      return { urn: state.urn, id, outputs: marked };
    };
    try {
      const outputs = await this.perform("update", "updating", { ...state, id }, () =>
        withTimeout(
          provider.update(state.urn, id, plainProps(old.state.outputs), plainProps(state.inputs), preview),
          seconds,
          "update",
        ),
      );
      const result = await record(outputs, {});
      this.finished(item);
      return result;
    } catch (error) {
      if (error instanceof IncompleteResourceError) await record(error.outputs, unfinished(error, state));
      throw error;
    }
  }

  private keep(goal: Registration, provider: ProviderInstance, state: ResourceState, old: Entry): Registered {
    const outputs = this.guarded(
      provider,
      { ...state, additionalSecretOutputs: goal.additionalSecretOutputs ?? [] },
      old.state.outputs,
    );
    this.finished(this.plan("same", state, old.state));
    this.context.snapshot.add({ ...state, id: old.state.id!, outputs }, old);
    return { urn: state.urn, id: old.state.id!, outputs };
  }

  private async replace(
    goal: Registration,
    provider: ProviderInstance,
    state: ResourceState,
    old: Entry,
    decision: Decision,
  ): Promise<Registered> {
    const isGone = old.state.pendingReplacement === true;
    if (!isGone && goal.protect === true && old.state.protect === true) {
      throw new Error(
        `${state.urn} is protected and would have to be replaced (because of ${decision.replaceKeys.join(", ")}); ` +
          "to allow it, remove `protect` from the resource and run again",
      );
    }
    const item = this.plan("replace", state, old.state, decision);
    this.replaced.add(state.urn);
    const deleteFirst = decision.deleteFirst || isGone;
    if (deleteFirst && !isGone) await this.deleteAhead(old);
    const result = await this.make(
      "replace",
      goal,
      provider,
      state,
      deleteFirst ? { gone: old } : { condemned: old },
    );
    this.finished(item);
    return result;
  }

  /** Deletes a resource before its replacement is made, and before it what would be replaced along with it. */
  private async deleteAhead(old: Entry): Promise<void> {
    const { snapshot } = this.context;
    const entries = new Map(snapshot.rest.map((entry) => [entry.state, entry]));
    const states = [...entries.keys()];
    const dependents = await dependentReplacements(old.state, states, async (state, replaced) => {
      const entry = entries.get(state)!;
      return (
        !this.claimed.has(state.urn) &&
        !this.deletedAhead.has(entry) &&
        (await this.goesWith(state, replaced))
      );
    });
    const isProtected = dependents.find((state) => state.protect === true);
    if (isProtected !== undefined) {
      throw new Error(
        `${isProtected.urn} is protected and would have to be replaced along with ${old.state.urn}; ` +
          "to allow it, remove `protect` from the resource and run again",
      );
    }
    const condemned = [...dependents.reverse(), old.state];
    // All at once, before the first is deleted: what goes with another one is left to that.
    for (const { urn } of condemned) this.deletion.deleted.add(urn);
    for (const state of condemned) {
      const entry = entries.get(state)!;
      await deletionOf(this.deletion, entry);
      entry.state = { ...entry.state, pendingReplacement: true };
      if (entry !== old) this.deletedAhead.add(entry);
      await this.context.save();
    }
  }

  /** Whether a resource has to be replaced when those in `replaced` are. */
  private async goesWith(state: ResourceState, replaced: ReadonlySet<string>): Promise<boolean> {
    if (!state.custom || state.external === true) return false;
    if (state.deletedWith !== undefined && replaced.has(state.deletedWith)) return true;
    if ((state.replaceWith ?? []).some((urn) => replaced.has(urn))) return true;
    if (state.provider === undefined || isProviderType(state.type)) return false;
    if (replaced.has(parseProviderRef(state.provider).urn)) return true;
    const inputs: Props = { ...state.inputs };
    let isTouched = false;
    for (const [key, urns] of Object.entries(state.propertyDependencies)) {
      if (!(key in inputs) || !urns.some((urn) => replaced.has(urn))) continue;
      inputs[key] = UNKNOWN;
      isTouched = true;
    }
    if (!isTouched) return false;
    const provider = await this.context.providers.get(state.provider);
    const diff = await this.diff(provider, state, inputs);
    const { op } = decide({
      old: state,
      diff,
      replaceOnChanges: state.replaceOnChanges ?? [],
      deleteBeforeReplace: undefined,
      forcedBy: [],
    });
    return op === "replace";
  }

  private async readResource(
    request: ReadRequest,
    urn: string,
    parent: string | undefined,
  ): Promise<Registered> {
    const { snapshot, providers, journal } = this.context;
    const goal: Registration = { ...request, custom: true, ...(parent === undefined ? {} : { parent }) };
    this.claim(goal, urn);
    const isReference = request.type === "pulumi:pulumi:StackReference";
    const ref = request.provider || (await this.defaultProvider(request.type, request.version ?? ""));
    const inputs = downgradeOutputs(request.inputs) as Props;
    const old = snapshot.old(urn);
    if (old !== undefined && old.state.external !== true) {
      throw new Error(
        `${urn} is managed by this stack and cannot be read as well; give the one that is read another name`,
      );
    }
    const draft = this.stateOf({ ...goal, provider: ref }, urn, inputs, { outputs: {}, old: old?.state });
    if (isUnknown(request.id)) {
      this.finished({ op: "read", urn, type: request.type, diffs: [] });
      snapshot.add({ ...draft, external: true }, old);
      return { urn, id: "", outputs: inputs };
    }
    const found = await journal.step("read", request.type, urn, async (): Promise<ReadResult | undefined> => {
      if (isReference) {
        const outputs = await this.context.readStack(
          String((plainProps(inputs).name as string | undefined) ?? request.id),
        );
        return { id: request.id, inputs, outputs };
      }
      const instance = await providers.get(ref);
      return await journal.timed("providers", () => instance.read(urn, request.id, plainProps(inputs), {}));
    });
    if (found === undefined)
      throw new Error(`there is no ${request.type} with the id "${request.id}" to read`);
    const secrets = isReference ? [] : (await providers.get(ref)).secretOutputs(request.type);
    const outputs = markSecrets(found.outputs, inputs, [
      ...secrets,
      ...(request.additionalSecretOutputs ?? []),
    ]);
    this.finished({ op: "read", urn, type: request.type, diffs: [] });
    snapshot.add({ ...draft, id: found.id, outputs, external: true }, old);
    return { urn, id: found.id, outputs };
  }

  // ---- parts of a registration ---------------------------------------------------------------------------------

  /** What a child takes over from its parent unless it says otherwise. */
  private inherit(request: Registration): Registration {
    const parent = request.parent || (request.type === ROOT_TYPE ? undefined : this.root);
    const goal: Registration = { ...request };
    if (parent === undefined) delete goal.parent;
    else goal.parent = parent;
    const above = parent === undefined ? undefined : this.claimed.get(parent);
    if (above === undefined) return goal;
    if (!goal.deletedWith && above.deletedWith) goal.deletedWith = above.deletedWith;
    if (goal.protect === undefined && above.protect !== undefined) goal.protect = above.protect;
    if (goal.retainOnDelete === undefined && above.retainOnDelete !== undefined)
      goal.retainOnDelete = above.retainOnDelete;
    const isOfPackage =
      above.provider !== undefined &&
      above.provider !== "" &&
      typeOf(parseProviderRef(above.provider).urn) === PROVIDER_PREFIX + packageOf(goal.type);
    if (!goal.provider && isOfPackage) goal.provider = above.provider!;
    return goal;
  }

  private urnOf(goal: { type: string; name: string; parent?: string }): string {
    const { stack, project } = this.context;
    return makeUrn({ stack, project, parent: goal.parent, type: goal.type, name: goal.name });
  }

  private claim(goal: Registration, urn: string): void {
    if (this.claimed.has(urn)) {
      throw new Error(`Duplicate resource URN '${urn}'; try giving it a unique name`);
    }
    const claimant = this.aliasedTo.get(urn);
    if (claimant !== undefined) {
      throw new Error(
        `${urn} is registered, but ${claimant} has an alias of that URN and took it over; remove one of them`,
      );
    }
    if (goal.parent !== undefined && !this.claimed.has(goal.parent)) {
      throw new Error(`${urn} names the parent ${goal.parent}, which is not registered`);
    }
    this.claimed.set(urn, goal);
  }

  private findOld(goal: Registration, urn: string): Entry | undefined {
    const { snapshot, stack, project } = this.context;
    const direct = snapshot.old(urn);
    if (direct !== undefined) return direct;
    const aliased = { stack, project, parent: goal.parent, type: goal.type, name: goal.name };
    for (const alias of aliasUrns(aliased, goal.aliases ?? [], this.aliasedFrom)) {
      const entry = snapshot.old(alias);
      if (entry === undefined) continue;
      const rival = this.claimed.has(alias) ? alias : this.aliasedTo.get(alias);
      if (rival !== undefined)
        throw new Error(`${urn} has the alias ${alias}, but that resource is registered as ${rival}`);
      this.aliasedFrom.set(urn, alias);
      this.aliasedTo.set(alias, urn);
      snapshot.rename(alias, urn);
      return entry;
    }
    return undefined;
  }

  /** The record of a resource as the program wants it; id and outputs are filled in later. */
  private stateOf(
    goal: Registration,
    urn: string,
    inputs: Props,
    { outputs, old }: { outputs: Props; old: ResourceState | undefined },
  ): ResourceState {
    const dependencies = [...goal.dependencies].sort();
    const perProperty =
      goal.propertyDependencies ?? Object.fromEntries(Object.keys(inputs).map((key) => [key, dependencies]));
    return {
      urn,
      custom: goal.custom,
      type: goal.type,
      inputs,
      outputs,
      dependencies,
      propertyDependencies: perProperty,
      ...(goal.parent === undefined ? {} : { parent: goal.parent }),
      ...(goal.provider && goal.custom && !isProviderType(goal.type) ? { provider: goal.provider } : {}),
      ...(goal.protect === undefined ? {} : { protect: goal.protect }),
      ...(goal.additionalSecretOutputs?.length
        ? { additionalSecretOutputs: goal.additionalSecretOutputs }
        : {}),
      ...(goal.customTimeouts === undefined ? {} : { customTimeouts: goal.customTimeouts }),
      ...(goal.retainOnDelete === undefined ? {} : { retainOnDelete: goal.retainOnDelete }),
      ...(goal.deletedWith ? { deletedWith: goal.deletedWith } : {}),
      ...(goal.replaceWith?.length ? { replaceWith: goal.replaceWith } : {}),
      ...(goal.ignoreChanges?.length ? { ignoreChanges: goal.ignoreChanges } : {}),
      ...(goal.replaceOnChanges?.length ? { replaceOnChanges: goal.replaceOnChanges } : {}),
      ...(goal.replacementTrigger === undefined
        ? {}
        : { replacementTrigger: downgradeOutputs(goal.replacementTrigger) }),
      ...(old?.created === undefined ? {} : { created: old.created }),
      ...(old?.modified === undefined ? {} : { modified: old.modified }),
    };
  }

  private async check(provider: ProviderInstance, urn: string, olds: Props, news: Props): Promise<Props> {
    const plainNews = plainProps(news);
    const result = await this.context.journal.timed("providers", () =>
      provider.check(urn, plainProps(olds), plainNews, this.seedOf(urn)),
    );
    this.tellFailures(urn, result.failures);
    return markSecrets(result.inputs, news, []);
  }

  private seedOf(urn: string): Uint8Array {
    return createHash("sha256").update(`${this.context.stack}\n${this.context.seed}\n${urn}`).digest();
  }

  /** A replacement does not keep what the old one was given by default, such as a made-up name. */
  private async rechecked(
    provider: ProviderInstance,
    state: ResourceState,
    inputs: Props,
  ): Promise<ResourceState> {
    return { ...state, inputs: await this.check(provider, state.urn, {}, inputs) };
  }

  private async diff(provider: ProviderInstance, old: ResourceState, news: Props): Promise<DiffResult> {
    const olds = plainProps(old.inputs);
    const aligned = alignAssets(olds, plainProps(news)) as Props;
    return await provider.diff(old.urn, old.id!, olds, plainProps(old.outputs), aligned);
  }

  private async decision(
    goal: Registration,
    old: ResourceState,
    state: ResourceState,
    diff: DiffResult,
  ): Promise<Decision> {
    const forcedBy: string[] = [];
    if (goal.deletedWith && this.replaced.has(goal.deletedWith)) forcedBy.push("deletedWith");
    if ((goal.replaceWith ?? []).some((urn) => this.replaced.has(urn))) forcedBy.push("replaceWith");
    if (await this.providerMoved(old, state)) forcedBy.push("provider");
    if (this.isTriggered(old.replacementTrigger, state.replacementTrigger))
      forcedBy.push("replacementTrigger");
    return decide({
      old,
      diff,
      replaceOnChanges: goal.replaceOnChanges ?? [],
      deleteBeforeReplace: goal.deleteBeforeReplace,
      forcedBy,
    });
  }

  private isTriggered(old: unknown, next: unknown): boolean {
    if (containsUnknown(old) || containsUnknown(next)) return true;
    if (old === undefined || old === null || next === undefined || next === null) return false;
    return !sameValue(plainProps({ old }).old, plainProps({ next }).next);
  }

  /** Whether a resource belongs to another provider now, one that cannot manage what the old one made. */
  private async providerMoved(old: ResourceState, state: ResourceState): Promise<boolean> {
    const { snapshot, providers } = this.context;
    if (old.provider === undefined || state.provider === undefined || old.provider === state.provider)
      return false;
    const before = parseProviderRef(old.provider);
    const after = parseProviderRef(state.provider);
    if (this.aliasedTo.get(before.urn) === after.urn) return false;
    const [oldProvider, newProvider] = [snapshot.provider(old.provider), snapshot.provider(state.provider)];
    if (oldProvider === undefined || newProvider === undefined) return true;
    const diff = await providers.diffConfig(newProvider.type, oldProvider.inputs, newProvider.inputs);
    return diff.replaces.length > 0;
  }

  /** Outputs with secret marks: where the inputs are, where the program says, where the provider says. */
  private guarded(provider: ProviderInstance, state: ResourceState, outputs: Props): Props {
    const names = [...(state.additionalSecretOutputs ?? []), ...provider.secretOutputs(state.type)];
    return markSecrets(outputs, state.inputs, names);
  }

  private tellFailures(urn: string, failures: readonly CheckFailure[]): void {
    if (failures.length === 0) return;
    for (const { property, reason } of failures) {
      this.context.journal.diagnostic("error", property === "" ? reason : `${property}: ${reason}`, urn);
    }
    throw new Told(`${urn} is not valid`);
  }

  /** Has the policies check a resource; returns it as they changed it. Throws when it must not go on. */
  private async analyze(goal: Registration, state: ResourceState): Promise<ResourceState> {
    const packs = await this.context.journal.timed("waiting for policy packs", () => this.context.packs);
    let next = state;
    for (const pack of packs.filter((p) => p.remediates)) {
      for (const { policy, problem, properties } of await pack.remediate(
        this.subject(next, next.inputs, goal),
      )) {
        if (properties === undefined)
          this.context.journal.diagnostic("warning", `${policy}: ${problem}`, state.urn);
        else next = { ...next, inputs: properties };
      }
    }
    const subject = this.subject(next, next.inputs, goal);
    const lists = await this.context.journal.timed("policies", () =>
      Promise.all(packs.map((pack) => pack.analyze(subject))),
    );
    const violations = lists.flat();
    for (const violation of violations) this.context.journal.violation(violation);
    // A preview goes on, to tell of everything at once.
    if (!this.context.preview && violations.some((v) => v.enforcement === "mandatory")) {
      throw new Told(`${state.urn} violates a mandatory policy`);
    }
    return next;
  }

  private subject(state: ResourceState, properties: Props, goal = this.claimed.get(state.urn)): Subject {
    const provider =
      state.provider === undefined ? undefined : this.context.snapshot.provider(state.provider);
    return { state, properties, provider, deleteBeforeReplace: goal?.deleteBeforeReplace };
  }

  private plan(
    op: Operation,
    state: ResourceState,
    old: ResourceState | undefined,
    decision?: Decision,
    changed: readonly string[] = [],
  ): PlanItem {
    const olds = old?.inputs ?? {};
    const hidden = this.claimed.get(state.urn)?.hideDiffs ?? [];
    const diffs = op === "same" ? [] : propertyDiffs(olds, alignAssets(olds, state.inputs) as Props, hidden);
    // What the provider found to differ from the live resource does not show in the inputs.
    for (const key of changed) {
      const isShown = diffs.some(
        (d) => d.path === key || d.path.startsWith(`${key}.`) || d.path.startsWith(`${key}[`),
      );
      if (!isShown && !hidden.includes(key)) {
        diffs.push({ path: key, old: masked(old?.outputs[key]), new: masked(state.inputs[key]) });
      }
    }
    const keys = decision?.replaceKeys ?? [];
    const item = {
      op,
      urn: state.urn,
      type: state.type,
      diffs,
      ...(keys.length > 0 ? { replaceKeys: keys } : {}),
    };
    if (!isDefaultProvider(state)) this.context.journal.planned(item);
    return item;
  }

  private finished(item: PlanItem): void {
    if (item.op === "read") this.context.journal.planned(item);
    const isOwn = isProviderType(item.type) && this.defaultUrns.has(item.urn);
    if (!isOwn) this.context.journal.finished(item);
  }

  /** Carries out one provider operation; it is on record from before it begins until its result is. */
  private async perform<T>(
    op: Operation,
    type: OperationType,
    state: ResourceState,
    work: () => Promise<T>,
  ): Promise<T> {
    const { preview, snapshot, journal, save } = this.context;
    if (preview) return await work();
    if (this.stopped) throw new Unavailable();
    const end = snapshot.begin(type, state);
    await save();
    try {
      const result = await journal.step(op, state.type, state.urn, () => journal.timed("providers", work));
      // Nothing is written before the caller has added the result, since that takes no turn of the event loop.
      end();
      return result;
    } catch (error) {
      // One that timed out may still go through: it stays on record, and the next run looks.
      if (!(error instanceof TimedOut)) end();
      throw error;
    }
  }

  // ---- providers, references -------------------------------------------------------------------------------------

  /** The reference of the package's default provider, which is registered at its first use. */
  private async defaultProvider(token: string, version: string): Promise<string> {
    const packageName = packageOf(token);
    const disabled = this.context.config.values["pulumi:disable-default-providers"];
    // The engine's own package, which stack references need, is never disabled.
    if (disabled !== undefined && packageName !== "pulumi") {
      const names = JSON.parse(disabled) as string[];
      if (names.includes("*") || names.includes(packageName)) {
        throw new Error(
          `Default provider for '${packageName}' disabled. '${token}' must use an explicit provider.`,
        );
      }
    }
    const name = version === "" ? "default" : `default_${version.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
    const key = `${packageName}:${name}`;
    let ref = this.defaults.get(key);
    if (ref === undefined) {
      ref = this.registerDefault(packageName, name, version);
      this.defaults.set(key, ref);
    }
    return await ref;
  }

  private async registerDefault(packageName: string, name: string, version: string): Promise<string> {
    const { values, secretKeys } = this.context.config;
    const inputs = defaultProviderInputs(packageName, version, values, secretKeys, secret);
    const goal: Registration = {
      type: PROVIDER_PREFIX + packageName,
      name,
      custom: true,
      inputs,
      dependencies: [],
    };
    const urn = this.urnOf(goal);
    this.claim(goal, urn);
    this.defaultUrns.add(urn);
    if (packageName === "pulumi") {
      // The engine's own package, for stack references: a record in the state, nothing behind it.
      const old = this.context.snapshot.old(urn);
      const id = old?.state.id ?? randomUUID();
      this.context.snapshot.add(
        { ...this.stateOf(goal, urn, inputs, { outputs: inputs, old: old?.state }), id },
        old,
      );
      return providerRef(urn, id);
    }
    const { id } = await this.registerProvider(goal, urn, inputs, this.context.snapshot.old(urn));
    return providerRef(urn, id);
  }

  /** What the SDK asks when it turns a reference back into a resource. */
  private getResource(args: Props): Props {
    const urn = String(plainProps(args).urn);
    const entry = this.context.snapshot.current.find((e) => e.state.urn === urn);
    if (entry === undefined) throw new Error(`there is no resource ${urn} in this run`);
    return { urn, id: entry.state.id ?? "", state: entry.state.outputs };
  }

  // ---- keeping order ---------------------------------------------------------------------------------------------

  private async track<T>(work: () => Promise<T>): Promise<T> {
    if (this.stopped) throw new Unavailable();
    const running = work();
    this.underWay.add(running);
    try {
      return await running;
    } finally {
      this.underWay.delete(running);
    }
  }

  /**
   * A resource that cannot be had. A preview tells it and goes on with unknown outputs, so that one run shows everything
   * that is wrong; a deployment ends.
   */
  private failed(error: unknown, urn: string, inputs: Props): Registered {
    if (error instanceof Unavailable) throw error;
    if (!(error instanceof Told)) this.context.journal.diagnostic("error", (error as Error).message, urn);
    if (this.context.preview) return { urn, id: "", outputs: inputs };
    this.stop();
    for (const listener of this.failureListeners) listener();
    throw new Unavailable();
  }
}

/** The record of a resource that exists but is not as it should be; the next run carries on with an update. */
function unfinished(error: IncompleteResourceError, state: ResourceState): Partial<ResourceState> {
  return { inputs: markSecrets(error.inputs, state.inputs, []), initErrors: [error.message] };
}
