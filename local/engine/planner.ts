/**
 * The decisions of a run, apart from everything that does something: which operation a resource needs, under
 * which old names it may be known, what goes together with a replacement, in which order to delete. Pure.
 */

import type { DiffResult } from "../provider/types";
import { type PropertyPath, parsePath, pathContains, resetPath } from "./propertyPath";
import type { ResourceState } from "./state";
import { makeUrn, nameOf, parseProviderRef, qualifiedType, ROOT_TYPE, typeOf } from "./urn";
import type { Props } from "./wire";

/** What a run does with one resource. */
export type Operation = "create" | "update" | "replace" | "delete" | "same" | "read" | "refresh";

/** A decision about a resource that exists already. */
export interface Decision {
  op: "same" | "update" | "replace";
  /** Top-level properties that force the replacement. */
  replaceKeys: string[];
  /** Whether the old one goes first. */
  deleteFirst: boolean;
}

/** What a decision depends on. */
export interface DecisionInput {
  old: ResourceState;
  diff: DiffResult;
  replaceOnChanges: readonly string[];
  /** The resource option; undefined leaves it to the provider. */
  deleteBeforeReplace: boolean | undefined;
  /** Reasons outside of the properties: `provider`, `deletedWith`, `replaceWith`, `replacementTrigger`. */
  forcedBy: readonly string[];
}

/** Chooses between leaving a resource, changing it in place and replacing it. */
export function decide({
  old,
  diff,
  replaceOnChanges,
  deleteBeforeReplace,
  forcedBy,
}: DecisionInput): Decision {
  const paths = replaceOnChanges.map(parsePath);
  const wanted = diff.changed.filter((key) => paths.some((path) => pathContains(path.slice(0, 1), [key])));
  const replaceKeys = [...new Set([...forcedBy, ...diff.replaces, ...wanted])];
  const deleteFirst = deleteBeforeReplace ?? diff.deleteBeforeReplace;
  if (replaceKeys.length > 0 || old.pendingReplacement === true)
    return { op: "replace", replaceKeys, deleteFirst };
  // What an interrupted creation left unfinished is carried on by an update.
  const unfinished = (old.initErrors ?? []).length > 0;
  return { op: diff.changed.length > 0 || unfinished ? "update" : "same", replaceKeys: [], deleteFirst };
}

/** The new inputs with everything under `ignored` as it was. Throws on a malformed path. */
export function applyIgnoreChanges(news: Props, olds: Props, ignored: readonly string[]): Props {
  return ignored
    .map(parsePath)
    .reduce<Props>((inputs, path: PropertyPath) => resetPath(olds, inputs, path), news);
}

/** An alias as the program gives it: a whole URN, or what differed. */
export type Alias =
  | { urn: string }
  | { name?: string; type?: string; stack?: string; project?: string; parent?: string; noParent?: boolean };

/** The resource that has the aliases. */
export interface Aliased {
  stack: string;
  project: string;
  parent: string | undefined;
  type: string;
  name: string;
}

/**
 * The URNs that a resource may have had before, in the order in which to look for them. `aliasedParents` gives,
 * by the present URN, the URN under which an aliased resource was found: its children were called after that.
 */
export function aliasUrns(
  resource: Aliased,
  aliases: readonly Alias[],
  aliasedParents: ReadonlyMap<string, string>,
): string[] {
  const { parent } = resource;
  const own = aliases.map((alias) => aliasUrn(resource, alias, aliasedParents));
  const oldParent = parent === undefined ? undefined : aliasedParents.get(parent);
  const urns = [...own];
  if (parent !== undefined && oldParent !== undefined) {
    const inherited = (type: string, name: string): string => {
      // Children are named after their parent by convention: `app-function` of `app`.
      const prefix = nameOf(parent);
      const oldName = name.startsWith(prefix) ? nameOf(oldParent) + name.slice(prefix.length) : name;
      return makeUrn({ ...resource, parent: oldParent, type, name: oldName });
    };
    urns.push(inherited(resource.type, resource.name));
    for (const urn of own) urns.push(inherited(typeOf(urn), nameOf(urn)));
  }
  return [...new Set(urns)];
}

function aliasUrn(resource: Aliased, alias: Alias, aliasedParents: ReadonlyMap<string, string>): string {
  if ("urn" in alias) return alias.urn;
  let parent =
    alias.parent === undefined ? resource.parent : (aliasedParents.get(alias.parent) ?? alias.parent);
  if (alias.noParent === true || (parent !== undefined && qualifiedType(parent) === ROOT_TYPE))
    parent = undefined;
  return makeUrn({
    stack: alias.stack || resource.stack,
    project: alias.project || resource.project,
    parent,
    type: alias.type || resource.type,
    name: alias.name || resource.name,
  });
}

/** URNs of everything that must exist before the resource and be gone after it. */
export function needs(state: ResourceState): Set<string> {
  const urns = new Set(state.dependencies);
  for (const list of Object.values(state.propertyDependencies)) for (const urn of list) urns.add(urn);
  if (state.parent !== undefined) urns.add(state.parent);
  if (state.deletedWith !== undefined) urns.add(state.deletedWith);
  if (state.provider !== undefined) urns.add(parseProviderRef(state.provider).urn);
  urns.delete(state.urn);
  return urns;
}

/**
 * For each of the resources to delete, those that have to be gone before it: the ones that need it. Works by
 * position in the list; two records of one URN (an old one and its replacement) may both be in it.
 */
export function deletionOrder(condemned: readonly ResourceState[]): Map<ResourceState, ResourceState[]> {
  const byUrn = new Map<string, ResourceState[]>();
  for (const state of condemned) byUrn.set(state.urn, [...(byUrn.get(state.urn) ?? []), state]);
  const first = new Map(condemned.map((state) => [state, [] as ResourceState[]]));
  for (const state of condemned) {
    for (const urn of needs(state)) {
      for (const needed of byUrn.get(urn) ?? []) first.get(needed)!.push(state);
    }
  }
  return first;
}

/**
 * The resources that have to be deleted before `root` can be deleted and made anew: those that would be replaced
 * by what changes, found by `requires` in dependency order, which is the order of `resources`.
 */
export async function dependentReplacements(
  root: ResourceState,
  resources: readonly ResourceState[],
  requires: (state: ResourceState, replaced: ReadonlySet<string>) => Promise<boolean>,
): Promise<ResourceState[]> {
  const replaced = new Set([root.urn]);
  const reached = new Set([root.urn]);
  const found: ResourceState[] = [];
  for (const state of resources) {
    if (state === root || state.delete === true) continue;
    const urns = needs(state);
    for (const urn of state.replaceWith ?? []) urns.add(urn);
    if (![...urns].some((urn) => reached.has(urn))) continue;
    reached.add(state.urn);
    if (await requires(state, replaced)) {
      found.push(state);
      replaced.add(state.urn);
    }
  }
  return found;
}
