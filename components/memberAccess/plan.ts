/**
 * What each member account gets, worked out from the requests: the one source for the StackSet's template and for resources made through
 * explicit providers. Pure; texts may hold the two placeholders of `requests.ts`.
 */
import * as util from "node:util";
import {
  type EventForwardingRequest,
  MEMBER_ACCOUNT_ID,
  MEMBER_REGION,
  type MemberStatement,
  memberArn,
  type PolicyRequest,
  type RoleRequest,
} from "./requests";

/** A plain policy document. */
export interface PlannedDocument {
  Version: "2012-10-17";
  Statement: Record<string, unknown>[];
}

/** A role in each account. */
export interface PlannedRole {
  name: string;
  path: string;
  description: string;
  maxSessionDuration: number;
  trust: PlannedDocument;
  /** Name of the inline policy. */
  policyName: string;
  policy: PlannedDocument;
}

/** A managed policy in each account. */
export interface PlannedPolicy {
  name: string;
  path: string;
  description: string;
  document: PlannedDocument;
}

/** A rule on the default bus in each region of each account. */
export interface PlannedRule {
  name: string;
  description: string;
  eventPattern: Record<string, unknown>;
  state: "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
  targets: { id: string; arn: string; roleArn: string }[];
}

/** Everything that each member account gets, in an order that does not depend on the requests'. */
export interface MemberPlan {
  /** Once an account: roles are global. */
  roles: PlannedRole[];
  /** Once an account. */
  policies: PlannedPolicy[];
  /**
   * In each member region, if there are rules: the role that they send with. Roles are global, but one for each region, named after it, lets
   * every region's stack stand on its own: in new accounts, StackSets deploy the regions in any order.
   */
  forwarder: PlannedRole | undefined;
  /** In each member region. */
  rules: PlannedRule[];
}

/** What the plan is made from. */
export interface MemberPlanInput {
  /** First part of the names that are chosen here, and path of the roles. */
  namePrefix: string;
  /** The hubs that receive events, both cells' usually. */
  hubs: { id: string; arn: string }[];
  roles: RoleRequest[];
  /** @default none */
  policies?: PolicyRequest[];
  eventForwarding: EventForwardingRequest[];
}

/** Path of the roles in member accounts, with slashes at both ends. */
export function memberRolePath(namePrefix: string): string {
  return `/${namePrefix}/`;
}

/**
 * Name of the role with which EventBridge sends a region's events to the hubs. The hubs' policies let in these names only.
 * @param region a region's name, or `*`
 */
export function eventForwarderRoleName(namePrefix: string, region: string): string {
  return `${namePrefix}-event-forwarder-${region}`;
}

const NAME = /^[A-Za-z][\w-]{0,63}$/;
const FORWARD_SUFFIX = "-forward";

/**
 * Works the plan out.
 * @throws Error when a request is malformed or two requests of one name differ.
 */
export function planMemberAccess(input: MemberPlanInput): MemberPlan {
  const { namePrefix, hubs } = input;
  const roles = unique("roles", input.roles).map((request) => planRole(request, namePrefix));
  const policies = unique("policies", input.policies ?? []).map((request) => planPolicy(request, namePrefix));
  const rules = unique("eventForwarding", input.eventForwarding).map((request) =>
    planRule(request, namePrefix, hubs),
  );
  const clash = roles.find((role) => role.name.startsWith(eventForwarderRoleName(namePrefix, "")));
  if (clash) throw new Error(`roles: "${clash.name}" is a name for roles that forward events: use another`);
  const forwarder = rules.length > 0 ? eventForwarder(namePrefix, hubs) : undefined;
  return { roles, policies, forwarder, rules };
}

/**
 * Sorted by name, with requests that several components make alike taken once.
 */
function unique<Request extends { name: string }>(argument: string, requests: Request[]): Request[] {
  const byName = new Map<string, Request>();
  for (const request of requests) {
    const other = byName.get(request.name);
    if (other && !util.isDeepStrictEqual(other, request)) {
      throw new Error(
        `${argument}: two different requests are named "${request.name}": give each a name of its own`,
      );
    }
    byName.set(request.name, request);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The role for a request. */
export function planRole(request: RoleRequest, namePrefix: string): PlannedRole {
  const where = `roles: "${request.name}"`;
  const { path = memberRolePath(namePrefix), maxSessionDuration = 3600 } = request;
  if (!NAME.test(request.name)) {
    throw new Error(`${where}: a name is a letter, then at most 63 letters, digits, _ and -`);
  }
  if (!/^\/([\w.-]+\/)*$/.test(path)) {
    throw new Error(`${where}: path is "${path}": it begins and ends with a slash, such as /bulkhead/`);
  }
  if (!Number.isInteger(maxSessionDuration) || maxSessionDuration < 3600 || maxSessionDuration > 43200) {
    throw new Error(`${where}: maxSessionDuration is ${maxSessionDuration}: 3600 to 43200 seconds`);
  }
  if (request.statements.length === 0) throw new Error(`${where}: statements is empty: say what it may do`);
  return {
    name: request.name,
    path,
    description: request.description,
    maxSessionDuration,
    trust: document([
      roleTrustStatement(request.trustedRoleArns, request.externalId, where, request.requireSourceIdentity),
    ]),
    policyName: "access",
    policy: document(request.statements.map((statement, index) => planStatement(statement, index, where))),
  };
}

/** The managed policy for a request. */
export function planPolicy(request: PolicyRequest, namePrefix: string): PlannedPolicy {
  const where = `policies: "${request.name}"`;
  if (!NAME.test(request.name)) {
    throw new Error(`${where}: a name is a letter, then at most 63 letters, digits, _ and -`);
  }
  if (request.statements.length === 0) throw new Error(`${where}: statements is empty: say what it allows`);
  return {
    name: request.name,
    path: memberRolePath(namePrefix),
    description: request.description,
    document: document(request.statements.map((statement, index) => planStatement(statement, index, where))),
  };
}

function planStatement(statement: MemberStatement, index: number, where: string): Record<string, unknown> {
  const { Sid, Effect, Action, Resource, Condition } = statement;
  const part = `${where}: statements[${index}]`;
  if (Effect !== "Allow" && Effect !== "Deny")
    throw new Error(`${part}.Effect is "${Effect}": Allow or Deny`);
  if (Action.length === 0) throw new Error(`${part}.Action is empty`);
  if (Resource.length === 0) throw new Error(`${part}.Resource is empty`);
  return { ...(Sid && { Sid }), Effect, Action, Resource, ...(Condition && { Condition }) };
}

/**
 * The trust in roles of another account. The account as such is the principal and the roles stand in the condition: IAM refuses a
 * principal that does not exist yet (fact 37), and replaces one that is deleted by its internal id, so that a role made anew under the same
 * name is locked out. The condition holds by name, and no other role meets it.
 *
 * @param where begins the error messages
 * @param requireSourceIdentity whether whoever assumes the role has to give a source identity
 * @throws Error when an ARN is not a role's or has a wildcard.
 */
export function roleTrustStatement(
  trustedRoleArns: string[],
  externalId: string | undefined,
  where: string,
  requireSourceIdentity = false,
): Record<string, unknown> {
  if (trustedRoleArns.length === 0)
    throw new Error(`${where}: trustedRoleArns is empty: name who may assume it`);
  const accounts = new Set<string>();
  for (const roleArn of trustedRoleArns) {
    const match = /^(arn:[a-z-]+:iam::\d{12}:)role\/[\w+=,.@/-]+$/.exec(roleArn);
    if (!match)
      throw new Error(`${where}: trustedRoleArns has "${roleArn}": a role's whole ARN, without wildcards`);
    accounts.add(`${match[1]}root`);
  }
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw new Error(`${where}: externalId has 2 to 1224 letters, digits and + = , . @ : / _ -`);
  }
  return {
    Effect: "Allow",
    Principal: { AWS: [...accounts].sort() },
    Action: requireSourceIdentity ? ["sts:AssumeRole", "sts:SetSourceIdentity"] : "sts:AssumeRole",
    Condition: {
      StringEquals: {
        "aws:PrincipalArn": [...new Set(trustedRoleArns)].sort(),
        ...(externalId !== undefined && { "sts:ExternalId": externalId }),
      },
      // Absent, it matches no pattern: so it has to be there.
      ...(requireSourceIdentity && { StringLike: { "sts:SourceIdentity": "*" } }),
    },
  };
}

/** The rule for a request. */
export function planRule(
  request: EventForwardingRequest,
  namePrefix: string,
  hubs: MemberPlanInput["hubs"],
): PlannedRule {
  const where = `eventForwarding: "${request.name}"`;
  const name = `${request.name}${FORWARD_SUFFIX}`;
  if (!NAME.test(name) || !name.startsWith(`${namePrefix}-`)) {
    throw new Error(
      `${where}: a name begins with "${namePrefix}-" and has at most ${64 - FORWARD_SUFFIX.length} letters, digits, _ and -`,
    );
  }
  if (Object.keys(request.eventPattern).length === 0) throw new Error(`${where}: eventPattern is empty`);
  if (hubs.length === 0) throw new Error(`${where}: there is no hub to forward to`);
  const roleArn = memberArn({
    service: "iam",
    resource: `role${memberRolePath(namePrefix)}${eventForwarderRoleName(namePrefix, MEMBER_REGION)}`,
  });
  return {
    name,
    description: `Sends events to Bulkhead's hubs: ${request.name}`,
    eventPattern: request.eventPattern,
    state: request.allManagementEvents ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED",
    // Each hub directly: a received event is not forwarded again. A bus in another account needs a role (fact 24).
    targets: hubs.map((hub) => ({ ...hub, roleArn })),
  };
}

/** The role with which the rules of one account and region send. */
export function eventForwarder(namePrefix: string, hubs: MemberPlanInput["hubs"]): PlannedRole {
  const rules = memberArn({ service: "events", region: MEMBER_REGION, resource: `rule/${namePrefix}-*` });
  return {
    name: eventForwarderRoleName(namePrefix, MEMBER_REGION),
    path: memberRolePath(namePrefix),
    description: "Lets EventBridge send events to Bulkhead's hubs",
    maxSessionDuration: 3600,
    trust: document([
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: { "aws:SourceAccount": MEMBER_ACCOUNT_ID },
          ArnLike: { "aws:SourceArn": rules },
        },
      },
    ]),
    policyName: "send-to-hubs",
    policy: document([
      {
        Sid: "SendToHubs",
        Effect: "Allow",
        Action: ["events:PutEvents"],
        Resource: hubs.map((hub) => hub.arn),
      },
    ]),
  };
}

function document(statements: Record<string, unknown>[]): PlannedDocument {
  return { Version: "2012-10-17", Statement: statements };
}
