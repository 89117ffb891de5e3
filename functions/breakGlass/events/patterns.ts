import { WATCH_RULES } from "./classify";
import type { Conjunction, Filter } from "./condition";
import type { WatchNames } from "./names";
import type { WatchGroup } from "./rule";
import { identities, SIGN_IN_EVENT_SOURCE } from "./useRules";

/** A pattern of EventBridge's language. */
export type EventPattern = Record<string, unknown>;

/**
 * Characters that a pattern may have without a raised quota (EventBridge quotas, "Event pattern size"; up to 4096 on request).
 */
export const PATTERN_LIMIT = 2_048;

/**
 * Wildcard characters in one pattern. EventBridge refuses patterns with too many as too complex and does not say where the limit is; rules with
 * six of them are known to be taken and rules with eight to be refused.
 */
export const WILDCARD_LIMIT = 6;

/** Of AWS's own sources, which nobody else can send. `detail-type` is left out, since AWS's pages disagree on it (fact 18). */
const SOURCE = [{ prefix: "aws." }];

/**
 * The patterns of a group's events: together they match what the table's rules of that group match, each within EventBridge's limits. One
 * pattern for the usual two users; more of them where names are many or long.
 */
export function eventPatterns(names: WatchNames, group: WatchGroup): EventPattern[] {
  return pack(
    WATCH_RULES.filter((rule) => rule.group === group).flatMap((rule) => rule.any(names)),
    SOURCE,
  );
}

/**
 * The patterns of the sign-ins that go straight to the topic: ConsoleLogin, succeeded or failed. Other sign-in events are part of a use that
 * is told by itself, such as CheckMfa, which a moment later becomes a ConsoleLogin.
 */
export function directSignInPatterns(names: WatchNames): EventPattern[] {
  const signIn = { eventSource: [SIGN_IN_EVENT_SOURCE], eventName: [DIRECT_SIGN_IN] };
  return pack(
    identities(names)
      // Never in a sign-in event.
      .filter((identity) => !("requestParameters.roleSessionName" in identity))
      .map((identity) => ({ ...identity, ...signIn })),
    ["aws.signin"],
  );
}

/** The patterns of what emergency users do apart from signing in, and of all that has to do with signing in: for whoever sends them on. */
export function callPatterns(names: WatchNames): EventPattern[] {
  const eventSource: Filter[] = [{ "anything-but": { prefix: [SIGN_IN_EVENT_SOURCE] } }];
  return pack(
    identities(names).map((identity) => ({ ...identity, eventSource })),
    SOURCE,
  );
}

/** The counterpart of {@link callPatterns}: no event matches both, so that none is sent on twice. */
export function signInPatterns(names: WatchNames): EventPattern[] {
  const eventSource = [SIGN_IN_EVENT_SOURCE];
  return pack(
    identities(names).map((identity) => ({ ...identity, eventSource })),
    SOURCE,
  );
}

/** The event that the direct patterns match. */
export const DIRECT_SIGN_IN = "ConsoleLogin";

/** Puts each alternative into the first pattern that has room for it. */
function pack(alternatives: Conjunction[], source: unknown[]): EventPattern[] {
  const packed: Conjunction[][] = [];
  for (const alternative of merge(alternatives).flatMap((one) => split(one, source))) {
    const roomy = packed.find((others) => fits(patternOf([...others, alternative], source)));
    if (roomy) roomy.push(alternative);
    else packed.push([alternative]);
  }
  return packed.map((one) => patternOf(one, source));
}

function fits(pattern: EventPattern): boolean {
  const text = JSON.stringify(pattern);
  return text.length <= PATTERN_LIMIT && text.split("*").length - 1 <= WILDCARD_LIMIT;
}

/** Joins alternatives that differ in one value only: (a and x) or (a and y) is a and (x or y). */
function merge(alternatives: readonly Conjunction[]): Conjunction[] {
  const merged: Conjunction[] = [];
  for (const alternative of alternatives) {
    const index = merged.findIndex((other) => differingPath(other, alternative) !== undefined);
    const other = merged[index];
    const path = other && differingPath(other, alternative);
    if (!other || path === undefined) merged.push(alternative);
    else merged[index] = { ...other, [path]: [...other[path]!, ...alternative[path]!] };
  }
  return merged;
}

function differingPath(a: Conjunction, b: Conjunction): string | undefined {
  const paths = Object.keys(a);
  if (paths.length !== Object.keys(b).length || paths.some((path) => !(path in b))) return undefined;
  const differing = paths.filter((path) => JSON.stringify(a[path]) !== JSON.stringify(b[path]));
  return differing.length === 1 ? differing[0] : undefined;
}

/** Halves an alternative's longest list of filters until each part fits into a pattern. */
function split(alternative: Conjunction, source: unknown[]): Conjunction[] {
  if (fits(patternOf([alternative], source))) return [alternative];
  const [path, filters] = Object.entries(alternative).reduce((longest, entry) =>
    JSON.stringify(entry[1]).length > JSON.stringify(longest[1]).length ? entry : longest,
  );
  // Names are at most 64 characters long, so a single filter always fits.
  if (filters.length < 2) return [alternative];
  const half = Math.ceil(filters.length / 2);
  return [filters.slice(0, half), filters.slice(half)].flatMap((part) =>
    split({ ...alternative, [path]: part }, source),
  );
}

function patternOf(alternatives: readonly Conjunction[], source: unknown[]): EventPattern {
  const [first, ...rest] = alternatives.map(nested);
  return { source, detail: rest.length === 0 ? first : { $or: [first, ...rest] } };
}

/** `{"a.b": filters}` as `{"a": {"b": filters}}`. */
function nested(conjunction: Conjunction): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, filters] of Object.entries(conjunction)) {
    const keys = path.split(".");
    const last = keys.pop()!;
    let level = root;
    for (const key of keys) {
      level[key] ??= {};
      level = level[key] as Record<string, unknown>;
    }
    level[last] = filters as Filter[];
  }
  return root;
}
