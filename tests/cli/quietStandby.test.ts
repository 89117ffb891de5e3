import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { readCells } from "../../cli/cells";
import { type RuleSwitch, scheduleLines, switchSchedules } from "../../cli/quietStandby";

const ROOT = path.resolve(__dirname, "../..");

describe("the schedule of a quiet standby", () => {
  let folder: string;
  const asked: string[] = [];
  const answering: RuleSwitch = async ({ region, name, enabled }) => {
    asked.push(`${enabled ? "enable" : "disable"} ${name} in ${region}`);
  };

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-quiet-"));
    for (const file of ["Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.dr.yaml"])
      fs.copyFileSync(path.join(ROOT, file), path.join(folder, file));
    asked.length = 0;
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const configure = (values: Record<string, string>, stacks = ["prod", "dr"]) => {
    for (const stack of stacks) {
      const lines = Object.entries(values).map(([key, value]) => `  bulkhead:${key}: ${value}\n`);
      fs.appendFileSync(path.join(folder, `Pulumi.${stack}.yaml`), lines.join(""));
    }
  };
  const quiet = { keyRotation: "enforce", standbySchedules: "disabled" };
  const change = (cell: string, how = answering) => switchSchedules(folder, readCells(folder, cell), how);

  it("is enabled in its own region when it is promoted, and disabled when the work is given back", async () => {
    configure(quiet);
    const [promoted] = await change("dr");
    expect(promoted).to.deep.equal({
      cell: "dr",
      region: "us-west-2",
      rule: "bulkhead-key-rotator",
      wanted: "enabled",
      done: true,
    });
    const [back] = await change("prod");
    expect(back).to.include({ cell: "dr", wanted: "disabled", done: true });
    expect(asked).to.deep.equal([
      "enable bulkhead-key-rotator in us-west-2",
      "disable bulkhead-key-rotator in us-west-2",
    ]);
  });

  it("has the name that the stacks' prefix gives it", async () => {
    configure({ ...quiet, namePrefix: "acme" });
    expect((await change("dr"))[0]?.rule).to.equal("acme-key-rotator");
  });

  for (const [what, values] of [
    ["standbySchedules is enabled", { keyRotation: "enforce" }],
    ["keys are not rotated", { standbySchedules: "disabled" }],
  ] as const) {
    it(`is left alone when ${what}`, async () => {
      configure(values);
      expect([...(await change("dr")), ...(await change("prod"))]).to.deep.equal([]);
      expect(asked).to.deep.equal([]);
    });
  }

  it("is left alone when the standby's stack file is not here", async () => {
    configure(quiet);
    fs.rmSync(path.join(folder, "Pulumi.dr.yaml"));
    expect(await change("prod")).to.deep.equal([]);
  });

  it("that cannot be changed is told with what to do, and nothing is thrown", async () => {
    configure(quiet);
    const reports = await change("dr", async () => {
      throw new Error("no answer");
    });
    expect(reports[0]).to.include({ done: false, error: "no answer" });
    expect(scheduleLines(reports)).to.deep.equal([
      "The schedule of dr could not be enabled (no answer). Run this command again, or: " +
        "aws events enable-rule --region us-west-2 --name bulkhead-key-rotator",
    ]);
  });

  it("is changed by one call of EventBridge", async () => {
    configure(quiet);
    const calls: string[] = [];
    const server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        calls.push(`${request.headers["x-amz-target"]} ${body}`);
        response.setHeader("content-type", "application/x-amz-json-1.1").end("{}");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    try {
      for (const cell of ["dr", "prod"]) {
        const reports = await switchSchedules(folder, readCells(folder, cell));
        expect(reports[0]?.error).to.equal(undefined);
      }
    } finally {
      process.env = before;
      server.closeAllConnections();
      server.close();
    }
    expect(calls).to.deep.equal([
      'AWSEvents.EnableRule {"Name":"bulkhead-key-rotator"}',
      'AWSEvents.DisableRule {"Name":"bulkhead-key-rotator"}',
    ]);
  });
});
