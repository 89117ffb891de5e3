import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { build } from "esbuild";
import { readCells } from "../../cli/cells";
import { EXIT_CODES } from "../../cli/exitCodes";

const root = path.join(__dirname, "../..");
const bulkhead = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(root, "cli/bulkhead.js"), ...args], {
    encoding: "utf8",
    cwd: root,
    env: { PATH: process.env.PATH, HOME: os.tmpdir() },
  });

describe("bulkhead command", () => {
  it("prints help with every subcommand and the exit codes, in plain lines", () => {
    const { status, stdout } = bulkhead("--help");
    expect(status).to.equal(EXIT_CODES.ok);
    for (const command of ["local", "status", "promote", "failback"])
      expect(stdout).to.match(new RegExp(`^  ${command}\\b`, "m"));
    for (const code of Object.values(EXIT_CODES)) expect(stdout).to.match(new RegExp(`^  ${code} +\\w`, "m"));
    expect(stdout).not.to.include("\u001b");
  });

  it("has the name that package.json gives it, and its version", () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    expect(manifest.bin.bulkhead).to.equal("cli/bulkhead.js");
    expect(bulkhead("--version").stdout.trim()).to.equal(manifest.version);
  });

  for (const [what, args, message] of [
    ["an unknown command", ["lcoal"], "unknown command 'lcoal'"],
    ["an unknown option", ["local", "drill", "--kep"], "unknown option '--kep'"],
    ["a port that is none", ["local", "drill", "--port", "abc"], "a port, 0 to 65535"],
    ["an outage that is none", ["local", "drill", "--outage", "flood"], "Allowed choices are refuse, hang"],
    ["a promotion without a reason", ["promote", "dr"], "required option '--reason <text>'"],
    ["a cell that does not exist", ["status", "mars"], "There is no Pulumi.mars.yaml"],
  ] as const) {
    it(`refuses ${what} with exit code ${EXIT_CODES.usage} and one message`, () => {
      const { status, stderr, stdout } = bulkhead(...args);
      expect(status).to.equal(EXIT_CODES.usage);
      expect(stderr).to.include(message);
      expect(stdout).to.equal("");
      expect(stderr).not.to.match(/^ +at /m);
    });
  }

  it("starts without @pulumi/aws, which takes longer to load than most commands run", async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ["cli/main.ts"],
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      packages: "external",
      // The drill deploys, and loads what it needs by itself.
      external: ["*/localDrill"],
      logLevel: "error",
    });
    const found = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
      imports.filter(({ path: name }) => name.startsWith("@pulumi/aws")).map(() => file),
    );
    expect(Object.keys(metafile.inputs)).to.include("components/keyRotator/names.ts");
    expect(found).to.deep.equal([]);
  });

  it("ends quietly when its reader has seen enough", () => {
    const script = `"${process.execPath}" "${path.join(root, "cli/bulkhead.js")}" --help | true`;
    const { stderr, status } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    expect({ stderr, status }).to.deep.equal({ stderr: "", status: 0 });
  });

  it("says that no local run is going on", () => {
    expect(bulkhead("local", "stop").stdout).to.equal("No local run is going on.\n");
    expect(JSON.parse(bulkhead("local", "status", "--json").stdout)).to.equal(null);
  });

  describe("cells", () => {
    it("are found by the stacks' files alone", () => {
      expect(readCells(root, "dr")).to.deep.equal({
        own: { name: "dr", region: "us-west-2", namePrefix: "bulkhead" },
        peer: { name: "prod", region: "us-east-1", namePrefix: "bulkhead" },
      });
    });

    it("lack nothing silently", () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-cells-"));
      try {
        fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: bulkhead\nruntime: nodejs\n");
        fs.writeFileSync(path.join(folder, "Pulumi.dr.yaml"), "config:\n  bulkhead:region: us-west-2\n");
        expect(() => readCells(folder, "dr")).to.throw(
          "lacks bulkhead:peerName, bulkhead:peerRegion, bulkhead:namePrefix",
        );
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });
  });
});
