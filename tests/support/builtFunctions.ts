import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { bundlePath } from "../../components/lambda/bundle";

/** The checkout's folder. */
const ROOT = path.resolve(__dirname, "../..");

/** Runs functions/build.mjs. Returns what it printed; throws with its message when it fails. */
export function runBuild(args: string[] = [], cwd = ROOT): string {
  const script = path.join(ROOT, "functions/build.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`functions/build.mjs failed: ${stderr}`);
  return stdout;
}

/** Builds the functions' bundles if one of these is missing: for tests of components, which upload them. */
export function ensureBuilt(...names: string[]): void {
  try {
    for (const name of names) bundlePath(name);
  } catch {
    runBuild();
  }
}
