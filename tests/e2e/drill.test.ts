import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../cli/exitCodes";
import { parseJsonReport } from "../../local/report/json";
import type { DrillReport } from "../../local/report/types";
import { localFolder } from "../../local/run";
import { localProcesses, noneLeft, root, signalGroup, start } from "./support";

const readReport = (): DrillReport =>
  parseJsonReport(fs.readFileSync(path.join(localFolder(root), "report.json"), "utf8"));

describe("the newcomer's drill", function () {
  this.timeout(420_000);
  let before: number[];
  beforeEach(() => {
    before = localProcesses();
  });
  afterEach(async () => {
    // Whatever a failed test left behind must not disturb the next one.
    for (const pid of localProcesses().filter((each) => !before.includes(each))) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has ended meanwhile
      }
    }
  });

  it("passes from beginning to end, writes both reports and leaves no process", async () => {
    const command = start(["local", "drill"]);
    expect(await command.ended(), command.output()).to.equal(EXIT_CODES.ok);
    expect(command.output().split("\n")[0]).to.match(/^Engine: .+\. AWS: .+, on this machine\.$/);
    await noneLeft(before);

    const report = readReport();
    expect(report.outcome).to.equal("passed");
    expect(report.summary.steps).to.deep.include({ failed: 0, skipped: 0 });
    expect(report.policy.map(({ rule }) => rule)).to.deep.equal(["no-global-sts-endpoint"]);
    // About the sign-ins that it waits for: before the outage from the primary, during it from the standby, afterwards from the primary again;
    // each time by SNS itself and by the cell's function.
    const senders = ["us-east-1", "us-east-1", "us-west-2", "us-west-2", "us-east-1", "us-east-1"];
    expect(report.mails.map(({ region }) => region)).to.deep.equal(senders);
    const { startedAt, endedAt } = report.outage!;
    const during = report.mails.filter(({ at }) => at > startedAt && at < endedAt!);
    expect(during.map(({ region }) => region)).to.deep.equal(["us-west-2", "us-west-2"]);
    // What was answered during the outage was answered by regions that are left. The check of emergency access looks at the rules in those where
    // sign-ins are recorded, an approved operation is about a volume in one more; everything else was done in the standby's.
    const answered = report.calls.duringOutage.filter(({ outcome }) => outcome === "passed");
    expect(answered.map(({ region }) => region)).not.to.include("us-east-1");
    expect(
      new Set(answered.filter(({ region }) => region !== "us-west-2").map(({ service }) => service)),
    ).to.deep.equal(new Set(["events", "ec2"]));
  });

  it("leaves no secret in reports, state and output", async () => {
    // The report of the run before; passwords are 40 characters out of IAM's alphabet and stand in quotes nowhere.
    const folder = localFolder(root);
    const files = fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((file) => path.join(folder, file))
      .filter((file) => fs.statSync(file).isFile());
    expect(files.map((file) => path.basename(file))).to.include.members([
      "report.html",
      "report.json",
      "prod.json",
    ]);
    for (const file of files) {
      const text = fs.readFileSync(file, "utf8");
      expect(text, file).not.to.match(
        /BEGIN PGP PRIVATE KEY|"password":|aws_secret_access_key|Base32StringSeed/i,
      );
    }
  });

  it("runs again with a region that hangs instead of refusing, stays with --keep, says where, and ends by local stop", async () => {
    const command = start(["local", "drill", "--outage", "hang", "--keep"]);
    await command.seen("Everything is left running");
    expect(readReport()).to.deep.include({ outcome: "passed" });
    expect(readReport().outage).to.include({ mode: "hang" });
    const inbox = /inbox: (http:\/\/127\.0\.0\.1:\d+\S+)/.exec(command.output())![1]!;
    const page = await fetch(inbox, { headers: { accept: "text/html" } });
    expect(page.status).to.equal(200);
    expect(await page.text()).to.include("breakglass-admin-1");

    const shell = spawnSync(
      "sh",
      [
        "-c",
        `eval "$(${process.execPath} cli/bulkhead.js local env)" && ${process.execPath} cli/bulkhead.js status --project .bulkhead/local/state/project`,
      ],
      { cwd: root, encoding: "utf8" },
    );
    expect(shell.status, shell.stderr).to.equal(EXIT_CODES.ok);
    expect(shell.stdout).to.include("prod (us-east-1)");

    const second = start(["local", "drill"]);
    expect(await second.ended()).to.equal(EXIT_CODES.environment);
    expect(second.output()).to.match(/^A local run of this checkout is going on \(process \d+\)\./);

    const stop = start(["local", "stop"]);
    expect(await stop.ended()).to.equal(EXIT_CODES.ok);
    expect(await command.ended()).to.equal(EXIT_CODES.ok);
    await noneLeft(before);
  });

  for (const moment of [
    "Engine:",
    "Preview prod",
    "Deploy prod",
    // While the product's command runs as a process of its own.
    "Change the passwords",
  ]) {
    it(`Ctrl-C after "${moment}" leaves no process`, async () => {
      const command = start(["local", "drill"]);
      await command.seen(moment);
      signalGroup(command, "SIGINT");
      expect(await command.ended(), command.output()).to.equal(EXIT_CODES.interrupted);
      await noneLeft(before);
    });
  }

  for (const moment of ["Engine:", "Deploy dr", "us-east-1 is gone"]) {
    it(`a kill after "${moment}" leaves no process, and the next run starts`, async () => {
      const command = start(["local", "drill"]);
      await command.seen(moment);
      command.child.kill("SIGKILL");
      await command.ended();
      await noneLeft(before);

      const next = start(["local", "drill"]);
      await next.seen("Preview prod");
      signalGroup(next, "SIGINT");
      await next.ended();
      await noneLeft(before);
    });
  }

  it("says in one message when the asked port is taken", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      const command = start(["local", "drill", "--port", String(port)]);
      expect(await command.ended()).to.equal(EXIT_CODES.environment);
      expect(command.output().trim()).to.match(new RegExp(`^[^\\n]*Port ${port}[^\\n]*$`));
      await noneLeft(before);
    } finally {
      server.close();
    }
  });
});
