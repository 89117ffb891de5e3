/**
 * Pulumi's mocks with a record of everything that a program registers: the one way in which component tests run components.
 *
 * ```ts
 * const mocks = await startMocks();                       // in beforeEach: every test has a record of its own
 * const provider = new aws.Provider("west", { region: "us-west-2" });
 * const topic = new Notification("n", args, { provider });
 * const outputs = await mocks.outputsOf(topic);           // awaits every output of the component, fails if one is unknown
 * await mocks.settle();                                   // awaits every registration; throws the first error
 * expect(mocks.find("aws:sns/topic:Topic", "n-topic").inputs).to.deep.equal({ ... });
 * expect(mocks.withDefaultProvider()).to.deep.equal([]);
 * ```
 */
import * as pulumi from "@pulumi/pulumi";
import { partitionOf } from "../../components/regional/partition";
import { type MockIdentity, mockIdentity } from "./pulumiMockIds";

require("../../local/engine/promiseStacks.cjs").leaveOut(require("@pulumi/pulumi/runtime/debuggable"));

/**
 * Stands for a value that is not known yet: what {@link Recorded.inputs} shows for an unknown input, and what `outputs` of
 * {@link MockOptions} returns to make an output unknown. Outputs count as unknown only with `preview: true`.
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

// The wire format's marks (sdk/go/common/resource/properties.go): secrets, assets, archives, resource references.
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
const REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";

/** One registered resource, component resources included. */
export interface Recorded {
  type: string;
  name: string;
  urn: string;
  id: string | undefined;
  /** False for component resources. */
  custom: boolean;
  /**
   * The inputs as plain values: secrets unwrapped (see `secretInputs`), unknown values as {@link UNKNOWN}, assets and archives as
   * `{asset: {path}}` or `{archive: {path}}` (`text`, `uri` and `assets` likewise), resources as their id or URN.
   */
  // biome-ignore lint/suspicious/noExplicitAny: inputs of any resource type; tests compare them with literals
  inputs: Record<string, any>;
  /** Paths of the inputs that are secret, such as `password` or `environment.variables.TOKEN`; sorted. */
  secretInputs: string[];
  /** URN of the parent, undefined at the top. */
  parent: string | undefined;
  /** Logical name of the parent, undefined at the top. */
  parentName: string | undefined;
  /** Reference of the explicit provider (`URN::ID`), undefined for the default provider and for components. */
  provider: string | undefined;
  /** Logical name of the explicit provider. */
  providerName: string | undefined;
  /** The region that the resource stands in: its own `region` input, else the explicit provider's, else undefined. */
  region: string | undefined;
  /** URNs that it depends on, explicitly (dependsOn) or by an input; sorted. */
  dependencies: string[];
  /** Logical names of the dependencies; sorted. */
  dependencyNames: string[];
  options: RecordedOptions;
  /** What the component passed to registerOutputs; undefined if it never did. */
  registeredOutputs: Record<string, unknown> | undefined;
}

/** The resource options of a registration, with the SDK's defaults. */
interface RecordedOptions {
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean | undefined;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  aliases: Record<string, unknown>[];
  deletedWith: string | undefined;
  import: string | undefined;
  customTimeouts: { create?: string; update?: string; delete?: string } | undefined;
  version: string | undefined;
}

/** One function call (invoke) of the program. */
export interface RecordedCall {
  token: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any function; tests compare them with literals
  inputs: Record<string, any>;
  provider: string | undefined;
}

/** How a run of the mocks behaves. */
export interface MockOptions {
  /** @default "bulkhead" */
  project?: string;
  /** @default "prod" */
  stack?: string;
  /**
   * A preview: ids, ARNs and everything else that the provider computes are unknown.
   * @default false
   */
  preview?: boolean;
  /** Account of the ARNs. @default "222222222222" */
  accountId?: string;
  /** Region of the ARNs of resources that have neither a region nor an explicit provider. @default "us-east-1" */
  defaultRegion?: string;
  /** Stack configuration, keys with their namespace (`bulkhead:name`). @default {} */
  config?: Record<string, string>;
  /**
   * Results of function calls by token; a function gets the call. A call of a token that is not here is an error.
   * @default {}
   */
  calls?: Record<string, Record<string, unknown> | ((call: RecordedCall) => Record<string, unknown>)>;
  /**
   * Overrides of the id and of computed outputs; {@link UNKNOWN} makes one unknown (in a preview), a thrown error fails the
   * registration as a provider would.
   */
  outputs?: (resource: Recorded) => { id?: string; state?: Record<string, unknown> } | undefined;
}

/** The record of one run. */
export class PulumiMocks {
  readonly resources: Recorded[] = [];
  readonly calls: RecordedCall[] = [];
  /** Errors of registrations and calls, in the order in which they happened. */
  readonly errors: Error[] = [];

  /** Waits until everything that was registered so far, and what followed from it, is done. Throws the first error. */
  async settle(): Promise<void> {
    // An apply of an output may register further resources, so wait until a whole turn of the event loop brings no new work.
    for (let before = -1; before !== this.resources.length + this.calls.length; ) {
      before = this.resources.length + this.calls.length;
      await waitForRPCs();
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.errors[0]) throw this.errors[0];
  }

  /** The resources of a type, in the order of their registration. */
  ofType(type: string): Recorded[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /**
   * The one resource of that type (and name, if given).
   * @throws Error listing what there is when there is not exactly one.
   */
  find(type: string, name?: string): Recorded {
    const found = this.ofType(type).filter((resource) => name === undefined || resource.name === name);
    if (found.length === 1) return found[0]!;
    const wanted = name === undefined ? type : `${type} "${name}"`;
    throw new Error(
      `${found.length} resources are ${wanted}; registered: ${this.list().join(", ") || "none"}`,
    );
  }

  /** `TYPE NAME` of every resource, sorted: for asserting the whole set of children at once. */
  list(): string[] {
    return this.resources.map((resource) => `${resource.type} ${resource.name}`).sort();
  }

  /** The resources whose parent has that logical name. */
  childrenOf(parentName: string): Recorded[] {
    return this.resources.filter((resource) => resource.parentName === parentName);
  }

  /** `TYPE NAME` of the custom resources, providers apart, that use a default provider: what no component may do. */
  withDefaultProvider(): string[] {
    return this.resources
      .filter((resource) => resource.custom && !resource.type.startsWith("pulumi:") && !resource.provider)
      .map((resource) => `${resource.type} ${resource.name}`);
  }

  /**
   * Awaits every output that is a property of the resource, after {@link settle}.
   * @throws Error when one is unknown; use {@link outputState} to look at unknown ones.
   */
  // biome-ignore lint/suspicious/noExplicitAny: outputs of any type; tests compare them with literals
  async outputsOf(resource: pulumi.Resource): Promise<Record<string, any>> {
    await this.settle();
    const values: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(resource)) {
      if (key.startsWith("__") || !pulumi.Output.isInstance(value)) continue;
      const state = await outputState(value);
      if (!state.known) throw new Error(`output ${key} is unknown`);
      values[key] = state.value;
    }
    delete values.urn;
    return values;
  }
}

/** Value, knownness and secrecy of an output. */
export async function outputState<T>(
  output: pulumi.Output<T>,
): Promise<{ value: T; known: boolean; secret: boolean }> {
  // These three are public in the SDK's JavaScript and @internal in its types.
  const inner = output as unknown as {
    promise(): Promise<T>;
    isKnown: Promise<boolean>;
    isSecret: Promise<boolean>;
  };
  const [value, known, secret] = await Promise.all([inner.promise(), inner.isKnown, inner.isSecret]);
  return { value, known, secret };
}

/** The value of an output. Throws when it is unknown. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T> {
  const state = await outputState(output);
  if (!state.known) throw new Error("the output is unknown");
  return state.value;
}

/** An output whose value is unknown: for handing to a component in a test with `preview: true`. */
export function unknownOutput<T>(): pulumi.Output<T> {
  const OutputImpl = pulumi.Output as unknown as {
    new (
      deps: pulumi.Resource[],
      value: Promise<unknown>,
      known: Promise<boolean>,
      secret: Promise<boolean>,
      all: Promise<pulumi.Resource[]>,
    ): pulumi.Output<T>;
  };
  return new OutputImpl(
    [],
    Promise.resolve(undefined),
    Promise.resolve(false),
    Promise.resolve(false),
    Promise.resolve([]),
  );
}

/** A JSON document that is an input of the resource, parsed: policies are compared as documents, never as text. */
// biome-ignore lint/suspicious/noExplicitAny: a document of any form; tests compare it with literals
export function jsonInput(resource: Recorded, key: string): any {
  const text = resource.inputs[key];
  if (typeof text !== "string") throw new Error(`${resource.name}: input ${key} is not a text`);
  return JSON.parse(text);
}

/**
 * Puts Pulumi into mock mode with a fresh record. Call it before the program under test creates its first resource, in each test
 * anew.
 */
export async function startMocks(options: MockOptions = {}): Promise<PulumiMocks> {
  const record = new PulumiMocks();
  const { project = "bulkhead", stack = "prod", preview = false } = options;
  await pulumi.runtime.setMocks(refusingMocks, project, stack, preview);
  pulumi.runtime.setAllConfig(options.config ?? {});
  installRecorder(record, options);
  return record;
}

// The recorder replaces the two methods that would call these; if one is called, the SDK's monitor has changed.
const refusingMocks: pulumi.runtime.Mocks = {
  newResource: () => {
    throw new Error("pulumiMocks: the recorder was bypassed");
  },
  call: () => {
    throw new Error("pulumiMocks: the recorder was bypassed");
  },
};

/** The parts of the SDK's mock monitor, and of its requests, that the recorder works with. */
interface Monitor {
  resources: Map<string, { urn: string; id: string | null; state: unknown }>;
  mocks: pulumi.runtime.Mocks;
  registerResource(request: RegisterRequest, callback: Callback): Promise<void>;
  readResource(request: RegisterRequest, callback: Callback): Promise<void>;
  invoke(request: unknown, callback: Callback): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: Callback): void;
}
type Callback = (error: Error | null, response: { getUrn(): string } | undefined) => void;
type StructMessage = { toJavaScript(): Record<string, unknown> };
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): StructMessage | undefined;
}
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getCustom?(): boolean;
  getObject?(): StructMessage | undefined;
  getProperties?(): StructMessage | undefined;
  getId?(): string;
  getDependenciesList(): string[];
  getVersion(): string;
  getProtect?(): boolean | undefined;
  getRetainondelete?(): boolean | undefined;
  getDeletebeforereplace?(): boolean;
  getDeletebeforereplacedefined?(): boolean;
  getIgnorechangesList?(): string[];
  getReplaceonchangesList?(): string[];
  getAdditionalsecretoutputsList?(): string[];
  getAliasesList?(): { toObject(): Record<string, unknown> }[];
  getDeletedwith?(): string;
  getImportid?(): string;
  getCustomtimeouts?(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
}

const { getMonitor, waitForRPCs } = pulumi.runtime as unknown as {
  getMonitor(): Monitor;
  waitForRPCs(): Promise<void>;
};

function installRecorder(record: PulumiMocks, options: MockOptions): void {
  const monitor = getMonitor();
  const byUrn = new Map<string, Recorded>();

  // The SDK's own method knows how to answer; the recorder looks at the whole request first (parent, options, raw inputs), which
  // the mocks' interface does not show, and answers newResource for it.
  const recordAnd = (original: (request: RegisterRequest, callback: Callback) => Promise<void>) => {
    return async (request: RegisterRequest, callback: Callback): Promise<void> => {
      let resource: Recorded | undefined;
      const mocks: pulumi.runtime.Mocks = {
        ...refusingMocks,
        newResource: () => {
          resource = describe(request, byUrn);
          record.resources.push(resource);
          const result = resultOf(resource, rawInputs(request), options);
          resource.id = result.id;
          return result;
        },
      };
      // A monitor of its own for each request: requests overlap.
      const single: Monitor = Object.create(monitor, { mocks: { value: mocks } });
      await original.call(single, request, (error, response) => {
        if (error) record.errors.push(error);
        if (resource && response) {
          resource.urn = response.getUrn();
          byUrn.set(resource.urn, resource);
        }
        callback(error, response);
      });
    };
  };
  monitor.registerResource = recordAnd(monitor.registerResource);
  monitor.readResource = recordAnd(monitor.readResource);

  monitor.mocks = {
    ...refusingMocks,
    call: ({ token, inputs, provider }) => {
      const call: RecordedCall = { token, inputs, provider: provider || undefined };
      record.calls.push(call);
      const answer = options.calls?.[token];
      if (answer === undefined) {
        const details = `the program calls ${token}, for which the mocks have no result`;
        const error = Object.assign(new Error(details), { details });
        record.errors.push(error);
        // The SDK shows the gRPC error's details to the program, not its message.
        throw error;
      }
      return typeof answer === "function" ? answer(call) : answer;
    },
  };

  const registerOutputs = monitor.registerResourceOutputs;
  monitor.registerResourceOutputs = (request, callback) => {
    const resource = byUrn.get(request.getUrn());
    if (resource) resource.registeredOutputs = plain(request.getOutputs()?.toJavaScript() ?? {}, "", []);
    registerOutputs.call(monitor, request, callback);
  };
}

function rawInputs(request: RegisterRequest): Record<string, unknown> {
  return (request.getObject?.() ?? request.getProperties?.())?.toJavaScript() ?? {};
}

function describe(request: RegisterRequest, byUrn: ReadonlyMap<string, Recorded>): Recorded {
  const secretInputs: string[] = [];
  const inputs = plain(rawInputs(request), "", secretInputs);
  const nameOfUrn = (urn: string): string => urn.split("::").at(-1)!;
  const provider = request.getProvider() || undefined;
  // A provider's reference is its URN, "::" and its id.
  const providerUrn = provider?.split("::").slice(0, -1).join("::");
  const parent = request.getParent() || undefined;
  const dependencies = [...request.getDependenciesList()].sort();
  const timeouts = request.getCustomtimeouts?.();
  return {
    type: request.getType(),
    name: request.getName(),
    urn: "",
    id: undefined,
    custom: request.getCustom?.() ?? true,
    inputs,
    secretInputs: secretInputs.sort(),
    parent,
    parentName: parent && nameOfUrn(parent),
    provider,
    providerName: providerUrn && nameOfUrn(providerUrn),
    region: inputs.region ?? (providerUrn && byUrn.get(providerUrn)?.inputs.region),
    dependencies,
    dependencyNames: dependencies.map(nameOfUrn).sort(),
    options: {
      protect: request.getProtect?.() ?? false,
      retainOnDelete: request.getRetainondelete?.() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplacedefined?.()
        ? request.getDeletebeforereplace?.()
        : undefined,
      ignoreChanges: request.getIgnorechangesList?.() ?? [],
      replaceOnChanges: request.getReplaceonchangesList?.() ?? [],
      additionalSecretOutputs: request.getAdditionalsecretoutputsList?.() ?? [],
      aliases: (request.getAliasesList?.() ?? []).map((alias) => alias.toObject()),
      deletedWith: request.getDeletedwith?.() || undefined,
      import: request.getImportid?.() || request.getId?.() || undefined,
      customTimeouts: timeouts && {
        create: timeouts.getCreate(),
        update: timeouts.getUpdate(),
        delete: timeouts.getDelete(),
      },
      version: request.getVersion() || undefined,
    },
    registeredOutputs: undefined,
  };
}

function resultOf(
  resource: Recorded,
  raw: Record<string, unknown>,
  options: MockOptions,
): pulumi.runtime.MockResourceResult {
  if (!resource.custom) return { id: undefined, state: {} };
  const override = options.outputs?.(resource);
  const region = resource.region ?? options.defaultRegion ?? "us-east-1";
  const computed: Partial<MockIdentity> = options.preview
    ? {}
    : mockIdentity({
        ...resource,
        region,
        accountId: options.accountId ?? "222222222222",
        partition: partitionOf(region),
      });
  // A resource that is read, not created, keeps the id that it was asked for by.
  const id = override?.id ?? resource.options.import ?? computed.id;
  return {
    id: id === UNKNOWN ? undefined : id,
    state: { ...raw, ...(computed.state ?? {}), ...(override?.state ?? {}) },
  };
}

/** A value in the wire format as a plain one; collects the paths of secrets. */
// biome-ignore lint/suspicious/noExplicitAny: a value of any form
function plain(value: any, path: string, secrets: string[]): any {
  if (Array.isArray(value)) return value.map((item, index) => plain(item, `${path}[${index}]`, secrets));
  if (value === null || typeof value !== "object") return value;
  const { [SIGNATURE]: signature, ...rest } = value;
  switch (signature) {
    case undefined:
      return Object.fromEntries(
        Object.entries(rest).map(([key, item]) => [key, plain(item, path ? `${path}.${key}` : key, secrets)]),
      );
    case SECRET:
      secrets.push(path);
      return plain(rest.value, path, secrets);
    case ASSET:
      return { asset: contentOf(rest, path, secrets) };
    case ARCHIVE:
      return { archive: contentOf(rest, path, secrets) };
    case REFERENCE:
      return rest.id ?? rest.urn;
    default:
      throw new Error(`pulumiMocks: ${path} has the unknown signature ${signature}`);
  }
}

/** What an asset or archive is made of, without the SDK's own marks. */
function contentOf(value: Record<string, unknown>, path: string, secrets: string[]): Record<string, unknown> {
  const keys = ["path", "text", "uri", "assets"].filter((key) => value[key] !== undefined);
  return Object.fromEntries(keys.map((key) => [key, plain(value[key], `${path}.${key}`, secrets)]));
}
