/** The provider instances of a run, by reference; made from the program's provider resources or from the state. */

import type { CheckResult, CreateResult, DiffResult, Provider, ReadResult } from "../provider/types";
import type { Limiter } from "./limiter";
import type { Snapshot } from "./snapshot";
import type { ResourceState } from "./state";
import { isProviderType, nameOf, PROVIDER_PREFIX, packageOf } from "./urn";
import { containsUnknown, type Props, plainProps, sameValue } from "./wire";

/** Makes an unconfigured provider for a package. Throws, naming the package, when there is none. */
export type ProviderFactory = (packageName: string) => Provider;

/** Inputs of a provider resource that are the engine's own and not the provider's. */
const OWN_INPUTS = new Set(["version", "pluginDownloadURL", "__internal"]);

/** A provider's own part of its resource's inputs, without secrets marks. */
export function providerConfig(inputs: Props): Props {
  const plain = plainProps(inputs);
  return Object.fromEntries(Object.entries(plain).filter(([key]) => !OWN_INPUTS.has(key)));
}

/** One provider instance. Calls are limited in number; in a preview with unknown arguments it is never asked. */
export class ProviderInstance {
  constructor(
    private readonly provider: Provider,
    private readonly limiter: Limiter,
    /** False while its arguments are unknown, which only a preview allows. */
    readonly configured: boolean,
  ) {}

  async check(urn: string, oldInputs: Props, news: Props, seed: Uint8Array): Promise<CheckResult> {
    if (!this.configured) return { inputs: news, failures: [] };
    return await this.limiter.run(() => this.provider.check(urn, oldInputs, news, seed));
  }

  async diff(urn: string, id: string, oldInputs: Props, oldOutputs: Props, news: Props): Promise<DiffResult> {
    if (!this.configured) return inputDiff(oldInputs, news);
    return await this.limiter.run(() => this.provider.diff(urn, id, oldInputs, oldOutputs, news));
  }

  async diffConfig(oldInputs: Props, news: Props): Promise<DiffResult> {
    return await this.limiter.run(() => this.provider.diffConfig(oldInputs, news));
  }

  async create(urn: string, inputs: Props, preview: boolean): Promise<CreateResult> {
    if (!this.configured) return { id: "", outputs: inputs };
    return await this.limiter.run(() => this.provider.create(urn, inputs, preview));
  }

  async read(urn: string, id: string, inputs: Props, outputs: Props): Promise<ReadResult | undefined> {
    return await this.limiter.run(() => this.provider.read(urn, id, inputs, outputs));
  }

  /** Looks for a resource that has no id yet; undefined when there is none or it cannot be known. */
  async find(urn: string, inputs: Props): Promise<ReadResult | undefined> {
    return await this.limiter.run(async () => await this.provider.findExisting?.(urn, inputs));
  }

  async update(urn: string, id: string, oldOutputs: Props, news: Props, preview: boolean): Promise<Props> {
    if (!this.configured) return news;
    return await this.limiter.run(() => this.provider.update(urn, id, oldOutputs, news, preview));
  }

  async delete(urn: string, id: string, oldInputs: Props, oldOutputs: Props): Promise<void> {
    await this.limiter.run(() => this.provider.delete(urn, id, oldInputs, oldOutputs));
  }

  async invoke(token: string, args: Props): Promise<Props> {
    return await this.limiter.run(() => this.provider.invoke(token, args));
  }

  secretOutputs(type: string): readonly string[] {
    return this.provider.secretOutputs(type);
  }
}

/** Differing top-level keys, none of which replaces: all that can be said while the provider cannot be asked. */
function inputDiff(olds: Props, news: Props): DiffResult {
  const keys = new Set([...Object.keys(olds), ...Object.keys(news)]);
  const changed = [...keys].filter((key) => !sameValue(olds[key], news[key]));
  return { changed, replaces: [], deleteBeforeReplace: false };
}

export class ProviderRegistry {
  private readonly instances = new Map<string, Promise<ProviderInstance>>();

  constructor(
    private readonly factory: ProviderFactory,
    private readonly snapshot: Snapshot,
    private readonly limiter: Limiter,
  ) {}

  /** Checks a provider resource's arguments. */
  async checkConfig(type: string, inputs: Props): Promise<CheckResult> {
    const provider = this.make(type);
    const own = Object.fromEntries(Object.entries(inputs).filter(([key]) => OWN_INPUTS.has(key)));
    const config = Object.fromEntries(Object.entries(inputs).filter(([key]) => !OWN_INPUTS.has(key)));
    const result = await provider.checkConfig(config);
    return { inputs: { ...result.inputs, ...own }, failures: result.failures };
  }

  /** What differs between two argument bags of one provider type. */
  async diffConfig(type: string, oldInputs: Props, news: Props): Promise<DiffResult> {
    return await this.make(type).diffConfig(providerConfig(oldInputs), providerConfig(news));
  }

  /** Makes an instance known under its reference. */
  register(ref: string, type: string, inputs: Props): void {
    this.instances.set(ref, this.configured(type, inputs));
  }

  /** The instance of a reference; one that the program did not register is made from the state. */
  async get(ref: string): Promise<ProviderInstance> {
    let instance = this.instances.get(ref);
    if (instance === undefined) {
      const state = this.snapshot.provider(ref);
      if (state === undefined) throw new Error(`the provider ${ref} is neither registered nor in the state`);
      instance = this.configured(state.type, state.inputs);
      this.instances.set(ref, instance);
    }
    return await instance;
  }

  private async configured(type: string, inputs: Props): Promise<ProviderInstance> {
    const provider = this.make(type);
    const config = providerConfig(inputs);
    const isKnown = !containsUnknown(config);
    if (isKnown) await provider.configure(config);
    return new ProviderInstance(provider, this.limiter, isKnown);
  }

  private make(type: string): Provider {
    return this.factory(type.slice(PROVIDER_PREFIX.length));
  }
}

/** The arguments of a package's default provider: the configuration values of its namespace. */
export function defaultProviderInputs(
  packageName: string,
  version: string,
  config: Record<string, string>,
  secretKeys: readonly string[],
  secretMark: (value: unknown) => unknown,
): Props {
  const inputs: Props = {};
  for (const [key, value] of Object.entries(config)) {
    if (packageOf(key) !== packageName) continue;
    inputs[key.slice(packageName.length + 1)] = secretKeys.includes(key) ? secretMark(value) : value;
  }
  return version === "" ? inputs : { ...inputs, version };
}

/** Whether a resource is a provider that the engine made by itself; those have no parent. */
export function isDefaultProvider(state: ResourceState): boolean {
  return isProviderType(state.type) && state.parent === undefined && /^default(_|$)/.test(nameOf(state.urn));
}
