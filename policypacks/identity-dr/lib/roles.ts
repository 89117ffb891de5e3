import { isObject, list, type Plain, type PlainObject, parseJson, property, text, UNKNOWN } from "./walk";

/** An IAM role, as a resource or in a CloudFormation template. */
export interface RoleView {
  /** Path of its part of the resource, empty or ending in a dot. */
  at: string;
  /** Undefined when it is not known. */
  name: string | undefined;
  trust: Plain | undefined;
  /** Where the trust stands. */
  trustPath: string;
  /** Seconds; undefined when it says nothing or is not known. */
  maxSessionDuration: number | undefined;
}

/** An identity policy: of a role, managed, inline, or in a template. */
export interface PolicyView {
  /** Path of the document. */
  path: string;
  document: Plain | undefined;
}

const TEMPLATES: ReadonlySet<string> = new Set([
  "aws:cloudformation/stackSet:StackSet",
  "aws:cloudformation/stack:Stack",
]);
const ROLE = "aws:iam/role:Role";
const NATIVE_ROLE = "aws-native:iam:Role";

const DOCUMENTS: Readonly<Record<string, string>> = {
  "aws:iam/rolePolicy:RolePolicy": "policy",
  "aws:iam/policy:Policy": "policy",
  "aws-native:iam:RolePolicy": "policyDocument",
  "aws-native:iam:ManagedPolicy": "policyDocument",
};

/** Whether resources of the type can hold a role or a role's policy. */
export function holdsRoles(type: string): boolean {
  return type === ROLE || type === NATIVE_ROLE || TEMPLATES.has(type) || type in DOCUMENTS;
}

/** The roles that a resource is or holds. */
export function rolesIn(type: string, props: PlainObject): RoleView[] {
  if (type === ROLE) return [view(props, "", "name", "assumeRolePolicy", "maxSessionDuration")];
  if (type === NATIVE_ROLE) {
    return [view(props, "", "roleName", "assumeRolePolicyDocument", "maxSessionDuration")];
  }
  return templateParts(type, props, "AWS::IAM::Role").map(({ at, properties }) =>
    view(properties, at, "RoleName", "AssumeRolePolicyDocument", "MaxSessionDuration"),
  );
}

/** The identity policies that a resource is or holds. */
export function policiesIn(type: string, props: PlainObject): PolicyView[] {
  const path = DOCUMENTS[type];
  if (path !== undefined) return [{ path, document: property(props, path) }];
  if (type === ROLE) return inline(props, "", "inlinePolicies", "policy");
  if (type === NATIVE_ROLE) return inline(props, "", "policies", "policyDocument");
  return ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"].flatMap(
    (kind) =>
      templateParts(type, props, kind).flatMap(({ at, properties }) =>
        kind === "AWS::IAM::Role"
          ? inline(properties, at, "Policies", "PolicyDocument")
          : [{ path: `${at}PolicyDocument`, document: property(properties, "PolicyDocument") }],
      ),
  );
}

function view(props: PlainObject, at: string, name: string, trust: string, session: string): RoleView {
  const seconds = property(props, session);
  return {
    at,
    name: text(property(props, name)),
    trust: property(props, trust),
    trustPath: `${at}${trust}`,
    maxSessionDuration:
      seconds === undefined || seconds === null || seconds === UNKNOWN ? undefined : Number(seconds),
  };
}

function inline(props: PlainObject, at: string, name: string, document: string): PolicyView[] {
  return list(property(props, name)).flatMap((policy, index) =>
    isObject(policy)
      ? [{ path: `${at}${name}[${index}].${document}`, document: property(policy, document) }]
      : [],
  );
}

/** The parts of a kind in a template that is JSON; `Fn::Sub` becomes its text, a pseudo parameter its name. */
function templateParts(
  type: string,
  props: PlainObject,
  kind: string,
): { at: string; properties: PlainObject }[] {
  if (!TEMPLATES.has(type)) return [];
  const template = parseJson(text(property(props, "templateBody")) ?? "");
  const resources = isObject(template) ? property(template, "Resources") : undefined;
  if (!isObject(resources)) return [];
  return Object.entries(resources).flatMap(([id, resource]) => {
    if (!isObject(resource) || property(resource, "Type") !== kind) return [];
    const properties = substituted(property(resource, "Properties") ?? null);
    return isObject(properties) ? [{ at: `templateBody.Resources.${id}.Properties.`, properties }] : [];
  });
}

function substituted(value: Plain): Plain {
  if (Array.isArray(value)) return value.map(substituted);
  if (!isObject(value)) return value;
  const sub = value["Fn::Sub"];
  // ARNs are taken apart at their colons, so that pseudo parameters have to go without.
  if (typeof sub === "string") return sub.replace(/\$\{AWS::(\w+)\}/g, "$1");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substituted(inner)]));
}
