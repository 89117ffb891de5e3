/** The stand-in provider: what is the same for all resource types, driven by the table of handlers. */
import { archiveHash } from "./archive";
import { checkConfig, diffConfig, type ProviderConfig, parseConfig } from "./config";
import { AwsContext, type Client, type Service, type Timeouts } from "./context";
import { errorMessage, isAlreadyThere, isGone, PREFIX, StandInError } from "./errors";
import { invokeFunction } from "./functions";
import type { Call, Handler, Made } from "./handler";
import { HANDLERS } from "./handlers";
import { autoname } from "./naming";
import {
  equal,
  hasUnknown,
  type Input,
  type Inputs,
  isSigned,
  normalizeFields,
  refreshedInput,
  str,
} from "./schema";
import {
  type CheckFailure,
  type CheckResult,
  type CreateResult,
  type DiffResult,
  IncompleteResourceError,
  type Props,
  type Provider,
  type ReadResult,
  SIGNATURE_ARCHIVE,
  UNKNOWN,
} from "./types";
import { until } from "./wait";

/** Settings of the stand-in provider. */
export interface AwsProviderOptions {
  /**
   * Where AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and the like are looked up.
   * @default the environment of the process
   */
  env?: NodeJS.ProcessEnv;
  /**
   * Time limits of requests.
   * @default 3 s to connect, 15 s to be answered
   */
  timeouts?: Timeouts;
}

const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 3_000, requestMs: 15_000 };

/** A resource as the engine names it. */
interface Resource {
  urn: string;
  type: string;
  name: string;
}

/** Takes a URN apart: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function parseUrn(urn: string): Resource {
  const [, , types = "", ...name] = urn.split("::");
  return { urn, type: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

/** One provider instance. Before {@link configure}, only checking and previews work. */
export class AwsProvider implements Provider {
  #context: AwsContext | undefined;
  /** The region and the tags as far as they are known: in a preview, configuration can hold unknowns. */
  #config: ProviderConfig | undefined;
  /** What the engine has spoken of as existing: it belongs to another resource, so that create must not take it over. */
  readonly #known = new Set<string>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #timeouts: Timeouts;

  constructor(options: AwsProviderOptions = {}) {
    this.#env = options.env ?? process.env;
    this.#timeouts = options.timeouts ?? DEFAULT_TIMEOUTS;
  }

  async checkConfig(news: Props): Promise<CheckResult> {
    return checkConfig(news);
  }

  async diffConfig(oldInputs: Props, news: Props): Promise<DiffResult> {
    return diffConfig(oldInputs, news);
  }

  async configure(inputs: Props): Promise<void> {
    const { config, failures } = parseConfig(inputs);
    if (failures.length > 0) {
      throw new StandInError(failures.map((failure) => `${failure.property}: ${failure.reason}`).join("\n"));
    }
    this.#config = config;
    this.#context?.close();
    this.#context = undefined;
    // In a preview: whatever needs AWS will say that the configuration is not known.
    if (hasUnknown(config)) return;
    const context = new AwsContext(config, this.#env, this.#timeouts);
    const { allowedAccountIds: allowed, forbiddenAccountIds: forbidden } = config;
    if (allowed || forbidden || !(config.skipCredentialsValidation && config.skipRequestingAccountId)) {
      const { account } = await context.identity();
      if (allowed?.length && !allowed.includes(account)) {
        throw new StandInError(
          `the credentials are of account ${account}, allowedAccountIds: ${allowed.join(", ")}`,
        );
      }
      if (forbidden?.includes(account)) {
        throw new StandInError(`the credentials are of account ${account}, which forbiddenAccountIds names`);
      }
    }
    this.#context = context;
  }

  async check(urn: string, oldInputs: Props, news: Props, seed?: Uint8Array): Promise<CheckResult> {
    const resource = parseUrn(urn);
    const handler = handlerOf(resource.type);
    const failures: CheckFailure[] = [];
    const given = { ...news };
    const declared = inputsOf(handler);
    if ("tags" in declared) given.tags = this.#withDefaultTags(given.tags);
    if ("region" in declared) given.region ??= this.#region();
    const naming = handler.autoname;
    if (naming && (given[naming.property] === undefined || given[naming.property] === null)) {
      const prefix = naming.prefixProperty ? given[naming.prefixProperty] : undefined;
      given[naming.property] =
        prefix === UNKNOWN ? UNKNOWN : autoname(naming, given, resource, oldInputs[naming.property], seed);
    }
    const inputs = normalizeFields(declared, given, "", failures, (path) => {
      const advice = handler.advice?.[path] ?? "leave it out, or use the genuine provider on real AWS";
      return `${PREFIX}: ${handler.type} does not implement input "${path}"; ${advice}`;
    });
    if (failures.length === 0) failures.push(...(handler.validate?.(inputs) ?? []));
    for (const [key, input] of Object.entries(declared)) {
      if (input.kind !== "archive" || !isSigned(inputs[key], SIGNATURE_ARCHIVE) || hasUnknown(inputs[key]))
        continue;
      // The genuine engine has hashed it already.
      try {
        inputs[key] = { ...inputs[key], hash: inputs[key].hash ?? (await archiveHash(inputs[key])) };
      } catch (error) {
        failures.push({ property: key, reason: errorMessage(error) });
      }
    }
    return { inputs, failures };
  }

  async diff(urn: string, id: string, oldInputs: Props, oldOutputs: Props, news: Props): Promise<DiffResult> {
    const handler = handlerOf(parseUrn(urn).type);
    this.#remember(handler, id, oldOutputs);
    const changed = changedInputs(handler, oldInputs, news);
    // Outputs that only creation knows were lost with an interrupted run (see findExisting): an update makes them anew.
    if (changed.length === 0 && handler.lostOutputs?.outputs.some((key) => oldOutputs[key] === LOST)) {
      return { changed: [handler.lostOutputs.input], replaces: [], deleteBeforeReplace: false };
    }
    const replaces = changed.filter((key) => inputsOf(handler)[key]?.replaces);
    return {
      changed,
      replaces,
      deleteBeforeReplace: replaces.length > 0 && wouldCollide(handler, oldInputs, news),
    };
  }

  async create(urn: string, inputs: Props, preview: boolean): Promise<CreateResult> {
    const { handler, client, call, describe, madeId } = await this.#begin(urn, inputs, preview);
    if (preview) return { id: "", outputs: previewOfCreate(handler, inputs) };
    call.changed = (...keys) => keys.some((key) => inputs[key] !== undefined);
    try {
      let made: Made;
      try {
        made = asMade(await handler.create(client!, inputs, call));
      } catch (error) {
        if (!isAlreadyThere(error) || !handler.identify || madeId() !== undefined) throw error;
        made = await this.#takeOver(handler, client!, inputs, call, error);
      }
      call.created(made.id);
      this.#remember(handler, made.id, inputs);
      const live = await until(`${describe(made.id)} appearing`, () =>
        readLive(handler, client!, made.id, { ...inputs, ...made.outputs }, call),
      );
      return { id: made.id, outputs: outputsOf(handler, inputs, live, made.outputs) };
    } catch (error) {
      const id = madeId();
      if (id === undefined) throw failure(error, `creating ${describe()}`);
      const live = await readLive(handler, client!, id, inputs, call).catch(() => undefined);
      const outputs = live ? outputsOf(handler, inputs, live, {}) : inputs;
      const message = failure(error, `creating ${describe(id)}`).message;
      throw new IncompleteResourceError(message, id, inputs, outputs, { cause: error });
    }
  }

  async read(urn: string, id: string, inputs: Props, outputs: Props): Promise<ReadResult | undefined> {
    const known = { ...inputs, ...outputs };
    const { handler, client, call, describe } = await this.#begin(urn, known, false);
    this.#remember(handler, id, known);
    const live = await readLive(handler, client!, id, known, call).catch((error) => {
      throw failure(error, `reading ${describe(id)}`);
    });
    if (!live) return undefined;
    const isImport = Object.keys(inputs).length === 0;
    return {
      id,
      inputs: refreshInputs(handler, inputs, live, isImport),
      outputs: outputsOf(handler, inputs, live, outputs),
    };
  }

  async findExisting(urn: string, inputs: Props): Promise<ReadResult | undefined> {
    const { handler, client, call, describe } = await this.#begin(urn, inputs, false);
    try {
      const id = await handler.identify?.(client!, inputs, call);
      const live = id === undefined ? undefined : await readLive(handler, client!, id, inputs, call);
      if (id === undefined || !live) return undefined;
      const outputs = outputsOf(handler, inputs, live, {});
      for (const key of handler.lostOutputs?.outputs ?? []) outputs[key] ??= LOST;
      return { id, inputs: refreshInputs(handler, inputs, live, false), outputs };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw failure(error, `looking for ${describe()}`);
    }
  }

  async update(urn: string, id: string, oldOutputs: Props, news: Props, preview: boolean): Promise<Props> {
    const { handler, client, call, describe } = await this.#begin(urn, { ...oldOutputs, ...news }, preview);
    const changed = changedInputs(handler, oldOutputs, news);
    const lost = handler.lostOutputs;
    if (lost?.outputs.some((key) => oldOutputs[key] === LOST)) changed.push(lost.input);
    if (preview) return previewOfUpdate(handler, oldOutputs, news, changed);
    this.#remember(handler, id, oldOutputs);
    call.changed = (...keys) => keys.some((key) => changed.includes(key));
    try {
      const stuck = changed.filter((key) => inputsOf(handler)[key]?.replaces && key !== lost?.input);
      if (stuck.length > 0)
        throw new StandInError(`${stuck.join(", ")} cannot be changed in place: replace it`);
      const made =
        (changed.length > 0 && (await handler.update?.(client!, id, news, oldOutputs, call))) || {};
      const olds = Object.fromEntries(Object.entries(oldOutputs).filter(([, value]) => value !== LOST));
      const live = await readLive(handler, client!, id, { ...olds, ...news, ...made }, call);
      if (!live) throw new StandInError("it is gone; run a refresh so that it is made anew");
      return outputsOf(handler, news, live, { ...olds, ...made });
    } catch (error) {
      throw failure(error, `updating ${describe(id)}`);
    }
  }

  async delete(urn: string, id: string, oldInputs: Props, oldOutputs: Props): Promise<void> {
    const olds = { ...oldInputs, ...oldOutputs };
    const { handler, client, call, describe } = await this.#begin(urn, olds, false);
    try {
      await handler.delete(client!, id, olds, call);
    } catch (error) {
      if (!isGone(error)) throw failure(error, `deleting ${describe(id)}`);
    }
    this.#known.delete(knownKey(handler, id, olds));
  }

  async invoke(token: string, args: Props): Promise<Props> {
    return invokeFunction(this.#configured(), token, args);
  }

  secretOutputs(type: string): readonly string[] {
    return handlerOf(type).secrets ?? [];
  }

  /** Closes idle connections. */
  close(): void {
    this.#context?.close();
  }

  #configured(): AwsContext {
    if (this.#context) return this.#context;
    throw new StandInError(
      this.#config
        ? "the provider's configuration is not known yet"
        : "it was not configured before it was used",
    );
  }

  #region(): string {
    return (
      this.#context?.region ??
      this.#config?.region ??
      this.#env.AWS_REGION ??
      this.#env.AWS_DEFAULT_REGION ??
      UNKNOWN
    );
  }

  /** The provider's default tags under the resource's own, as the genuine provider merges them. */
  #withDefaultTags(tags: unknown): unknown {
    const defaults: unknown = this.#config?.defaultTags?.tags ?? {};
    if (tags === UNKNOWN || defaults === UNKNOWN) return UNKNOWN;
    if (typeof (tags ?? {}) !== "object" || Array.isArray(tags)) return tags;
    const merged = { ...(defaults as Props), ...(tags as Props | undefined) };
    // Several services refuse an empty list of tags, which says no more than none.
    return Object.keys(merged).length > 0 ? merged : undefined;
  }

  /** What one operation on one resource needs. In preview there is no client. */
  async #begin(urn: string, props: Props, preview: boolean) {
    const resource = parseUrn(urn);
    const handler = handlerOf(resource.type);
    let id: string | undefined;
    const describe = (known?: string) => `${handler.type} "${known ?? resource.name}"`;
    if (preview) {
      return {
        handler,
        client: undefined,
        call: undefined as unknown as MutableCall,
        describe,
        madeId: () => id,
      };
    }
    const aws = this.#configured();
    const region = handler.global ? aws.region : (props.region ?? aws.region);
    const call: MutableCall = {
      region,
      aws,
      client: (service) => aws.client(service, region),
      account: async () => (await aws.identity()).account,
      changed: () => false,
      created: (made) => {
        id = made;
        return made;
      },
    };
    const client: Client<Service> = await aws.client(handler.service, region);
    return { handler, client, call, describe, madeId: () => id };
  }

  /** Makes the existing thing that stands in the way the resource's own, if it provably is. */
  async #takeOver(
    handler: Handler,
    client: Client<Service>,
    inputs: Props,
    call: MutableCall,
    cause: unknown,
  ): Promise<Made> {
    const id = await handler.identify?.(client, inputs, call);
    const live = id === undefined ? undefined : await readLive(handler, client, id, inputs, call);
    if (id === undefined || !live) throw cause;
    const declared = inputsOf(handler);
    const writable = Object.entries(declared).filter(
      ([key, input]) => !(input.computed && inputs[key] === undefined),
    );
    const differing = writable
      .filter(
        ([key, input]) =>
          !input.writeOnly && !equal(input, inputs[key], refreshedInput(input, inputs[key], live[key])),
      )
      .map(([key]) => key);
    const hasTags = Object.keys(inputs.tags ?? {}).length > 0;
    const isKnown = this.#known.has(knownKey(handler, id, inputs));
    const isOwn = hasTags && differing.length === 0 && !isKnown;
    if (!isOwn) {
      const why = isKnown
        ? "another resource of the program has it"
        : differing.length > 0
          ? `it differs in ${differing.join(", ")}`
          : "nothing shows that an earlier run made it";
      throw new StandInError(
        `"${id}" exists already and is not taken over, since ${why}; import it, delete it, or choose another name`,
        { cause },
      );
    }
    // What cannot be read back may not have been written by the run that was ended.
    const rewrite = new Set<string>();
    for (const [key, input] of writable) if (input.writeOnly && inputs[key] !== undefined) rewrite.add(key);
    call.created(id);
    const before = call.changed;
    call.changed = (...keys) => keys.some((key) => rewrite.has(key));
    const outputs = (rewrite.size > 0 && (await handler.update?.(client, id, inputs, live, call))) || {};
    call.changed = before;
    return { id, outputs };
  }

  #remember(handler: Handler, id: string, props: Props): void {
    if (id) this.#known.add(knownKey(handler, id, props));
  }
}

/** Stands for an output that was made by a run which ended before it could be recorded. */
const LOST = "";

type MutableCall = { -readonly [K in keyof Call]: Call[K] };

function knownKey(handler: Handler, id: string, props: Props): string {
  return `${handler.type} ${handler.global ? "" : props.region} ${id}`;
}

/** The handler of a type. Throws when there is none. */
function handlerOf(type: string): Handler {
  const handler = HANDLERS.get(type);
  if (handler) return handler;
  throw new StandInError(
    `resource type ${type} is not implemented; leave it out of local mode, or use the genuine provider on real AWS`,
  );
}

const REGION_INPUT = str({ required: true, replaces: true });

/** A handler's inputs with the one that all regional types have. */
function inputsOf(handler: Handler): Inputs {
  return handler.global ? handler.inputs : { ...handler.inputs, region: REGION_INPUT };
}

/** Which inputs differ. An input that AWS decides when it is absent does not differ by being taken away. */
function changedInputs(handler: Handler, olds: Props, news: Props): string[] {
  return Object.entries(inputsOf(handler))
    .filter(([key, input]) => {
      if (input.computed && news[key] === undefined) return false;
      const old = olds[key] ?? input.default;
      const wanted = news[key] ?? input.default;
      return !equal(input, wanted, refreshedInput(input, wanted, old));
    })
    .map(([key]) => key);
}

/** Whether old and new resource would have the same physical name, so that the old one has to go first. */
function wouldCollide(handler: Handler, olds: Props, news: Props): boolean {
  // A type without a name of its own is known by the things it connects: the same rule.
  const identity = handler.autoname ? [handler.autoname.property] : identityInputs(handler);
  const inputs = inputsOf(handler);
  if (!handler.global && olds.region !== news.region) return false;
  return identity.every((key) => equal(inputs[key] as Input, olds[key], news[key]));
}

function identityInputs(handler: Handler): string[] {
  return Object.entries(handler.inputs)
    .filter(([, input]) => input.required && input.replaces)
    .map(([key]) => key);
}

function asMade(made: string | Made): Made {
  return typeof made === "string" ? { id: made, outputs: {} } : made;
}

async function readLive(
  handler: Handler,
  client: Client<Service>,
  id: string,
  known: Props,
  call: Call,
): Promise<Props | undefined> {
  try {
    return await handler.read(client, id, known, call);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The resource's outputs: the live state, in the program's notation where that means the same. */
function outputsOf(handler: Handler, inputs: Props, live: Props, sticky: Props): Props {
  const outputs: Props = {};
  for (const [key, input] of Object.entries(inputsOf(handler))) {
    // A handler says null for what it cannot tell but knows to be no longer what was written.
    if (input.writeOnly) outputs[key] = live[key] === null ? undefined : (inputs[key] ?? sticky[key]);
    else outputs[key] = refreshedInput(input, inputs[key], live[key] ?? input.default);
    // What AWS decided is of interest too.
    if (outputs[key] === undefined && input.computed && !input.writeOnly) outputs[key] = live[key];
  }
  if (!handler.global) outputs.region = inputs.region ?? sticky.region ?? live.region;
  for (const key of handler.outputs) outputs[key] = live[key] ?? sticky[key];
  if ("tags" in handler.inputs) outputs.tagsAll = live.tags ?? {};
  return withoutUndefined(outputs);
}

/** Inputs after a refresh: whatever somebody changed behind the program's back shows as a difference to the program. */
function refreshInputs(handler: Handler, inputs: Props, live: Props, isImport: boolean): Props {
  const refreshed: Props = {};
  for (const [key, input] of Object.entries(inputsOf(handler))) {
    const old = inputs[key];
    const isIgnored = input.writeOnly || (input.computed && old === undefined && !isImport);
    if (isIgnored) refreshed[key] = input.writeOnly && live[key] === null ? undefined : old;
    else
      refreshed[key] = refreshedInput(
        input,
        old,
        live[key] ?? (old === undefined ? undefined : input.default),
      );
  }
  if (!handler.global) refreshed.region = inputs.region ?? live.region;
  return withoutUndefined(refreshed);
}

function previewOfCreate(handler: Handler, inputs: Props): Props {
  const outputs: Props = { ...inputs };
  for (const [key, input] of Object.entries(handler.inputs)) {
    if (input.computed && !input.writeOnly) outputs[key] ??= UNKNOWN;
  }
  for (const key of handler.outputs) outputs[key] = UNKNOWN;
  if ("tags" in handler.inputs) outputs.tagsAll = inputs.tags ?? {};
  return outputs;
}

function previewOfUpdate(handler: Handler, olds: Props, news: Props, changed: readonly string[]): Props {
  const outputs: Props = { ...news };
  for (const [key, input] of Object.entries(handler.inputs)) {
    if (input.computed && news[key] === undefined) outputs[key] = olds[key];
  }
  for (const key of handler.outputs) {
    const causes = handler.volatile?.[key] ?? [];
    outputs[key] = causes.some((cause) => changed.includes(cause)) ? UNKNOWN : olds[key];
  }
  if ("tags" in handler.inputs) outputs.tagsAll = news.tags ?? {};
  return withoutUndefined(outputs);
}

function withoutUndefined(props: Props): Props {
  return Object.fromEntries(
    Object.entries(props).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Says what was being done. The cause keeps its name in the text; the stand-in's own prefix appears once. */
function failure(error: unknown, doing: string): StandInError {
  const text = errorMessage(error);
  const bare = text.startsWith(`${PREFIX}: `) ? text.slice(PREFIX.length + 2) : text;
  return new StandInError(`${doing}: ${bare}`, { cause: error });
}
