/** Reading every resource again, so that the state says what is there. */

import type { PlanItem } from "./driver";
import type { Journal } from "./journal";
import { propertyDiffs } from "./propertyDiff";
import type { ProviderRegistry } from "./providers";
import type { ResourceState } from "./state";
import { isProviderType } from "./urn";
import { markSecrets, plainProps, sameValue } from "./wire";

/** The resources as they are now; those that are gone are left out, and nothing refers to them any more. */
export async function refreshAll(
  resources: readonly ResourceState[],
  providers: ProviderRegistry,
  journal: Journal,
  stopped: () => boolean,
): Promise<ResourceState[]> {
  const read = await Promise.all(resources.map((state) => refreshOne(state, providers, journal, stopped)));
  const left = read.filter((state) => state !== undefined);
  const urns = new Set(left.map((state) => state.urn));
  return left.map((state) => withoutMissing(state, urns, resources));
}

async function refreshOne(
  state: ResourceState,
  providers: ProviderRegistry,
  journal: Journal,
  stopped: () => boolean,
): Promise<ResourceState | undefined> {
  // What is gone already, or is nothing outside of the engine, or belongs to another stack, has nothing to be read.
  const isManaged = state.custom && state.external !== true && !isProviderType(state.type);
  if (!isManaged || state.pendingReplacement === true || stopped()) return state;
  const { urn, type, id } = state;
  try {
    const provider = await providers.get(state.provider!);
    const found = await journal.step("refresh", type, urn, () =>
      journal.timed("providers", () =>
        provider.read(urn, id!, plainProps(state.inputs), plainProps(state.outputs)),
      ),
    );
    if (found === undefined) {
      finish(journal, { op: "delete", urn, type, diffs: [] });
      return undefined;
    }
    const names = [...(state.additionalSecretOutputs ?? []), ...provider.secretOutputs(type)];
    const next = {
      ...state,
      id: found.id,
      inputs: markSecrets(found.inputs, state.inputs, []),
      outputs: markSecrets(markSecrets(found.outputs, state.outputs, []), state.inputs, names),
    };
    const isSame =
      sameValue(plainProps(next.inputs), plainProps(state.inputs)) && sameValue(next.outputs, state.outputs);
    finish(journal, {
      op: isSame ? "same" : "update",
      urn,
      type,
      diffs: propertyDiffs(state.outputs, next.outputs),
    });
    return isSame ? state : { ...next, modified: new Date().toISOString() };
  } catch (error) {
    journal.diagnostic("error", (error as Error).message, urn);
    return state;
  }
}

function finish(journal: Journal, item: PlanItem): void {
  journal.planned(item);
  journal.finished(item);
}

function withoutMissing(
  state: ResourceState,
  urns: ReadonlySet<string>,
  before: readonly ResourceState[],
): ResourceState {
  const isThere = (urn: string): boolean => urns.has(urn);
  const refers = [
    ...state.dependencies,
    ...Object.values(state.propertyDependencies).flat(),
    ...(state.replaceWith ?? []),
    ...(state.parent === undefined ? [] : [state.parent]),
    ...(state.deletedWith === undefined ? [] : [state.deletedWith]),
  ];
  if (refers.every(isThere)) return state;
  let parent = state.parent;
  while (parent !== undefined && !isThere(parent)) parent = before.find((r) => r.urn === parent)?.parent;
  const next: ResourceState = {
    ...state,
    dependencies: state.dependencies.filter(isThere),
    propertyDependencies: Object.fromEntries(
      Object.entries(state.propertyDependencies).map(([key, list]) => [key, list.filter(isThere)]),
    ),
    ...(state.replaceWith === undefined ? {} : { replaceWith: state.replaceWith.filter(isThere) }),
  };
  if (parent === undefined) delete next.parent;
  else next.parent = parent;
  if (next.deletedWith !== undefined && !isThere(next.deletedWith)) delete next.deletedWith;
  return next;
}
