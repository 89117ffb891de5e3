import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { unzipSync } from "fflate";
import { archiveHash, zip, zipArchive } from "../../local/provider/archive";
import { SIGNATURE, SIGNATURE_ARCHIVE, SIGNATURE_ASSET } from "../../local/provider/types";

const text = (content: string) => ({ [SIGNATURE]: SIGNATURE_ASSET, text: content });
const archive = (parts: object) => ({ [SIGNATURE]: SIGNATURE_ARCHIVE, ...parts });

describe("function code as ZIP files", () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-archive-"));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it("gives the same bytes for the same files, in whatever order they come", () => {
    const file = fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.uint8Array({ maxLength: 200 }));
    const files = fc.uniqueArray(file, { selector: ([name]) => name, minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(files, (entries) => {
        expect(zip(new Map(entries))).to.deep.equal(zip(new Map([...entries].reverse())));
        expect(unzipSync(zip(new Map(entries)))).to.deep.equal(Object.fromEntries(entries));
      }),
      { seed: 7, numRuns: 50 },
    );
  });

  it("does not depend on when a file was written", async () => {
    const file = path.join(folder, "index.mjs");
    fs.writeFileSync(file, "export const a = 1;");
    const before = await archiveHash(archive({ path: folder }));
    fs.utimesSync(file, new Date(0), new Date(0));
    expect(await archiveHash(archive({ path: folder }))).to.equal(before);
    fs.writeFileSync(file, "export const a = 2;");
    expect(await archiveHash(archive({ path: folder }))).to.not.equal(before);
  });

  it("packs nested archives and folders under their names", async () => {
    fs.mkdirSync(path.join(folder, "lib"));
    fs.writeFileSync(path.join(folder, "lib", "b.mjs"), "b");
    const nested = archive({ assets: { "x.txt": text("x") } });
    const bytes = await zipArchive(
      archive({ assets: { "a.txt": text("a"), inner: nested, files: archive({ path: folder }) } }),
    );
    expect(Object.keys(unzipSync(bytes)).sort()).to.deep.equal(
      ["a.txt", "files/index.mjs", "files/lib/b.mjs", "inner/x.txt"].sort(),
    );
  });

  it("leaves a ZIP file as it is", async () => {
    const file = path.join(folder, "code.zip");
    const bytes = zip(new Map([["a", new Uint8Array([1])]]));
    fs.writeFileSync(file, bytes);
    expect(new Uint8Array(await zipArchive(archive({ path: file })))).to.deep.equal(bytes);
  });

  it("says what is missing and what is not implemented", async () => {
    const fails = async (parts: object) =>
      zipArchive(archive(parts)).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await fails({ path: path.join(folder, "absent") })).to.match(
      /absent cannot be read \(ENOENT\); build it/,
    );
    fs.writeFileSync(path.join(folder, "code.tar"), "");
    expect(await fails({ path: path.join(folder, "code.tar") })).to.contain(
      "neither a folder nor a .zip file",
    );
    expect(await fails({ uri: "https://example.com/a.zip" })).to.contain("by URI is not implemented");
  });
});
