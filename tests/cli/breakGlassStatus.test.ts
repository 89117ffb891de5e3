import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { readReadinessConfig } from "../../cli/commands/breakGlass/statusConfig";
import { statusLines } from "../../cli/commands/breakGlass/statusText";
import { CliError } from "../../cli/exitCodes";
import { assess } from "../../functions/breakGlass/readiness/assess";
import { readinessPolicy } from "../../functions/breakGlass/readiness/config";
import { type ReadinessReport, readinessReport } from "../../functions/breakGlass/readiness/readinessReport";
import { ALICE, NOW, readyObservations, readyPolicy } from "../functions/breakGlass/readiness/ready";

const ROOT = path.resolve(__dirname, "../..");

const VALUES = {
  role: "primary",
  region: "us-east-1",
  peerName: "dr",
  peerRegion: "us-west-2",
  accountId: "222222222222",
};

describe("break-glass status", () => {
  let folder: string;
  const servers: http.Server[] = [];

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-status-"));
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  function configure(values: Record<string, unknown>, stack = "prod"): void {
    const config = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`bulkhead:${key}`, value]),
    );
    fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), JSON.stringify({ config }));
  }

  async function listen(handler: http.RequestListener): Promise<string> {
    const server = http.createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Runs the command; in a process of its own, since it is to be seen whether that ends. */
  async function command(args: string[], env: Record<string, string>) {
    const child = spawn(
      process.execPath,
      [path.join(ROOT, "cli/bulkhead.js"), "break-glass", "status", "--project", folder, ...args],
      {
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          AWS_EC2_METADATA_DISABLED: "true",
          ...env,
        },
      },
    );
    const read = async (stream: NodeJS.ReadableStream) => {
      let text = "";
      for await (const chunk of stream) text += chunk;
      return text;
    };
    const [stdout, stderr, status] = await Promise.all([
      read(child.stdout),
      read(child.stderr),
      new Promise<number | null>((resolve) => child.on("close", resolve)),
    ]);
    return { stdout, stderr, status };
  }

  const CREDENTIALS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };

  describe("behind an outage", function () {
    this.timeout(60_000);

    it("ends within seconds although nothing ever answers, and knows of nothing that is wrong", async () => {
      configure(VALUES);
      const url = await listen(() => {});
      const started = Date.now();
      const { stdout, status } = await command(["--json"], { ...CREDENTIALS, AWS_ENDPOINT_URL: url });
      expect(Date.now() - started).to.be.lessThan(15_000);
      const report = JSON.parse(stdout) as ReadinessReport;
      expect(report.verdict).to.equal("unknown");
      expect(report.counts).to.deep.equal({ pass: 0, fail: 0, unknown: report.rows.length });
      expect(status).to.equal(1);
    });

    it("says of each row which service does not answer", async () => {
      configure(VALUES);
      const { stdout, stderr, status } = await command([], {
        ...CREDENTIALS,
        AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      });
      expect(stdout).to.contain("IAM does not answer").and.to.contain("SNS in us-west-2 does not answer");
      expect(stdout).to.contain("0 pass, 0 fail,").and.to.contain("Nothing is known to be wrong");
      expect(stderr).to.equal("Checking emergency access in prod (us-east-1) and dr (us-west-2).\n");
      expect(status).to.equal(1);
    });
  });

  it("wants credentials, and says so", async () => {
    configure(VALUES);
    const { stdout, stderr, status } = await command([], {});
    expect(stdout).to.equal("");
    expect(stderr).to.contain("There are no AWS credentials:");
    expect(status).to.equal(3);
  });

  it("refuses another account's credentials", async () => {
    configure(VALUES);
    const url = await listen((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        response.statusCode = body.includes("GetCallerIdentity") ? 200 : 403;
        response.end(
          "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>333333333333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        );
      });
    });
    const { stderr, status } = await command([], { ...CREDENTIALS, AWS_ENDPOINT_URL: url });
    expect(stderr).to.contain(
      "You are signed in to account 333333333333, and the emergency users live in 222222222222.",
    );
    expect(status).to.equal(2);
  });

  it("names what the stack's file lacks", async () => {
    configure({ ...VALUES, accountId: "12" });
    const { stderr, status } = await command([], CREDENTIALS);
    expect(stderr).to.equal(
      `Pulumi.prod.yaml in ${folder}: bulkhead:accountId: an account id of 12 digits.\n`,
    );
    expect(status).to.equal(2);
  });

  describe("expects", () => {
    it("the same of both stacks' files", () => {
      configure(VALUES);
      configure(
        { ...VALUES, role: "standby", region: "us-west-2", peerName: "prod", peerRegion: "us-east-1" },
        "dr",
      );
      expect(readReadinessConfig(folder, "dr")).to.deep.equal(readReadinessConfig(folder, "prod"));
      const policy = readinessPolicy(readReadinessConfig(folder, "prod"));
      expect(policy).to.deep.include({ ownerCell: "prod", evidenceCells: ["prod", "dr"] });
      expect(policy.cells.map(({ name }) => name)).to.deep.equal(["prod", "dr"]);
      expect(policy.stewards.map(({ bucketName }) => bucketName)).to.deep.equal([
        "bulkhead-reports-222222222222-us-east-1",
        "bulkhead-reports-222222222222-us-west-2",
      ]);
    });

    it("what the configuration adds", () => {
      configure({
        ...VALUES,
        mailTransport: "ses",
        teamsWebhookParameter: "/teams",
        organizationId: "o-a1b2c3d4e5",
        memberAccess: "stackSet",
        managementAccountId: "111111111111",
        managementRoleName: "deployer",
        signInRegions: ["eu-north-1"],
        accountPasswordPolicy: true,
        drillMaxAgeDays: 30,
        toleratedScpStatements: ["p-1/A"],
      });
      const config = readReadinessConfig(folder, "prod");
      expect(config).to.deep.include({
        channels: ["mail", "teams"],
        hubBusName: "bulkhead-hub",
        organizationRoleArns: [
          "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader",
          "arn:aws:iam::111111111111:role/deployer",
        ],
        passwordPolicy: { minimumLength: 32, maximumAgeDays: 90 },
        drillMaxAgeDays: 30,
        toleratedScpStatements: ["p-1/A"],
      });
      const [prod] = readinessPolicy(config).cells;
      expect(prod!.rules.some(({ region }) => region === "eu-north-1")).to.equal(true);
      expect(prod!.queues).to.include.members([
        "bulkhead-hub-dead-letters",
        "bulkhead-breakglass-alerts-dead-letters",
      ]);
    });

    it("nothing of a stack that is not there", () => {
      configure(VALUES);
      expect(() => readReadinessConfig(folder, "test")).to.throw(CliError, "There is no Pulumi.test.yaml");
    });
  });

  it("prints rows by group, with findings and commands under those that do not pass, in one line each", () => {
    const policy = readyPolicy();
    const observations = readyObservations();
    observations.users[ALICE]!.groups = { value: ["admins\u001b[2J\nFAKE"] };
    observations.cells.dr!.topic = { unreadable: "SNS in us-west-2 does not answer" };
    const rows = assess(observations, policy, NOW);
    const report = readinessReport(rows, { checkedAt: NOW, checkedBy: "test", accountId: policy.accountId });
    const lines = statusLines(report, false);
    const at = lines.findIndex((line) => /^ {2}FAIL +no-other-policies +breakglass-admin-1$/.test(line));
    expect(lines[at + 1]!.trim()).to.equal("There is also group admins[2J FAKE.");
    expect(lines[at + 2]!.trim()).to.match(/^aws iam remove-user-from-group --user-name breakglass-admin-1 /);
    const unknown = lines.findIndex((line) => line.startsWith("  unknown"));
    expect(lines[unknown + 1]!.trim()).to.equal("SNS in us-west-2 does not answer");
    expect(lines.slice(-2)).to.deep.equal([
      `${rows.length - 2} pass, 1 fail, 1 unknown.`,
      "Emergency access is not ready.",
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what is tested
    expect(lines.join("\n")).not.to.match(/[\u0000-\u0009\u000b-\u001f]/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(statusLines(report, true).join("\n")).to.match(/\u001b\[31m/);
  });
});
