// Preloaded into TypeScript programs: keeps what ts-node makes of each file until the file, ts-node, TypeScript or their options change. What runs
// is ts-node's own output, of this run or of an earlier one.
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { createRequire, findPackageJSON } = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const folder = process.env.BULKHEAD_TRANSPILE_CACHE;
// As the runner, this process's script, resolves it.
const runner = createRequire(process.argv[1]);

const hash = (...parts) => createHash("sha256").update(JSON.stringify(parts)).digest("hex");

/** The entry of a file; undefined when there is none, or a broken one. */
function read(entry) {
  try {
    return JSON.parse(fs.readFileSync(entry, "utf8"));
  } catch {
    return undefined;
  }
}

/** A whole file or none: several programs may run at the same time. */
function write(entry, content) {
  const draft = `${entry}.${process.pid}.tmp`;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(draft, JSON.stringify(content));
  fs.renameSync(draft, entry);
}

function keep(tsNode, service) {
  const { compile } = service;
  const found = new Map();
  // ts-node finds source maps only of what it has made in this run.
  createRequire(runner.resolve("ts-node"))("@cspotcode/source-map-support").install({
    environment: "node",
    retrieveFile: (file) => found.get(file) ?? null,
  });
  service.compile = (code, file, ...rest) => {
    // Whether it becomes an ES module may be decided by the package that the file is in.
    const manifest = findPackageJSON(pathToFileURL(file));
    const scope = manifest === undefined ? "" : fs.readFileSync(manifest, "utf8");
    const key = hash(tsNode.VERSION, service.ts.version, service.config.options, scope, file, code);
    const entry = path.join(folder, `${hash(file)}.json`);
    const known = read(entry);
    if (known?.key === key) {
      found.set(file, known.output);
      return known.output;
    }
    const output = compile(code, file, ...rest);
    write(entry, { key, output });
    return output;
  };
}

function installed() {
  try {
    return runner("ts-node");
  } catch {
    return undefined; // The runner brings an old one of its own, which is left as it is.
  }
}

const tsNode = folder && findPackageJSON ? installed() : undefined;
if (tsNode !== undefined) {
  const { register } = tsNode;
  tsNode.register = (options) => {
    const service = register(options);
    keep(tsNode, service);
    return service;
  };
}
