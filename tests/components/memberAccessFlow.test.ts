/** What MemberAccess gives the member accounts, carried out by a StackSet of the local organization. */
import {
  CloudFormationClient,
  CreateStackInstancesCommand,
  CreateStackSetCommand,
  DescribeStackSetOperationCommand,
} from "@aws-sdk/client-cloudformation";
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateRoleCommand,
  CreateUserCommand,
  GetRoleCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { eventHubArn, eventHubStatements } from "../../components/memberAccess/eventHub";
import { planMemberAccess } from "../../components/memberAccess/plan";
import { memberArn } from "../../components/memberAccess/requests";
import { HOME_REGION_PARAMETER, memberTemplate } from "../../components/memberAccess/template";
import { type Cell, normalizeCell } from "../../components/regional/cell";
import type { LocalAws } from "../../local/aws/launch";
import { createOrganization } from "../../local/aws/organization";
import {
  type Credentials,
  createQueue,
  EAST,
  type Event,
  failure,
  iamClient,
  launch,
  receiveAll,
  rootOf,
  SECURITY,
  settings,
  stsClient,
  WEST,
  waitFor,
} from "../localAws/support";

const MEMBER = "333333333333";
const cells = [
  { name: "prod", region: EAST },
  { name: "dr", region: WEST },
].map((cell) => normalizeCell({ ...cell, accountId: SECURITY }));
const trusted = `arn:aws:iam::${SECURITY}:role/bulkhead/bulkhead-reader-prod`;

describe("member access on the local AWS", () => {
  let aws: LocalAws;

  before(async () => {
    aws = await launch();
    const organization = await createOrganization(aws);
    for (const cell of cells) await makeHub(cell, organization.organizationId);
    const templateBody = memberTemplate(
      planMemberAccess({
        namePrefix: "bulkhead",
        hubs: cells.map((cell) => ({ id: cell.name, arn: eventHubArn(cell) })),
        roles: [
          {
            name: "bulkhead-reader-member",
            description: "Reads",
            trustedRoleArns: [trusted],
            externalId: "bulkhead",
            statements: [
              {
                Effect: "Allow",
                Action: ["iam:GetRole"],
                Resource: [memberArn({ service: "iam", resource: "role/bulkhead/*" })],
              },
            ],
          },
        ],
        eventForwarding: [
          {
            name: "bulkhead-users",
            eventPattern: { source: ["aws.iam"], detail: { eventName: ["CreateUser"], readOnly: [false] } },
          },
        ],
      }),
    );
    const client = new CloudFormationClient(settings(aws, organization.deployer));
    const stackSet = { StackSetName: "bulkhead-member-access", CallAs: "DELEGATED_ADMIN" as const };
    await client.send(
      new CreateStackSetCommand({
        ...stackSet,
        PermissionModel: "SERVICE_MANAGED",
        AutoDeployment: { Enabled: true, RetainStacksOnAccountRemoval: false },
        ManagedExecution: { Active: true },
        Capabilities: ["CAPABILITY_NAMED_IAM"],
        TemplateBody: templateBody,
        Parameters: [{ ParameterKey: HOME_REGION_PARAMETER, ParameterValue: EAST }],
      }),
    );
    for (const region of [EAST, WEST]) {
      const { OperationId } = await client.send(
        new CreateStackInstancesCommand({
          ...stackSet,
          DeploymentTargets: { OrganizationalUnitIds: [organization.unitIds.Workloads] },
          Regions: [region],
        }),
      );
      const status = await waitFor(async () => {
        const { StackSetOperation } = await client.send(
          new DescribeStackSetOperationCommand({ ...stackSet, OperationId }),
        );
        const now = StackSetOperation!.Status!;
        return ["SUCCEEDED", "FAILED", "STOPPED"].includes(now) ? now : undefined;
      });
      expect(status).to.equal("SUCCEEDED");
    }
  });
  after(() => aws?.stop());

  const queues: Record<string, { sqs: SQSClient; queueUrl: string }> = {};

  async function makeHub(cell: Cell, organizationId: string) {
    const { region } = cell;
    const events = new EventBridgeClient(settings(aws, rootOf(SECURITY), region));
    await events.send(new CreateEventBusCommand({ Name: "bulkhead-hub" }));
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: eventHubStatements(cell, organizationId),
    });
    await events.send(new PutPermissionCommand({ EventBusName: "bulkhead-hub", Policy }));
    const sqs = new SQSClient(settings(aws, rootOf(SECURITY), region));
    const { queueUrl, queueArn } = await createQueue(sqs, "hub", "events.amazonaws.com");
    queues[region] = { sqs, queueUrl };
    const rule = { EventBusName: "bulkhead-hub" };
    await events.send(
      new PutRuleCommand({ ...rule, Name: "all", EventPattern: JSON.stringify({ account: [MEMBER] }) }),
    );
    await events.send(
      new PutTargetsCommand({ ...rule, Rule: "all", Targets: [{ Id: "queue", Arn: queueArn }] }),
    );
  }

  it("makes the roles once and a forwarding role for each region", async () => {
    const { Roles = [] } = await iamClient(aws, rootOf(MEMBER)).send(
      new ListRolesCommand({ PathPrefix: "/bulkhead/" }),
    );
    expect(Roles.map((role) => role.RoleName).sort()).to.deep.equal([
      "bulkhead-event-forwarder-us-east-1",
      "bulkhead-event-forwarder-us-west-2",
      "bulkhead-reader-member",
    ]);
  });

  it("lets the trusted role in although it was made later, with the external id, and no other role", async () => {
    const session = async (name: string, path: string): Promise<Credentials> => {
      const root = iamClient(aws, rootOf(SECURITY));
      const { Role } = await root.send(
        new CreateRoleCommand({
          RoleName: name,
          Path: path,
          AssumeRolePolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { AWS: `arn:aws:iam::${SECURITY}:root` },
                Action: "sts:AssumeRole",
              },
            ],
          }),
        }),
      );
      await root.send(
        new PutRolePolicyCommand({
          RoleName: name,
          PolicyName: "assume",
          PolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
          }),
        }),
      );
      return assume(rootOf(SECURITY), Role!.Arn!);
    };
    const assume = async (
      credentials: Credentials,
      RoleArn: string,
      ExternalId?: string,
    ): Promise<Credentials> => {
      const { Credentials: given } = await stsClient(aws, credentials).send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName: "test", ExternalId }),
      );
      return {
        accessKeyId: given!.AccessKeyId!,
        secretAccessKey: given!.SecretAccessKey!,
        sessionToken: given!.SessionToken!,
      };
    };
    const member = `arn:aws:iam::${MEMBER}:role/bulkhead/bulkhead-reader-member`;
    const reader = await session("bulkhead-reader-prod", "/bulkhead/");
    const inside = await assume(reader, member, "bulkhead");
    const { Account } = await stsClient(aws, inside).send(new GetCallerIdentityCommand({}));
    expect(Account).to.equal(MEMBER);
    const iam = iamClient(aws, inside);
    await iam.send(new GetRoleCommand({ RoleName: "bulkhead-reader-member" }));
    expect((await failure(iam.send(new CreateUserCommand({ UserName: "no" })))).name).to.match(
      /AccessDenied/,
    );

    expect((await failure(assume(reader, member))).name).to.match(/AccessDenied/);
    expect((await failure(assume(reader, member, "other"))).name).to.match(/AccessDenied/);
    const other = await session("bulkhead-reader-prod2", "/bulkhead/");
    expect((await failure(assume(other, member, "bulkhead"))).name).to.match(/AccessDenied/);
  });

  it("sends an account's events to both hubs directly", async () => {
    await iamClient(aws, rootOf(MEMBER)).send(new CreateUserCommand({ UserName: "someone" }));
    for (const region of [EAST, WEST]) {
      const { sqs, queueUrl } = queues[region]!;
      const event = await waitFor(async () => {
        const events = (await receiveAll(sqs, queueUrl)).map((text) => JSON.parse(text) as Event);
        return events.find(({ detail }) => detail.requestParameters?.userName === "someone");
      });
      expect(event).to.deep.include({ account: MEMBER, source: "aws.iam", region: EAST });
    }
  });
});
