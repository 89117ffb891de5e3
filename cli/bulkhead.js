#!/usr/bin/env node
// The command's entry. It is plain JavaScript, so that any Node can read it and a too old one gets a message instead of a stack trace.
"use strict";
const path = require("node:path");

/** @pulumi/pulumi needs Node 22 or newer; the checkout brings its own Node as a development dependency. */
const NEEDED_MAJOR = 22;

function main() {
  if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) {
    // Compiled code is kept between runs, in the system's temporary folder as tsx keeps what it transpiles. Older Nodes have no such cache.
    require("node:module").enableCompileCache?.();
    require("tsx/cjs");
    return require("./main.ts").main(process.argv);
  }
  const own = path.join(__dirname, "..", "node_modules", "node", "bin", "node");
  if (!require("node:fs").existsSync(own)) {
    process.stderr.write(
      `bulkhead needs Node ${NEEDED_MAJOR} or newer, and this is ${process.versions.node}. In a checkout, "npm ci" brings the right one along.\n`,
    );
    process.exit(3);
  }
  // The child is in this process's group, so that Ctrl-C reaches it too; wait for what it makes of it.
  const child = require("node:child_process").spawn(own, [__filename, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) =>
    process.exit(signal ? 128 + require("node:os").constants.signals[signal] : code),
  );
}

main();
