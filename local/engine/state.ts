/**
 * The state of one stack: what resources exist, in the format of `pulumi stack export` (deployment version 3), so
 * that the genuine engine can import it and its exports can be read here. In memory secrets are clear, in the
 * file they are encrypted.
 */

import { Crypter } from "./secrets";
import { isObject, isSecret, mapValues, type Props, SIGNATURE, SIGNATURE_SECRET } from "./wire";

/** One resource as the state records it. Treated as immutable: a change makes a new record. */
export interface ResourceState {
  urn: string;
  /** Whether a provider manages it; false of components. */
  custom: boolean;
  id?: string;
  type: string;
  inputs: Props;
  outputs: Props;
  parent?: string;
  protect?: boolean;
  /** Read, not managed. */
  external?: boolean;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** `URN::ID` of the provider instance. */
  provider?: string;
  /** Replaced already: waits for its deletion. */
  delete?: boolean;
  /** Deleted already: waits for its replacement to be created. */
  pendingReplacement?: boolean;
  additionalSecretOutputs?: string[];
  customTimeouts?: Props;
  retainOnDelete?: boolean;
  deletedWith?: string;
  replaceWith?: string[];
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  replacementTrigger?: unknown;
  hideDiff?: unknown[];
  initErrors?: string[];
  created?: string;
  modified?: string;
}

export type OperationType = "creating" | "updating" | "deleting" | "reading";

/** An operation that had begun when the state was written. */
export interface PendingOperation {
  resource: ResourceState;
  type: OperationType;
}

export interface Checkpoint {
  resources: ResourceState[];
  pending: PendingOperation[];
}

/** The exported form, as `pulumi stack export` prints it. */
export interface ExportedState {
  version: 3;
  deployment: {
    manifest: { time: string; magic: string; version: string };
    secrets_providers?: { type: string; state: { salt: string } };
    resources?: unknown[];
    pending_operations?: unknown[];
    metadata?: Props;
  };
}

/** Reads an exported state's resources, secrets clear. `where` names it in errors. */
export function decodeState(
  exported: ExportedState,
  crypter: Crypter | undefined,
  where: string,
): Checkpoint {
  const clear = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clear);
    if (!isObject(value)) return value;
    if (!isSecret(value)) return mapValues(value, clear);
    return { [SIGNATURE]: SIGNATURE_SECRET, value: clear(JSON.parse(secretText(value))) };
  };
  const secretText = (value: Props): string => {
    if (typeof value.plaintext === "string") return value.plaintext;
    if (crypter === undefined)
      throw new Error(`${where} holds secrets but names no passphrase salt to decrypt them`);
    const text = crypter.decrypt(String(value.ciphertext));
    crypter.remember(text, String(value.ciphertext));
    return text;
  };
  const resource = (raw: unknown): ResourceState => {
    const record = raw as Partial<ResourceState> & { urn: string; type: string };
    return {
      ...record,
      custom: record.custom === true,
      inputs: clear(record.inputs ?? {}) as Props,
      outputs: clear(record.outputs ?? {}) as Props,
      dependencies: record.dependencies ?? [],
      propertyDependencies: record.propertyDependencies ?? {},
      ...(record.replacementTrigger === undefined
        ? {}
        : { replacementTrigger: clear(record.replacementTrigger) }),
    };
  };
  return {
    resources: (exported.deployment.resources ?? []).map(resource),
    pending: (exported.deployment.pending_operations ?? []).map((raw) => {
      const operation = raw as PendingOperation;
      return { type: operation.type, resource: resource(operation.resource) };
    }),
  };
}

/** Writes resources in the exported form; keeps the text of records that did not change since it last wrote them. */
export class StateEncoder {
  private readonly texts = new WeakMap<ResourceState, string>();

  constructor(private readonly crypter: Crypter) {}

  /** The whole file's text. */
  encode(checkpoint: Checkpoint, time: Date): string {
    const { resources, pending } = checkpoint;
    const manifest = JSON.stringify({ time: time.toISOString(), magic: "", version: "" });
    const providers = JSON.stringify({ type: "passphrase", state: { salt: this.crypter.salt } });
    const operations = pending.map((p) => `{"resource":${this.record(p.resource)},"type":"${p.type}"}`);
    const lines = [
      `{"version":3,"deployment":{"manifest":${manifest},`,
      `"secrets_providers":${providers},`,
      `"resources":[\n${resources.map((r) => this.record(r)).join(",\n")}\n],`,
      ...(operations.length > 0 ? [`"pending_operations":[\n${operations.join(",\n")}\n],`] : []),
      `"metadata":{}}}\n`,
    ];
    return lines.join("\n");
  }

  private record(state: ResourceState): string {
    let text = this.texts.get(state);
    if (text === undefined) {
      text = JSON.stringify(this.encrypted(state));
      this.texts.set(state, text);
    }
    return text;
  }

  private encrypted(state: ResourceState): Props {
    const hide = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(hide);
      if (!isObject(value)) return value;
      if (!isSecret(value)) return mapValues(value, hide);
      // A secret inside a secret is encrypted once, as part of the outer one.
      const text = JSON.stringify(reveal(value.value) ?? null);
      return { [SIGNATURE]: SIGNATURE_SECRET, ciphertext: this.crypter.encryptOnce(text) };
    };
    const record: Props = {};
    for (const [key, value] of Object.entries(state)) {
      const isEmpty =
        value === undefined ||
        value === false ||
        value === "" ||
        (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0);
      if (!isEmpty || key === "custom") record[key] = hide(value);
    }
    return record;
  }
}

function reveal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reveal);
  if (!isObject(value)) return value;
  return isSecret(value) ? reveal(value.value) : mapValues(value, reveal);
}

/** Opens the crypter that an exported state names; undefined when it names none. */
export async function crypterOf(
  exported: ExportedState,
  passphrase: string,
  where: string,
): Promise<Crypter | undefined> {
  const providers = exported.deployment.secrets_providers;
  if (providers === undefined) return undefined;
  if (providers.type !== "passphrase") {
    throw new Error(
      `${where} is encrypted by the secrets provider "${providers.type}"; local mode reads passphrase ones only: ` +
        "export it with --show-secrets, or change it with `pulumi stack change-secrets-provider passphrase`",
    );
  }
  return await Crypter.open(providers.state.salt, passphrase, where);
}
