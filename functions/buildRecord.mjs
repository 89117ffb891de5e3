/** Tells whether a build would make what is there already: by the contents of everything that went into it and came out of it. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Besides the sources: the packages, and how they are put together. */
const ALWAYS = ["package-lock.json", "tsconfig.json", "functions/build.mjs"];

const hashOf = (file) => createHash("sha256").update(fs.readFileSync(file)).digest("hex");

/**
 * Writes down what a build was made of.
 * @param {string} root the checkout's folder
 * @param {string} file where the record is kept
 * @param {{ entries: string[], files: string[] }} build its handlers; sources and results, as paths from the root. Files of packages may be
 * left out: the lock file stands for them.
 */
export function writeRecord(root, file, { entries, files }) {
  const paths = [...new Set([...ALWAYS, ...files])].sort();
  const hashes = Object.fromEntries(paths.map((name) => [name, hashOf(path.join(root, name))]));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ entries, hashes }));
}

/**
 * Whether the same handlers were built from the same contents, and the results are as they were.
 * @param {string} root the checkout's folder
 * @param {string} file where the record is kept
 * @param {string[]} entries the handlers that there are now
 */
export function isUpToDate(root, file, entries) {
  try {
    const { entries: built, hashes } = JSON.parse(fs.readFileSync(file, "utf8"));
    return (
      JSON.stringify(built) === JSON.stringify(entries) &&
      Object.entries(hashes).every(([name, hash]) => hashOf(path.join(root, name)) === hash)
    );
  } catch {
    return false; // There is no record, or a file of it is gone: then it is to be built.
  }
}
