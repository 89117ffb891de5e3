/**
 * What a resource provider is to its two drivers: the gRPC plugin (for the genuine Pulumi engine) and `local/engine`
 * (in process). Values are plain JavaScript: unknowns are the string {@link UNKNOWN}, secrets have been unwrapped by the driver, assets
 * and archives keep Pulumi's wire form (an object with the signature key). Errors are thrown.
 */

/** Pulumi's wire marker of a value that is not known in preview (any type). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The key under which Pulumi's wire form marks secrets, assets, archives and resource references. */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SIGNATURE_SECRET = "1b47061264138c4ac30d75fd1eb44270";
export const SIGNATURE_ASSET = "c44067f5952c0a294b673a41bacd8c17";
export const SIGNATURE_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
export const SIGNATURE_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";

// biome-ignore lint/suspicious/noExplicitAny: property bags of arbitrary resources have no static type
export type Props = Record<string, any>;

/** One input that the provider refuses; `property` is its path, empty for the resource as a whole. */
export interface CheckFailure {
  property: string;
  reason: string;
}

export interface CheckResult {
  inputs: Props;
  failures: CheckFailure[];
}

export interface DiffResult {
  /** Top-level input properties that differ. Empty: no change. */
  changed: string[];
  /** The subset of `changed` that cannot be changed in place. */
  replaces: string[];
  /** Whether the old resource has to go before the new one can be made (its physical name is fixed). */
  deleteBeforeReplace: boolean;
}

export interface CreateResult {
  id: string;
  outputs: Props;
}

export interface ReadResult {
  id: string;
  inputs: Props;
  outputs: Props;
}

/**
 * Thrown by create when the resource exists but was not brought to its end: the driver has to record `id`, `inputs` and
 * `outputs` (so that the next run repairs or removes it) and report the failure.
 */
export class IncompleteResourceError extends Error {
  override readonly name = "IncompleteResourceError";
  constructor(
    message: string,
    readonly id: string,
    readonly inputs: Props,
    readonly outputs: Props,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** One configured instance of a provider (one `pulumi:providers:aws` resource). */
export interface Provider {
  checkConfig(news: Props): Promise<CheckResult>;
  diffConfig(oldInputs: Props, news: Props): Promise<DiffResult>;
  configure(inputs: Props): Promise<void>;
  /**
   * Names that the program leaves to the provider are taken from `oldInputs` if they were made up before, else made up anew: pass no old
   * inputs for the replacement of a resource. With a `seed` the made-up part is repeatable.
   */
  check(urn: string, oldInputs: Props, news: Props, seed?: Uint8Array): Promise<CheckResult>;
  diff(urn: string, id: string, oldInputs: Props, oldOutputs: Props, news: Props): Promise<DiffResult>;
  /**
   * In preview nothing is called and computed outputs are {@link UNKNOWN}; `id` is then "". Something that exists already is taken over
   * only if all its properties and at least one tag are the wanted ones.
   */
  create(urn: string, inputs: Props, preview: boolean): Promise<CreateResult>;
  /** Undefined: the resource no longer exists. `inputs` are refreshed from the live state. */
  read(urn: string, id: string, inputs: Props, outputs: Props): Promise<ReadResult | undefined>;
  /**
   * Looks for what an interrupted run may have created from these inputs (as checked). Only reads; the next diff tells what is still
   * to be done to it. Undefined: there is none, or it cannot be told from others of its type.
   */
  findExisting?(urn: string, inputs: Props): Promise<ReadResult | undefined>;
  update(urn: string, id: string, oldOutputs: Props, news: Props, preview: boolean): Promise<Props>;
  /** Succeeds when the resource is already gone. */
  delete(urn: string, id: string, oldInputs: Props, oldOutputs: Props): Promise<void>;
  invoke(token: string, args: Props): Promise<Props>;
  /** Names of outputs of this resource type that must be kept secret. */
  secretOutputs(type: string): readonly string[];
}
