/** Function code: Pulumi archives as ZIP files that are byte for byte the same for the same contents. */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { strToU8, type Zippable, zipSync } from "fflate";
import { StandInError } from "./errors";
import { isAsset, isSigned } from "./schema";
import { type Props, SIGNATURE_ARCHIVE } from "./types";

/** File contents by path inside the archive, with forward slashes. */
type Files = Map<string, Uint8Array>;

/** The earliest time that ZIP can express; in local time, as ZIP has it. */
const MTIME = new Date(1980, 0, 1);
const UNIX = 3;
/** Permissions rw-r--r-- of a regular file, where ZIP keeps them on Unix. */
const FILE_MODE = (0o100644 << 16) >>> 0;

/**
 * The bytes of a ZIP file of the archive: names sorted, times and permissions fixed. An archive that is a ZIP file already is given back
 * as it is.
 * @throws StandInError for archives that are neither a folder, a ZIP file nor a map of assets
 */
export async function zipArchive(archive: Props): Promise<Uint8Array> {
  if (typeof archive.path === "string" && !(await isFolder(archive.path))) {
    if (!archive.path.endsWith(".zip")) {
      throw new StandInError(`archive ${archive.path} is neither a folder nor a .zip file; use one of them`);
    }
    return fs.readFile(archive.path);
  }
  return zip(await filesOf(archive));
}

/** A hash of the archive's contents (SHA-256, hexadecimal), which changes when the ZIP file would. */
export async function archiveHash(archive: Props): Promise<string> {
  return createHash("sha256")
    .update(await zipArchive(archive))
    .digest("hex");
}

/** A ZIP file of the files, the same bytes for the same files. */
export function zip(files: Files): Uint8Array {
  const entries: Zippable = {};
  for (const name of [...files.keys()].sort()) {
    entries[name] = [files.get(name)!, { mtime: MTIME, level: 1, os: UNIX, attrs: FILE_MODE }];
  }
  return zipSync(entries);
}

async function filesOf(archive: Props): Promise<Files> {
  const files: Files = new Map();
  if (typeof archive.path === "string") await addFolder(files, archive.path, "");
  else if (archive.assets && typeof archive.assets === "object") {
    for (const [name, part] of Object.entries(archive.assets as Props)) await addPart(files, name, part);
  } else throw new StandInError("an archive by URI is not implemented; use a FileArchive or an AssetArchive");
  return files;
}

async function addPart(files: Files, name: string, part: Props): Promise<void> {
  if (isSigned(part, SIGNATURE_ARCHIVE)) {
    for (const [inner, bytes] of await filesOf(part)) files.set(`${name}/${inner}`, bytes);
  } else if (!isAsset(part))
    throw new StandInError(`"${name}" in the archive is neither an asset nor an archive`);
  else if (typeof part.text === "string" && !part.path) files.set(name, strToU8(part.text));
  else if (typeof part.path === "string") files.set(name, await readAsset(part.path));
  else
    throw new StandInError(
      `"${name}" in the archive is an asset by URI, which is not implemented; use a file`,
    );
}

async function addFolder(files: Files, folder: string, prefix: string): Promise<void> {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (await isFolder(full)) await addFolder(files, full, `${prefix}${entry.name}/`);
    else files.set(prefix + entry.name, await readAsset(full));
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await fs.stat(file)).isDirectory();
  } catch (error) {
    throw missing(file, error);
  }
}

async function readAsset(file: string): Promise<Uint8Array> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    throw missing(file, error);
  }
}

function missing(file: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  return new StandInError(`${path.resolve(file)} cannot be read (${code}); build it before it is deployed`, {
    cause: error,
  });
}
