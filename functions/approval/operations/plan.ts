/** From a definition and an input to what is asked for: the call, and the permissions that it needs and no more. */
import { arn } from "../../../components/regional/partition";
import type { OperationDefinition, ResourcePattern } from "./definition";
import type { InputValue, Place } from "./values";

/** A call of AWS, as it is shown, approved and carried out. */
export interface Operation {
  /** Short name of the SDK's client, such as `ec2`. */
  readonly service: string;
  /** The API's name, such as `TerminateInstances`. */
  readonly api: string;
  /** Input of the SDK's command. */
  readonly input: Readonly<Record<string, InputValue>>;
  /** The IAM actions that it needs, each once. */
  readonly actions: readonly string[];
  /** ARNs of what the actions are needed for, each once. */
  readonly resources: readonly string[];
}

/** Which actions for which resources. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** An operation with everything that is known of it beforehand. */
export interface PlannedOperation {
  readonly definition: OperationDefinition;
  readonly operation: Operation;
  /** The permissions in groups of the same resources, for policies. */
  readonly grants: readonly Grant[];
  /** ARNs of what the operation is about. */
  readonly targets: readonly string[];
  readonly place: Place;
}

/** A plan, or why there is none. */
export type Planning = { readonly plan: PlannedOperation } | { readonly problem: string };

/**
 * Plans an operation from an SDK input, such as a form's: every value is checked, unknown ones are refused.
 * @param input without what is not the caller's to choose (the account)
 */
export function planFromInput(
  definition: OperationDefinition,
  input: Readonly<Record<string, unknown>>,
  place: Place,
): Planning {
  const known = new Map(definition.parameters.map((parameter) => [parameter.input, parameter]));
  const unknown = Object.keys(input).find((name) => !known.has(name));
  if (unknown !== undefined) {
    return {
      problem: `${definition.api} is not known to take ${JSON.stringify(unknown.slice(0, 80))}: known are ${[...known.keys()].join(", ")}`,
    };
  }
  const checked: Record<string, InputValue> = {};
  for (const { input: name, kind, required = false } of definition.parameters) {
    const value = Object.hasOwn(input, name) ? input[name] : undefined;
    if (value === undefined) {
      if (required) return { problem: `${definition.api} needs ${name}: ${kind.what}` };
      continue;
    }
    const read = kind.read(value, place);
    if (read === undefined) return { problem: `${name} of ${definition.api} is not ${kind.what}` };
    checked[name] = read;
  }
  const wrong = definition.rule?.(checked);
  if (wrong !== undefined) return { problem: wrong };
  for (const name of definition.accountInputs ?? []) checked[name] = place.account;
  return { plan: plan(definition, checked, place) };
}

function plan(
  definition: OperationDefinition,
  input: Readonly<Record<string, InputValue>>,
  place: Place,
): PlannedOperation {
  // Actions for the same resources go together.
  const byResources = new Map<string, { actions: string[]; resources: string[] }>();
  for (const { actions, resource, when } of definition.grants) {
    if (when !== undefined && input[when] === undefined) continue;
    const resources = resourceArns(resource, input, place);
    const group = byResources.get(resources.join(" ")) ?? { actions: [], resources };
    group.actions.push(...actions);
    byResources.set(resources.join(" "), group);
  }
  const grants = [...byResources.values()];
  return {
    definition,
    place,
    grants,
    targets: grants[0]!.resources,
    operation: {
      service: definition.service,
      api: definition.api,
      input,
      actions: [...new Set(grants.flatMap(({ actions }) => actions))],
      resources: [...new Set(grants.flatMap(({ resources }) => resources))],
    },
  };
}

/** The ARNs of a pattern: one, or one for each value of the list that it names. */
function resourceArns(
  pattern: ResourcePattern,
  input: Readonly<Record<string, InputValue>>,
  { partition, region, account }: Place,
): string[] {
  if ("arnIn" in pattern) return [String(input[pattern.arnIn])];
  const { service, regional, ofAccount, resource } = pattern;
  const values = (name: string) => {
    const value = input[name];
    return Array.isArray(value) ? (value as readonly string[]) : [String(value)];
  };
  // One list at most is in a pattern, so the longest of the values says how many there are.
  const named = [...resource.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  const count = Math.max(...named.map((name) => values(name).length));
  return Array.from({ length: count }, (_, index) =>
    arn({
      partition,
      service,
      ...(regional && { region }),
      ...(ofAccount && { account }),
      resource: resource.replace(PLACEHOLDER, (_text, name: string) => {
        const all = values(name);
        return all[index] ?? all[0]!;
      }),
    }),
  );
}

/** A parameter's place in a resource pattern. */
export const PLACEHOLDER = /\{(\w+)\}/g;
