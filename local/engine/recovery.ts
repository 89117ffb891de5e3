/**
 * Putting a state right that an interrupted run left: for each operation that had begun, the live resource is looked
 * at, since nobody knows whether the operation went through.
 */

import type { Journal } from "./journal";
import type { ProviderInstance, ProviderRegistry } from "./providers";
import type { Checkpoint, PendingOperation, ResourceState } from "./state";
import { isProviderType } from "./urn";
import { markSecrets, plainProps } from "./wire";

/** The resources as they are now, with no operation pending. Only reads; what it finds goes into the journal. */
export async function recover(
  initial: Checkpoint,
  providers: ProviderRegistry,
  journal: Journal,
): Promise<ResourceState[]> {
  let resources = initial.resources;
  for (const operation of initial.pending) {
    if (operation.type === "reading" || isProviderType(operation.resource.type)) continue;
    try {
      const provider = await providers.get(operation.resource.provider ?? "");
      resources =
        operation.type === "creating"
          ? await recoverCreation(resources, operation.resource, provider, journal)
          : await recoverChange(resources, operation, provider, journal);
    } catch (error) {
      const { urn } = operation.resource;
      throw new Error(
        `an interrupted run left ${urn} in the middle of ${operation.type}, and what became of it cannot be found out: ` +
          `${(error as Error).message}. Make the provider reachable and run again`,
      );
    }
  }
  return resources;
}

async function recoverCreation(
  resources: ResourceState[],
  wanted: ResourceState,
  provider: ProviderInstance,
  journal: Journal,
): Promise<ResourceState[]> {
  const { urn, type } = wanted;
  const found = await provider.find(urn, plainProps(wanted.inputs));
  // A record without a resource (deleted ahead of this very creation) does not claim the id.
  const isTaken = resources.some(
    (r) => r.type === type && r.id === found?.id && r.pendingReplacement !== true,
  );
  // Found by its identity, so it must be what was to be made up to changes in place.
  const isIt =
    found !== undefined &&
    found.id !== "" &&
    !isTaken &&
    (await provider.diff(urn, found.id, found.inputs, found.outputs, plainProps(wanted.inputs))).replaces
      .length === 0;
  if (!isIt) {
    journal.diagnostic(
      "warning",
      "an interrupted run had begun to create it, and it was not found; it is created anew if the program still " +
        "asks for it. Should the provider have made one under a generated id, that one is left over: delete it by hand",
      urn,
    );
    return resources;
  }
  journal.diagnostic("warning", `an interrupted run had created it (${found.id}); it is taken over`, urn);
  const adopted: ResourceState = {
    ...wanted,
    id: found.id,
    inputs: markSecrets(found.inputs, wanted.inputs, []),
    outputs: markSecrets(found.outputs, wanted.inputs, [
      ...(wanted.additionalSecretOutputs ?? []),
      ...provider.secretOutputs(type),
    ]),
  };
  // It was to replace what its URN stood for.
  const others = resources
    .filter((r) => r.urn !== urn || r.pendingReplacement !== true)
    .map((r) => (r.urn === urn ? { ...r, delete: true } : r));
  // After what it needs and before the one that it replaces, which comes last as in any other run.
  const condemned = others.filter((r) => r.urn === urn);
  return [...others.filter((r) => r.urn !== urn), adopted, ...condemned];
}

/** A change or a deletion that had begun: the live resource tells how far it came. */
async function recoverChange(
  resources: ResourceState[],
  { type, resource }: PendingOperation,
  provider: ProviderInstance,
  journal: Journal,
): Promise<ResourceState[]> {
  const record = resources.find((r) => r.urn === resource.urn && r.id === resource.id);
  if (record === undefined) return resources;
  const found = await provider.read(
    record.urn,
    record.id!,
    plainProps(record.inputs),
    plainProps(record.outputs),
  );
  journal.diagnostic(
    "warning",
    `an interrupted run was ${type} it; it ${found === undefined ? "is gone" : "exists, and was read again"}`,
    record.urn,
  );
  if (found === undefined) {
    // A record without a resource: it is made again if the program asks for it, and forgotten otherwise.
    const gone = { ...record, pendingReplacement: true };
    return resources.flatMap((r) => (r !== record ? [r] : record.delete === true ? [] : [gone]));
  }
  const read: ResourceState = {
    ...record,
    inputs: markSecrets(found.inputs, record.inputs, []),
    outputs: markSecrets(found.outputs, record.outputs, []),
  };
  return resources.map((r) => (r === record ? read : r));
}
