import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Path of a function's bundle, `dist/functions/NAME/index.mjs` of the package that this file belongs to: the nearest folder above with a
 * package.json. So it is the same for the TypeScript sources of a checkout and for a compiled package.
 *
 * @param name the bundle's name: the function's folder below functions/, such as `notification`
 * @param from folder to start from @default the folder of this file
 * @throws Error when there is no such bundle, saying which there are and how to build them.
 */
export function bundlePath(name: string, from: string = __dirname): string {
  const folder = path.join(packageRoot(from), "dist", "functions");
  const file = path.join(folder, name, "index.mjs");
  if (/^[A-Za-z0-9-]+$/.test(name) && fs.existsSync(file)) return file;
  const built = fs.existsSync(folder) ? fs.readdirSync(folder).sort().join(", ") : "";
  throw new Error(
    `bundle is "${name}": there is no ${file} (built: ${built || "none"}). Run \`npm run build\`, which bundles the functions`,
  );
}

function packageRoot(from: string): string {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, "package.json"))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no folder above ${from} has a package.json`);
  }
}
