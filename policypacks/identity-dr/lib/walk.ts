import { UnknownValueError } from "@pulumi/policy";

/** Stands for a value that is not known during preview. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A property tree without proxies: reading it never throws. Assets are replaced by `{ text }` when their text is at hand. */
export type Plain = null | boolean | number | string | typeof UNKNOWN | Plain[] | PlainObject;

/** An object of a {@link Plain} tree. */
export interface PlainObject {
  [key: string]: Plain;
}

/** A plain tree, and what must be awaited before it is complete. */
export interface PlainTree {
  props: PlainObject;
  /** Fills in the texts of assets, which Pulumi keeps in promises. Undefined when there are none. */
  complete?: () => Promise<void>;
}

/** The key that the text of an asset has in a plain tree. */
export const ASSET_TEXT = "assetText";

/**
 * Copies the properties that a policy is given. These are wrapped so that reading an unknown value throws, which would end a rule
 * at the first one; in the copy such a value is {@link UNKNOWN}.
 */
export function plainTree(props: object): PlainTree {
  const pending: Promise<void>[] = [];
  const tree = copy(props, pending) as PlainObject;
  return pending.length === 0
    ? { props: tree }
    : { props: tree, complete: () => Promise.all(pending).then(() => undefined) };
}

function copy(value: unknown, pending: Promise<void>[]): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "object") return null;
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) => read(value, index, pending));
  }
  if ("__pulumiAsset" in value || "__pulumiArchive" in value) return copyAsset(value, pending);
  const object: PlainObject = {};
  for (const key of Object.keys(value)) object[key] = read(value, key, pending);
  return object;
}

function read(container: object, key: string | number, pending: Promise<void>[]): Plain {
  try {
    return copy((container as Record<string | number, unknown>)[key], pending);
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
}

/**
 * Assets given as text, alone or in an archive. Files and addresses are left out: they are relative to the program's folder, which
 * the policy pack does not know, and may be large.
 */
function copyAsset(asset: object, pending: Promise<void>[]): Plain {
  const object: PlainObject = {};
  // A promise must be awaited without its proxy around it, so the raw property is taken.
  const text: unknown = Object.getOwnPropertyDescriptor(asset, "text")?.value;
  const assets: unknown = Object.getOwnPropertyDescriptor(asset, "assets")?.value;
  if (text !== undefined) {
    pending.push(
      Promise.resolve(text).then((known) => {
        if (typeof known === "string") object[ASSET_TEXT] = known;
      }),
    );
  }
  if (assets !== undefined) {
    pending.push(
      Promise.resolve(assets).then(async (known) => {
        const inner: Promise<void>[] = [];
        for (const [name, entry] of Object.entries(known as object)) object[name] = copy(entry, inner);
        await Promise.all(inner);
      }),
    );
  }
  return object;
}

/** Whether the value is an object of a plain tree (not a list, null, unknown or scalar). */
export function isObject(value: Plain | undefined): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as text when it is a known text, else undefined. */
export function text(value: Plain | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value as a list: a list itself, a single value in a list, nothing for null. */
export function list(value: Plain | undefined): Plain[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The first property of the object that has one of the names, in any case. */
export function property(object: PlainObject, ...names: string[]): Plain | undefined {
  for (const name of names) {
    if (name in object) return object[name];
  }
  const wanted = names.map((name) => name.toLowerCase());
  const key = Object.keys(object).find((candidate) => wanted.includes(candidate.toLowerCase()));
  return key === undefined ? undefined : object[key];
}

/** The path of a child: `parent.key`, `parent["odd key"]` or `parent[0]`. */
export function childPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/**
 * The value behind a text that is JSON, when it starts like an object or a list and parses; else undefined. Long texts are remembered:
 * each rule is given the same documents again.
 */
export function parseJson(source: string): Plain | undefined {
  const start = /^\s*([[{])/.exec(source);
  if (!start) return undefined;
  return source.length < 1024 ? parse(source) : remembered(source);
}

function parse(source: string): Plain | undefined {
  try {
    return JSON.parse(source) as Plain;
  } catch {
    return undefined;
  }
}

const remembered = memoize(parse);

/**
 * The function with a memory of its latest results, keyed by the text itself.
 * @param capacity how many results are kept.
 */
export function memoize<Result>(
  compute: (source: string) => Result,
  capacity = 256,
): (source: string) => Result {
  const results = new Map<string, Result>();
  return (source) => {
    if (results.has(source)) return results.get(source) as Result;
    const result = compute(source);
    // The oldest goes first: a Map keeps the order of insertion.
    if (results.size >= capacity) results.delete(results.keys().next().value as string);
    results.set(source, result);
    return result;
  };
}
