/**
 * Compiles the policy pack to JavaScript: `policypacks/identity-dr/dist` is what `--policy-pack` is given. The folder has its own
 * package.json and PulumiPolicy.yaml; @pulumi/policy and @pulumi/pulumi come from the node_modules above it. The same sources give the
 * same bytes.
 */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { build } from "esbuild";

const pack = path.join(import.meta.dirname, "identity-dr");
const out = path.join(pack, "dist");
const project = JSON.parse(await fs.readFile(path.join(import.meta.dirname, "..", "package.json"), "utf8"));

const manifest = {
  name: "bulkhead-identity-dr",
  version: project.version,
  private: true,
  type: "commonjs",
  main: "index.js",
  dependencies: { "@pulumi/policy": project.dependencies["@pulumi/policy"] },
};

const policyProject = `description: Keeps the identity layer free of dependencies on a region that may be lost.
runtime:
  name: nodejs
  options:
    typescript: false
main: index.js
`;

await fs.mkdir(out, { recursive: true });
await build({
  absWorkingDir: pack,
  entryPoints: { index: "main.ts", rules: "index.ts" },
  outdir: out,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  // The pack's process and its library must share one copy: values are compared by class.
  external: ["@pulumi/policy"],
  sourcemap: false,
  legalComments: "none",
  logLevel: "warning",
});
await fs.writeFile(path.join(out, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
await fs.writeFile(path.join(out, "PulumiPolicy.yaml"), policyProject);
