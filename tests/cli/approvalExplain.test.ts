import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { CASES, delivered, denied, type Json, session } from "../functions/approval/support/events";

const root = path.join(__dirname, "../..");
const SUBNET = { subnetId: "subnet-0d840b9ab96eb41ca" };
const DENIED = denied("ec2", "DeleteSubnet", SUBNET);

function explain(args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, "cli/bulkhead.js"), "approval", "explain", ...args],
    { encoding: "utf8", input: input ?? "" },
  );
  return { status, stdout, stderr, json: () => JSON.parse(stdout) };
}

describe("bulkhead approval explain", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-explain-"));
  const written = (name: string, content: unknown) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };
  after(() => fs.rmSync(folder, { recursive: true }));

  it("gives an object for an event, from a file and from standard input", () => {
    const expected = {
      operation: {
        service: "ec2",
        api: "DeleteSubnet",
        input: { SubnetId: SUBNET.subnetId },
        actions: ["ec2:DeleteSubnet"],
        resources: [`arn:aws:ec2:us-east-1:111122223333:subnet/${SUBNET.subnetId}`],
      },
      why: "DeleteSubnet was denied to alice, and every parameter is known",
    };
    const fromFile = explain([written("event.json", delivered(DENIED)), "--json"]);
    expect(fromFile.stderr).to.equal("");
    expect(fromFile.json()).to.deep.equal(expected);
    expect(explain(["--json", "-"], `\uFEFF${JSON.stringify(DENIED)}`).json()).to.deep.equal(expected);
  });

  it("gives a list for a list, in the same order, with an answer for each element", () => {
    const events = [
      { ...DENIED, errorCode: undefined },
      "not an event",
      denied("eks", "DeleteCluster", null),
      DENIED,
      denied("ec2", "DeleteSubnet", { ...SUBNET, force: true }),
    ];
    const { status, json } = explain(["--json", written("list.json", events)]);
    expect(status).to.equal(0);
    expect(json().map((one: Json) => Object.keys(one)[0])).to.deep.equal([
      "ignore",
      "refuse",
      "form",
      "operation",
      "refuse",
    ]);
    for (const one of json()) expect(Object.keys(one)).to.have.length(2).and.include("why");
    expect(explain(["--json"], JSON.stringify([DENIED])).json()).to.have.length(1);
    const log = written("log.json", { Records: [DENIED, DENIED] });
    expect(explain(["--json", log]).json()).to.have.length(2);
  });

  it("prints text for people", () => {
    const { status, stdout } = explain([], JSON.stringify([DENIED, denied("eks", "DeleteCluster", null), 7]));
    expect(status).to.equal(0);
    expect(stdout).to.include("operation: Delete a subnet\n  call       ec2 DeleteSubnet\n");
    expect(stdout).to.include("asked by   arn:aws:iam::111122223333:user/ops/alice");
    expect(stdout).to.include("\n\nform: Delete an EKS cluster, to be filled in by the operator\n");
    expect(stdout).to.include("\n\nrefused\n");
    const text = `User: ${session("x", "yy").arn} is not authorized to perform: ec2:DeleteSubnet on resource: x with an explicit deny in a service control policy`;
    expect(explain([], JSON.stringify({ ...DENIED, errorMessage: text })).stdout).to.include(
      "denied by  a service control policy: the executor role has to be exempt from it",
    );
  });

  it("takes the configuration as options", () => {
    const extra = CASES.find((one) => one.extra === "rds:DeleteDBSnapshot")!;
    const events = [
      DENIED,
      { ...DENIED, userIdentity: session("developer", "bob") },
      { ...DENIED, userIdentity: session("AWSReservedSSO_Operator_0123456789abcdef", "carol") },
      denied(extra.service, extra.eventName, extra.parameters),
    ];
    const operations = (...args: string[]) =>
      explain(["--json", ...args], JSON.stringify(events))
        .json()
        .map((one: Json) => "operation" in one);
    expect(operations()).to.deep.equal([true, false, false, false]);
    expect(operations("--allow-role-sessions", "--emergency-user", "alice")).to.deep.equal([
      false,
      true,
      false,
      false,
    ]);
    expect(operations("--allow-sso", "--event", "rds:DeleteDBSnapshot")).to.deep.equal([
      true,
      false,
      true,
      true,
    ]);
    const only = ["--event", "rds:DeleteDBSnapshot", "--only-events"];
    expect(operations("--allow-role-sessions", "--executor-role", "developer", ...only)).to.deep.equal([
      false,
      false,
      false,
      true,
    ]);
  });

  it("rejects what it cannot read, with one message", () => {
    const cases: [string[], string | undefined, RegExp][] = [
      [[path.join(folder, "none.json")], undefined, /none\.json cannot be read: there is no such file/],
      [
        [written("broken.json", '{"eventName": ')],
        undefined,
        /broken\.json is not JSON \(it ends too early\)\. Expected is/,
      ],
      [["-"], "null", /standard input holds null\. Expected is/],
      [["--event", "ec2:RunInstances"], "{}", /event "ec2:RunInstances" is not supported: supported are/],
    ];
    for (const [args, input, message] of cases) {
      const { status, stdout, stderr } = explain([...args, "--json"], input);
      expect(status, stderr).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.match(message);
      expect(stderr.trim().split("\n")).to.have.length(1);
    }
  });
});
