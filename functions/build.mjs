/**
 * Bundles every function into `dist/functions/NAME/index.mjs`: one ES module for nodejs24.x with everything in it, the AWS SDK too, so that
 * what was tested is what runs. The same sources give the same bytes, from whatever folder and however often it is run.
 *
 * A function is a `handler.ts` below functions/ (shared/ apart); its bundle is named after its folder, `breakGlass/steward/handler.ts`
 * becoming `breakGlass-steward`.
 *
 * Usage: node functions/build.mjs [--outdir FOLDER] [--only NAME]...
 * Without arguments nothing is built when that would give what is there already.
 * Not minified: a bundle is meant to be read and compared. Source maps lie beside it and are not uploaded.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { isUpToDate, writeRecord } from "./buildRecord.mjs";

const FUNCTIONS = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.dirname(FUNCTIONS);
/** Goes with the packages, when they are installed anew. */
const RECORD = path.join(ROOT, "node_modules", ".cache", "functions-build.json");

/** Every function's bundle name and the path of its handler from the root, sorted by name. */
export function findHandlers() {
  return fs
    .readdirSync(FUNCTIONS, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep))
    .filter((parts) => parts.length > 1 && parts[0] !== "shared" && parts.at(-1) === "handler.ts")
    .map((parts) => ({ name: parts.slice(0, -1).join("-"), entry: ["functions", ...parts].join("/") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Builds the bundles.
 * @param {{ outdir?: string, only?: string[] }} [options] outdir: default `dist/functions` of the checkout; only: bundle names, default all
 * @returns {Promise<{ name: string, file: string, bytes: number, sha256: string, sources: string[] }[]>} sources: paths from the root
 * @throws Error naming a bundle of `only` that does not exist; esbuild's error for sources that do not build.
 */
export async function buildFunctions({ outdir = path.join(ROOT, "dist", "functions"), only } = {}) {
  const handlers = findHandlers();
  const unknown = (only ?? []).filter((name) => !handlers.some((handler) => handler.name === name));
  if (unknown.length > 0) {
    const names = handlers.map((handler) => handler.name).join(", ");
    throw new Error(`no function is named ${unknown.join(", ")}: there are ${names || "none"}`);
  }
  const wanted = handlers.filter((handler) => only === undefined || only.includes(handler.name));
  return Promise.all(wanted.map((handler) => bundle(handler, path.resolve(outdir))));
}

async function bundle({ name, entry }, outdir) {
  const file = path.join(outdir, name, "index.mjs");
  const { metafile } = await build({
    // Paths in the output are relative to this folder: without it they would depend on where the build was started.
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    // Packages in CommonJS call require(), which an ES module does not have.
    banner: {
      js: 'import { createRequire as bulkheadCreateRequire } from "node:module";\nconst require = bulkheadCreateRequire(import.meta.url);',
    },
    charset: "utf8",
    legalComments: "eof",
    metafile: true,
    sourcemap: "external",
    sourcesContent: false,
    tsconfig: path.join(ROOT, "tsconfig.json"),
    logLevel: "warning",
  });
  const content = fs.readFileSync(file);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { name, file, bytes: content.length, sha256, sources: Object.keys(metafile.inputs) };
}

async function main() {
  const { values } = parseArgs({
    options: { outdir: { type: "string" }, only: { type: "string", multiple: true } },
  });
  const isWhole = values.outdir === undefined && values.only === undefined;
  const entries = findHandlers().map(({ entry }) => entry);
  if (isWhole && isUpToDate(ROOT, RECORD, entries)) {
    console.log(`${entries.length} functions are built from these sources already`);
    return;
  }
  const bundles = await buildFunctions(values);
  for (const { name, bytes, sha256 } of bundles) {
    console.log(`${name.padEnd(24)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB  sha256 ${sha256}`);
  }
  if (!isWhole) return;
  const files = bundles.flatMap(({ file, sources }) => [
    ...sources.filter((source) => !source.startsWith("node_modules/")),
    path.relative(ROOT, file),
    path.relative(ROOT, `${file}.map`),
  ]);
  writeRecord(ROOT, RECORD, { entries, files });
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
