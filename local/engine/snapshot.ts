/**
 * The resources of a stack while a run changes them: what was there before and is not dealt with yet (`base`),
 * and what this run has dealt with (`done`), which together are the state at any moment. A preview works on
 * one that is never written.
 */

import type { Checkpoint, OperationType, PendingOperation, ResourceState } from "./state";
import { parseProviderRef, providerRef } from "./urn";

/** One resource; `state` changes, the entry stays the same. */
export interface Entry {
  state: ResourceState;
}

export class Snapshot {
  private base: Entry[];
  private done: Entry[] = [];
  private readonly pending = new Set<PendingOperation>();
  private readonly byUrn = new Map<string, Entry>();
  constructor(resources: readonly ResourceState[]) {
    this.base = resources.map((state) => ({ state }));
    for (const entry of this.base) if (entry.state.delete !== true) this.byUrn.set(entry.state.urn, entry);
  }

  /** The resource that the URN stood for before this run; not one that waits for its deletion. */
  old(urn: string): Entry | undefined {
    return this.byUrn.get(urn);
  }

  /** What is left of the state before this run, in order. */
  get rest(): readonly Entry[] {
    return this.base;
  }

  /** What this run has dealt with, in order. */
  get current(): readonly Entry[] {
    return this.done;
  }

  /** Finds a provider instance, new or old. */
  provider(ref: string): ResourceState | undefined {
    const { urn, id } = parseProviderRef(ref);
    return [...this.done, ...this.base].find((e) => e.state.urn === urn && e.state.id === id)?.state;
  }

  /** Adds what the run made of a resource, in place of `replaced`. */
  add(state: ResourceState, replaced?: Entry): Entry {
    const entry = { state };
    this.done.push(entry);
    if (replaced !== undefined) this.remove(replaced);
    return entry;
  }

  remove(entry: Entry): void {
    this.base = this.base.filter((e) => e !== entry);
    this.done = this.done.filter((e) => e !== entry);
    if (this.byUrn.get(entry.state.urn) === entry) this.byUrn.delete(entry.state.urn);
  }

  /** Notes that an operation begins; the result ends it. */
  begin(type: OperationType, resource: ResourceState): () => void {
    const operation: PendingOperation = { type, resource };
    this.pending.add(operation);
    return () => this.pending.delete(operation);
  }

  /** A resource goes by a new URN: everything that refers to the old one is made to refer to the new one. */
  rename(from: string, to: string): void {
    const urn = (u: string): string => (u === from ? to : u);
    for (const entry of this.base) {
      const { state } = entry;
      const ref = state.provider === undefined ? undefined : parseProviderRef(state.provider);
      const refers =
        state.parent === from ||
        state.deletedWith === from ||
        ref?.urn === from ||
        state.dependencies.includes(from) ||
        (state.replaceWith ?? []).includes(from) ||
        Object.values(state.propertyDependencies).some((list) => list.includes(from));
      if (!refers) continue;
      entry.state = {
        ...state,
        dependencies: state.dependencies.map(urn),
        propertyDependencies: Object.fromEntries(
          Object.entries(state.propertyDependencies).map(([key, list]) => [key, list.map(urn)]),
        ),
        ...(state.parent === undefined ? {} : { parent: urn(state.parent) }),
        ...(state.deletedWith === undefined ? {} : { deletedWith: urn(state.deletedWith) }),
        ...(state.replaceWith === undefined ? {} : { replaceWith: state.replaceWith.map(urn) }),
        ...(ref === undefined ? {} : { provider: providerRef(urn(ref.urn), ref.id) }),
      };
    }
  }

  /** The whole state at this moment. */
  checkpoint(): Checkpoint {
    return {
      resources: [...this.done, ...this.base].map((entry) => entry.state),
      pending: [...this.pending],
    };
  }
}
