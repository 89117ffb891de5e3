import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { unknownCheckingProxy } from "@pulumi/policy";
import type { Rule } from "./identity-dr";

/** What the rules need to know of a resource. */
export interface MeasuredResource {
  type: string;
  name: string;
  urn: string;
  props: Record<string, unknown>;
  provider?: { type: string; name: string; urn: string; props: Record<string, unknown> };
}

/** How long the rules took. */
export interface Measurement {
  /** Milliseconds for all rules on all resources, one by one and as a stack. */
  totalMs: number;
  /** Milliseconds by rule id. */
  ruleMs: Record<string, number>;
  /** How many violations were reported: a check that something was done. */
  violations: number;
}

/**
 * Runs the rules in this process on resources, each rule with properties wrapped anew as the pack's server does, and takes the time. What
 * the engine adds (gRPC, its own serialisation) is not in it.
 *
 * @example
 * const { rules } = require("./identity-dr/dist/rules.js");
 * const { totalMs } = await measureRules(rules, generateResources());
 */
export async function measureRules(
  rules: readonly Rule[],
  resources: readonly MeasuredResource[],
): Promise<Measurement> {
  const ruleMs: Record<string, number> = {};
  let violations = 0;
  const report = () => {
    violations++;
  };
  for (const { id, policy } of rules) {
    const started = performance.now();
    const { validateResource } = policy as ResourceValidationPolicy;
    if (typeof validateResource === "function") {
      for (const resource of resources) await validateResource(argumentsOf(resource), report);
    }
    const { validateStack } = policy as Partial<StackValidationPolicy>;
    if (validateStack) {
      const all = resources.map((resource): PolicyResource => {
        return { ...argumentsOf(resource), dependencies: [], propertyDependencies: {} };
      });
      await validateStack({ ...SURROUNDINGS, resources: all }, report);
    }
    ruleMs[id] = performance.now() - started;
  }
  const totalMs = Object.values(ruleMs).reduce((sum, ms) => sum + ms, 0);
  return { totalMs, ruleMs, violations };
}

const SURROUNDINGS = {
  getConfig: <T extends object>() => ({}) as T,
  stackTags: new Map<string, string>(),
  notApplicable: (): never => {
    throw new Error("no rule of the pack says that it does not apply");
  },
};

function argumentsOf({ type, name, urn, props, provider }: MeasuredResource) {
  return {
    ...SURROUNDINGS,
    type,
    name,
    urn,
    props: unknownCheckingProxy(props),
    ...(provider ? { provider: { ...provider, props: unknownCheckingProxy(provider.props) } } : {}),
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
    },
    isType: () => false,
    asType: () => undefined,
  };
}
