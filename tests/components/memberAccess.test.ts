import * as aws from "@pulumi/aws";
import { expect } from "chai";
import { EventHub, type EventHubArgs, eventHubArn } from "../../components/memberAccess/eventHub";
import { ManagementAccess, type ManagementAccessArgs } from "../../components/memberAccess/managementAccess";
import {
  MemberAccess,
  type MemberAccessArgs,
  type MemberProvider,
  memberAccessByProviders,
} from "../../components/memberAccess/memberAccess";
import { organizationReaderRoleArn } from "../../components/memberAccess/organizationReader";
import { memberArn, type RoleRequest } from "../../components/memberAccess/requests";
import { normalizeCell } from "../../components/regional/cell";
import { jsonInput, startMocks } from "../support/pulumiMocks";

const cell = { name: "prod", region: "us-east-1", accountId: "222222222222" };
const peer = { name: "dr", region: "us-west-2" };
const hubs = {
  prod: "arn:aws:events:us-east-1:222222222222:event-bus/bulkhead-hub",
  dr: "arn:aws:events:us-west-2:222222222222:event-bus/bulkhead-hub",
};
const role: RoleRequest = {
  name: "bulkhead-reader",
  description: "Reads",
  trustedRoleArns: ["arn:aws:iam::222222222222:role/bulkhead/bulkhead-reader-prod"],
  externalId: "bulkhead",
  statements: [
    {
      Effect: "Allow",
      Action: ["iam:GetUser"],
      Resource: [memberArn({ service: "iam", resource: "user/*" })],
    },
  ],
};
const eventForwarding = [
  { name: "bulkhead-use", eventPattern: { source: ["aws.iam"], detail: { readOnly: [false] } } },
];
const args: MemberAccessArgs = {
  cell,
  peer,
  memberRegions: ["us-west-2", "us-east-1"],
  organizationalUnitIds: ["ou-ab12-workload", "ou-ab12-sandbox0"],
  roles: [role],
  eventForwarding,
};
const trust = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam::222222222222:root"] },
      Action: "sts:AssumeRole",
      Condition: {
        StringEquals: { "aws:PrincipalArn": role.trustedRoleArns, "sts:ExternalId": "bulkhead" },
      },
    },
  ],
};

describe("EventHub", () => {
  const hubArgs: EventHubArgs = {
    cell: { ...cell, name: "dr", region: "us-west-2" },
    organizationId: "o-a1b2c3d4e5",
    kmsKeyArn: "arn:aws:kms:us-west-2:222222222222:key/k",
    alertTopicArn: "arn:aws:sns:us-west-2:222222222222:alerts",
  };

  it("lets in the organization's forwarding roles only", async () => {
    const mocks = await startMocks();
    const provider = new aws.Provider("west", { region: "us-west-2" });
    const outputs = await mocks.outputsOf(new EventHub("h", hubArgs, { provider }));

    expect(mocks.list()).to.deep.equal([
      "aws:cloudwatch/eventBus:EventBus h-bus",
      "aws:cloudwatch/eventBusPolicy:EventBusPolicy h-policy",
      "aws:cloudwatch/metricAlarm:MetricAlarm h-dead-letters-alarm",
      "aws:sqs/queue:Queue h-dead-letters",
      "aws:sqs/queuePolicy:QueuePolicy h-dead-letters-policy",
      "bulkhead:index:EventHub h",
      "pulumi:providers:aws west",
    ]);
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    expect(mocks.find("aws:cloudwatch/eventBus:EventBus").inputs).to.deep.equal({
      name: "bulkhead-hub",
      description: "Events of the organization's accounts for cell dr",
    });
    const policy = mocks.find("aws:cloudwatch/eventBusPolicy:EventBusPolicy");
    expect(policy.inputs.eventBusName).to.equal("bulkhead-hub");
    expect(jsonInput(policy, "policy").Statement).to.deep.equal([
      {
        Sid: "ForwardersOfTheOrganization",
        Effect: "Allow",
        Principal: "*",
        Action: "events:PutEvents",
        Resource: hubs.dr,
        Condition: {
          StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" },
          ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/bulkhead/bulkhead-event-forwarder-*" },
        },
      },
    ]);
    expect(outputs).to.deep.equal({
      busArn: hubs.dr,
      busName: "bulkhead-hub",
      deadLetterQueueArn: "arn:aws:sqs:us-west-2:222222222222:bulkhead-hub-dead-letters",
    });
    expect(eventHubArn(normalizeCell(hubArgs.cell))).to.equal(outputs.busArn);
  });

  it("keeps what its rules could not deliver, encrypted, and tells of it", async () => {
    const mocks = await startMocks();
    new EventHub("h", hubArgs, { provider: new aws.Provider("west", { region: "us-west-2" }) });
    await mocks.settle();
    expect(mocks.find("aws:sqs/queue:Queue").inputs).to.deep.include({
      name: "bulkhead-hub-dead-letters",
      kmsMasterKeyId: hubArgs.kmsKeyArn,
    });
    const statement = jsonInput(mocks.find("aws:sqs/queuePolicy:QueuePolicy"), "policy").Statement[0];
    expect(statement.Condition).to.deep.equal({
      ArnLike: { "aws:SourceArn": "arn:aws:events:us-west-2:222222222222:rule/bulkhead-hub/*" },
    });
    expect(mocks.find("aws:cloudwatch/metricAlarm:MetricAlarm").inputs.alarmActions).to.deep.equal([
      hubArgs.alertTopicArn,
    ]);
  });

  it("refuses a malformed organization id", async () => {
    await startMocks();
    expect(() => new EventHub("h", { ...hubArgs, organizationId: "222222222222" })).to.throw(
      "organizationId",
    );
  });
});

describe("MemberAccess", () => {
  const STACK_SET = "aws:cloudformation/stackSet:StackSet";
  const INSTANCE = "aws:cloudformation/stackSetInstance:StackSetInstance";

  it("makes one StackSet with automatic deployment", async () => {
    const mocks = await startMocks();
    const provider = new aws.Provider("east", { region: "us-east-1" });
    const outputs = await mocks.outputsOf(new MemberAccess("m", args, { provider }));

    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    const stackSet = mocks.find(STACK_SET, "m-stack-set");
    expect(stackSet).to.include({ parentName: "m", providerName: "east", region: "us-east-1" });
    const { templateBody, ...inputs } = stackSet.inputs;
    expect(inputs).to.deep.equal({
      name: "bulkhead-member-access",
      description: "Bulkhead in the member accounts: roles and event forwarding",
      permissionModel: "SERVICE_MANAGED",
      callAs: "DELEGATED_ADMIN",
      autoDeployment: { enabled: true, retainStacksOnAccountRemoval: false },
      managedExecution: { active: true },
      operationPreferences: {
        failureTolerancePercentage: 10,
        maxConcurrentPercentage: 25,
        regionConcurrencyType: "SEQUENTIAL",
      },
      capabilities: ["CAPABILITY_NAMED_IAM"],
      parameters: { HomeRegion: "us-east-1" },
    });
    expect(Object.keys(JSON.parse(templateBody).Resources)).to.deep.equal([
      "RoleBulkheadReader",
      "EventForwarder",
      "RuleBulkheadUseForward",
    ]);
    expect(outputs).to.deep.equal({
      stackSetName: "bulkhead-member-access",
      regions: ["us-east-1", "us-west-2"],
    });
  });

  it("deploys it to each unit and region by itself, the home region first", async () => {
    const mocks = await startMocks();
    new MemberAccess("m", args, { provider: new aws.Provider("east", { region: "us-east-1" }) });
    await mocks.settle();
    expect(mocks.ofType(INSTANCE).map(({ name }) => name)).to.have.members([
      "m-ou-ab12-workload-us-east-1",
      "m-ou-ab12-sandbox0-us-east-1",
      "m-ou-ab12-workload-us-west-2",
      "m-ou-ab12-sandbox0-us-west-2",
    ]);
    const west = mocks.find(INSTANCE, "m-ou-ab12-workload-us-west-2");
    expect(west.inputs).to.deep.equal({
      stackSetName: "bulkhead-member-access",
      stackSetInstanceRegion: "us-west-2",
      callAs: "DELEGATED_ADMIN",
      deploymentTargets: { organizationalUnitIds: ["ou-ab12-workload"] },
      operationPreferences: { failureTolerancePercentage: 10, maxConcurrentPercentage: 25 },
    });
    expect(west.dependencyNames).to.include.members([
      "m-ou-ab12-workload-us-east-1",
      "m-ou-ab12-sandbox0-us-east-1",
    ]);
    expect(mocks.find(INSTANCE, "m-ou-ab12-workload-us-east-1").dependencyNames).to.deep.equal([
      "m-stack-set",
    ]);
  });

  it("adding a unit or a region leaves the other instances as they are", async () => {
    const instances = async (change: Partial<MemberAccessArgs>) => {
      const mocks = await startMocks();
      new MemberAccess(
        "m",
        { ...args, ...change },
        { provider: new aws.Provider("east", { region: "us-east-1" }) },
      );
      await mocks.settle();
      return mocks.ofType(INSTANCE).map(({ urn, inputs }) => ({ urn, inputs }));
    };
    const before = await instances({});
    const units = [...args.organizationalUnitIds, "ou-ab12-another0"];
    for (const change of [
      { organizationalUnitIds: units },
      { memberRegions: [...args.memberRegions!, "eu-west-1"] },
    ]) {
      const after = await instances(change);
      expect(after.length).to.be.above(before.length);
      expect(after).to.deep.include.members(before);
    }
  });

  it("needs one region only for roles, and passes the options on", async () => {
    const mocks = await startMocks();
    new MemberAccess(
      "m",
      {
        ...args,
        eventForwarding: [],
        homeRegion: "us-west-2",
        callAs: "SELF",
        retainStacksOnAccountRemoval: true,
        failureTolerancePercentage: 0,
        maxConcurrentPercentage: 100,
      },
      { provider: new aws.Provider("east", { region: "us-east-1" }) },
    );
    await mocks.settle();
    expect(mocks.ofType(INSTANCE).map(({ inputs }) => inputs.stackSetInstanceRegion)).to.deep.equal([
      "us-west-2",
      "us-west-2",
    ]);
    expect(mocks.ofType(INSTANCE)[0]!.inputs.callAs).to.equal("SELF");
    expect(mocks.find(STACK_SET).inputs).to.deep.include({
      callAs: "SELF",
      autoDeployment: { enabled: true, retainStacksOnAccountRemoval: true },
      parameters: { HomeRegion: "us-west-2" },
      operationPreferences: {
        failureTolerancePercentage: 0,
        maxConcurrentPercentage: 100,
        regionConcurrencyType: "SEQUENTIAL",
      },
    });
  });

  const wrong: [string, Partial<MemberAccessArgs>, RegExp][] = [
    ["callAs", { callAs: "ADMIN" }, /callAs is "ADMIN"/],
    ["no units", { organizationalUnitIds: [] }, /organizationalUnitIds is empty/],
    ["unit", { organizationalUnitIds: ["Workloads"] }, /organizationalUnitIds has "Workloads"/],
    [
      "region of another partition",
      { memberRegions: ["us-east-1", "cn-north-1"] },
      /memberRegions has "cn-north-1"/,
    ],
    ["home region", { homeRegion: "eu-west-1" }, /homeRegion is "eu-west-1"/],
    ["nothing asked for", { roles: [], eventForwarding: [] }, /nothing is asked for/],
    ["peer", { peer: { name: "dr", region: "us-east-1" } }, /peer.region/],
    ["tolerance", { failureTolerancePercentage: 101 }, /failureTolerancePercentage is 101/],
    ["concurrency", { maxConcurrentPercentage: 0 }, /maxConcurrentPercentage is 0/],
  ];
  for (const [what, change, message] of wrong) {
    it(`refuses a wrong argument: ${what}`, async () => {
      await startMocks();
      expect(() => new MemberAccess("m", { ...args, ...change })).to.throw(message);
    });
  }
});

describe("memberAccessByProviders", () => {
  function members(accounts: string[]): MemberProvider[] {
    return accounts.flatMap((accountId) =>
      ["us-east-1", "us-west-2"].map((region) => ({
        accountId,
        region,
        provider: new aws.Provider(`${accountId}-${region}`, { region }),
      })),
    );
  }

  it("makes the same roles and rules through each account's and region's own provider", async () => {
    const mocks = await startMocks();
    const { organizationalUnitIds: _, ...requests } = args;
    memberAccessByProviders("m", requests, members(["333333333333", "444444444444"]));
    await mocks.settle();
    expect(mocks.withDefaultProvider()).to.deep.equal([]);

    const reader = mocks.find("aws:iam/role:Role", "m-444444444444-bulkhead-reader");
    expect(reader).to.include({ parentName: "m", providerName: "444444444444-us-east-1" });
    expect(jsonInput(reader, "assumeRolePolicy")).to.deep.equal(trust);
    expect(reader.inputs).to.deep.include({
      name: "bulkhead-reader",
      path: "/bulkhead/",
      description: "Reads",
      maxSessionDuration: 3600,
    });
    const policy = mocks.find("aws:iam/rolePolicy:RolePolicy", "m-444444444444-bulkhead-reader-policy");
    expect(policy.inputs).to.include({ role: "bulkhead-reader", name: "access" });
    expect(jsonInput(policy, "policy").Statement).to.deep.equal([
      { Effect: "Allow", Action: ["iam:GetUser"], Resource: ["arn:aws:iam::444444444444:user/*"] },
    ]);

    const forwarder = mocks.find("aws:iam/role:Role", "m-333333333333-us-west-2-event-forwarder");
    expect(forwarder).to.include({ providerName: "333333333333-us-west-2" });
    expect(forwarder.inputs.name).to.equal("bulkhead-event-forwarder-us-west-2");
    expect(jsonInput(forwarder, "assumeRolePolicy").Statement).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": "333333333333" },
          ArnLike: { "aws:SourceArn": "arn:aws:events:us-west-2:333333333333:rule/bulkhead-*" },
        },
      },
    ]);
    const rule = mocks.find(
      "aws:cloudwatch/eventRule:EventRule",
      "m-333333333333-us-west-2-bulkhead-use-forward",
    );
    expect(rule).to.include({ providerName: "333333333333-us-west-2", region: "us-west-2" });
    expect(jsonInput(rule, "eventPattern")).to.deep.equal(eventForwarding[0]!.eventPattern);
    expect(rule.inputs).to.include({ name: "bulkhead-use-forward", state: "ENABLED" });
    for (const hub of ["prod", "dr"] as const) {
      const target = mocks.find("aws:cloudwatch/eventTarget:EventTarget", `${rule.name}-${hub}`);
      expect(target.inputs).to.deep.equal({
        rule: "bulkhead-use-forward",
        targetId: hub,
        arn: hubs[hub],
        roleArn: "arn:aws:iam::333333333333:role/bulkhead/bulkhead-event-forwarder-us-west-2",
      });
      expect(target.dependencyNames).to.include("m-333333333333-us-west-2-event-forwarder-policy");
    }
    expect(mocks.ofType("aws:iam/role:Role")).to.have.length(2 + 4);
    expect(mocks.ofType("aws:cloudwatch/eventRule:EventRule")).to.have.length(4);
  });

  it("refuses accounts that lack a region, have two providers for one, or are none", async () => {
    await startMocks();
    const all = members(["333333333333"]);
    expect(() => memberAccessByProviders("m", args, all.slice(1))).to.throw(
      "0 providers for account 333333333333 in us-east-1",
    );
    expect(() => memberAccessByProviders("m", args, [...all, all[0]!])).to.throw("2 providers");
    expect(() => memberAccessByProviders("m", args, [])).to.throw("members is empty");
    expect(() => memberAccessByProviders("m", args, [{ ...all[0]!, accountId: "3" }])).to.throw(
      'account "3"',
    );
  });
});

describe("ManagementAccess", () => {
  const managementArgs: ManagementAccessArgs = {
    cell,
    peer,
    managementAccountId: "111111111111",
    trustedRoleArns: role.trustedRoleArns,
    externalId: "bulkhead",
  };

  it("lets the functions read the organization and nothing else", async () => {
    const mocks = await startMocks({ accountId: "111111111111" });
    const provider = new aws.Provider("management", { region: "us-east-1" });
    const outputs = await mocks.outputsOf(new ManagementAccess("g", managementArgs, { provider }));
    expect(mocks.withDefaultProvider()).to.deep.equal([]);
    const reader = mocks.find("aws:iam/role:Role", "g-organization-reader");
    expect(reader).to.include({ parentName: "g", providerName: "management" });
    expect(reader.inputs).to.include({ name: "bulkhead-organization-reader", path: "/bulkhead/" });
    expect(jsonInput(reader, "assumeRolePolicy")).to.deep.equal(trust);
    const [statement, ...others] = jsonInput(
      mocks.find("aws:iam/rolePolicy:RolePolicy", "g-organization-reader-policy"),
      "policy",
    ).Statement;
    expect(others).to.deep.equal([]);
    expect(statement.Action).to.include.members([
      "organizations:ListAccounts",
      "organizations:ListParents",
      "organizations:ListTagsForResource",
    ]);
    for (const action of statement.Action)
      expect(action).to.match(/^organizations:(Describe|List)[A-Za-z]+$/);
    expect(outputs.organizationReaderRoleArn)
      .to.equal(organizationReaderRoleArn(normalizeCell(cell), "111111111111"))
      .and.to.equal(
        (await reader.id) && "arn:aws:iam::111111111111:role/bulkhead/bulkhead-organization-reader",
      );
  });

  it("sends the organization's events to both hubs", async () => {
    const mocks = await startMocks();
    new ManagementAccess("g", managementArgs, {
      provider: new aws.Provider("management", { region: "us-east-1" }),
    });
    await mocks.settle();
    const rule = mocks.find("aws:cloudwatch/eventRule:EventRule");
    const pattern = jsonInput(rule, "eventPattern");
    expect(pattern).not.to.have.property("detail-type");
    expect(pattern.detail.eventSource).to.deep.equal(["organizations.amazonaws.com"]);
    expect(pattern.detail.eventName).to.include.members([
      "MoveAccount",
      "TagResource",
      "UntagResource",
      "CreateAccountResult",
    ]);
    const targets = mocks
      .ofType("aws:cloudwatch/eventTarget:EventTarget")
      .map(({ inputs }) => [inputs.arn, inputs.roleArn]);
    const forwarder = "arn:aws:iam::111111111111:role/bulkhead/bulkhead-event-forwarder-us-east-1";
    expect(targets).to.deep.equal([
      [hubs.prod, forwarder],
      [hubs.dr, forwarder],
    ]);
    expect(mocks.find("aws:iam/role:Role", "g-event-forwarder").inputs.name).to.equal(
      "bulkhead-event-forwarder-us-east-1",
    );
  });

  it("takes the region of the partition's own Organizations control plane, in China not IAM's", async () => {
    const mocks = await startMocks();
    new ManagementAccess(
      "g",
      {
        ...managementArgs,
        cell: { ...cell, region: "cn-north-1" },
        peer: { name: "dr", region: "cn-northwest-1" },
        trustedRoleArns: ["arn:aws-cn:iam::222222222222:role/bulkhead/bulkhead-reader-prod"],
      },
      { provider: new aws.Provider("management", { region: "cn-northwest-1" }) },
    );
    await mocks.settle();
    for (const target of mocks.ofType("aws:cloudwatch/eventTarget:EventTarget")) {
      expect(target.inputs.roleArn).to.equal(
        "arn:aws-cn:iam::111111111111:role/bulkhead/bulkhead-event-forwarder-cn-northwest-1",
      );
      expect(target.inputs.arn).to.match(/^arn:aws-cn:events:cn-north/);
    }
  });

  it("refuses a malformed account and a wildcard in the trust", async () => {
    await startMocks();
    expect(() => new ManagementAccess("g", { ...managementArgs, managementAccountId: "1" })).to.throw(
      'managementAccountId is "1"',
    );
    expect(
      () =>
        new ManagementAccess("g", {
          ...managementArgs,
          trustedRoleArns: ["arn:aws:iam::222222222222:role/*"],
        }),
    ).to.throw("without wildcards");
  });
});
