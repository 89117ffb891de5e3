import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../cli/exitCodes";
import { type LocalEnvironment, startEnvironment } from "../../local/environment";
import { type RunningCommand, root, start } from "./support";

/** An operator's commands on the day, as true processes against deployed cells. */
describe("promotion by the command", function () {
  this.timeout(300_000);
  let environment: LocalEnvironment;
  let stateDir: string;
  before(async () => {
    stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-state-"));
    environment = await startEnvironment({ root, engine: "local", stateDir });
    for (const stack of ["dr", "prod"]) {
      const up = await environment.driver.up(environment.deployment(stack));
      expect(up.ok, JSON.stringify(up.diagnostics)).to.equal(true);
    }
  });
  after(async () => {
    await environment?.stop();
    fs.rmSync(stateDir, { recursive: true, force: true });
  });

  const bulkhead = async (...args: string[]): Promise<{ code: number | undefined; output: string }> => {
    const command: RunningCommand = start(args, environment.deployment("prod").env);
    return { code: await command.ended(), output: command.output() };
  };
  const acting = async () => {
    const { output } = await bulkhead("status", "dr", "--json");
    const { cells, writers } = JSON.parse(output);
    const names = cells
      .filter(({ decision }: { decision?: { act: boolean } }) => decision?.act)
      .map(({ cell }: { cell: string }) => cell);
    return { writers, acting: names };
  };

  it("says which cell acts, and exits with 0 while exactly one does", async () => {
    const { code, output } = await bulkhead("status");
    expect(code).to.equal(EXIT_CODES.ok);
    expect(output).to.match(
      /^prod \(us-east-1\) acts, .+\ndr \(us-west-2\) stands by, .+\nExactly one cell acts\.\n$/,
    );
  });

  it("does not promote against a region that does not answer, unless it is declared dead by name", async () => {
    await environment.proxy.setOutage({ regions: ["us-east-1"], globalServices: true, mode: "refuse" });
    const unasked = await bulkhead("promote", "dr", "--reason", "no answer");
    expect(unasked.code).to.equal(EXIT_CODES.failed);
    expect(unasked.output).to.include('declare it dead by its name, "us-east-1"');
    const mistyped = await bulkhead("promote", "dr", "--reason", "no answer", "--dead", "us-west-1");
    expect(mistyped.code).to.equal(EXIT_CODES.failed);
    expect(mistyped.output).to.include('type exactly "us-east-1"');
  });

  it("promotes with nothing but the surviving region, and again changes nothing", async () => {
    const done = await bulkhead("promote", "dr", "--reason", "lost", "--dead", "us-east-1");
    expect(done.code, done.output).to.equal(EXIT_CODES.ok);
    expect(done.output).to.match(/^dr \(us-west-2\) acts, epoch 2\.\n/);
    const again = await bulkhead("promote", "dr", "--reason", "lost", "--dead", "us-east-1");
    expect(again.code).to.equal(EXIT_CODES.ok);
    expect(again.output).to.include("Nothing was changed.");
    const status = await bulkhead("status", "dr");
    expect(status.code, "one cell does not answer").to.equal(EXIT_CODES.failed);
  });

  it("has one acting cell when the region returns, and gives the work back on request", async () => {
    await environment.proxy.setOutage(undefined);
    expect(await acting()).to.deep.equal({ writers: "one", acting: ["dr"] });
    const back = await bulkhead("failback", "prod", "--reason", "stable again");
    expect(back.code, back.output).to.equal(EXIT_CODES.ok);
    expect(await acting()).to.deep.equal({ writers: "one", acting: ["prod"] });
  });

  it("is not undone by the next deployment", async () => {
    const promoted = await bulkhead("promote", "dr", "--reason", "drill");
    expect(promoted.code, promoted.output).to.equal(EXIT_CODES.ok);
    const up = await environment.driver.up(environment.deployment("prod"));
    expect(up.ok).to.equal(true);
    expect(await acting()).to.deep.equal({ writers: "one", acting: ["dr"] });
  });

  it("says in one message that it has no credentials", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(root, "cli/bulkhead.js"), "promote", "dr", "--reason", "x"],
      {
        cwd: root,
        encoding: "utf8",
        env: {
          PATH: process.env.PATH,
          HOME: stateDir,
          AWS_ENDPOINT_URL: environment.proxy.url,
          AWS_EC2_METADATA_DISABLED: "true",
        },
      },
    );
    expect(status).to.equal(EXIT_CODES.environment);
    expect(stderr).to.match(/^STS in us-west-2 does not say who you are: .+\n$/);
  });
});
