import * as fs from "node:fs";
import * as path from "node:path";
import { expect } from "chai";
import * as openpgp from "openpgp";
import { parse } from "yaml";
import { parseConfig, type StackConfig } from "../../stacks/config";
import { deployStandby } from "../../stacks/dr";
import { deployPrimary } from "../../stacks/prod";
import { type PulumiMocks, startMocks } from "../support/pulumiMocks";

const root = path.join(__dirname, "../..");
const read = (file: string) => parse(fs.readFileSync(path.join(root, file), "utf8")).config;

describe("stacks", () => {
  let publicKey: string;
  let mocks: PulumiMocks;
  before(async () => {
    ({ publicKey } = await openpgp.generateKey({
      type: "ecc",
      userIDs: [{ name: "Alice" }],
      format: "armored",
    }));
  });

  /** The configuration as the files have it, with a user's values and a test's. */
  const config = (stack: "prod" | "dr", change: Partial<StackConfig> = {}): StackConfig => {
    const values: Record<string, unknown> = {};
    for (const [key, declaration] of Object.entries<{ default?: unknown }>(read("Pulumi.yaml"))) {
      values[key] = declaration.default;
    }
    for (const [key, value] of Object.entries(read(`Pulumi.${stack}.yaml`))) {
      values[key.replace("bulkhead:", "")] = value;
    }
    return parseConfig({
      ...values,
      accountId: "222222222222",
      custodians: ["alice@example.com", "bob@example.com"],
      custodianPgpKeys: [publicKey, publicKey],
      alertEmails: ["security@example.com"],
      ...change,
    });
  };
  const organization: Partial<StackConfig> = {
    organizationId: "o-a1b2c3d4e5",
    managementAccountId: "111111111111",
    memberAccess: "stackSet",
    memberOrganizationalUnitIds: ["ou-ab12-cdef3456"],
  };
  const deploy = async (stack: "prod" | "dr", change?: Partial<StackConfig>) => {
    mocks = await startMocks({ stack });
    const outputs =
      stack === "prod"
        ? deployPrimary(stack, config(stack, change))
        : deployStandby(stack, config(stack, change));
    await mocks.settle();
    return outputs;
  };
  const custom = () => mocks.resources.filter((r) => r.custom && !r.type.startsWith("pulumi:"));

  for (const [stack, region] of [
    ["prod", "us-east-1"],
    ["dr", "us-west-2"],
  ] as const) {
    it(`${stack} stands in ${region} and nowhere else, by explicit providers with that region's STS endpoint`, async () => {
      await deploy(stack, stack === "dr" ? { organizationId: "o-a1b2c3d4e5" } : organization);
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      const inAccount = custom().filter((r) => r.providerName === "cell");
      expect(inAccount.length).to.be.above(20);
      expect(new Set(inAccount.map((r) => r.region))).to.deep.equal(new Set([region]));
      for (const provider of mocks.ofType("pulumi:providers:aws")) {
        expect(provider.inputs.endpoints).to.equal(
          `[{"sts":"https://sts.${provider.inputs.region}.amazonaws.com"}]`,
        );
      }
    });
  }

  it("dr owns nothing global beyond its functions' own roles", async () => {
    await deploy("dr", {
      organizationId: "o-a1b2c3d4e5",
      mailTransport: "ses",
      mailFrom: "a@example.com",
      mailTo: ["b@example.com"],
    });
    const global = custom().filter((r) => /^aws:(iam|organizations|route53|cloudfront)\//.test(r.type));
    expect([...new Set(global.map((r) => r.type))].sort()).to.deep.equal([
      "aws:iam/role:Role",
      "aws:iam/rolePolicy:RolePolicy",
    ]);
    const roles = mocks.ofType("aws:iam/role:Role").map(({ inputs }) => `${inputs.path}${inputs.name}`);
    expect(roles.sort()).to.deep.equal([
      "/bulkhead/bulkhead-breakglass-alerts-mail-dr",
      "/bulkhead/bulkhead-breakglass-steward-dr",
      "/bulkhead/bulkhead-breakglass-use-dr",
      "/bulkhead/bulkhead-trail-dr",
    ]);
    expect(mocks.ofType("aws:cloudformation/stackSet:StackSet")).to.deep.equal([]);
  });

  it("dr needs nothing of prod: no stack reference, no name of its region in what it makes", async () => {
    await deploy("dr", { organizationId: "o-a1b2c3d4e5" });
    expect(mocks.ofType("pulumi:pulumi:StackReference")).to.deep.equal([]);
    // What works on both cells' records and reports names the other's: what it may do there, and where to look. It works on without
    // (tests/functions/breakGlass, and the drill).
    const reachesOver = /^(break-glass-monitor-tracker|steward-function)-(policy|function)$/;
    for (const resource of custom().filter(({ name }) => !reachesOver.test(name)))
      expect(JSON.stringify(resource.inputs), resource.name).not.to.include("us-east-1");
  });

  it("exactly one of the cells is active at first", async () => {
    const active: string[] = [];
    for (const stack of ["prod", "dr"] as const) {
      await deploy(stack);
      const item = JSON.parse(mocks.find("aws:dynamodb/tableItem:TableItem").inputs.item);
      if (item.active.BOOL) active.push(stack);
    }
    expect(active).to.deep.equal(["prod"]);
  });

  it("each cell watches the emergency users by itself, with rules of the same names", async () => {
    const rules: string[][] = [];
    for (const stack of ["prod", "dr"] as const) {
      await deploy(stack);
      rules.push(
        mocks
          .ofType("aws:cloudwatch/eventRule:EventRule")
          .filter(({ providerName }) => providerName === "cell")
          .map((rule) => rule.inputs.name)
          .sort(),
      );
    }
    expect(rules[0]).to.include.members(["bulkhead-breakglass-signin", "bulkhead-breakglass-use"]);
    expect(rules[1]).to.deep.equal(rules[0]);
  });

  it("prod sends on what is recorded elsewhere: in the regions that AWS chooses, further ones, and each cell's for the other", async () => {
    await deploy("prod", { ...organization, signInRegions: ["eu-west-1"] });
    const relays = mocks
      .ofType("aws:cloudwatch/eventRule:EventRule")
      .filter(({ inputs }) => inputs.name === "bulkhead-breakglass-signin-relay");
    expect(relays.map(({ region }) => region).sort()).to.deep.equal([
      "ap-southeast-2",
      "eu-north-1",
      "eu-west-1",
      "us-east-1",
      "us-east-2",
      "us-west-2",
    ]);
  });

  it("each cell has a trail, a steward and evidence of its own", async () => {
    for (const [stack, region] of [
      ["prod", "us-east-1"],
      ["dr", "us-west-2"],
    ] as const) {
      await deploy(stack);
      const trail = mocks.find("aws:cloudtrail/trail:Trail");
      expect(trail.region).to.equal(region);
      expect(trail.inputs).to.include({ name: `bulkhead-trail-${stack}`, isMultiRegionTrail: true });
      expect(mocks.find("aws:dynamodb/table:Table", "records-table").inputs.name).to.equal(
        `bulkhead-breakglass-records-${stack}`,
      );
      expect(mocks.find("aws:lambda/function:Function", "steward-function-function").region).to.equal(region);
    }
  });

  it("changes passwords by itself only where it is told to", async () => {
    for (const passwordRotation of ["off", "afterUse"] as const) {
      await deploy("dr", {
        passwordRotation,
        custodians: ["alice@example.com", "bob@example.com"],
        custodianPgpKeys: [publicKey, publicKey],
      });
      const names = mocks.ofType("aws:lambda/function:Function").map(({ inputs }) => inputs.name);
      expect(names.includes("bulkhead-breakglass-rotation")).to.equal(passwordRotation === "afterUse");
    }
  });

  const rotating: Partial<StackConfig> = {
    ...organization,
    keyRotation: "audit",
    keyRotationExternalId: "bulkhead-4f1c",
  };
  const settingsOf = (name = "keys-account-function") =>
    JSON.parse(
      mocks.find("aws:lambda/function:Function", name).inputs.environment.variables.KEY_ROTATION_SETTINGS,
    );

  it("rotates keys only where it is told to", async () => {
    for (const stack of ["prod", "dr"] as const) {
      await deploy(stack, organization);
      expect(mocks.ofType("aws:sfn/stateMachine:StateMachine")).to.deep.equal([]);
      const text = JSON.stringify(mocks.resources.map(({ inputs }) => inputs));
      expect(text).not.to.include("key-rotator");
    }
  });

  it("each cell has a key rotator of its own, and both store keys in the primary's region", async () => {
    for (const [stack, region] of [
      ["prod", "us-east-1"],
      ["dr", "us-west-2"],
    ] as const) {
      await deploy(stack, rotating);
      expect(mocks.find("aws:sfn/stateMachine:StateMachine").region).to.equal(region);
      const settings = settingsOf();
      expect(settings.mode).to.equal("audit");
      expect(settings.secrets.region).to.equal("us-east-1");
      expect(settings.secrets.replicas.map((each: { region: string }) => each.region)).to.deep.equal([
        "us-west-2",
      ]);
      expect(settings.breakGlass.users).to.deep.equal(["breakglass-admin-1", "breakglass-admin-2"]);
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
    }
  });

  it("the rotator looks after the accounts that get its role, and never after the management account unasked", async () => {
    const accounts = async (change: Partial<StackConfig>) => {
      await deploy("dr", { ...rotating, ...change });
      const { include, exclude, organizationalUnitIds } = settingsOf().accounts;
      return { include, exclude, organizationalUnitIds };
    };
    expect(await accounts({})).to.deep.equal({
      include: [],
      exclude: ["111111111111"],
      organizationalUnitIds: ["ou-ab12-cdef3456"],
    });
    const providers: Partial<StackConfig> = {
      memberAccess: "providers",
      memberAccountIds: ["333333333333"],
    };
    expect((await accounts(providers)).include).to.deep.equal(["333333333333"]);
    expect(
      await accounts({
        keyAccountIds: ["111111111111", "333333333333"],
        keyExcludedAccountIds: ["444444444444"],
      }),
    ).to.deep.equal({
      include: ["111111111111", "333333333333"],
      exclude: ["444444444444"],
      organizationalUnitIds: [],
    });
  });

  it("prod lets both cells' rotators list the organization, and work in the members with the external id", async () => {
    await deploy("prod", { ...rotating, keyRotation: "enforce" });
    const template = mocks.find("aws:cloudformation/stackSet:StackSet").inputs.templateBody;
    const reader = mocks.find("aws:iam/role:Role", "management-organization-reader").inputs.assumeRolePolicy;
    for (const cell of ["prod", "dr"]) {
      expect(reader).to.include(`bulkhead-key-rotator-inventory-${cell}`);
      expect(template).to.include(`bulkhead-key-rotator-account-${cell}`);
    }
    for (const text of ["bulkhead-key-rotator-member", "bulkhead-4f1c", "iam:CreateAccessKey"])
      expect(template).to.include(text);
    await deploy("prod", rotating);
    const audit = mocks.find("aws:cloudformation/stackSet:StackSet").inputs.templateBody;
    expect(audit).to.include("bulkhead-key-rotator-member").and.not.to.include("iam:CreateAccessKey");
  });

  it("a standby's runs are started unless they are to be quiet, the primary's always", async () => {
    const schedule = async (stack: "prod" | "dr", standbySchedules: "enabled" | "disabled") => {
      await deploy(stack, { ...rotating, standbySchedules });
      return mocks.find("aws:cloudwatch/eventRule:EventRule", "keys-schedule").inputs.state;
    };
    expect(await schedule("dr", "enabled")).to.equal("ENABLED");
    expect(await schedule("dr", "disabled")).to.equal("DISABLED");
    expect(await schedule("prod", "disabled")).to.equal("ENABLED");
  });

  it("the rotator stays out of a network that has no way out, and opens an existing one for itself", async () => {
    const network: Partial<StackConfig> = {
      network: "existing",
      vpcId: "vpc-0a1b2c3d",
      subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
      routeTableIds: ["rtb-0a1b2c3d"],
    };
    const anywhere = () =>
      mocks
        .ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
        .filter(({ inputs }) => inputs.cidrIpv4 === "0.0.0.0/0").length;
    await deploy("dr", { ...rotating, ...network });
    const { inputs } = mocks.find("aws:lambda/function:Function", "keys-account-function");
    expect(inputs.vpcConfig.subnetIds).to.deep.equal(network.subnetIds);
    expect(anywhere()).to.equal(1);
    await deploy("dr", { ...organization, ...network });
    expect(anywhere()).to.equal(0);
    await deploy("dr", { ...rotating, network: "create" });
    expect(mocks.find("aws:lambda/function:Function", "keys-account-function").inputs).not.to.have.property(
      "vpcConfig",
    );
  });

  const approving: Partial<StackConfig> = {
    ...organization,
    approval: "on",
    approvalDirectory: "ssm:/bulkhead/approval/directory",
    mailTransport: "ses",
    mailFrom: "bulkhead@example.com",
    mailTo: ["oncall@example.com"],
  };
  const variable = (functionName: string, name: string) =>
    JSON.parse(mocks.find("aws:lambda/function:Function", functionName).inputs.environment.variables[name]);

  it("asks for approval only where it is told to", async () => {
    for (const stack of ["prod", "dr"] as const) {
      await deploy(stack, { ...approving, approval: "off" });
      expect(mocks.ofType("aws:apigatewayv2/api:Api")).to.deep.equal([]);
      expect(JSON.stringify(mocks.resources.map(({ inputs }) => inputs))).not.to.include("approval");
    }
  });

  it("each cell has approval of its own, and prod alone the roles that stand in every account", async () => {
    for (const [stack, region] of [
      ["prod", "us-east-1"],
      ["dr", "us-west-2"],
    ] as const) {
      const outputs = await deploy(stack, approving);
      const own = mocks.resources.filter(({ name }) => name.startsWith("approval") && name !== "approval");
      const regions = own.filter(({ custom }) => custom).map((each) => each.inputs.region ?? each.region);
      // The replica of the tables' key stands in the other cell's region.
      expect(regions.filter((each) => each !== region)).to.have.length(1);
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      expect(outputs.approvalStateMachineArn).not.to.equal(undefined);
      const roles = mocks.ofType("aws:iam/role:Role").map(({ inputs }) => inputs.name as string);
      expect(roles.includes("bulkhead-approval-executor")).to.equal(stack === "prod");
      const {
        intake,
        peer,
        organization: reader,
      } = variable("approval-intake-function", "APPROVAL_SETTINGS");
      expect(intake.emergencyUserNames).to.deep.equal(["breakglass-admin-1", "breakglass-admin-2"]);
      expect(peer.region).to.equal(stack === "prod" ? "us-west-2" : "us-east-1");
      expect(reader.readerRoleArn).to.include("111111111111");
    }
  });

  it("prod sends the members' denied calls to the hubs, and gives the members the roles that approval assumes", async () => {
    await deploy("prod", approving);
    const { templateBody } = mocks.find("aws:cloudformation/stackSet:StackSet").inputs;
    for (const text of ["bulkhead-approval-executor", "bulkhead-approval-reader", "TerminateInstances"])
      expect(templateBody).to.include(text);
    expect(templateBody).not.to.include("bulkhead-approval-boundary");
    const reader = mocks.find("aws:iam/role:Role", "management-organization-reader").inputs.assumeRolePolicy;
    for (const name of ["intake", "engine", "desk"])
      for (const cell of ["prod", "dr"]) expect(reader).to.include(`bulkhead-approval-${name}-${cell}`);
    await deploy("prod", { ...approving, approvalExecution: "role", approvalEvents: ["s3:DeleteBucket"] });
    const narrower = mocks.find("aws:cloudformation/stackSet:StackSet").inputs.templateBody;
    for (const text of ["bulkhead-approval-boundary", "bulkhead-approval-role-manager", "s3:DeleteBucket"])
      expect(narrower).to.include(text);
    expect(narrower).not.to.include("TerminateInstances");
  });

  it("the whole configuration of approval reaches its functions", async () => {
    await deploy("dr", {
      ...approving,
      approvalExternalId: "bulkhead-4f1c",
      approvalSnapshots: "backup",
      approvalBackupVault: "central",
      approvalConfirmationSeconds: 600,
      approvalLanguage: "zh",
      approvalTimeZone: "Asia/Shanghai",
      approvalWorkingHours: [9, 17],
      approvalRiskTags: ["tier=a:b:30"],
      approvalRiskModelUrl: "https://risk.example.com/score",
      approvalSlackWebhookParameter: "/approval/slack",
      approvalSlackSigningParameter: "/approval/signing",
      approvalSlackTeam: "T02ABCDEF",
      approvalTeamsWebhookParameter: "/approval/teams",
      approvalIssuer: "https://login.example.com",
      approvalClientId: "bulkhead",
      approvalCookieKeyParameter: "/approval/cookie",
      approvalGroupsClaim: "groups",
      approvalActing: "either",
      approvalIamUserAccounts: ["222222222222"],
      approvalActiveWithoutAnswer: true,
    });
    const engine = variable("approval-engine-function", "APPROVAL_SETTINGS");
    expect(engine.roles.externalId).to.equal("bulkhead-4f1c");
    expect(engine.snapshot).to.deep.include({ when: "data", by: "backup", vault: "central" });
    expect(engine.times).to.deep.include({ confirmation: 600 });
    expect(engine.messages).to.deep.include({ language: "zh", timeZone: "Asia/Shanghai", acting: "either" });
    expect(engine.messages.chats).to.deep.equal([
      { kind: "slack", webhookParameter: "/approval/slack", buttons: true },
      { kind: "teams", webhookParameter: "/approval/teams" },
    ]);
    expect(engine.risk).to.deep.equal({
      workingHours: { timeZone: "Asia/Shanghai", from: 9, to: 17, days: [1, 2, 3, 4, 5] },
      tagRules: [{ key: "tier", values: ["a:b"], points: 30 }],
      model: { url: "https://risk.example.com/score" },
    });
    const pages = variable("approval-http-function", "APPROVAL_PAGES");
    expect(pages.oidc).to.deep.include({ issuer: "https://login.example.com", groupsClaim: "groups" });
    expect(pages.slack.team).to.equal("T02ABCDEF");
    expect(pages.iamUsers).to.deep.include({ accounts: ["222222222222"], activeWithoutAnswer: true });
  });

  it("approval goes into an existing network, which then needs a way out, and stays out of one without", async () => {
    const network: Partial<StackConfig> = {
      network: "existing",
      vpcId: "vpc-0a1b2c3d",
      subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
      routeTableIds: ["rtb-0a1b2c3d"],
    };
    const smtp: Partial<StackConfig> = {
      mailTransport: "smtp",
      smtpHost: "mail.example.com",
      smtpUserParameter: "/smtp/user",
      smtpPasswordParameter: "/smtp/password",
    };
    await deploy("dr", { ...approving, ...smtp, ...network });
    const { inputs } = mocks.find("aws:lambda/function:Function", "approval-work-function");
    expect(inputs.vpcConfig.subnetIds).to.deep.equal(network.subnetIds);
    expect(
      mocks
        .ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
        .filter((rule) => rule.inputs.cidrIpv4 === "0.0.0.0/0"),
    ).to.have.length(1);
    await deploy("dr", { ...approving, ...smtp, network: "create" });
    expect(mocks.find("aws:lambda/function:Function", "approval-work-function").inputs).not.to.have.property(
      "vpcConfig",
    );
  });

  it("prod gives the member accounts rules that send to both hubs, by a stack set", async () => {
    const outputs = await deploy("prod", organization);
    const template = mocks.find("aws:cloudformation/stackSet:StackSet").inputs.templateBody;
    for (const region of ["us-east-1", "us-west-2"]) {
      expect(template).to.include(`arn:aws:events:${region}:222222222222:event-bus/bulkhead-hub`);
    }
    const instances = mocks.ofType("aws:cloudformation/stackSetInstance:StackSetInstance");
    expect(instances.map((i) => i.inputs.stackSetInstanceRegion).sort()).to.deep.equal([
      "us-east-1",
      "us-west-2",
    ]);
    expect(outputs).to.have.property("memberAccessStackSet").that.is.not.equal(undefined);
  });

  it("prod reaches each member account by a provider of its own when there is no stack set", async () => {
    await deploy("prod", {
      ...organization,
      memberAccess: "providers",
      memberAccountIds: ["333333333333", "444444444444"],
      memberRegions: ["us-west-2"],
    });
    expect(mocks.ofType("aws:cloudformation/stackSet:StackSet")).to.deep.equal([]);
    const roles = mocks
      .ofType("pulumi:providers:aws")
      .flatMap((p) => JSON.parse(p.inputs.assumeRoles ?? "[]"));
    expect(roles.map((r: { roleArn: string }) => r.roleArn).sort()).to.deep.equal([
      "arn:aws:iam::111111111111:role/bulkhead-deployer",
      "arn:aws:iam::333333333333:role/OrganizationAccountAccessRole",
      "arn:aws:iam::444444444444:role/OrganizationAccountAccessRole",
    ]);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
  });

  it("China works: its own ARNs, endpoints and control planes", async () => {
    await deploy("prod", {
      ...organization,
      partition: "aws-cn",
      region: "cn-north-1",
      peerRegion: "cn-northwest-1",
    });
    for (const resource of mocks.resources) {
      const text = JSON.stringify(resource.inputs);
      expect(text, resource.name).not.to.match(/arn:aws:|us-east-1|sts\.amazonaws\.com/);
    }
    // Organizations' control plane is not IAM's there (fact 9).
    expect(mocks.find("pulumi:providers:aws", "management").inputs.region).to.equal("cn-northwest-1");
  });

  it("a private network holds the functions when one is configured", async () => {
    await deploy("dr", {
      network: "existing",
      vpcId: "vpc-0a1b2c3d",
      subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
      routeTableIds: ["rtb-0a1b2c3d"],
      mailTransport: "smtp",
      mailFrom: "a@example.com",
      mailTo: ["b@example.com"],
      smtpHost: "email-smtp.us-west-2.amazonaws.com",
      smtpUserParameter: "/smtp/user",
      smtpPasswordParameter: "/smtp/password",
    });
    for (const { name, inputs } of mocks.ofType("aws:lambda/function:Function")) {
      // The steward asks IAM and Organizations, which a network without a way to the internet does not reach.
      if (name === "steward-function-function") expect(inputs).not.to.have.property("vpcConfig");
      else
        expect(inputs.vpcConfig, name).to.deep.include({
          subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        });
    }
  });

  it("has the outputs that docs/deployment.md describes, and no others", async () => {
    const page = fs.readFileSync(path.join(root, "docs/deployment.md"), "utf8");
    const rows = page.slice(page.indexOf("## Outputs")).matchAll(/^\| (`.+`) \| (both|prod) \|/gm);
    const described = { prod: [] as string[], dr: [] as string[] };
    for (const [, names, where] of rows) {
      const outputs = [...names!.matchAll(/`(\w+)`/g)].map((match) => match[1]!);
      described.prod.push(...outputs);
      if (where === "both") described.dr.push(...outputs);
    }
    for (const stack of ["prod", "dr"] as const) {
      const outputs = await deploy(
        stack,
        stack === "prod" ? organization : { organizationId: "o-a1b2c3d4e5" },
      );
      expect(Object.keys(outputs).sort(), stack).to.deep.equal(described[stack].sort());
    }
  });

  it("tags what it makes", async () => {
    await deploy("dr", { tags: ["team=security", "note=a=b"] });
    expect(mocks.find("pulumi:providers:aws").inputs.defaultTags).to.equal(
      '{"tags":{"team":"security","note":"a=b"}}',
    );
  });
});
