import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import * as openpgp from "openpgp";
import { parse, stringify } from "yaml";
import { breakGlassCommand } from "../../../cli/commands/breakGlass";
import { CliError, EXIT_CODES } from "../../../cli/exitCodes";

const ROOT = path.join(__dirname, "../../..");
const OUTPUTS = {
  cellName: "prod",
  region: "us-east-1",
  signInUrl: "https://222222222222.signin.aws.amazon.com/console?region=us-east-1",
  alertTopicArn: "arn:aws:sns:us-east-1:222222222222:bulkhead-breakglass-alerts",
  recordsTableName: "bulkhead-breakglass-records-prod",
  trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/bulkhead-trail-prod",
  trailBucketName: "bulkhead-trail-prod-222222222222-us-east-1",
  trailLogGroupName: "/bulkhead/bulkhead-trail-prod",
};

describe("bulkhead break-glass runbook and instructions", () => {
  let project: string;
  let fingerprint: string;
  let message: string;

  before(async () => {
    project = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-runbook-"));
    const { publicKey } = await openpgp.generateKey({ userIDs: [{ name: "Alice" }], format: "armored" });
    const key = await openpgp.readKey({ armoredKey: publicKey });
    fingerprint = key.getFingerprint().toUpperCase();
    message = await openpgp.encrypt({
      message: await openpgp.createMessage({ text: "only for Alice" }),
      encryptionKeys: key,
    });
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
    for (const stack of ["prod", "dr"]) {
      const file = `Pulumi.${stack}.yaml`;
      const { config } = parse(fs.readFileSync(path.join(ROOT, file), "utf8"));
      const own = {
        "bulkhead:accountId": "222222222222",
        "bulkhead:alertEmails": ["security@example.com"],
        "bulkhead:custodians": ["alice@example.com", "bob@example.com"],
        "bulkhead:custodianPgpKeys": [publicKey, publicKey],
      };
      fs.writeFileSync(path.join(project, file), stringify({ config: { ...config, ...own } }));
    }
    fs.writeFileSync(path.join(project, "outputs.json"), JSON.stringify(OUTPUTS));
    fs.writeFileSync(path.join(project, "some.json"), '{"region":"us-east-1"}');
    fs.writeFileSync(path.join(project, "text.json"), "no outputs");
    fs.writeFileSync(path.join(project, "breakglass-admin-1.pgp.asc"), message);
  });

  after(() => fs.rmSync(project, { recursive: true, force: true }));

  const run = (args: string[], input = "") =>
    spawnSync(process.execPath, [path.join(ROOT, "cli/bulkhead.js"), "break-glass", ...args], {
      encoding: "utf8",
      cwd: project,
      input,
      env: { PATH: process.env.PATH, HOME: project },
    });

  /** The message with which a command refuses, run in this process: starting one takes its time. */
  const refusal = async (args: string[]): Promise<string> => {
    const command = breakGlassCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    for (const subcommand of command.commands)
      subcommand.exitOverride().configureOutput({ writeErr: () => {} });
    // Paths are of the project's folder.
    const inProject = args.map((arg) => (/[./]/.test(arg) ? path.join(project, arg) : arg));
    const error: Error & { exitCode?: number; code?: string } = await command
      .parseAsync([...inProject, "--project", project], { from: "user" })
      .then(
        () => new Error("accepted"),
        (thrown) => thrown,
      );
    if (error instanceof CliError) expect(error.exitCode).to.equal(EXIT_CODES.usage);
    else expect(error.code).to.equal("commander.invalidArgument");
    return error.message;
  };

  it("prints Markdown from a file, and writes a page from standard input", () => {
    const printed = run(["runbook", "--outputs", "outputs.json"]);
    expect(printed.stderr).to.equal("");
    expect(printed.status).to.equal(EXIT_CODES.ok);
    expect(printed.stdout).to.match(/^# Emergency access to account 222222222222\n/);
    expect(printed.stdout).to.include("bulkhead-trail-prod-222222222222-us-east-1");

    const written = run(
      ["runbook", "--outputs", "-", "--format", "html", "--out", "runbook.html"],
      JSON.stringify(OUTPUTS),
    );
    expect(written).to.include({ status: EXIT_CODES.ok, stdout: "" });
    expect(fs.readFileSync(path.join(project, "runbook.html"), "utf8")).to.match(/^<!doctype html>/);
  });

  for (const [what, args, expected] of [
    [
      "outputs that are missing",
      ["runbook", "--outputs", "some.json"],
      "The outputs lack cellName, signInUrl, ",
    ],
    [
      "outputs of another stack",
      ["runbook", "--outputs", "outputs.json", "--stack", "dr"],
      'cellName is "prod", and the configuration of dr says "dr"',
    ],
    [
      "what is no JSON",
      ["runbook", "--outputs", "text.json"],
      "text.json is not JSON (line 1, column 1). Make",
    ],
    [
      "a file that is not there",
      ["runbook", "--outputs", "none.json"],
      "none.json cannot be read: there is no such file. Make",
    ],
    [
      "a stack that is not there",
      ["runbook", "--outputs", "outputs.json", "--stack", "mars"],
      "There is no Pulumi.mars.yaml",
    ],
    [
      "a form that there is not",
      ["runbook", "--outputs", "outputs.json", "--format", "pdf"],
      "Allowed choices are md, html",
    ],
    [
      "a user that there is not",
      ["instructions", "--user", "alice", "--out", "x.html"],
      "alice is no emergency user of the configuration",
    ],
    [
      "a place that cannot be written",
      ["runbook", "--outputs", "outputs.json", "--out", "none/r.md"],
      "r.md cannot be written: ENOENT",
    ],
  ] as const) {
    it(`refuses ${what} with one message`, async () => {
      expect(await refusal([...args])).to.include(expected);
    });
  }

  it("writes a custodian's instructions with the ciphertext, its sum and the key's fingerprint", () => {
    const { status, stderr } = run([
      "instructions",
      "--user",
      "breakglass-admin-1",
      "--ciphertext",
      "breakglass-admin-1.pgp.asc",
      "--out",
      "alice.html",
    ]);
    expect({ status, stderr }).to.deep.equal({ status: EXIT_CODES.ok, stderr: "Written to alice.html\n" });
    const page = fs.readFileSync(path.join(project, "alice.html"), "utf8");
    expect(page).to.include(message.trim().split(/\r?\n/)[3]!);
    expect(page).to.include(createHash("sha256").update(message).digest("hex"));
    expect(page.replaceAll(" ", "")).to.include(fingerprint);
  });

  it("does not put onto paper what is no PGP message, such as an open password", async () => {
    for (const text of ["xK9$mQ2!vR7@pL4#", `${message}xK9$mQ2!vR7@pL4#\n`, `xK9$mQ2!vR7@pL4#\n${message}`]) {
      fs.writeFileSync(path.join(project, "open.txt"), text);
      const args = [
        "instructions",
        "--user",
        "breakglass-admin-1",
        "--ciphertext",
        "open.txt",
        "--out",
        "open.html",
      ];
      expect(await refusal(args))
        .to.include("open.txt is not one ASCII-armoured PGP message")
        .and.not.to.include("xK9$");
      expect(fs.existsSync(path.join(project, "open.html"))).to.equal(false);
    }
  });

  it("says that a drill needs credentials before anything is asked", () => {
    const { status, stderr, stdout } = run(["drill", "--user", "breakglass-admin-1"]);
    expect(status).to.equal(EXIT_CODES.environment);
    expect(stderr).to.include("Are there credentials in the environment?");
    expect(stdout).to.equal("");
  });
});
