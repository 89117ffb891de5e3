import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { claimRun, currentRun, localFolder, RunInProgressError } from "../../local/run";

describe("local run", () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-run-"));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));
  const leftBy = (pid: number) => {
    fs.mkdirSync(path.join(root, ".bulkhead"), { recursive: true });
    fs.writeFileSync(
      path.join(root, ".bulkhead", "run.json"),
      JSON.stringify({ pid, startedAt: "2026-01-01" }),
    );
  };

  it("is one at a time", () => {
    const claim = claimRun(root);
    expect(() => claimRun(root)).to.throw(RunInProgressError, `process ${process.pid}`);
    expect(currentRun(root)).to.include({ pid: process.pid });
    const urls = { inbox: "http://127.0.0.1:1/" };
    const environment = { AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    claim.publish(urls, environment);
    expect(currentRun(root)).to.deep.include({ urls, environment });
    // Nobody else may read the keys in it.
    expect(fs.statSync(path.join(root, ".bulkhead", "run.json")).mode & 0o077).to.equal(0);
    claim.release();
    expect(currentRun(root)).to.equal(undefined);
    claimRun(root).release();
  });

  it("takes over what a killed run left, and its state with it", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    leftBy(pid!);
    fs.mkdirSync(localFolder(root), { recursive: true });
    fs.writeFileSync(path.join(localFolder(root), "old-state"), "x");
    expect(currentRun(root)).to.equal(undefined);
    claimRun(root);
    expect(fs.readdirSync(localFolder(root))).to.deep.equal([]);
    expect(currentRun(root)).to.include({ pid: process.pid });
  });

  it("takes a torn record for none", () => {
    leftBy(1);
    fs.writeFileSync(path.join(root, ".bulkhead", "run.json"), '{"pid":');
    expect(currentRun(root)).to.equal(undefined);
    claimRun(root).release();
  });
});
