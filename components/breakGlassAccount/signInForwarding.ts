import * as pulumi from "@pulumi/pulumi";
import { type PeerArgs, peerOf } from "../activation/peer";
import { createPlannedRole, createPlannedRule } from "../memberAccess/accountResources";
import { eventHubArn } from "../memberAccess/eventHub";
import {
  eventForwarder,
  eventForwarderRoleName,
  memberRolePath,
  type PlannedRule,
} from "../memberAccess/plan";
import { type Cell, type CellArgs, cellArn, cellIamArn, normalizeCell, regionalName } from "../regional/cell";
import { isRegionName, partitionOf } from "../regional/partition";
import { checkEmergencyUserNames, DEFAULT_EMERGENCY_PATH, type EmergencyUserNames } from "./emergencyUsers";
import { relayedPatterns, ruleState, watchNames } from "./eventPatterns";

/** Arguments of {@link SignInForwarding}. */
export interface SignInForwardingArgs {
  /**
   * Required. The cell that owns what is organization-wide, `prod`; it receives the events.
   * @example { name: "prod", region: "us-east-1", accountId: "222222222222" }
   */
  cell: CellArgs;
  /**
   * The other cell, which receives them as well.
   * @default none: they go to the one cell only
   * @example { name: "dr", region: "us-west-2" }
   */
  peer?: PeerArgs;
  /**
   * Required. The region that is watched: that of the provider in the options. In a cell's own region, which that cell watches itself, it is the
   * other cell that is told.
   * @example "us-east-2"
   */
  region: string;
  /**
   * Required. Names of the emergency users, at least two.
   * @example ["breakglass-admin-1", "breakglass-admin-2"]
   */
  userNames: string[];
  /**
   * IAM path of the users.
   * @default "/break-glass/"
   * @example "/emergency/"
   */
  path?: string;
  /**
   * Account that the users live in, 12 digits.
   * @default the cell's account
   * @example "111111111111"
   */
  userAccountId?: string;
  /**
   * Whether the events go to the cells' hubs, where the members' arrive, too. Without an organization there are none, and they go to the default
   * buses of the cells' regions.
   * @default false
   * @example true
   */
  toHubs?: boolean;
}

/** What is sent on from a region, and its rules' names: apart from those that MemberAccess makes, if it covers this account as well. */
const RULE_SUFFIX = "-relay";
const OWN_ACCOUNT = "own";

/**
 * Tells the cells what is recorded in a region in which they do not stand. Where a sign-in is recorded is for the browser to decide: at the global address in us-east-2, for
 * example, and at a region's own address in that region (fact 17); IAM's events come in the region of its control plane only (fact 16). Rules
 * there send what the monitors watch to both cells' buses, each directly, since a received event is not sent on again (fact 24). One for each
 * region of `signInRegions`, each further region in use, and each cell's own region, so that either cell tells of every use, wherever it is.
 *
 * Nothing else than rules and a role stands there: what they could not deliver for 24 hours is lost, and the trails still have it.
 *
 * @throws Error when region is of another partition or that of the only cell, or another argument is malformed.
 * @example
 * new SignInForwarding(
 *   "signin-us-east-2",
 *   { cell, peer: { name: "dr", region: "us-west-2" }, region: "us-east-2", userNames },
 *   { provider: new RegionalProvider("signin-us-east-2", { cell, region: "us-east-2" }) },
 * );
 */
export class SignInForwarding extends pulumi.ComponentResource {
  /** Names of the event rules. */
  readonly ruleNames: pulumi.Output<string[]>;

  constructor(name: string, args: SignInForwardingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bulkhead:index:SignInForwarding", name, {}, opts);
    const cell = normalizeCell(args.cell);
    const cells = [cell, ...(args.peer ? [peerOf(cell, args.peer)] : [])];
    const { region } = args;
    if (!isRegionName(region) || partitionOf(region) !== cell.partition) {
      throw new Error(`region is "${region}": the name of a region in partition ${cell.partition}`);
    }
    const told = cells.filter((one) => one.region !== region);
    if (told.length === 0) {
      throw new Error(
        `region is "${region}", in which the only cell stands: its monitor watches there already`,
      );
    }
    const users: EmergencyUserNames = {
      userNames: args.userNames,
      path: args.path ?? DEFAULT_EMERGENCY_PATH,
      accountId: args.userAccountId ?? cell.accountId,
    };
    checkEmergencyUserNames(users);

    const buses = told.map((one) => ({ id: one.name, arn: busArn(one, args.toHubs ?? false) }));
    const roleName = eventForwarderRoleName(cell.namePrefix, `${OWN_ACCOUNT}-${region}`);
    const roleArn = cellIamArn(cell, `role${memberRolePath(cell.namePrefix)}${roleName}`);
    const rules = relayedPatterns(watchNames(cell, users), region, cells).map(
      (pattern): PlannedRule => ({
        name: `${regionalName(cell, pattern.name)}${RULE_SUFFIX}`,
        description: `Sends events to Bulkhead's cells: ${pattern.name}`,
        eventPattern: pattern.eventPattern,
        state: ruleState(pattern),
        targets: buses.map((bus) => ({ ...bus, roleArn })),
      }),
    );

    const where = { accountId: cell.accountId, region };
    const role = { ...eventForwarder(cell.namePrefix, buses), name: roleName };
    const forwarder = createPlannedRole(`${name}-forwarder`, role, where, this);
    for (const rule of rules) {
      createPlannedRule(
        `${name}-${rule.name.slice(cell.namePrefix.length + 1)}`,
        rule,
        where,
        this,
        forwarder,
      );
    }

    this.ruleNames = pulumi.output(rules.map((rule) => rule.name));
    this.registerOutputs({ ruleNames: this.ruleNames });
  }
}

function busArn(cell: Cell, toHubs: boolean): string {
  return toHubs ? eventHubArn(cell) : cellArn(cell, "events", "event-bus/default");
}
