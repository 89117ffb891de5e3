import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { CliError } from "../../cli/exitCodes";
import { projectDefaults, readStackConfig, stackValues } from "../../cli/stackConfig";

describe("a stack's configuration read from its files", () => {
  const root = path.join(__dirname, "..", "..");
  let folder: string;

  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-config-"));
    fs.copyFileSync(path.join(root, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("puts the stack's values over the project's defaults, each as its declared type", () => {
    write(
      "Pulumi.dr.yaml",
      [
        "config:",
        "  bulkhead:role: standby",
        "  bulkhead:region: us-west-2",
        "  bulkhead:peerName: prod",
        "  bulkhead:peerRegion: us-east-1",
        "  bulkhead:accountId: 012345678901",
        "  bulkhead:alertEmails: [security@example.com]",
        "  bulkhead:smtpPort: 465",
        "  bulkhead:approvalWorkingHours: [7, 19]",
        '  bulkhead:deletionProtection: "false"',
        "  aws:region: eu-west-1",
      ].join("\n"),
    );
    const config = readStackConfig(folder, "dr");
    expect(config.accountId).to.equal("012345678901");
    expect(config.smtpPort).to.equal(465);
    expect(config.deletionProtection).to.equal(false);
    expect(config.approvalWorkingHours).to.deep.equal([7, 19]);
    expect(config.approvalWorkingDays).to.deep.equal([1, 2, 3, 4, 5]);
    expect(config.emergencyUsers).to.deep.equal(["breakglass-admin-1", "breakglass-admin-2"]);
    expect(config.region).to.equal("us-west-2");
  });

  it("gives the defaults alone", () => {
    expect(projectDefaults(folder)).to.include({ namePrefix: "bulkhead", logRetentionDays: 365 });
  });

  const refusals: [string, string, RegExp][] = [
    ["an unknown stack", "mars", /There is no Pulumi\.mars\.yaml in .*Cells there: bad, odd\./],
    ["a file that is not YAML", "bad", /Pulumi\.bad\.yaml is not YAML: /],
    ["values that are not allowed", "odd", /problems:[\s\S]*bulkhead:region is "nowhere"/],
  ];
  for (const [what, stack, message] of refusals) {
    it(`refuses ${what} with one message`, () => {
      write("Pulumi.bad.yaml", "config: [}");
      write("Pulumi.odd.yaml", "config:\n  bulkhead:role: primary\n  bulkhead:region: nowhere\n");
      expect(() => readStackConfig(folder, stack)).to.throw(CliError, message);
    });
  }

  it("reads the checkout's own stacks", () => {
    expect(stackValues(root, "prod")).to.include({ role: "primary", region: "us-east-1" });
  });
});
