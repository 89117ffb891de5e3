/**
 * Content hashes of assets and archives. The SDK sends an asset as a path, a text or a URI; the engine adds the
 * SHA-256 of what it holds, by which a later run tells whether it changed.
 */

import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import {
  isAssetOrArchive,
  isObject,
  isSecret,
  mapValues,
  type Props,
  SIGNATURE,
  SIGNATURE_ARCHIVE,
  SIGNATURE_SECRET,
  signatureOf,
} from "./wire";

/**
 * A copy of the value with a `hash` on every asset and archive; `folder` is what relative paths start from. Throws when a file cannot
 * be read, and on remote (URI) assets, which would need the network in preview.
 */
export async function hashAssets(value: unknown, folder: string): Promise<unknown> {
  if (isAssetOrArchive(value)) return { ...value, hash: await hashOf(value, folder) };
  if (Array.isArray(value)) return await Promise.all(value.map((item) => hashAssets(item, folder)));
  if (isSecret(value)) {
    return { [SIGNATURE]: SIGNATURE_SECRET, value: await hashAssets((value as Props).value, folder) };
  }
  if (!isObject(value)) return value;
  const hashed = new Map<string, unknown>();
  await Promise.all(
    Object.keys(value).map(async (key) => hashed.set(key, await hashAssets(value[key], folder))),
  );
  return mapValues(value, (_, key) => hashed.get(key));
}

async function hashOf(asset: Props, folder: string): Promise<string> {
  if (typeof asset.uri === "string" && asset.uri !== "") {
    throw new Error(
      `the remote asset ${asset.uri} is not implemented in local mode; give a file or a string instead`,
    );
  }
  if (signatureOf(asset) === SIGNATURE_ARCHIVE && isObject(asset.assets)) {
    return await hashEntries(
      Object.entries(asset.assets).map(([name, item]) => [name, () => hashOf(item as Props, folder)]),
    );
  }
  if (typeof asset.text === "string" && asset.path === undefined) return sha256(asset.text);
  const file = path.resolve(folder, String(asset.path));
  const stat = await fs.stat(file).catch((error: Error) => {
    throw new Error(`the asset ${file} cannot be read: ${error.message}`);
  });
  if (!stat.isDirectory()) return sha256(await fs.readFile(file));
  if (signatureOf(asset) !== SIGNATURE_ARCHIVE)
    throw new Error(`the asset ${file} is a folder; use a FileArchive`);
  const names = await filesBelow(file, "");
  return await hashEntries(
    names.map((name) => [name, async () => sha256(await fs.readFile(path.join(file, name)))]),
  );
}

/** One hash over names and content hashes in the order of names, so the order of a directory listing does not count. */
async function hashEntries(entries: [name: string, hash: () => Promise<string>][]): Promise<string> {
  const hash = createHash("sha256");
  const inOrder = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  // The length before each name keeps names and hashes from running into each other.
  for (const [name, content] of inOrder) hash.update(`${name.length}:${name}:${await content()}\n`);
  return hash.digest("hex");
}

async function filesBelow(root: string, below: string): Promise<string[]> {
  const entries = await fs.readdir(path.join(root, below), { withFileTypes: true });
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      // A link is followed once to its target's kind; a link to a folder is read as a folder.
      const isFolder = entry.isSymbolicLink()
        ? (await fs.stat(path.join(root, name))).isDirectory()
        : entry.isDirectory();
      return isFolder ? await filesBelow(root, name) : [name];
    }),
  );
  return lists.flat();
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
