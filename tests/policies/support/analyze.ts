import {
  type PolicyResource,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  unknownCheckingProxy,
} from "@pulumi/policy";
import { unknownValue } from "@pulumi/pulumi/runtime";
import { rules } from "../../../policypacks/identity-dr";

/** Stands in hand-made properties for a value that is not known during preview. */
export const UNKNOWN_VALUE = "<unknown>";

/** A hand-made resource. */
export interface TestResource {
  type: string;
  name?: string;
  /** @default from type and name, at the top of the stack */
  urn?: string;
  props?: Record<string, unknown>;
  /** @default an explicit provider named `cell` without a region */
  provider?: { name?: string; type?: string; props?: Record<string, unknown> };
  /** URNs by property, for stack rules. */
  propertyDependencies?: Record<string, string[]>;
}

/** The URN that a hand-made resource has. */
export function urnOf({ type, name = "it", urn }: TestResource): string {
  return urn ?? `urn:pulumi:prod::bulkhead::${type}::${name}`;
}

/** The messages of a rule about one resource, given to it as the pack's server would give it. */
export async function analyze(
  ruleId: string,
  resource: TestResource,
  config: Record<string, unknown> = {},
): Promise<string[]> {
  const { validateResource } = policy(ruleId) as ResourceValidationPolicy;
  const messages: string[] = [];
  if (typeof validateResource !== "function") throw new Error(`${ruleId} does not check resources`);
  await validateResource(
    {
      ...base(resource),
      getConfig: <T extends object>() => config as T,
      stackTags: new Map(),
      notApplicable: never,
    },
    (message) => messages.push(message),
  );
  return messages;
}

/** The messages of a rule about a whole stack, each after the URN that it is about. */
export async function analyzeStack(
  ruleId: string,
  resources: readonly TestResource[],
  config: Record<string, unknown> = {},
): Promise<{ urn: string | undefined; message: string }[]> {
  const { validateStack } = policy(ruleId) as StackValidationPolicy;
  if (typeof validateStack !== "function") throw new Error(`${ruleId} does not check stacks`);
  const found: { urn: string | undefined; message: string }[] = [];
  const all = resources.map((resource): PolicyResource => {
    return { ...base(resource), dependencies: [], propertyDependencies: {} };
  });
  const byUrn = new Map(all.map((one) => [one.urn, one]));
  for (const [index, { propertyDependencies = {} }] of resources.entries()) {
    for (const [property, urns] of Object.entries(propertyDependencies)) {
      (all[index] as PolicyResource).propertyDependencies[property] = urns.flatMap(
        (urn) => byUrn.get(urn) ?? [],
      );
    }
  }
  await validateStack(
    {
      resources: all,
      getConfig: <T extends object>() => config as T,
      stackTags: new Map(),
      notApplicable: never,
    },
    (message, urn) => found.push({ message, urn }),
  );
  return found;
}

function policy(ruleId: string): ResourceValidationPolicy | StackValidationPolicy {
  const rule = rules.find(({ id }) => id === ruleId);
  if (!rule) throw new Error(`no rule ${ruleId}`);
  return rule.policy;
}

function base(resource: TestResource) {
  const { type, name = "it", props = {}, provider = {} } = resource;
  const isProvider = type.startsWith("pulumi:providers:");
  const providerType = provider.type ?? `pulumi:providers:${type.split(":")[0]}`;
  const providerName = provider.name ?? "cell";
  return {
    type,
    name,
    urn: urnOf(resource),
    props: unknownCheckingProxy(withUnknowns(props) as Record<string, unknown>),
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
    },
    ...(isProvider
      ? {}
      : {
          provider: {
            type: providerType,
            name: providerName,
            urn: `urn:pulumi:prod::bulkhead::${providerType}::${providerName}`,
            props: unknownCheckingProxy(withUnknowns(provider.props ?? {}) as Record<string, unknown>),
          },
        }),
    isType: () => false,
    asType: () => undefined,
  };
}

/** The value with the engine's own mark in place of {@link UNKNOWN_VALUE}. */
function withUnknowns(value: unknown): unknown {
  if (value === UNKNOWN_VALUE) return unknownValue;
  if (Array.isArray(value)) return value.map(withUnknowns);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withUnknowns(inner)]));
}

function never(): never {
  throw new Error("the rule said that it does not apply");
}
