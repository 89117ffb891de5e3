import {
  EMERGENCY_USER_OPTIONS,
  isEmergencyName,
  isEmergencyUser,
  isUserType,
  refersTo,
  userName,
} from "../lib/emergencyUsers";
import { defineRule, type RuleResource } from "../lib/rule";
import { type PlainObject, property, text } from "../lib/walk";

/** Rejects access keys of emergency users. */
export const breakGlassNoAccessKeys = defineRule({
  id: "break-glass-no-access-keys",
  title: "No access keys for emergency users",
  description: "An emergency user must not have an access key.",
  severity: "critical",
  why:
    "An access key carries no MFA (fact 29), lies in state and on disks, and is of no use to a person in an emergency, who signs in to the " +
    "console. The first seed protects these users by a password and a device of their own.",
  looksAt: [
    "access keys whose user has the name of an emergency user",
    "over the whole stack: access keys whose user is, by name or by dependency, a user resource at an emergency path",
  ],
  leavesAlone: [
    "access keys of all other users",
    "users that other stacks own, unless their name says what they are",
  ],
  unknowns:
    "a key whose user's name is not known is judged by the user resource that the name comes from; without one, when the name is known.",
  examples: {
    rejected: 'new aws.iam.AccessKey("key", { user: "breakglass-admin-1" }, { provider });',
    accepted: 'new aws.iam.UserLoginProfile("login", { user: "breakglass-admin-1", pgpKey }, { provider });',
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: (type) => KEY_TYPES.has(type) || isUserType(type),
  resource({ type, props }, users, report) {
    const { property: path, name } = keyUser(type, props);
    if (path === undefined || name === undefined || !isEmergencyName(name, users)) return;
    report({ path, found: `"${name}" is an emergency user, and this is an access key`, instead: INSTEAD });
  },
  stack(resources, users, report) {
    const emergency = resources.filter(
      ({ type, props }) => isUserType(type) && isEmergencyUser(props, users),
    );
    for (const key of resources) {
      const { property: path, name } = keyUser(key.type, key.props);
      // By its name alone it has been reported as a resource already.
      if (path === undefined || (name !== undefined && isEmergencyName(name, users))) continue;
      const owner = emergency.find((user) => refersTo(key, path, user));
      if (!owner) continue;
      report(key, {
        path,
        found: `${describe(owner)} is an emergency user, and this is an access key`,
        instead: INSTEAD,
      });
    }
  },
});

const INSTEAD =
  "remove the key; emergency users sign in to the console with password and MFA, and automation has roles of its own";

/** The types of access keys, with the property that names the user. */
const KEY_TYPES: ReadonlyMap<string, string> = new Map([
  ["aws:iam/accessKey:AccessKey", "user"],
  ["aws-native:iam:AccessKey", "userName"],
]);

/** The property that names the user of an access key and its value; no property for other resources, no value when it is not known. */
function keyUser(type: string, props: PlainObject): { property?: string; name?: string } {
  const name = KEY_TYPES.get(type);
  return name === undefined ? {} : { property: name, name: text(property(props, name)) };
}

function describe(user: RuleResource): string {
  const path = text(property(user.props, "path"));
  return `"${userName(user.props) ?? user.name}"${path === undefined ? "" : ` at path "${path}"`}`;
}
