/** Puts the plugin where the genuine Pulumi engine finds it: a command `pulumi-resource-aws` in a folder that goes on PATH. */
import * as fs from "node:fs/promises";
import * as path from "node:path";

/** The name by which the engine looks for the plugin. */
const COMMAND = "pulumi-resource-aws";

/** Quotes a text for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Writes the command into a folder, which is made if need be.
 * @returns the folder's absolute path, to be put first on PATH of the process that runs `pulumi`
 * @example
 * const bin = await installPlugin(path.join(root, ".bulkhead", "bin"));
 * spawn("pulumi", ["up"], { env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` } });
 */
export async function installPlugin(folder: string): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  const node = [process.execPath, "--require", require.resolve("tsx/cjs"), path.join(__dirname, "main.ts")];
  const command = path.join(folder, COMMAND);
  // The program decides what its own Node does; the plugin must not inherit its loaders.
  const script = `#!/bin/sh\nunset NODE_OPTIONS\nexec ${node.map(quote).join(" ")} "$@"\n`;
  // Written aside and renamed: another run may be starting the command this very moment.
  const fresh = `${command}.${process.pid}`;
  await fs.writeFile(fresh, script, { mode: 0o755 });
  await fs.rename(fresh, command);
  return path.resolve(folder);
}
