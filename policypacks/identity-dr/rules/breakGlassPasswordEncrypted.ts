import {
  EMERGENCY_USER_OPTIONS,
  isEmergencyName,
  isEmergencyUser,
  isUserType,
  LOGIN_PROFILE,
  refersTo,
} from "../lib/emergencyUsers";
import { defineRule, type RuleResource, type Violation } from "../lib/rule";
import { property, text } from "../lib/walk";

/** Rejects passwords of emergency users that would stand readable in the state, or are short. */
export const breakGlassPasswordEncrypted = defineRule({
  id: "break-glass-password-encrypted",
  title: "Encrypted passwords for emergency users",
  description: "An emergency user's password must be encrypted to a PGP key, and have 32 characters or more.",
  severity: "critical",
  why:
    "Without a PGP key the provider writes the password into Pulumi's state, where everybody who deploys can read it. Passwords " +
    "that nobody has to type often can be long; the first seed asks for 32 characters.",
  looksAt: [
    "`pgpKey` and `passwordLength` of login profiles whose user has the name of an emergency user, or is one by its path",
  ],
  leavesAlone: ["login profiles of all other users"],
  unknowns: "a value that is not known counts as right until it is known.",
  examples: {
    rejected: 'new aws.iam.UserLoginProfile("login", { user: "breakglass-admin-1" });',
    accepted:
      'new aws.iam.UserLoginProfile("login", { user: "breakglass-admin-1", pgpKey, passwordLength: 40 });',
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: (type) => type === LOGIN_PROFILE || isUserType(type),
  resource(login, users, report) {
    const name = text(property(login.props, "user"));
    if (login.type !== LOGIN_PROFILE || name === undefined || !isEmergencyName(name, users)) return;
    for (const violation of weaknesses(login)) report(violation);
  },
  stack(resources, users, report) {
    const emergency = resources.filter(
      ({ type, props }) => isUserType(type) && isEmergencyUser(props, users),
    );
    for (const login of resources) {
      const name = text(property(login.props, "user"));
      // By its name alone it has been reported as a resource already.
      if (login.type !== LOGIN_PROFILE || (name !== undefined && isEmergencyName(name, users))) continue;
      if (!emergency.some((user) => refersTo(login, "user", user))) continue;
      for (const violation of weaknesses(login)) report(login, violation);
    }
  },
});

const SHORTEST = 32;
/** What the provider makes when no length is given. */
const PROVIDER_DEFAULT = 20;

function weaknesses({ props }: RuleResource): Violation[] {
  const found: Violation[] = [];
  const key = property(props, "pgpKey");
  if (key === undefined || key === null || key === "") {
    found.push({
      path: "pgpKey",
      found: "without a PGP key the emergency user's password stands readable in the state",
      instead: "write the custodian's PGP public key in base64",
    });
  }
  const length = property(props, "passwordLength") ?? PROVIDER_DEFAULT;
  if (typeof length === "number" && length < SHORTEST) {
    found.push({
      path: "passwordLength",
      found: `the emergency user's password has ${length} characters`,
      instead: `write ${SHORTEST} or more`,
    });
  }
  return found;
}
