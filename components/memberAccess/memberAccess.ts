import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type PeerArgs, peerOf } from "../activation/peer";
import { type Cell, type CellArgs, normalizeCell, regionalName } from "../regional/cell";
import { isRegionName, partitionOf } from "../regional/partition";
import { createPlannedPolicy, createPlannedRole, createPlannedRule } from "./accountResources";
import { eventHubArn } from "./eventHub";
import { type MemberPlan, planMemberAccess } from "./plan";
import type { EventForwardingRequest, PolicyRequest, RoleRequest } from "./requests";
import { HOME_REGION_PARAMETER, memberTemplate } from "./template";

/** What member accounts are to have, however it gets there. */
export interface MemberRequestsArgs {
  /**
   * Required. The cell that owns what is organization-wide, `prod`. Its hub receives the events.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * The other cell, whose hub receives the events as well, directly (fact 24). It may not exist yet.
   * @default none: events go to the one hub only
   * @example { name: "dr", region: "us-west-2" }
   */
  peer?: PeerArgs;
  /**
   * The region in which each account's roles are made; one of the member regions. Roles are global: this says only which region's stack or
   * provider they belong to.
   * @default the cell's region
   * @example "us-east-1"
   */
  homeRegion?: string;
  /**
   * The regions from which events are forwarded: every region in use, IAM's control-plane region and those where sign-ins are recorded
   * (facts 16 and 17).
   * @default the home region
   * @example ["us-east-1", "us-east-2", "us-west-2"]
   */
  memberRegions?: string[];
  /**
   * The roles that components ask for.
   * @default none
   * @example [{ name: "bulkhead-key-rotator", description, trustedRoleArns: [functionRoleArn(prod, "key-rotation")], statements }]
   */
  roles?: RoleRequest[];
  /**
   * The managed policies that components ask for.
   * @default none
   * @example approvalPolicyRequests({ cell, peer, directory })
   */
  policies?: PolicyRequest[];
  /**
   * The events that components ask for.
   * @default none
   * @example monitorForwardingRequests(cell, users)
   */
  eventForwarding?: EventForwardingRequest[];
}

/** Arguments of {@link MemberAccess}. */
export interface MemberAccessArgs extends MemberRequestsArgs {
  /**
   * Required. Ids of the organizational units whose accounts get it, units below them included; or the root's. The management account is
   * not reached by StackSets, wherever it is.
   * @example ["ou-ab12-workload"]
   */
  organizationalUnitIds: string[];
  /**
   * As whom CloudFormation is called: `DELEGATED_ADMIN` from a member account that is registered as delegated administrator for StackSets,
   * `SELF` from the management account, with a provider of that account.
   * @default "DELEGATED_ADMIN"
   * @example "SELF"
   */
  callAs?: string;
  /**
   * Whether an account keeps its roles and rules when it leaves the units.
   * @default false
   * @example true
   */
  retainStacksOnAccountRemoval?: boolean;
  /**
   * Part of the accounts, in per cent for each region, in which a change may fail before it stops.
   * @default 10
   * @example 0
   */
  failureTolerancePercentage?: number;
  /**
   * Part of the accounts, in per cent, that a change works on at the same time.
   * @default 25
   * @example 100
   */
  maxConcurrentPercentage?: number;
}

/** One account and region for {@link memberAccessByProviders}. */
export interface MemberProvider {
  /** Required. The account's id, 12 digits. */
  accountId: string;
  /** Required. The provider's region. */
  region: string;
  /** Required. A provider of that account and region, see RegionalProvider. */
  provider: aws.Provider;
}

interface Normalized {
  cell: Cell;
  homeRegion: string;
  /** The home region first. Without rules, it alone. */
  regions: string[];
  plan: MemberPlan;
}

/** Name of the StackSet. */
export function memberStackSetName(cell: Cell): string {
  return regionalName(cell, "member-access");
}

/**
 * What components ask for in the member accounts, by one StackSet of the organization: existing accounts of the units and, by automatic
 * deployment, every account that comes later. It needs CloudFormation's trusted access to the organization. Where that is not wanted, see
 * {@link memberAccessByProviders}.
 *
 * Deploy the other cell first: EventBridge looks at the hubs' policies when rules get their targets.
 *
 * @throws Error when an argument is malformed, nothing is asked for, or the requests do not fit into one template.
 * @example
 * new MemberAccess(
 *   "prod-members",
 *   { cell, peer, memberRegions, organizationalUnitIds, eventForwarding: monitorForwardingRequests(cell, users) },
 *   { provider },
 * );
 */
export class MemberAccess extends pulumi.ComponentResource {
  /** Name of the StackSet. */
  readonly stackSetName: pulumi.Output<string>;
  /** The regions in which every account has a stack, the home region first. */
  readonly regions: pulumi.Output<string[]>;

  constructor(name: string, args: MemberAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:MemberAccess", name, {}, opts);
    const { cell, homeRegion, regions, plan } = normalizeRequests(args);
    const callAs = args.callAs ?? "DELEGATED_ADMIN";
    if (callAs !== "DELEGATED_ADMIN" && callAs !== "SELF") {
      throw new Error(`callAs is "${callAs}": DELEGATED_ADMIN or SELF`);
    }
    if (args.organizationalUnitIds.length === 0) {
      throw new Error("organizationalUnitIds is empty: name at least one unit, or the root");
    }
    for (const id of args.organizationalUnitIds) {
      if (!/^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$/.test(id)) {
        throw new Error(`organizationalUnitIds has "${id}": an id such as ou-ab12-cdef3456 or r-ab12`);
      }
    }
    const failureTolerancePercentage = percentage(
      "failureTolerancePercentage",
      args.failureTolerancePercentage ?? 10,
      0,
    );
    const maxConcurrentPercentage = percentage(
      "maxConcurrentPercentage",
      args.maxConcurrentPercentage ?? 25,
      1,
    );

    const stackSet = new aws.cloudformation.StackSet(
      `${name}-stack-set`,
      {
        name: memberStackSetName(cell),
        description: "Bulkhead in the member accounts: roles and event forwarding",
        permissionModel: "SERVICE_MANAGED",
        callAs,
        autoDeployment: {
          enabled: true,
          retainStacksOnAccountRemoval: args.retainStacksOnAccountRemoval ?? false,
        },
        // Operations on other accounts or regions run at the same time, those in conflict wait for each other.
        managedExecution: { active: true },
        // For changes of the template. AWS does not apply preferences to automatic deployments, so nothing may rest on an order of regions.
        operationPreferences: {
          failureTolerancePercentage,
          maxConcurrentPercentage,
          regionConcurrencyType: "SEQUENTIAL",
        },
        capabilities: ["CAPABILITY_NAMED_IAM"],
        parameters: { [HOME_REGION_PARAMETER]: homeRegion },
        templateBody: memberTemplate(plan),
      },
      { parent: this },
    );

    // One resource for each unit and region: a change of a resource's units replaces it, so that adding a unit to a common one would take
    // the roles away from all accounts for a while.
    const units = [...new Set(args.organizationalUnitIds)];
    const instances = (region: string, after: pulumi.Resource[]) =>
      units.map(
        (unit) =>
          new aws.cloudformation.StackSetInstance(
            `${name}-${unit}-${region}`,
            {
              stackSetName: stackSet.name,
              stackSetInstanceRegion: region,
              callAs,
              deploymentTargets: { organizationalUnitIds: [unit] },
              operationPreferences: { failureTolerancePercentage, maxConcurrentPercentage },
            },
            { parent: this, dependsOn: after },
          ),
      );
    const home = instances(regions[0]!, []);
    for (const region of regions.slice(1)) instances(region, home);

    this.stackSetName = stackSet.name;
    this.regions = pulumi.output(regions);
    this.registerOutputs({ stackSetName: this.stackSetName, regions: this.regions });
  }
}

/**
 * The same as {@link MemberAccess}, without StackSets: ordinary resources in each account, through a provider for each account and region. For
 * organizations that do not let StackSets in, and accounts outside any organization.
 *
 * @param members for each account, the home region and all other member regions
 * @throws Error when an argument is malformed, nothing is asked for, or an account lacks a region.
 * @example
 * memberAccessByProviders("prod-members", { cell, peer, roles }, [{ accountId: "333333333333", region: "us-east-1", provider }]);
 */
export function memberAccessByProviders(
  name: string,
  args: MemberRequestsArgs,
  members: MemberProvider[],
  opts?: pulumi.ComponentResourceOptions,
): pulumi.ComponentResource {
  const { homeRegion, regions, plan } = normalizeRequests(args);
  const accounts = [...new Set(members.map((member) => member.accountId))];
  if (accounts.length === 0) throw new Error("members is empty: name at least one account");
  const parent = new pulumi.ComponentResource("bulkhead:index:MemberAccessByProviders", name, {}, opts);
  for (const accountId of accounts) {
    if (!/^\d{12}$/.test(accountId))
      throw new Error(`members has account "${accountId}": an id of 12 digits`);
    for (const region of regions) {
      const found = members.filter((member) => member.accountId === accountId && member.region === region);
      if (found.length !== 1) {
        throw new Error(
          `members has ${found.length} providers for account ${accountId} in ${region}: exactly one`,
        );
      }
      const where = found[0]!;
      const base = `${name}-${accountId}`;
      if (region === homeRegion) {
        for (const role of plan.roles) createPlannedRole(`${base}-${role.name}`, role, where, parent);
        for (const policy of plan.policies) {
          createPlannedPolicy(`${base}-${policy.name}`, policy, where, parent);
        }
      }
      if (!plan.forwarder) continue;
      const forwarder = createPlannedRole(`${base}-${region}-event-forwarder`, plan.forwarder, where, parent);
      for (const rule of plan.rules)
        createPlannedRule(`${base}-${region}-${rule.name}`, rule, where, parent, forwarder);
    }
  }
  return parent;
}

function normalizeRequests(args: MemberRequestsArgs): Normalized {
  const cell = normalizeCell(args.cell);
  const homeRegion = args.homeRegion ?? cell.region;
  const memberRegions = args.memberRegions ?? [homeRegion];
  for (const region of memberRegions) {
    if (!isRegionName(region) || partitionOf(region) !== cell.partition) {
      throw new Error(`memberRegions has "${region}": a region of partition ${cell.partition}`);
    }
  }
  if (!memberRegions.includes(homeRegion)) {
    throw new Error(`homeRegion is "${homeRegion}": one of the member regions, ${memberRegions.join(", ")}`);
  }
  const cells = args.peer ? [cell, peerOf(cell, args.peer)] : [cell];
  const plan = planMemberAccess({
    namePrefix: cell.namePrefix,
    hubs: cells.map((hub) => ({ id: hub.name, arn: eventHubArn(hub) })),
    roles: args.roles ?? [],
    policies: args.policies ?? [],
    eventForwarding: args.eventForwarding ?? [],
  });
  if (plan.roles.length + plan.policies.length + plan.rules.length === 0) {
    throw new Error(
      "roles, policies and eventForwarding are empty: nothing is asked for, so leave member access out",
    );
  }
  // Roles alone need one region only.
  const others = plan.rules.length > 0 ? memberRegions.filter((region) => region !== homeRegion) : [];
  return { cell, homeRegion, regions: [homeRegion, ...new Set(others)], plan };
}

function percentage(argument: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 100) return value;
  throw new Error(`${argument} is ${value}: a whole number from ${least} to 100`);
}
