/** `npm run bench -- NAME`: see support/runner.ts. */

import * as path from "node:path";
import { runBenchmarks } from "./support/runner";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());

runBenchmarks({
  root: path.join(__dirname, ".."),
  folder: __dirname,
  resultsFolder: path.join(__dirname, "results"),
  args: process.argv.slice(2),
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  signal: interrupt.signal,
}).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  },
);
