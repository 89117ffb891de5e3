/**
 * The small language in which handlers declare their inputs, and what follows from a declaration alone: validation, coercion and
 * comparison. Pure.
 */
import { canonicalPolicy, sortKeys } from "./jsonDocuments";
import {
  type CheckFailure,
  type Props,
  SIGNATURE,
  SIGNATURE_ARCHIVE,
  SIGNATURE_ASSET,
  SIGNATURE_RESOURCE,
  UNKNOWN,
} from "./types";

/** What may be said of any input. */
export interface InputOptions {
  /** The input must be given. @default false */
  required?: boolean;
  /** Value when the input is not given, as the genuine provider has it. @default none */
  default?: unknown;
  /** The resource is replaced when this changes. @default false */
  replaces?: boolean;
  /** When it is not given, AWS decides; its absence is then never a difference ("optional and computed"). @default false */
  computed?: boolean;
  /** AWS does not tell it afterwards: the last known value counts as the live one. @default false */
  writeOnly?: boolean;
  /** The only values that are allowed. @default any */
  values?: readonly string[];
}

type Kind =
  | { kind: "string" | "number" | "boolean" | "map" | "archive" }
  | { kind: "list" | "set"; of: Input }
  | { kind: "object"; fields: Inputs }
  | { kind: "json"; canonical: (parsed: unknown) => unknown };

/** A declared input. */
export type Input = Kind & InputOptions;
/** The declared inputs of a resource or of a nested object, by name. */
export type Inputs = Readonly<Record<string, Input>>;

export const str = (options: InputOptions = {}): Input => ({ kind: "string", ...options });
export const num = (options: InputOptions = {}): Input => ({ kind: "number", ...options });
export const bool = (options: InputOptions = {}): Input => ({ kind: "boolean", ...options });
/** Text by name, such as tags. */
export const map = (options: InputOptions = {}): Input => ({ kind: "map", ...options });
/** Order matters. */
export const list = (of: Input, options: InputOptions = {}): Input => ({ kind: "list", of, ...options });
/** Order does not matter. */
export const set = (of: Input, options: InputOptions = {}): Input => ({ kind: "set", of, ...options });
export const obj = (fields: Inputs, options: InputOptions = {}): Input => ({
  kind: "object",
  fields,
  ...options,
});
/** A JSON document as text (or as an object, which becomes text). */
export const json = (options: InputOptions = {}): Input => ({
  kind: "json",
  canonical: sortKeys,
  ...options,
});
/** An IAM-style policy as text (or as an object, which becomes text). */
export const policy = (options: InputOptions = {}): Input => ({
  kind: "json",
  canonical: canonicalPolicy,
  ...options,
});
/** A Pulumi archive. */
export const archive = (options: InputOptions = {}): Input => ({ kind: "archive", ...options });

/** Whether the value is, or holds somewhere, a value that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (typeof value === "string") return value.includes(UNKNOWN);
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasUnknown);
  return false;
}

/** What is wrong with an input that was not declared; the text after the type's name. */
export type Refusal = (path: string) => string;

/**
 * The value in its declared form: numbers and booleans become text where text is declared and the other way round, JSON documents become
 * text, references to resources become their ids, absent parts disappear, defaults of nested objects are filled in.
 * What does not fit is added to `failures`.
 */
export function normalize(
  input: Input,
  value: unknown,
  path: string,
  failures: CheckFailure[],
  refuse: Refusal,
): unknown {
  const fail = (reason: string) => {
    failures.push({ property: path, reason });
    return undefined;
  };
  if (value === null || value === undefined) return undefined;
  if (value === UNKNOWN) return UNKNOWN;
  if (isSigned(value, SIGNATURE_RESOURCE)) return (value as Props).id || UNKNOWN;
  switch (input.kind) {
    case "string":
      if (!["string", "number", "boolean"].includes(typeof value)) return fail("must be a string");
      if (input.values && !input.values.includes(String(value))) {
        return fail(`is "${value}": must be one of ${input.values.join(", ")}`);
      }
      return String(value);
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      return typeof number === "number" && Number.isFinite(number) ? number : fail("must be a number");
    }
    case "boolean":
      if (typeof value === "boolean") return value;
      return value === "true" ? true : value === "false" ? false : fail("must be true or false");
    case "map":
      if (!isPlainObject(value)) return fail("must be a map of strings");
      return defined(value, (part, key) => normalize(str(), part, `${path}.${key}`, failures, refuse));
    case "list":
    case "set":
      if (!Array.isArray(value)) return fail("must be a list");
      return value
        .map((part, index) => normalize(input.of, part, `${path}[${index}]`, failures, refuse))
        .filter((part) => part !== undefined);
    case "object":
      if (!isPlainObject(value)) return fail("must be an object");
      return normalizeFields(input.fields, value, `${path}.`, failures, refuse);
    case "json":
      return normalizeJson(value, fail);
    case "archive":
      return isSigned(value, SIGNATURE_ARCHIVE)
        ? value
        : fail("must be an archive (pulumi.asset.FileArchive ...)");
  }
}

/** {@link normalize} for all properties of an object; those not declared are refused. `prefix` is "" or ends in ".". */
export function normalizeFields(
  inputs: Inputs,
  values: Props,
  prefix: string,
  failures: CheckFailure[],
  refuse: Refusal,
): Props {
  for (const key of Object.keys(values)) {
    // Pulumi's own bookkeeping (`__defaults`) is not a property.
    if (!(key in inputs) && !key.startsWith("__") && values[key] !== undefined && values[key] !== null) {
      failures.push({ property: prefix + key, reason: refuse(prefix + key) });
    }
  }
  const result: Props = {};
  for (const [key, input] of Object.entries(inputs)) {
    const value = normalize(input, values[key], prefix + key, failures, refuse) ?? input.default;
    if (value !== undefined) result[key] = value;
    else if (input.required && (values[key] === undefined || values[key] === null)) {
      failures.push({ property: prefix + key, reason: "is missing: it is required" });
    }
  }
  return result;
}

function normalizeJson(value: unknown, fail: (reason: string) => undefined): unknown {
  if (hasUnknown(value)) return UNKNOWN;
  if (typeof value !== "string") return JSON.stringify(value);
  if (value === "") return undefined;
  try {
    JSON.parse(value);
    return value;
  } catch (error) {
    return fail(`is not a JSON document: ${(error as Error).message}`);
  }
}

/**
 * A text that is the same for values that mean the same. Undefined stands for "not set"; empty text, lists and maps count as not set,
 * as they do for AWS.
 */
export function canonical(input: Input, value: unknown): string | undefined {
  const form = canonicalForm(input, value);
  return form === undefined || form === "" ? undefined : JSON.stringify(form);
}

/** Whether two values of an input mean the same. */
export function equal(input: Input, a: unknown, b: unknown): boolean {
  return canonical(input, a) === canonical(input, b);
}

function canonicalForm(input: Input, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (value === UNKNOWN) return value;
  switch (input.kind) {
    case "string":
      return String(value);
    case "number":
    case "boolean":
      return value;
    case "map":
      return nonEmpty(sortKeys(value) as Props);
    case "list":
    case "set": {
      const forms = (value as unknown[]).map((part) => canonicalForm(input.of, part));
      if (forms.length === 0) return undefined;
      return input.kind === "list" ? forms : [...new Set(forms.map((form) => JSON.stringify(form)))].sort();
    }
    case "object":
      return nonEmpty(
        defined(input.fields, (field, key) => {
          const part = (value as Props)[key];
          // What AWS fills in by itself where nothing was asked for is handled by refreshedInput.
          return canonicalForm(field, part ?? field.default);
        }),
      );
    case "json":
      try {
        return input.canonical(typeof value === "string" ? JSON.parse(value) : value);
      } catch {
        return value;
      }
    case "archive":
      return isSigned(value, SIGNATURE_ARCHIVE) ? ((value as Props).hash ?? sortKeys(value)) : value;
  }
}

/**
 * What an input is after a refresh: the live value, in the notation of `old` where it means the same; parts of nested objects which AWS
 * decides by itself are left out unless they had been asked for.
 */
export function refreshedInput(input: Input, old: unknown, live: unknown): unknown {
  const pruned = prune(input, old, live);
  if (canonical(input, old) === canonical(input, pruned)) return old;
  return canonical(input, pruned) === undefined ? undefined : pruned;
}

function prune(input: Input, old: unknown, live: unknown): unknown {
  if (input.kind !== "object" || !isPlainObject(live)) return live;
  return defined(input.fields, (field, key) => {
    const before = isPlainObject(old) ? old[key] : undefined;
    if (field.writeOnly || (field.computed && before === undefined)) return before;
    return refreshedInput(field, before, live[key]);
  });
}

/** Whether the value is one of Pulumi's tagged objects of the given kind. */
export function isSigned(value: unknown, signature: string): boolean {
  return typeof value === "object" && value !== null && (value as Props)[SIGNATURE] === signature;
}

/** Whether the value is a Pulumi asset. */
export function isAsset(value: unknown): boolean {
  return isSigned(value, SIGNATURE_ASSET);
}

/** Whether the value is an object that is not one of Pulumi's tagged ones. */
export function isPlainObject(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(SIGNATURE in value);
}

function nonEmpty(value: Props): Props | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

/** Maps the values of an object in key order; undefined results disappear. */
function defined<T>(from: Readonly<Record<string, T>>, change: (value: T, key: string) => unknown): Props {
  const result: Props = {};
  for (const key of Object.keys(from).sort()) {
    const value = change(from[key] as T, key);
    if (value !== undefined) result[key] = value;
  }
  return result;
}
