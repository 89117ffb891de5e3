import type { RuleStackResource } from "./rule";
import { matches, type RuleOptions } from "./ruleConfig";
import { type PlainObject, property, text, UNKNOWN } from "./walk";

/** The options that say who is an emergency user, shared by the rules about them. */
export const EMERGENCY_USER_OPTIONS = {
  paths: {
    description: "IAM paths: a user at one of them or below is an emergency user.",
    default: ["/break-glass/"],
  },
  userNames: {
    description: "Names of emergency users, whatever their path; * stands for any characters.",
    default: ["breakglass-admin-*"],
  },
} as const satisfies RuleOptions;

/** Who is an emergency user. */
export interface EmergencyUsers {
  readonly paths: readonly string[];
  readonly userNames: readonly string[];
}

const USER_TYPES: ReadonlySet<string> = new Set(["aws:iam/user:User", "aws-native:iam:User"]);

/** Whether the type is an IAM user. */
export function isUserType(type: string): boolean {
  return USER_TYPES.has(type);
}

/** The name of a user resource, when it is known. */
export function userName(props: PlainObject): string | undefined {
  return text(property(props, "name", "userName"));
}

/** Whether a user of this name is one by the name alone. IAM does not tell names apart by case. */
export function isEmergencyName(name: string, { userNames }: EmergencyUsers): boolean {
  return userNames.some((pattern) => matches(pattern.toLowerCase(), name.toLowerCase()));
}

/** Whether a user resource is an emergency user, by path or by name. Unknown path and name: no. */
export function isEmergencyUser(props: PlainObject, users: EmergencyUsers): boolean {
  const path = text(property(props, "path"));
  const name = userName(props);
  return (
    (path !== undefined && users.paths.some((wanted) => path.startsWith(wanted))) ||
    (name !== undefined && isEmergencyName(name, users))
  );
}

/** Whether a property of a resource means this user: by its name, or, while that is not known, by where the value comes from. */
export function refersTo(
  resource: RuleStackResource,
  propertyName: string,
  user: RuleStackResource,
): boolean {
  const value = property(resource.props, propertyName);
  if (typeof value === "string") return value.toLowerCase() === userName(user.props)?.toLowerCase();
  return resource.dependenciesOf(propertyName).includes(user.urn);
}

/** Type of a user's password. */
export const LOGIN_PROFILE = "aws:iam/userLoginProfile:UserLoginProfile";

/** Whether a user resource may turn out to be an emergency user: neither path nor name says so, and one of them is not known. */
export function mayBeEmergencyUser(props: PlainObject): boolean {
  return property(props, "path") === UNKNOWN || property(props, "name", "userName") === UNKNOWN;
}
