/** Differences between a resource's old and new properties, as a person reads them; secrets masked. Pure. */

import { formatPath, type PathStep, type PropertyPath, parsePath, pathContains } from "./propertyPath";
import {
  isAssetOrArchive,
  isObject,
  isSecret,
  isUnknown,
  type Props,
  SIGNATURE_ARCHIVE,
  SIGNATURE_RESOURCE,
  sameValue,
  signatureOf,
} from "./wire";

/** Stands for every secret value. */
export const SECRET_TEXT = "[secret]";
/** Stands for a value that is known only after the deployment. */
export const UNKNOWN_TEXT = "[unknown]";

/** One changed property. `old` is absent of an added one, `new` of a removed one. */
export interface PropertyDiff {
  /** Path as in `tags.Owner` or `rules[0].port`. */
  path: string;
  old?: unknown;
  new?: unknown;
}

/** The value with secrets, unknowns, assets and references replaced by texts. */
export function masked(value: unknown): unknown {
  if (isSecret(value)) return SECRET_TEXT;
  if (isUnknown(value)) return UNKNOWN_TEXT;
  if (isAssetOrArchive(value)) {
    const kind = signatureOf(value) === SIGNATURE_ARCHIVE ? "archive" : "asset";
    return `${kind}(${String(value.hash ?? "").slice(0, 7)})`;
  }
  if (signatureOf(value) === SIGNATURE_RESOURCE) return (value as Props).id ?? (value as Props).urn;
  if (Array.isArray(value)) return value.map(masked);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, masked(value[key])]));
}

/** What differs between two property bags, in the order of paths. `hidden` are paths to leave out. */
export function propertyDiffs(olds: Props, news: Props, hidden: readonly string[] = []): PropertyDiff[] {
  const diffs: { path: PropertyPath; old: unknown; new: unknown }[] = [];
  const visit = (path: PathStep[], a: unknown, b: unknown): void => {
    if (sameValue(a, b)) return;
    const bothPlain = signatureOf(a) === undefined && signatureOf(b) === undefined;
    if (bothPlain && isObject(a) && isObject(b)) {
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
      for (const key of keys) visit([...path, key], a[key], b[key]);
    } else if (Array.isArray(a) && Array.isArray(b)) {
      for (let i = 0; i < Math.max(a.length, b.length); i++) visit([...path, i], a[i], b[i]);
    } else {
      diffs.push({ path, old: a, new: b });
    }
  };
  visit([], olds, news);
  const hiddenPaths = hidden.map(parsePath);
  return diffs
    .filter(({ path }) => !hiddenPaths.some((outer) => pathContains(outer, path)))
    .map(({ path, old, new: next }) => ({
      path: formatPath(path),
      ...(old === undefined ? {} : { old: masked(old) }),
      ...(next === undefined ? {} : { new: masked(next) }),
    }));
}
