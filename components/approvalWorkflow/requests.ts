/** What approval needs of the member accounts. */
import { TEMPORARY_ROLE_PATH } from "../../functions/approval/execute/temporaryRole";
import { DEFAULT_EVENTS, KNOWN_EVENTS, OPERATIONS } from "../../functions/approval/operations/catalogue";
import type { GrantDefinition, OperationDefinition } from "../../functions/approval/operations/definition";
import { PREVIEW_ACTIONS } from "../../functions/approval/preview/look";
import { SNAPSHOT_ACTIONS } from "../../functions/approval/snapshot/snapshots";
import { type PeerArgs, peerOf } from "../activation/peer";
import {
  type EventForwardingRequest,
  MEMBER_PARTITION,
  type MemberStatement,
  memberArn,
  type PolicyRequest,
  type RoleRequest,
} from "../memberAccess/requests";
import { type Cell, type CellArgs, normalizeCell, regionalName } from "../regional/cell";
import { arn, type Partition } from "../regional/partition";
import { ACCOUNT_ROLES, type AccountRole, accountRoleName, approvalFunctionRoleArns } from "./names";
import { denialPatterns } from "./patterns";

/** What the requests are made from: the same values as the ApprovalWorkflow's own. */
export interface ApprovalAccess {
  /** Required. One of the cells. */
  cell: CellArgs;
  /** Required. The other cell, whose functions may assume the roles, too. */
  peer: PeerArgs;
  /** The events that are watched, by the names of the catalogue. @default those that the catalogue marks so */
  events?: string[];
  /** @default false */
  allowRoleSessions?: boolean;
  /** @default false */
  allowSso?: boolean;
  /** The external id that the functions give when they assume the roles. @default none */
  externalId?: string;
  /** `session` or `role`: how an approved operation is carried out. @default "session" */
  executionMode?: string;
  /** `never` or `data`: whether snapshots are taken before. @default "never" */
  snapshots?: string;
  /** Accounts whose IAM users are looked up before somebody acts. @default [] */
  iamUserAccounts?: string[];
}

/** @throws Error naming an event that is not in the catalogue */
export function watchedEvents(events: readonly string[] = DEFAULT_EVENTS): readonly string[] {
  const unknown = events.find((event) => !KNOWN_EVENTS.includes(event));
  if (unknown !== undefined) {
    throw new Error(`events has "${unknown}": supported are ${KNOWN_EVENTS.join(", ")}`);
  }
  if (events.length === 0) throw new Error("events is empty: name at least one, or leave it out");
  return [...new Set(events)];
}

/**
 * The denied calls of the member accounts, sent to the hubs. A request for {@link MemberAccess}.
 *
 * @throws Error when an event is not in the catalogue
 * @example
 * new MemberAccess("members", { cell, peer, eventForwarding: approvalForwardingRequests({ cell, peer }), ... }, opts);
 */
export function approvalForwardingRequests(access: ApprovalAccess): EventForwardingRequest[] {
  const cell = normalizeCell(access.cell);
  return denialPatterns({
    events: watchedEvents(access.events),
    allowRoleSessions: access.allowRoleSessions ?? false,
    allowSso: access.allowSso ?? false,
  }).map(({ name, eventPattern }) => ({ name: regionalName(cell, name), eventPattern }));
}

/**
 * The roles that approval assumes in each account, the cells' own included: the executor, which can do what the catalogue lists and is only ever
 * assumed with a session policy for one operation; the reader, for previews; with snapshots, the role that takes them; with accounts whose users are
 * looked up, the role that does; with execution mode `role`, the role that makes temporary ones. A request for {@link MemberAccess}.
 *
 * A service control policy that denies the watched calls has to leave out the executor role.
 *
 * @throws Error when an event, the execution mode or the snapshots are none of the allowed values
 * @example
 * new MemberAccess("members", { cell, peer, roles: approvalRoleRequests({ cell, peer }), ... }, opts);
 */
export function approvalRoleRequests(access: ApprovalAccess): RoleRequest[] {
  const cell = normalizeCell(access.cell);
  const cells = [cell, peerOf(cell, access.peer)];
  const mode = access.executionMode ?? "session";
  const role = (
    which: AccountRole,
    trusted: readonly string[],
    parts: Partial<RoleRequest>,
  ): RoleRequest => ({
    name: accountRoleName(cell, which),
    description: "",
    trustedRoleArns: [...trusted],
    maxSessionDuration: 3600,
    statements: [],
    ...(access.externalId !== undefined && { externalId: access.externalId }),
    ...parts,
  });
  const of = (...names: Parameters<typeof approvalFunctionRoleArns>[1][]) =>
    names.flatMap((name) => approvalFunctionRoleArns(cells, name));
  return [
    role("executor", of("approval-work"), {
      description: "Carries out operations that were approved, each by a session for that operation alone",
      requireSourceIdentity: true,
      statements: executorStatements(watchedEvents(access.events)),
    }),
    role("reader", of("approval-intake", "approval-work", "approval-engine", "approval-desk"), {
      description: "Lets Bulkhead show approvers what an operation would do",
      // Reads of state and tags; many of them know no resources.
      statements: [{ Sid: "Look", Effect: "Allow", Action: [...PREVIEW_ACTIONS], Resource: ["*"] }],
    }),
    ...(access.snapshots === undefined || access.snapshots === "never"
      ? []
      : [
          role("snapshot", of("approval-work"), {
            description: "Lets Bulkhead take a snapshot before an approved operation",
            statements: snapshotStatements(),
          }),
        ]),
    ...(access.iamUserAccounts?.length
      ? [
          role("identityReader", of("approval-http"), {
            description: "Lets Bulkhead's pages see whether the user of somebody who acts still exists",
            externalId: undefined,
            statements: [
              {
                Sid: "LookUsersUp",
                Effect: "Allow",
                Action: ["iam:GetUser"],
                Resource: [memberArn({ service: "iam", resource: "user/*" })],
              },
            ],
          }),
        ]
      : []),
    ...(mode === "role"
      ? [
          role("roleManager", of("approval-work", "approval-sweep"), {
            description: "Lets Bulkhead make and delete a role for each approved operation",
            statements: roleManagerStatements(cell),
          }),
        ]
      : []),
  ];
}

/**
 * The boundary of temporary roles, for execution mode `role`; nothing for mode `session`. A request for {@link MemberAccess}.
 *
 * @throws Error when an event is not in the catalogue
 * @example
 * new MemberAccess("members", { cell, peer, policies: approvalPolicyRequests({ cell, peer, executionMode: "role" }), ... }, opts);
 */
export function approvalPolicyRequests(access: ApprovalAccess): PolicyRequest[] {
  if (access.executionMode !== "role") return [];
  const cell = normalizeCell(access.cell);
  return [
    {
      name: regionalName(cell, ACCOUNT_ROLES.boundary),
      description: "The most that a role which Bulkhead makes for an approved operation may do",
      statements: executorStatements(watchedEvents(access.events)),
    },
  ];
}

/** What a resource of a grant is in a member account, for any value of its parameters. */
function memberResource({ resource }: GrantDefinition, { service }: OperationDefinition): string {
  // The ARN is a parameter as a whole: any of the service, of this account.
  if ("arnIn" in resource) {
    return memberArn({
      service: service === "elbv2" ? "elasticloadbalancing" : service,
      region: "*",
      resource: "*",
    });
  }
  const parts = {
    service: resource.service,
    ...(resource.regional && { region: "*" }),
    resource: resource.resource.replace(/\{\w+\}/g, "*"),
  };
  // Snapshots, images and buckets belong to no account in their ARN.
  return resource.ofAccount ? memberArn(parts) : arn({ ...parts, partition: MEMBER_PARTITION as Partition });
}

/** The permissions of the watched operations and no other ones, on resources of their kinds. */
function executorStatements(events: readonly string[]): MemberStatement[] {
  const byResource = new Map<string, Set<string>>();
  for (const definition of OPERATIONS) {
    if (!events.includes(definition.event)) continue;
    for (const grant of definition.grants) {
      const resource = memberResource(grant, definition);
      const actions = byResource.get(resource) ?? new Set<string>();
      for (const action of grant.actions) actions.add(action);
      byResource.set(resource, actions);
    }
  }
  const byActions = new Map<string, { actions: string[]; resources: string[] }>();
  for (const [resource, set] of byResource) {
    const actions = [...set].sort();
    const key = actions.join();
    const group = byActions.get(key) ?? { actions, resources: [] };
    group.resources.push(resource);
    byActions.set(key, group);
  }
  return [...byActions.values()].map(({ actions, resources }, index) => ({
    Sid: `Operation${index + 1}`,
    Effect: "Allow",
    Action: actions,
    Resource: resources.sort(),
  }));
}

/** AWS Backup is handed its role, and nothing else is. */
function snapshotStatements(): MemberStatement[] {
  const isPassing = (action: string) => action === "iam:PassRole";
  return [
    {
      Sid: "Snapshots",
      Effect: "Allow",
      Action: SNAPSHOT_ACTIONS.filter((action) => !isPassing(action)),
      Resource: ["*"],
    },
    {
      Sid: "HandBackupItsRole",
      Effect: "Allow",
      Action: SNAPSHOT_ACTIONS.filter(isPassing),
      Resource: [memberArn({ service: "iam", resource: "role/*" })],
      Condition: { StringEquals: { "iam:PassedToService": ["backup.amazonaws.com"] } },
    },
  ];
}

/** Temporary roles only, and never one without the boundary. */
function roleManagerStatements(cell: Cell): MemberStatement[] {
  const roles = memberArn({ service: "iam", resource: `role${TEMPORARY_ROLE_PATH}*` });
  const boundary = memberArn({
    service: "iam",
    resource: `policy/${cell.namePrefix}/${regionalName(cell, ACCOUNT_ROLES.boundary)}`,
  });
  return [
    {
      Sid: "MakeBoundedRoles",
      Effect: "Allow",
      Action: ["iam:CreateRole", "iam:PutRolePolicy"],
      Resource: [roles],
      Condition: { StringEquals: { "iam:PermissionsBoundary": [boundary] } },
    },
    {
      Sid: "TagAndDeleteThem",
      Effect: "Allow",
      Action: ["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:TagRole"],
      Resource: [roles],
    },
    {
      // It knows no resources.
      Sid: "FindThem",
      Effect: "Allow",
      Action: ["iam:ListRoles"],
      Resource: ["*"],
    },
  ];
}
