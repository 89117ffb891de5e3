import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { runBuild } from "../support/builtFunctions";

describe("functions/build.mjs", () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-build-"));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const build = (name: string, cwd?: string) => {
    const outdir = path.join(folder, name);
    runBuild(["--only", "notification", "--outdir", outdir], cwd);
    return fs.readFileSync(path.join(outdir, "notification/index.mjs"));
  };

  it("gives the same bytes each time, also from another working folder", () => {
    const first = build("first");
    expect(build("second").equals(first)).to.equal(true);
    expect(build("third", os.tmpdir()).equals(first)).to.equal(true);
  });

  it("puts everything into one ES module, without the machine's paths and without a link to the source map", () => {
    const code = build("content").toString("utf8");
    const imports = [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name!);
    const foreign = imports.filter((name) => !name.startsWith("node:") && !NODE_MODULES.has(name));
    expect(foreign).to.deep.equal([]);
    expect(code).not.to.contain(path.resolve(__dirname, "../.."));
    expect(code).not.to.contain("sourceMappingURL");
    expect(code).to.contain("GetParameterCommand");
    expect(fs.existsSync(path.join(folder, "content/notification/index.mjs.map"))).to.equal(true);
  });

  it("makes a module that loads and exports a handler", async () => {
    build("loaded");
    const environment = {
      AWS_REGION: "us-west-2",
      NOTIFICATION_CHANNEL: '{"kind":"slack","webhookParameter":"/w"}',
    };
    const before = { ...process.env };
    Object.assign(process.env, environment);
    try {
      const loaded = await import(pathToFileURL(path.join(folder, "loaded/notification/index.mjs")).href);
      expect(loaded.handler).to.be.a("function");
    } finally {
      process.env = before;
    }
  });

  it("refuses a bundle that does not exist, naming those that do", () => {
    expect(() => runBuild(["--only", "nothing", "--outdir", folder])).to.throw(
      /no function is named nothing: there are .*notification/,
    );
  });

  it("says name, size and hash of what it built", () => {
    const outdir = path.join(folder, "said");
    const lines = runBuild(["--only", "notification", "--outdir", outdir]).trim().split("\n");
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^notification +\d+ KiB {2}sha256 [0-9a-f]{64}$/);
  });
});

/** Node's own modules that packages import without `node:`. */
const NODE_MODULES = new Set([
  "async_hooks",
  "buffer",
  "child_process",
  "crypto",
  "dns",
  "fs",
  "fs/promises",
  "http",
  "http2",
  "https",
  "net",
  "os",
  "path",
  "process",
  "stream",
  "tls",
  "url",
  "util",
  "zlib",
]);
