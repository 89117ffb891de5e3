import type { RuleStackResource } from "./rule";
import { isObject, list, type Plain, property, text, UNKNOWN } from "./walk";

/** A policy that applies to a user. The document is UNKNOWN while it is not known; it is undefined for a policy of another stack. */
export interface AppliedPolicy {
  /** How to call it in a message. */
  label: string;
  document: Plain | undefined;
  /** Its ARN, when it is a managed policy and the ARN is known. */
  arn?: string;
}

/** A user or group: by the name that others refer to it with, by its resource, or by both. */
interface Principal {
  name?: string;
  urn?: string;
}

/** How a resource type ties documents or ARNs of policies to a user or a group. */
interface Tie {
  /** The property, or properties, that name users. */
  users?: string;
  groups?: string;
  /** The property with a document. */
  document?: string;
  /** The property with one ARN or several. */
  arns?: string;
}

const TIES: ReadonlyMap<string, Tie> = new Map<string, Tie>([
  ["aws:iam/userPolicy:UserPolicy", { users: "user", document: "policy" }],
  ["aws:iam/userPolicyAttachment:UserPolicyAttachment", { users: "user", arns: "policyArn" }],
  [
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
    { users: "userName", arns: "policyArns" },
  ],
  ["aws:iam/policyAttachment:PolicyAttachment", { users: "users", groups: "groups", arns: "policyArn" }],
  ["aws:iam/groupPolicy:GroupPolicy", { groups: "group", document: "policy" }],
  ["aws:iam/groupPolicyAttachment:GroupPolicyAttachment", { groups: "group", arns: "policyArn" }],
  [
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
    { groups: "groupName", arns: "policyArns" },
  ],
  ["aws-native:iam:UserPolicy", { users: "userName", document: "policyDocument" }],
  ["aws-native:iam:GroupPolicy", { groups: "groupName", document: "policyDocument" }],
  ["aws-native:iam:ManagedPolicy", { users: "users", groups: "groups", document: "policyDocument" }],
]);

/** Types that put users into groups: the property of the user or users, and of the group or groups. */
const MEMBERSHIPS: ReadonlyMap<string, { users: string; groups: string }> = new Map([
  ["aws:iam/userGroupMembership:UserGroupMembership", { users: "user", groups: "groups" }],
  ["aws:iam/groupMembership:GroupMembership", { users: "users", groups: "group" }],
  ["aws-native:iam:UserToGroupAddition", { users: "users", groups: "groupName" }],
]);

const POLICY_TYPES: ReadonlyMap<string, string> = new Map([
  ["aws:iam/policy:Policy", "policy"],
  ["aws-native:iam:ManagedPolicy", "policyDocument"],
]);

/** Whether the type has a part in which policies apply to a user. */
export function isPolicyTie(type: string): boolean {
  return TIES.has(type) || MEMBERSHIPS.has(type) || POLICY_TYPES.has(type) || type in NATIVE_PRINCIPALS;
}

/** aws-native's users and groups hold their own policies; the value is the property with the name. */
const NATIVE_PRINCIPALS: Readonly<Record<string, string>> = {
  "aws-native:iam:User": "userName",
  "aws-native:iam:Group": "groupName",
  "aws:iam/group:Group": "name",
};

/**
 * Every policy that applies to a user: attached to it, inline, or through a group. What may apply but cannot be told during preview is in
 * the list with an unknown document.
 */
export function policiesOf(
  user: RuleStackResource,
  resources: readonly RuleStackResource[],
): AppliedPolicy[] {
  const self: Principal = { name: text(property(user.props, "name", "userName")), urn: user.urn };
  const { groups, uncertain } = groupsOf(user, self, resources);
  const applied: AppliedPolicy[] = uncertain ? [{ label: "a group", document: UNKNOWN }] : [];
  for (const resource of resources) {
    const tie = TIES.get(resource.type);
    if (!tie) continue;
    const relations = [
      refers(resource, tie.users, self, resources),
      ...groups.map((group) => refers(resource, tie.groups, group, resources)),
    ];
    if (relations.includes("yes")) applied.push(...policiesIn(resource, tie, resources));
    else if (relations.includes("maybe")) applied.push({ label: resource.name, document: UNKNOWN });
  }
  for (const holder of nativeHolders(user, groups, resources))
    applied.push(...ownPolicies(holder, resources));
  return applied;
}

function groupsOf(
  user: RuleStackResource,
  self: Principal,
  resources: readonly RuleStackResource[],
): { groups: Principal[]; uncertain: boolean } {
  const groups: Principal[] = principals(user, "groups", resources);
  let uncertain = false;
  for (const resource of resources) {
    const membership = MEMBERSHIPS.get(resource.type);
    if (!membership) continue;
    const relation = refers(resource, membership.users, self, resources);
    if (relation === "maybe") uncertain = true;
    if (relation === "yes") groups.push(...principals(resource, membership.groups, resources));
  }
  return { groups, uncertain };
}

/** The groups that a property names, with their resources where these are in the stack. */
function principals(
  resource: RuleStackResource,
  propertyName: string,
  resources: readonly RuleStackResource[],
): Principal[] {
  const values = list(property(resource.props, propertyName));
  const named: Principal[] = values.flatMap((value) => {
    if (typeof value !== "string") return [];
    const own = resources.find((candidate) => groupName(candidate)?.toLowerCase() === value.toLowerCase());
    return [{ name: value, urn: own?.urn }];
  });
  if (!values.includes(UNKNOWN)) return named;
  const depended = resources
    .filter(({ type, urn }) => isGroupType(type) && resource.dependenciesOf(propertyName).includes(urn))
    .map((group) => ({ name: groupName(group), urn: group.urn }));
  return [...named, ...depended];
}

function isGroupType(type: string): boolean {
  return type === "aws:iam/group:Group" || type === "aws-native:iam:Group";
}

function groupName(resource: RuleStackResource): string | undefined {
  return isGroupType(resource.type) ? text(property(resource.props, "name", "groupName")) : undefined;
}

/** Whether a property names the principal. `maybe`: an unknown value that does not come from another user or group of the stack. */
function refers(
  resource: RuleStackResource,
  propertyName: string | undefined,
  target: Principal,
  resources: readonly RuleStackResource[],
): "yes" | "no" | "maybe" {
  if (propertyName === undefined) return "no";
  const values = list(property(resource.props, propertyName));
  const wanted = target.name?.toLowerCase();
  if (wanted !== undefined && values.some((value) => text(value)?.toLowerCase() === wanted)) return "yes";
  const dependencies = resource.dependenciesOf(propertyName);
  if (target.urn !== undefined && dependencies.includes(target.urn)) return "yes";
  if (!values.includes(UNKNOWN)) return "no";
  const isOther = resources.some(
    ({ type, urn }) =>
      dependencies.includes(urn) && (isGroupType(type) || /iam[/:]user:User$|iam:User$/.test(type)),
  );
  return isOther ? "no" : "maybe";
}

function policiesIn(
  resource: RuleStackResource,
  tie: Tie,
  resources: readonly RuleStackResource[],
): AppliedPolicy[] {
  if (tie.document !== undefined) {
    return [{ label: resource.name, document: property(resource.props, tie.document) }];
  }
  return tie.arns === undefined ? [] : managed(resource, tie.arns, resources);
}

/** The managed policies whose ARNs a property holds. */
function managed(
  resource: RuleStackResource,
  propertyName: string,
  resources: readonly RuleStackResource[],
): AppliedPolicy[] {
  const values = list(property(resource.props, propertyName));
  const applied = values.flatMap((value): AppliedPolicy[] => {
    if (typeof value !== "string") return [];
    const policy = resources.find((candidate) => isPolicyWithArn(candidate, value));
    return [{ label: value, arn: value, document: policy && documentOf(policy) }];
  });
  if (values.includes(UNKNOWN)) {
    const sources = resources.filter(
      ({ type, urn }) => POLICY_TYPES.has(type) && resource.dependenciesOf(propertyName).includes(urn),
    );
    applied.push(...sources.map(unnamed));
    if (sources.length === 0) applied.push({ label: resource.name, document: UNKNOWN });
  }
  return applied;
}

function unnamed(policy: RuleStackResource): AppliedPolicy {
  return { label: policy.name, document: documentOf(policy) };
}

/** Whether a policy resource has the ARN: by its output, or, before it is made, by its path and name. */
function isPolicyWithArn(resource: RuleStackResource, arn: string): boolean {
  if (!POLICY_TYPES.has(resource.type)) return false;
  const own = property(resource.props, "arn", "policyArn");
  if (typeof own === "string") return own === arn;
  const name = text(property(resource.props, "name", "managedPolicyName"));
  const path = text(property(resource.props, "path")) ?? "/";
  return name !== undefined && arn.endsWith(`:policy${path}${name}`);
}

function documentOf(policy: RuleStackResource): Plain | undefined {
  return property(policy.props, POLICY_TYPES.get(policy.type) ?? "policy");
}

/** The user and its groups, where they are resources that hold policies themselves. */
function nativeHolders(
  user: RuleStackResource,
  groups: readonly Principal[],
  resources: readonly RuleStackResource[],
): RuleStackResource[] {
  const urns = [user.urn, ...groups.map(({ urn }) => urn)];
  return resources.filter(({ urn, type }) => urns.includes(urn) && type.startsWith("aws-native:"));
}

function ownPolicies(holder: RuleStackResource, resources: readonly RuleStackResource[]): AppliedPolicy[] {
  const inline = list(property(holder.props, "policies")).map((policy): AppliedPolicy => {
    if (!isObject(policy)) return { label: holder.name, document: UNKNOWN };
    const label = text(property(policy, "policyName")) ?? holder.name;
    return { label, document: property(policy, "policyDocument") };
  });
  return [...inline, ...managed(holder, "managedPolicyArns", resources)];
}
