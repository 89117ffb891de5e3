import * as fs from "node:fs";
import * as path from "node:path";
import type { DeploymentOptions, StackDriver } from "../local/engine";
import { type LocalEnvironment, startEnvironment } from "../local/environment";
import { claimRun, localFolder } from "../local/run";
import { alternate, time } from "./support/measure";
import type { BenchContext, Benchmark } from "./support/types";

const STACK = "prod";
const ROUNDS = 5;
/** How much longer than an empty program the preview with the pack may take. */
const TARGET = 1.5;

/**
 * What a user waits for at every preview, against what Pulumi's program host needs for a program that does
 * nothing.
 */
export const benchmark: Benchmark = {
  name: "preview",
  description: `Preview of ${STACK} with and without the policy pack, against an empty program`,
  async run(context) {
    const claim = claimRun(context.root);
    let environment: LocalEnvironment | undefined;
    try {
      const { root, signal, progress } = context;
      environment = await startEnvironment({ root, signal, onProgress: progress });
      return await compare(environment, context);
    } finally {
      await environment?.stop();
      claim.release();
    }
  },
};

async function compare(environment: LocalEnvironment, { root, progress, signal }: BenchContext) {
  const { driver } = environment;
  const whole = environment.deployment(STACK);
  const bare = { ...whole, policyPacks: [] };
  const empty = { ...bare, projectDir: program(root, "bench-empty", ""), config: {} };
  const loading = {
    ...bare,
    projectDir: program(root, "bench-loading", 'require("@pulumi/aws");\n'),
    config: {},
  };
  progress(`${ROUNDS} rounds with ${driver.name}`);
  const medians = await alternate(
    {
      empty: () => time(() => preview(driver, empty)),
      loading: () => time(() => preview(driver, loading)),
      bare: () => time(() => preview(driver, bare)),
      whole: () => time(() => preview(driver, whole)),
    },
    ROUNDS,
    signal,
  );
  return [
    { metric: "empty program", value: medians.empty, unit: "ms" },
    { metric: "program that only loads @pulumi/aws", value: medians.loading, unit: "ms" },
    { metric: `${STACK} without the pack`, value: medians.bare, unit: "ms" },
    { metric: `${STACK} with the pack`, value: medians.whole, unit: "ms" },
    { metric: "without the pack, against the empty program", value: medians.bare / medians.empty, unit: "x" },
    {
      metric: "with the pack, against the empty program",
      value: medians.whole / medians.empty,
      unit: "x",
      target: TARGET,
    },
    { metric: "with the pack, against without it", value: medians.whole / medians.bare, unit: "x" },
    {
      metric: "with the pack, against loading @pulumi/aws",
      value: medians.whole / medians.loading,
      unit: "x",
    },
  ];
}

async function preview(driver: StackDriver, options: DeploymentOptions): Promise<void> {
  const result = await driver.preview(options);
  if (result.ok) return;
  const reason = result.diagnostics.find(({ severity }) => severity === "error")?.message;
  throw new Error(`the preview of ${options.projectDir} failed: ${reason ?? "no reason was given"}`);
}

/** A project beside the real one, so that it finds the same packages. */
function program(root: string, name: string, source: string): string {
  const folder = path.join(localFolder(root), name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\nmain: index.js\n`);
  fs.writeFileSync(
    path.join(folder, "package.json"),
    JSON.stringify({ name, private: true, main: "index.js" }),
  );
  fs.writeFileSync(path.join(folder, "index.js"), source);
  return folder;
}
