import {
  CloudFormationClient,
  CreateStackInstancesCommand,
  type CreateStackInstancesCommandInput,
  CreateStackSetCommand,
  DeleteStackInstancesCommand,
  DeleteStackSetCommand,
  DescribeStackInstanceCommand,
  DescribeStackSetCommand,
  DescribeStackSetOperationCommand,
  ListStackInstancesCommand,
  ListStackSetOperationsCommand,
  UpdateStackSetCommand,
} from "@aws-sdk/client-cloudformation";
import { DescribeRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  CreateUserCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListUsersCommand,
} from "@aws-sdk/client-iam";
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreatePolicyCommand,
  DescribeOrganizationCommand,
  ListAccountsCommand,
  ListChildrenCommand,
  ListDelegatedAdministratorsCommand,
  MoveAccountCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import type { LocalAws } from "../../local/aws/launch";
import {
  ACCESS_ROLE,
  createOrganization,
  type LocalOrganization,
  MANAGEMENT_ACCOUNT,
  SECURITY_ACCOUNT,
} from "../../local/aws/organization";
import {
  type Credentials,
  EAST,
  failure,
  iamClient,
  launch,
  rootOf,
  settings,
  WEST,
  waitFor,
} from "./support";

const SHOP = "333333333333";
const BILLING = "444444444444";
const PLAYGROUND = "555555555555";

const TEMPLATE = JSON.stringify({
  Parameters: { Hub: { Type: "String" }, Home: { Type: "String", Default: EAST } },
  Conditions: { IsHome: { "Fn::Equals": [{ Ref: "AWS::Region" }, { Ref: "Home" }] } },
  Resources: {
    Forwarder: {
      Type: "AWS::IAM::Role",
      Condition: "IsHome",
      Properties: {
        RoleName: "member-forwarder",
        Path: "/bulkhead/",
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" },
          ],
        },
        Policies: [
          {
            PolicyName: "put",
            PolicyDocument: {
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Action: "events:PutEvents", Resource: { Ref: "Hub" } }],
            },
          },
        ],
      },
    },
    Rule: {
      Type: "AWS::Events::Rule",
      Properties: {
        Name: "member-rule",
        State: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        EventPattern: { source: ["aws.iam"] },
        Targets: [
          {
            Id: "hub",
            Arn: { Ref: "Hub" },
            RoleArn: {
              "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/bulkhead/member-forwarder",
            },
          },
        ],
      },
    },
  },
});

describe("local AWS: organization", () => {
  let aws: LocalAws;
  let organization: LocalOrganization;
  let management: OrganizationsClient;

  before(async () => {
    aws = await launch();
    organization = await createOrganization(aws);
    management = new OrganizationsClient(settings(aws, rootOf(MANAGEMENT_ACCOUNT)));
  });
  after(() => aws?.stop());

  async function assume(RoleArn: string, credentials: Credentials = organization.deployer) {
    const sts = new STSClient(settings(aws, credentials));
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }),
    );
    return {
      accessKeyId: given!.AccessKeyId!,
      secretAccessKey: given!.SecretAccessKey!,
      sessionToken: given!.SessionToken!,
    };
  }

  it("has its accounts in their units, and a deployer who gets into each", async () => {
    const { Accounts } = await management.send(new ListAccountsCommand({}));
    expect(Accounts!.map((account) => account.Id)).to.have.members([
      MANAGEMENT_ACCOUNT,
      SECURITY_ACCOUNT,
      SHOP,
      BILLING,
      PLAYGROUND,
    ]);
    const workloads = await management.send(
      new ListChildrenCommand({ ParentId: organization.unitIds.Workloads, ChildType: "ACCOUNT" }),
    );
    expect(workloads.Children!.map((child) => child.Id)).to.have.members([SHOP, BILLING]);
    for (const account of [MANAGEMENT_ACCOUNT, SHOP, BILLING, PLAYGROUND]) {
      const session = await assume(`arn:aws:iam::${account}:role/${ACCESS_ROLE}`);
      await iamClient(aws, session).send(new CreateUserCommand({ UserName: `in-${account}` }));
      const { Users } = await iamClient(aws, rootOf(account)).send(new ListUsersCommand({}));
      expect(Users!.map((user) => user.UserName)).to.include(`in-${account}`);
    }
  });

  it("is seen by members and administrators as AWS lets them", async () => {
    const member = new OrganizationsClient(settings(aws, rootOf(SHOP)));
    const { Organization } = await member.send(new DescribeOrganizationCommand({}));
    expect(Organization!.MasterAccountId).to.equal(MANAGEMENT_ACCOUNT);
    expect((await failure(member.send(new ListAccountsCommand({})))).name).to.equal("AccessDeniedException");
    const security = new OrganizationsClient(settings(aws, organization.deployer));
    expect((await security.send(new ListAccountsCommand({}))).Accounts).to.have.length(5);
    const { DelegatedAdministrators } = await management.send(new ListDelegatedAdministratorsCommand({}));
    expect(DelegatedAdministrators!.map((each) => each.Id)).to.deep.equal([SECURITY_ACCOUNT]);
    const stranger = new OrganizationsClient(settings(aws, rootOf("999999999999")));
    expect((await failure(stranger.send(new ListAccountsCommand({})))).name).to.equal(
      "AWSOrganizationsNotInUseException",
    );
  });

  it("pages its lists", async () => {
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await management.send(new ListAccountsCommand({ MaxResults: 2, NextToken }));
      expect(page.Accounts!.length).to.be.at.most(2);
      seen.push(...page.Accounts!.map((account) => account.Id!));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen.length).to.be.at.least(5);
  });

  it("enforces control policies on members, not on the management account", async () => {
    const { Policy } = await management.send(
      new CreatePolicyCommand({
        Name: "no-users",
        Description: "denies making users",
        Type: "SERVICE_CONTROL_POLICY",
        Content: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Deny", Action: "iam:CreateUser", Resource: "*" }],
        }),
      }),
    );
    await management.send(
      new AttachPolicyCommand({
        PolicyId: Policy!.PolicySummary!.Id,
        TargetId: organization.unitIds.Sandbox,
      }),
    );
    const inside = iamClient(aws, await assume(`arn:aws:iam::${PLAYGROUND}:role/${ACCESS_ROLE}`));
    const denied = await failure(inside.send(new CreateUserCommand({ UserName: "x" })));
    expect(denied.name).to.match(/^AccessDenied/);
    expect(denied.message).to.contain("with an explicit deny in a service control policy");
    const outside = iamClient(aws, await assume(`arn:aws:iam::${SHOP}:role/${ACCESS_ROLE}`));
    await outside.send(new CreateUserCommand({ UserName: "x" }));
  });

  describe("stack sets", () => {
    let cloudFormation: CloudFormationClient;
    const StackSetName = "member-access";
    const CallAs = "DELEGATED_ADMIN";

    before(() => {
      cloudFormation = new CloudFormationClient(settings(aws, organization.deployer));
    });

    async function ended(OperationId: string | undefined): Promise<string> {
      return waitFor(async () => {
        const { StackSetOperation } = await cloudFormation.send(
          new DescribeStackSetOperationCommand({ StackSetName, OperationId, CallAs }),
        );
        const status = StackSetOperation!.Status!;
        return ["SUCCEEDED", "FAILED", "STOPPED"].includes(status) ? status : undefined;
      });
    }

    async function instances() {
      const { Summaries } = await cloudFormation.send(
        new ListStackInstancesCommand({ StackSetName, CallAs }),
      );
      return Summaries!.map(({ Account, Region, Status }) => `${Account} ${Region} ${Status}`).sort();
    }

    const rule = (account: string, region: string) =>
      new EventBridgeClient(settings(aws, rootOf(account), region)).send(
        new DescribeRuleCommand({ Name: "member-rule" }),
      );

    it("deploys to an OU's accounts and regions", async () => {
      await cloudFormation.send(
        new CreateStackSetCommand({
          StackSetName,
          CallAs,
          PermissionModel: "SERVICE_MANAGED",
          AutoDeployment: { Enabled: true, RetainStacksOnAccountRemoval: false },
          Capabilities: ["CAPABILITY_NAMED_IAM"],
          TemplateBody: TEMPLATE,
          Parameters: [
            {
              ParameterKey: "Hub",
              ParameterValue: `arn:aws:events:${EAST}:${SECURITY_ACCOUNT}:event-bus/default`,
            },
          ],
        }),
      );
      const targets: CreateStackInstancesCommandInput = {
        StackSetName,
        CallAs,
        DeploymentTargets: { OrganizationalUnitIds: [organization.unitIds.Workloads] },
        Regions: [EAST, WEST],
      };
      const { OperationId } = await cloudFormation.send(new CreateStackInstancesCommand(targets));
      expect(await ended(OperationId)).to.equal("SUCCEEDED");
      expect(await instances()).to.deep.equal([
        `${SHOP} ${EAST} CURRENT`,
        `${SHOP} ${WEST} CURRENT`,
        `${BILLING} ${EAST} CURRENT`,
        `${BILLING} ${WEST} CURRENT`,
      ]);
      expect((await rule(BILLING, WEST)).State).to.equal("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
      const shop = iamClient(aws, rootOf(SHOP));
      const { Role } = await shop.send(new GetRoleCommand({ RoleName: "member-forwarder" }));
      expect(Role!.Arn).to.equal(`arn:aws:iam::${SHOP}:role/bulkhead/member-forwarder`);
      const { PolicyDocument } = await shop.send(
        new GetRolePolicyCommand({ RoleName: "member-forwarder", PolicyName: "put" }),
      );
      expect(decodeURIComponent(PolicyDocument!)).to.contain(`${SECURITY_ACCOUNT}:event-bus/default`);
      const { StackSet } = await cloudFormation.send(new DescribeStackSetCommand({ StackSetName, CallAs }));
      expect(StackSet!.OrganizationalUnitIds).to.deep.equal([organization.unitIds.Workloads]);
    });

    it("follows accounts that are made in the OU, moved into it and out of it", async () => {
      const { CreateAccountStatus } = await management.send(
        new CreateAccountCommand({ AccountName: "late", Email: "late@example.com" }),
      );
      const late = CreateAccountStatus!.AccountId!;
      await management.send(
        new MoveAccountCommand({
          AccountId: late,
          SourceParentId: organization.rootId,
          DestinationParentId: organization.unitIds.Workloads,
        }),
      );
      await waitFor(async () =>
        (await instances()).filter((each) => each.startsWith(late) && each.endsWith("CURRENT")).length === 2
          ? true
          : undefined,
      );
      expect((await rule(late, WEST)).Name).to.equal("member-rule");
      await management.send(
        new MoveAccountCommand({
          AccountId: late,
          SourceParentId: organization.unitIds.Workloads,
          DestinationParentId: organization.unitIds.Sandbox,
        }),
      );
      await waitFor(async () =>
        (await instances()).some((each) => each.startsWith(late)) ? undefined : true,
      );
      expect((await failure(rule(late, WEST))).name).to.equal("ResourceNotFoundException");
    });

    it("updates every instance, and says which failed", async () => {
      const changed = JSON.parse(TEMPLATE);
      changed.Resources.Rule.Properties.Description = "changed";
      const update = (TemplateBody: string) =>
        cloudFormation.send(
          new UpdateStackSetCommand({
            StackSetName,
            CallAs,
            TemplateBody,
            Capabilities: ["CAPABILITY_NAMED_IAM"],
            Parameters: [{ ParameterKey: "Hub", UsePreviousValue: true }],
          }),
        );
      expect(await ended((await update(JSON.stringify(changed))).OperationId)).to.equal("SUCCEEDED");
      expect((await rule(SHOP, WEST)).Description).to.equal("changed");

      changed.Resources.Rule.Properties.EventPattern = { source: "not a list" };
      expect(await ended((await update(JSON.stringify(changed))).OperationId)).to.equal("FAILED");
      const { StackInstance } = await cloudFormation.send(
        new DescribeStackInstanceCommand({
          StackSetName,
          CallAs,
          StackInstanceAccount: SHOP,
          StackInstanceRegion: EAST,
        }),
      );
      expect(StackInstance!.Status).to.equal("OUTDATED");
      expect(StackInstance!.StatusReason).to.be.a("string").and.not.empty;
      expect(await ended((await update(TEMPLATE)).OperationId)).to.equal("SUCCEEDED");
      const { Summaries } = await cloudFormation.send(
        new ListStackSetOperationsCommand({ StackSetName, CallAs }),
      );
      expect(Summaries!.slice(0, 3).map((each) => each.Status)).to.deep.equal([
        "SUCCEEDED",
        "FAILED",
        "SUCCEEDED",
      ]);
    });

    it("refuses what AWS refuses", async () => {
      expect(
        (await failure(cloudFormation.send(new DeleteStackSetCommand({ StackSetName, CallAs })))).name,
      ).to.equal("StackSetNotEmptyException");
      expect(
        (await failure(cloudFormation.send(new DescribeStackSetCommand({ StackSetName: "absent", CallAs }))))
          .name,
      ).to.equal("StackSetNotFoundException");
      const member = new CloudFormationClient(settings(aws, rootOf(SHOP)));
      const asMember = await failure(
        member.send(
          new CreateStackSetCommand({
            StackSetName: "mine",
            PermissionModel: "SERVICE_MANAGED",
            AutoDeployment: { Enabled: true },
            TemplateBody: TEMPLATE,
          }),
        ),
      );
      expect(asMember.message).to.contain("management account or delegated admin");
      const withoutCapability = await failure(
        cloudFormation.send(
          new CreateStackSetCommand({
            StackSetName: "incapable",
            CallAs,
            PermissionModel: "SERVICE_MANAGED",
            AutoDeployment: { Enabled: false },
            TemplateBody: TEMPLATE,
          }),
        ),
      );
      expect(withoutCapability.name).to.equal("InsufficientCapabilitiesException");
    });

    it("removes the stacks with the instances", async () => {
      const { OperationId } = await cloudFormation.send(
        new DeleteStackInstancesCommand({
          StackSetName,
          CallAs,
          DeploymentTargets: { OrganizationalUnitIds: [organization.unitIds.Workloads] },
          Regions: [EAST, WEST],
          RetainStacks: false,
        }),
      );
      expect(await ended(OperationId)).to.equal("SUCCEEDED");
      expect(await instances()).to.be.empty;
      expect((await failure(rule(SHOP, EAST))).name).to.equal("ResourceNotFoundException");
      await cloudFormation.send(new DeleteStackSetCommand({ StackSetName, CallAs }));
    });

    it("needs its two roles when it manages permissions itself", async () => {
      await cloudFormation.send(
        new CreateStackSetCommand({
          StackSetName: "own",
          TemplateBody: JSON.stringify({ Resources: { Topic: { Type: "AWS::SNS::Topic" } } }),
        }),
      );
      const { OperationId } = await cloudFormation.send(
        new CreateStackInstancesCommand({ StackSetName: "own", Accounts: [SHOP], Regions: [WEST] }),
      );
      const done = await waitFor(async () => {
        const { StackSetOperation } = await cloudFormation.send(
          new DescribeStackSetOperationCommand({ StackSetName: "own", OperationId }),
        );
        return StackSetOperation!.EndTimestamp ? StackSetOperation : undefined;
      });
      expect(done.Status).to.equal("FAILED");
    });
  });

  it("gives new units full access", async () => {
    const { OrganizationalUnit } = await management.send(
      new CreateOrganizationalUnitCommand({ ParentId: organization.unitIds.Workloads, Name: "Nested" }),
    );
    await management.send(
      new MoveAccountCommand({
        AccountId: BILLING,
        SourceParentId: organization.unitIds.Workloads,
        DestinationParentId: OrganizationalUnit!.Id,
      }),
    );
    const inside = iamClient(aws, await assume(`arn:aws:iam::${BILLING}:role/${ACCESS_ROLE}`));
    await inside.send(new CreateUserCommand({ UserName: "nested" }));
  });
});
