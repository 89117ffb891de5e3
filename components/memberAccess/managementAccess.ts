import * as pulumi from "@pulumi/pulumi";
import { type PeerArgs, peerOf } from "../activation/peer";
import { type Cell, type CellArgs, normalizeCell, regionalName } from "../regional/cell";
import { organizationsControlPlaneRegion } from "../regional/partition";
import { createPlannedRole, createPlannedRule } from "./accountResources";
import { eventHubArn } from "./eventHub";
import { organizationReaderRoleArn, organizationReaderRoleName } from "./organizationReader";
import { eventForwarder, type MemberPlanInput, planRole, planRule } from "./plan";
import type { EventForwardingRequest, RoleRequest } from "./requests";

/** Arguments of {@link ManagementAccess}. */
export interface ManagementAccessArgs {
  /**
   * Required. The cell that owns what is organization-wide, `prod`. Its hub receives the organization's events.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * The other cell, whose hub receives the organization's events as well.
   * @default none: they go to the one hub only
   * @example { name: "dr", region: "us-west-2" }
   */
  peer?: PeerArgs;
  /**
   * Required. Id of the organization's management account, 12 digits: the account of the provider that is given in the options.
   * @example "111111111111"
   */
  managementAccountId: string;
  /**
   * Required. ARNs of the roles that may read the organization, each whole and without wildcards. They need not exist yet.
   * @example [functionRoleArn(prod, "breakglass-steward"), functionRoleArn(dr, "breakglass-steward")]
   */
  trustedRoleArns: string[];
  /**
   * The external id that has to be given when the reader role is assumed.
   * @default none
   * @example "bulkhead-4f1c"
   */
  externalId?: string;
}

/** All that is needed to know the organization's accounts, units, tags and policies. None of it changes anything. */
const READ_ORGANIZATION = [
  "organizations:DescribeAccount",
  "organizations:DescribeEffectivePolicy",
  "organizations:DescribeOrganization",
  "organizations:DescribeOrganizationalUnit",
  "organizations:DescribePolicy",
  "organizations:ListAccounts",
  "organizations:ListAccountsForParent",
  "organizations:ListChildren",
  "organizations:ListOrganizationalUnitsForParent",
  "organizations:ListParents",
  "organizations:ListPolicies",
  "organizations:ListPoliciesForTarget",
  "organizations:ListRoots",
  "organizations:ListTagsForResource",
  "organizations:ListTargetsForPolicy",
];

/** What changes which account is where, and what holds for it. */
const ORGANIZATION_EVENTS = [
  "AcceptHandshake",
  "AttachPolicy",
  "CloseAccount",
  "CloseAccountResult",
  "CreateAccount",
  "CreateAccountResult",
  "CreateGovCloudAccount",
  "CreateOrganizationalUnit",
  "CreatePolicy",
  "DeleteOrganizationalUnit",
  "DeletePolicy",
  "DetachPolicy",
  "DisablePolicyType",
  "EnablePolicyType",
  "LeaveOrganization",
  "MoveAccount",
  "RemoveAccountFromOrganization",
  "TagResource",
  "UntagResource",
  "UpdateOrganizationalUnit",
  "UpdatePolicy",
];

/** The reader role as a request. */
export function organizationReaderRequest(
  cell: Cell,
  trustedRoleArns: string[],
  externalId?: string,
): RoleRequest {
  return {
    name: organizationReaderRoleName(cell.namePrefix),
    description: "Lets Bulkhead read the organization's accounts, units, tags and policies",
    trustedRoleArns,
    ...(externalId !== undefined && { externalId }),
    // Most of these actions know no resources.
    statements: [{ Sid: "ReadOrganization", Effect: "Allow", Action: READ_ORGANIZATION, Resource: ["*"] }],
  };
}

/**
 * The organization's events as a request. `detail-type` is left out: API calls and results of CloudTrail's service events, such as
 * CreateAccountResult, have different ones.
 */
export function organizationEventsRequest(cell: Cell): EventForwardingRequest {
  return {
    name: regionalName(cell, "organization-events"),
    eventPattern: {
      source: ["aws.organizations"],
      detail: { eventSource: ["organizations.amazonaws.com"], eventName: ORGANIZATION_EVENTS },
    },
  };
}

/**
 * What the management account gets, which StackSets do not reach: a role with which Bulkhead's functions read the organization, and a rule
 * that sends the organization's events to both hubs. These events exist only in the region of the Organizations control plane (fact 16),
 * which is not IAM's in China (fact 9): the provider in the options has to be of the management account and of that region.
 *
 * Deploy the other cell first: EventBridge looks at the hubs' policies when the rule gets its targets.
 *
 * @throws Error when an argument is malformed.
 * @example
 * new ManagementAccess(
 *   "prod-management",
 *   { cell, peer, managementAccountId: "111111111111", trustedRoleArns: [functionRoleArn(prod, "steward"), functionRoleArn(dr, "steward")] },
 *   { provider: new RegionalProvider("management", { cell, accountId, assumeRoleArn, region: organizationsControlPlaneRegion("aws") }) },
 * );
 */
export class ManagementAccess extends pulumi.ComponentResource {
  /** ARN of the role that reads the organization. */
  readonly organizationReaderRoleArn: pulumi.Output<string>;

  constructor(name: string, args: ManagementAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:ManagementAccess", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const { managementAccountId } = args;
    if (!/^\d{12}$/.test(managementAccountId)) {
      throw new Error(`managementAccountId is "${managementAccountId}": an account id of 12 digits`);
    }
    const hubs: MemberPlanInput["hubs"] = (args.peer ? [cell, peerOf(cell, args.peer)] : [cell]).map(
      (hub) => ({
        id: hub.name,
        arn: eventHubArn(hub),
      }),
    );
    const { namePrefix } = cell;
    const reader = planRole(
      organizationReaderRequest(cell, args.trustedRoleArns, args.externalId),
      namePrefix,
    );
    const rule = planRule(organizationEventsRequest(cell), namePrefix, hubs);

    const where = { accountId: managementAccountId, region: organizationsControlPlaneRegion(cell.partition) };
    createPlannedRole(`${name}-organization-reader`, reader, where, this);
    const forwarder = createPlannedRole(
      `${name}-event-forwarder`,
      eventForwarder(namePrefix, hubs),
      where,
      this,
    );
    createPlannedRule(`${name}-organization-events`, rule, where, this, forwarder);

    this.organizationReaderRoleArn = pulumi.output(organizationReaderRoleArn(cell, managementAccountId));
    this.registerOutputs({ organizationReaderRoleArn: this.organizationReaderRoleArn });
  }
}
