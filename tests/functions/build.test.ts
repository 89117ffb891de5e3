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

describe("functions/buildRecord.mjs", () => {
  const entries = ["functions/a/handler.ts"];
  const source = "functions/a/handler.ts";
  const bundle = "dist/functions/a/index.mjs";
  let root: string;
  let record: string;
  // biome-ignore lint/suspicious/noExplicitAny: plain JavaScript without types
  let module: any;
  const put = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  };
  const isUpToDate = (now = entries): boolean => module.isUpToDate(root, record, now);

  before(async () => {
    module = await import(pathToFileURL(path.resolve(__dirname, "../../functions/buildRecord.mjs")).href);
  });
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-record-"));
    record = path.join(root, "cache", "record.json");
    for (const name of ["package-lock.json", "tsconfig.json", "functions/build.mjs", source, bundle])
      put(name, name);
    module.writeRecord(root, record, { entries, files: [source, bundle] });
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  it("finds that nothing has changed", () => {
    expect(isUpToDate()).to.equal(true);
  });

  for (const name of [source, bundle, "package-lock.json", "tsconfig.json", "functions/build.mjs"]) {
    it(`has the bundles built when ${name} changed or is gone`, () => {
      put(name, "changed");
      expect(isUpToDate()).to.equal(false);
      fs.rmSync(path.join(root, name));
      expect(isUpToDate()).to.equal(false);
      put(name, name);
      expect(isUpToDate()).to.equal(true);
    });
  }

  it("has the bundles built when there is another handler, or no record that can be read", () => {
    expect(isUpToDate([...entries, "functions/b/handler.ts"])).to.equal(false);
    expect(isUpToDate([])).to.equal(false);
    fs.writeFileSync(record, "{");
    expect(isUpToDate()).to.equal(false);
    fs.rmSync(record);
    expect(isUpToDate()).to.equal(false);
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
