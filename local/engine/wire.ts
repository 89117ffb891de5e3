/**
 * Property values as they stand in Pulumi's wire form and in its state: plain JSON in which an object with the
 * key {@link SIGNATURE} marks a secret, an output, an asset, an archive or a resource reference, and the string
 * {@link UNKNOWN} a value that is not known in preview. Everything here is pure.
 */

import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  type Props,
  SIGNATURE,
  SIGNATURE_ARCHIVE,
  SIGNATURE_ASSET,
  SIGNATURE_RESOURCE,
  SIGNATURE_SECRET,
  UNKNOWN,
} from "../provider/types";

export {
  type Props,
  SIGNATURE,
  SIGNATURE_ARCHIVE,
  SIGNATURE_ASSET,
  SIGNATURE_RESOURCE,
  SIGNATURE_SECRET,
  UNKNOWN,
};

/** Marks a value with its dependencies, in the wire form of component inputs and replacement triggers. */
export const SIGNATURE_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/** Wire markers of unknown values of a given kind; the SDK for Node sends only {@link UNKNOWN}. */
const UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A non-null object that is not an array. */
export function isObject(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind that an object's signature names, or undefined of a plain object or any other value. */
export function signatureOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const signature: unknown = value[SIGNATURE];
  return typeof signature === "string" ? signature : undefined;
}

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && UNKNOWNS.has(value);
}

export function isSecret(value: unknown): boolean {
  return signatureOf(value) === SIGNATURE_SECRET;
}

export function isAssetOrArchive(value: unknown): value is Props {
  const signature = signatureOf(value);
  return signature === SIGNATURE_ASSET || signature === SIGNATURE_ARCHIVE;
}

/** Marks a value as secret; one that is already, stays as it is. */
export function secret(value: unknown): unknown {
  return isSecret(value) ? value : { [SIGNATURE]: SIGNATURE_SECRET, value };
}

/** A copy with `fn` applied to every value from the leaves up. */
function transform(value: unknown, fn: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return fn(value.map((item) => transform(item, fn)));
  if (!isObject(value)) return fn(value);
  return fn(mapValues(value, (item) => transform(item, fn)));
}

/** A copy of an object with each value mapped. */
export function mapValues(object: Props, fn: (value: unknown, key: string) => unknown): Props {
  const result: Props = {};
  for (const key of Object.keys(object)) result[key] = fn(object[key], key);
  return result;
}

/**
 * The value as providers and policy-free comparisons want it: secrets unwrapped, resource references replaced by
 * the id (of a component: by the URN). Assets and archives keep their wire form, unknowns their marker.
 */
export function plain(value: unknown): unknown {
  return transform(value, (item) => {
    switch (signatureOf(item)) {
      case SIGNATURE_SECRET:
        return (item as Props).value;
      case SIGNATURE_RESOURCE:
        return (item as Props).id ?? (item as Props).urn;
      default:
        return item;
    }
  });
}

/** {@link plain} of a property bag. */
export function plainProps(props: Props): Props {
  return plain(props) as Props;
}

/**
 * Replaces output values (which some requests carry) by what they hold: the value, a secret, or {@link UNKNOWN}.
 * The dependencies that they name travel in the request itself.
 */
export function downgradeOutputs(value: unknown): unknown {
  return transform(value, (item) => {
    if (signatureOf(item) !== SIGNATURE_OUTPUT) return isUnknown(item) ? UNKNOWN : item;
    const output = item as Props;
    const inner: unknown = "value" in output ? output.value : UNKNOWN;
    return output.secret === true ? secret(inner) : inner;
  });
}

/** Whether `test` holds for the value or for anything inside it. */
function contains(value: unknown, test: (value: unknown) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => contains(item, test));
  return isObject(value) && Object.values(value).some((item) => contains(item, test));
}

export function containsSecret(value: unknown): boolean {
  return contains(value, isSecret);
}

export function containsUnknown(value: unknown): boolean {
  return contains(value, isUnknown);
}

/**
 * Marks as secret in `value` what is secret in `like`. Providers get and return plain values; so that what came in as a
 * secret does not go out in clear, an output is secret where the input at the same place is. Inside an
 * array places can move, so an array that holds a secret makes the whole array secret.
 */
export function withSecretsOf(value: unknown, like: unknown): unknown {
  if (isSecret(value)) return value;
  if (isSecret(like)) return secret(value);
  if (Array.isArray(like)) return containsSecret(like) ? secret(value) : value;
  if (isObject(value) && isObject(like) && signatureOf(value) === undefined) {
    return mapValues(value, (item, key) => (key in like ? withSecretsOf(item, like[key]) : item));
  }
  return value;
}

/** {@link withSecretsOf} for a property bag, plus the top-level keys in `names`. */
export function markSecrets(props: Props, like: Props, names: readonly string[]): Props {
  const marked = withSecretsOf(props, like) as Props;
  return mapValues(marked, (item, key) => (names.includes(key) ? secret(item) : item));
}

/** Deep equality of JSON values; the order of keys does not count, a key with undefined counts as absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => sameValue(item, b[i]))
    );
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameValue(a[key], b[key]));
}

/**
 * A copy of `news` in which each asset or archive whose content (hash) is that of the one at the same place in
 * `olds` is the old one. Assets are compared by content: a checkout that moved is no change.
 */
export function alignAssets(olds: unknown, news: unknown): unknown {
  if (isAssetOrArchive(news)) {
    const same =
      isAssetOrArchive(olds) &&
      news.hash !== undefined &&
      news.hash === olds.hash &&
      signatureOf(olds) === signatureOf(news);
    return same ? olds : news;
  }
  if (Array.isArray(news)) {
    return news.map((item, i) => alignAssets(Array.isArray(olds) ? olds[i] : undefined, item));
  }
  if (isObject(news))
    return mapValues(news, (item, key) => alignAssets(isObject(olds) ? olds[key] : undefined, item));
  return news;
}

/** Encodes a property bag for a gRPC message; undefined values are left out. */
export function toStruct(props: Props): Struct {
  return Struct.fromJavaScript(compact(props) as Record<string, JavaScriptValue>);
}

/** Decodes a property bag from a gRPC message. */
export function fromStruct(struct: Struct | undefined): Props {
  return struct === undefined ? {} : struct.toJavaScript();
}

/** Struct has no undefined: drops such keys, and turns such array items into null. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : compact(item)));
  if (!isObject(value)) return value;
  const result: Props = {};
  for (const key of Object.keys(value)) if (value[key] !== undefined) result[key] = compact(value[key]);
  return result;
}
