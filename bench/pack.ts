import * as path from "node:path";
import { PolicyPack, type Subject } from "../local/engine/analyzer";
import { Limiter } from "../local/engine/limiter";
import type { ResourceState } from "../local/engine/state";
import type { MeasuredResource } from "../policypacks/measure";
import { generateResources } from "../tests/policies/support/resources";
import { alternate, time } from "./support/measure";
import type { BenchContext, Benchmark } from "./support/types";

const RESOURCES = 1000;
const ROUNDS = 7;
/** As many questions at one time as the engine asks by default. */
const PARALLEL = 32;
/** What the rules may add for 1,000 resources, in milliseconds. */
const TARGET_MS = 1000;
/** Packs log to the engine; these have nothing to say, so nobody listens there. */
const NO_ENGINE = "127.0.0.1:1";

/**
 * What the rules cost. The engine asks a pack about each resource and about the stack over gRPC, whatever
 * the pack does: the same questions to a pack without rules are the engine's own time.
 */
export const benchmark: Benchmark = {
  name: "pack",
  description: `The policy pack's rules on ${RESOURCES} resources, over the engine's own time`,
  async run(context) {
    const folder = path.join(context.root, "policypacks", "identity-dr", "dist");
    const subjects = generateResources(RESOURCES).map(subject);
    const withRules = await start(folder);
    try {
      const withoutRules = await start(path.join(__dirname, "support", "packWithoutRules"));
      try {
        return await compare(withRules, withoutRules, subjects, context);
      } finally {
        await withoutRules.stop();
      }
    } finally {
      await withRules.stop();
    }
  },
};

async function compare(
  withRules: PolicyPack,
  withoutRules: PolicyPack,
  subjects: readonly Subject[],
  { progress, signal }: BenchContext,
) {
  progress(`${RESOURCES} resources, ${ROUNDS} rounds`);
  const medians = await alternate(
    {
      withRules: () => time(() => ask(withRules, subjects)),
      withoutRules: () => time(() => ask(withoutRules, subjects)),
    },
    ROUNDS,
    signal,
  );
  return [
    { metric: "pack without rules", value: medians.withoutRules, unit: "ms" },
    { metric: "pack with its rules", value: medians.withRules, unit: "ms" },
    {
      metric: "over the engine's own time",
      value: medians.withRules - medians.withoutRules,
      unit: "ms",
      target: TARGET_MS,
    },
  ];
}

/** Everything that one preview asks. */
async function ask(pack: PolicyPack, subjects: readonly Subject[]): Promise<void> {
  const limiter = new Limiter(PARALLEL);
  const found = await Promise.all(subjects.map((one) => limiter.run(() => pack.analyze(one))));
  const inStack = await pack.analyzeStack(subjects, "");
  const [first] = [...found.flat(), ...inStack];
  // Reporting is not what is measured, and a pack that could not run its rules reports that.
  if (first) throw new Error(`the resources break no rule, but ${first.policy} reports: ${first.message}`);
}

function start(folder: string): Promise<PolicyPack> {
  return PolicyPack.start({ folder, engine: NO_ENGINE, env: {}, output: () => {} });
}

function subject({ type, urn, props, provider }: MeasuredResource): Subject {
  return {
    state: state(type, urn, props),
    properties: props,
    deleteBeforeReplace: undefined,
    provider: provider && state(provider.type, provider.urn, provider.props),
  };
}

function state(type: string, urn: string, inputs: Record<string, unknown>): ResourceState {
  return { urn, type, custom: true, inputs, outputs: {}, dependencies: [], propertyDependencies: {} };
}
