import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { CONFIG_KEYS, ConfigError, parseConfig } from "../../stacks/config";

const root = path.join(__dirname, "../..");
const project = parse(fs.readFileSync(path.join(root, "Pulumi.yaml"), "utf8"));
const defaults = Object.fromEntries(
  Object.entries<{ default?: unknown }>(project.config)
    .filter(([, declaration]) => declaration.default !== undefined)
    .map(([key, declaration]) => [key, declaration.default]),
);
const stackFile = (stack: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries<unknown>(
      parse(fs.readFileSync(path.join(root, `Pulumi.${stack}.yaml`), "utf8")).config,
    ).map(([key, value]) => [key.replace("bulkhead:", ""), value]),
  );

/** The least that a user has to add to what the files of the repository hold. */
const users = {
  accountId: "222222222222",
  custodians: ["alice@example.com", "bob@example.com"],
  custodianPgpKeys: ["key-1", "key-2"],
  alertEmails: ["security@example.com"],
};
const prod = { ...defaults, ...stackFile("prod"), ...users };
const problemsOf = (values: Record<string, unknown>) => {
  try {
    parseConfig(values);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.key);
  }
};

describe("configuration", () => {
  it("is declared in Pulumi.yaml key by key, with type and description", () => {
    expect(Object.keys(project.config).sort()).to.deep.equal([...CONFIG_KEYS].sort());
    for (const [key, declaration] of Object.entries<Record<string, unknown>>(project.config)) {
      expect(declaration.type, key).to.be.oneOf(["string", "integer", "boolean", "array"]);
      expect(declaration.description, key).to.be.a("string").and.match(/\.$/);
    }
  });

  it("holds in the stack files only what differs", () => {
    const [a, b] = [stackFile("prod"), stackFile("dr")];
    expect(Object.keys(a)).to.deep.equal(Object.keys(b));
    for (const key of Object.keys(a)) expect(a[key], key).not.to.equal(b[key]);
  });

  it("is accepted for both stacks with a user's own values", () => {
    expect(problemsOf(prod)).to.deep.equal([]);
    expect(
      problemsOf({ ...defaults, ...stackFile("dr"), ...users, custodians: [], custodianPgpKeys: [] }),
    ).to.deep.equal([]);
  });

  it("says in one message everything that a new user still has to set", () => {
    expect(() => parseConfig({ ...defaults, ...stackFile("prod") })).to.throw(
      ConfigError,
      /2 problems:\n {2}bulkhead:accountId is "": an account id of 12 digits\n {2}bulkhead:alertEmails is \[\]: at least one address\n/,
    );
  });

  const wrong: [string, Record<string, unknown>, string[]][] = [
    ["a global pseudo region", { region: "aws-global" }, ["bulkhead:region"]],
    ["an unknown role", { role: "main" }, ["bulkhead:role"]],
    ["the global STS endpoint", { stsEndpoint: "global" }, ["bulkhead:stsEndpoint"]],
    [
      "several at once",
      { region: "mars", logRetentionDays: 8, alertEmails: ["x"] },
      ["bulkhead:region", "bulkhead:alertEmails[0]", "bulkhead:logRetentionDays"],
    ],
    ["a region of another partition", { peerRegion: "cn-north-1" }, ["bulkhead:peerRegion"]],
    ["the same region twice", { peerRegion: "us-east-1" }, ["bulkhead:peerRegion"]],
    ["a single emergency user", { emergencyUsers: ["a"] }, ["bulkhead:emergencyUsers"]],
    ["a custodian missing", { custodians: ["alice@example.com"] }, ["bulkhead:custodians"]],
    ["a key missing", { custodianPgpKeys: [] }, ["bulkhead:custodianPgpKeys"]],
    ["FIPS where there is none", { region: "eu-west-1", stsEndpoint: "fips" }, ["bulkhead:stsEndpoint"]],
    ["mail without sender and receivers", { mailTransport: "ses" }, ["bulkhead:mailFrom", "bulkhead:mailTo"]],
    [
      "SMTP without server and credentials",
      { mailTransport: "smtp", mailFrom: "a@b.cc", mailTo: ["a@b.cc"] },
      ["bulkhead:smtpHost", "bulkhead:smtpUserParameter", "bulkhead:smtpPasswordParameter"],
    ],
    [
      "SES in China",
      {
        partition: "aws-cn",
        region: "cn-north-1",
        peerRegion: "cn-northwest-1",
        mailTransport: "ses",
        mailFrom: "a@b.cc",
        mailTo: ["a@b.cc"],
      },
      ["bulkhead:mailTransport"],
    ],
    [
      "a stack set without organization",
      { memberAccess: "stackSet" },
      ["bulkhead:organizationId", "bulkhead:managementAccountId", "bulkhead:memberOrganizationalUnitIds"],
    ],
    [
      "an existing network without its parts",
      { network: "existing" },
      ["bulkhead:vpcId", "bulkhead:subnetIds", "bulkhead:routeTableIds"],
    ],
    ["parts of a network that is not used", { vpcId: "vpc-0a1b2c3d" }, ["bulkhead:vpcId"]],
    [
      "rotation of keys without what it works through",
      { keyRotation: "audit" },
      ["bulkhead:keyRotationExternalId", "bulkhead:memberAccess"],
    ],
    ["ages out of order", { keyRotateDays: 100 }, ["bulkhead:keyDeactivateDays"]],
    ["a deletion before the deactivation", { keyDeleteDays: 95 }, ["bulkhead:keyDeleteDays"]],
    [
      "a replica where the keys are anyway, without its KMS key",
      { keyReplicaRegions: ["us-west-2"] },
      ["bulkhead:keyReplicaRegions", "bulkhead:keyReplicaKmsKeyArns"],
    ],
    [
      "a KMS key for keys that are stored in the members",
      {
        keyStorage: "member",
        keyReplicaRegions: ["eu-west-1"],
        keyReplicaKmsKeyArns: ["arn:aws:kms:eu-west-1:222222222222:key/1234abcd"],
      },
      ["bulkhead:keyReplicaKmsKeyArns"],
    ],
    [
      "approval without people and without mail",
      { approval: "on" },
      ["bulkhead:approvalDirectory", "bulkhead:mailTransport"],
    ],
    [
      "a document that is neither in S3 nor in SSM",
      { approvalDirectory: "/tmp/x" },
      ["bulkhead:approvalDirectory"],
    ],
    [
      "an event that cannot be asked for",
      { approvalEvents: ["iam:DeleteUser"] },
      ["bulkhead:approvalEvents[0]"],
    ],
    ["a time zone that does not exist", { approvalTimeZone: "Mars/Base" }, ["bulkhead:approvalTimeZone"]],
    ["work that ends before it begins", { approvalWorkingHours: [18, 8] }, ["bulkhead:approvalWorkingHours"]],
    ["a risk tag without points", { approvalRiskTags: ["tier=gold"] }, ["bulkhead:approvalRiskTags[0]"]],
    [
      "buttons in Slack without workspace and channel",
      { approvalSlackSigningParameter: "/approval/slack" },
      ["bulkhead:approvalSlackTeam", "bulkhead:approvalSlackWebhookParameter"],
    ],
    [
      "a host name without certificate",
      { approvalDomain: "a.example.com" },
      ["bulkhead:approvalCertificateArn"],
    ],
    [
      "sign-in that is half configured",
      { approvalIssuer: "https://login.example.com" },
      ["bulkhead:approvalClientId", "bulkhead:approvalCookieKeyParameter"],
    ],
    ["parts of a sign-in that there is not", { approvalGroupsClaim: "groups" }, ["bulkhead:approvalIssuer"]],
    ["a tag without value", { tags: ["team"] }, ["bulkhead:tags[0]"]],
    ["a missing key", { region: undefined }, ["bulkhead:region"]],
  ];
  for (const [what, change, keys] of wrong) {
    it(`refuses ${what}, naming ${keys.join(", ")}`, () => {
      expect(problemsOf({ ...prod, ...change })).to.deep.equal(keys);
    });
  }

  it("never shows more than the beginning of a long value", () => {
    expect(() => parseConfig({ ...prod, namePrefix: "x".repeat(500) })).to.throw(
      /bulkhead:namePrefix is "x{76}\.\.\.:/,
    );
  });
});
