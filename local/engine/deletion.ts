/** Deleting resources: in reverse dependency order, side by side where nothing stands between them. */

import type { PlanItem } from "./driver";
import type { Journal } from "./journal";
import { deletionOrder } from "./planner";
import { isDefaultProvider, type ProviderRegistry } from "./providers";
import type { Entry, Snapshot } from "./snapshot";
import { TimedOut, withTimeout } from "./timeouts";
import { isProviderType } from "./urn";
import { plainProps } from "./wire";

export interface DeletionContext {
  preview: boolean;
  snapshot: Snapshot;
  providers: ProviderRegistry;
  journal: Journal;
  save: () => Promise<void>;
  stopped: () => boolean;
  /** URNs of what this run has deleted or is about to, for `deletedWith`. */
  deleted: Set<string>;
}

/** Has the provider delete one resource, if there is anything to delete. Leaves its record as it is. */
export async function deletionOf(context: DeletionContext, entry: Entry): Promise<void> {
  const { state } = entry;
  const { preview, snapshot, providers, journal, save, deleted } = context;
  deleted.add(state.urn);
  const isManaged = state.custom && state.external !== true && !isProviderType(state.type);
  const goesWithAnother = state.deletedWith !== undefined && deleted.has(state.deletedWith);
  if (
    !isManaged ||
    state.pendingReplacement === true ||
    state.retainOnDelete === true ||
    goesWithAnother ||
    preview
  )
    return;
  const provider = await providers.get(state.provider!);
  const end = snapshot.begin("deleting", state);
  await save();
  const seconds = state.customTimeouts?.delete as number | undefined;
  try {
    await journal.step("delete", state.type, state.urn, () =>
      journal.timed("providers", () =>
        withTimeout(
          provider.delete(state.urn, state.id!, plainProps(state.inputs), plainProps(state.outputs)),
          seconds,
          "delete",
        ),
      ),
    );
    end();
  } catch (error) {
    if (!(error instanceof TimedOut)) end();
    throw error;
  }
}

/**
 * Deletes the resources and their records. When one is protected nothing at all is deleted; when one fails, what it
 * needs is kept and the rest goes on.
 */
export async function deleteAll(context: DeletionContext, entries: readonly Entry[]): Promise<void> {
  const { journal, snapshot, preview, save } = context;
  const isProtected = entries.filter((e) => e.state.protect === true && e.state.delete !== true);
  for (const { state } of isProtected) {
    const message =
      "is protected and would be deleted; to allow it, set `protect` to false, run up, then remove it";
    journal.diagnostic("error", message, state.urn);
  }
  if (isProtected.length > 0 && !preview) return;
  const byState = new Map(entries.map((entry) => [entry.state, entry]));
  const before = deletionOrder([...byState.keys()]);
  for (const { state } of entries) context.deleted.add(state.urn);
  /** Whether each resource that was begun with is gone. */
  const begun = new Map<Entry, Promise<boolean>>();
  const outcome = (entry: Entry): Promise<boolean> => {
    let running = begun.get(entry);
    if (running === undefined) {
      running = deleteOne(entry);
      begun.set(entry, running);
    }
    return running;
  };
  const deleteOne = async (entry: Entry): Promise<boolean> => {
    const { state } = entry;
    const dependents = await Promise.all(before.get(state)!.map((s) => outcome(byState.get(s)!)));
    if (dependents.includes(false) || context.stopped()) return false;
    // What was replaced was counted as a replacement.
    const isCounted = state.delete !== true && !isDefaultProvider(state);
    const item: PlanItem = { op: "delete", urn: state.urn, type: state.type, diffs: [] };
    if (isCounted) journal.planned(item);
    try {
      await deletionOf(context, entry);
    } catch (error) {
      journal.diagnostic("error", (error as Error).message, state.urn);
      return false;
    }
    snapshot.remove(entry);
    if (!preview) await save();
    if (isCounted) journal.finished(item);
    return true;
  };
  await Promise.all(entries.map(outcome));
}
