import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { explainCommand } from "../../cli/commands/breakGlass/explain";
import { CliError, EXIT_CODES } from "../../cli/exitCodes";
import { jsonErrorAt } from "../../cli/jsonPlace";
import { FIXTURES, fixture } from "../functions/breakGlass/fixtures";
import { failure } from "../localAws/support";

const root = path.join(__dirname, "../..");

describe("bulkhead break-glass explain", () => {
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-explain-"));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const explain = (args: string[], { input = "", cwd = folder } = {}) =>
    spawnSync(process.execPath, [path.join(root, "cli/bulkhead.js"), "break-glass", "explain", ...args], {
      encoding: "utf8",
      cwd,
      input,
      env: { PATH: process.env.PATH, HOME: os.tmpdir() },
    });
  const file = (name: string, content: unknown) => {
    const at = path.join(folder, name);
    fs.writeFileSync(at, typeof content === "string" ? content : JSON.stringify(content));
    return at;
  };
  const verdictOf = (args: string[], options = {}) => {
    const { status, stdout, stderr } = explain(["--json", ...args], options);
    expect({ status, stderr }).to.deep.equal({ status: EXIT_CODES.ok, stderr: "" });
    return JSON.parse(stdout);
  };

  it("gives one verdict for one event: alert, rule and why, and nothing else", () => {
    const verdict = verdictOf([file("event.json", fixture("accessKey"))]);
    expect(Object.keys(verdict)).to.deep.equal(["alert", "rule", "why"]);
    expect(verdict).to.include({ alert: "high", rule: "emergency-access-key" });
    const quiet = verdictOf(["-"], { input: JSON.stringify(fixture("hiddenUser")) });
    expect(Object.keys(quiet)).to.deep.equal(["quiet", "rule", "why"]);
    expect(quiet).to.include({ quiet: true, rule: "hidden-user-name" });
  });

  it("gives a list for a list, in the same order, whatever is in it, from standard input too", () => {
    const events = [...FIXTURES.map(({ event }) => event), null, "text", {}];
    const verdicts = verdictOf(["--account", "222222222222"], { input: JSON.stringify(events) });
    expect(verdicts.map(({ rule }: { rule: string }) => rule)).to.deep.equal([
      ...FIXTURES.map(({ verdict }) => verdict.rule),
      "not-a-record",
      "not-a-record",
      "not-a-record",
    ]);
  });

  it("is readable without --json", () => {
    const { stdout, status } = explain([
      file("two.json", [fixture("signInFailed"), fixture("otherUserSignIn")]),
    ]);
    expect(status).to.equal(EXIT_CODES.ok);
    expect(stdout).to.equal(
      [
        "1. CRITICAL  ConsoleLogin by breakglass-admin-1, signin.amazonaws.com, us-east-1, from 192.0.2.17, 2026-03-02T03:01:10Z",
        "  Somebody tried to sign in as an emergency user and was not let in.",
        "  Everybody on the alert topic is told at once. No known emergency? Treat it as a break-in.",
        "  Rule: emergency-sign-in-failed",
        "",
        "2. QUIET  ConsoleLogin by anaya, signin.amazonaws.com, us-east-2, from 192.0.2.17, 2026-03-02T03:01:10Z",
        "  It is neither by an emergency user nor a change of one, nor of what watches them.",
        "  Nobody is told.",
        "  Rule: not-emergency-access",
        "",
      ].join("\n"),
    );
  });

  it("lets no event write to the terminal", () => {
    const { stdout } = explain([], {
      input: JSON.stringify({ ...fixture("callRead"), eventName: "\u001b[2J\nQUIET" }),
    });
    expect(stdout).not.to.include("\u001b");
    expect(stdout.split("\n")[0]).to.match(/^CRITICAL {2}\[2J QUIET by breakglass-admin-1/);
  });

  it("takes the names from options, a stack's file, Pulumi.yaml, or the defaults", () => {
    const event = file("rescue.json", { ...fixture("callRead"), userIdentity: { userName: "rescue-1" } });
    expect(verdictOf([event])).to.include({ quiet: true });
    expect(verdictOf([event, "--user", "x", "--user", "rescue-1"])).to.include({ alert: "critical" });
    expect(verdictOf([file("fresh.json", fixture("callRead"))], { cwd: root })).to.include({
      alert: "critical",
    });

    const project = path.join(folder, "project");
    fs.mkdirSync(project);
    fs.writeFileSync(
      path.join(project, "Pulumi.yaml"),
      "name: bulkhead\nruntime: nodejs\nconfig:\n  emergencyUsers:\n    type: array\n    default: [rescue-1, rescue-2]\n",
    );
    fs.writeFileSync(
      path.join(project, "Pulumi.prod.yaml"),
      "config:\n  bulkhead:emergencyUsers: [helper-1, helper-2]\n  bulkhead:namePrefix: acme\n",
    );
    expect(verdictOf([event], { cwd: project })).to.include({ alert: "critical" });
    expect(verdictOf([event, "--project", project, "--stack", "prod"])).to.include({ quiet: true });
    const rule = file("rule.json", {
      ...fixture("ruleDisabled"),
      requestParameters: { name: "acme-breakglass-use" },
    });
    expect(verdictOf([rule, "--project", project, "--stack", "prod"])).to.include({
      rule: "event-rule-changed",
    });
  });

  it("refuses with exit code 2 and one message, and nothing on standard output", () => {
    const { status, stderr, stdout } = explain([], { input: '[\n  {"eventName": }]' });
    expect({ status, stdout }).to.deep.equal({ status: EXIT_CODES.usage, stdout: "" });
    expect(stderr).to.match(
      /^standard input is not JSON \(line 2, column 17\)\. Expected is a record of CloudTrail, .*\.\n$/,
    );
  });

  for (const [what, args, content, message] of [
    ["JSON that ends too early", [], '{"a":', "is not JSON (it ends too early)"],
    ["nothing", [], "", "is not JSON (it is empty)"],
    ["a number", [], "5", "holds a number. Expected is a record of CloudTrail"],
    ["null", [], "null", "holds null. Expected is"],
    ["a malformed prefix", ["--prefix", "A B"], "{}", '--prefix is "A B"'],
    ["a malformed path", ["--path", "x"], "{}", '--path is "x"'],
    ["a malformed user", ["--user", "a b"], "{}", '--user is "a b"'],
    ["a malformed account", ["--account", "1"], "{}", '--account is "1": 12 digits'],
    [
      "a stack that is not there",
      ["--project", root, "--stack", "mars"],
      "{}",
      "There is no Pulumi.mars.yaml",
    ],
    ["a project that is not there", ["--project", "none"], "{}", "cannot be read: ENOENT"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await failure(
        explainCommand().parseAsync([file("refused.json", content), ...args], { from: "user" }),
      );
      expect(error).to.be.instanceOf(CliError).and.to.include({ exitCode: EXIT_CODES.usage });
      expect((error as Error).message).to.include(message);
    });
  }

  it("refuses a file that is not there", async () => {
    const error = await failure(explainCommand().parseAsync(["none.json"], { from: "user" }));
    expect((error as Error).message).to.match(
      /^none\.json cannot be read: there is no such file\. Expected is/,
    );
  });

  describe("place of an error in JSON", () => {
    it("is found exactly where JSON.parse fails", () => {
      fc.assert(
        fc.property(
          fc.json(),
          fc.nat(),
          fc.constantFrom("", "}", ",", '"', "x", "\u0007"),
          (json, at, change) => {
            const place = at % (json.length + 1);
            const text = json.slice(0, place) + change + json.slice(place + 1);
            const isJson = jsonErrorAt(text) === -1;
            expect(isJson).to.equal(parses(text));
          },
        ),
        { seed: 60, numRuns: 2_000 },
      );
    });

    for (const [text, at] of [
      ["", 0],
      ["[1,]", 3],
      ["{1}", 1],
      ['{"a" 1}', 5],
      ['"a', 2],
      ["[] x", 3],
      ["01", 1],
    ] as const) {
      it(`is ${at} in ${JSON.stringify(text)}`, () => expect(jsonErrorAt(text)).to.equal(at));
    }
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
