import {
  EMERGENCY_USER_OPTIONS,
  isEmergencyName,
  isEmergencyUser,
  isUserType,
  LOGIN_PROFILE,
  refersTo,
  userName,
} from "../lib/emergencyUsers";
import { defineRule } from "../lib/rule";
import { isObject, type Plain, type PlainObject, property, text } from "../lib/walk";

/** Rejects passwords of emergency users that have to be changed at the next sign-in. */
export const breakGlassNoPasswordReset = defineRule({
  id: "break-glass-no-password-reset",
  title: "No password reset for emergency users",
  description: "An emergency user's password must not have to be changed at sign-in.",
  severity: "critical",
  why:
    "The change is asked for before the second factor counts, and the policy that denies everything without MFA denies it: the user " +
    "cannot get in (fact 29). The change also needs IAM's control plane, which may be what is lost (fact 9).",
  looksAt: [
    "`passwordResetRequired` of login profiles whose user has the name of an emergency user, or is one by its path",
    "`hardExpiry` of the account's password policy: a password that expired can be changed by an administrator only",
  ],
  leavesAlone: ["login profiles of all other users", "a password's age: that is the steward's to watch"],
  unknowns: "a value that is not known is passed over until it is.",
  examples: {
    rejected:
      'new aws.iam.UserLoginProfile("login", { user: "breakglass-admin-1", pgpKey, passwordResetRequired: true });',
    accepted:
      'new aws.iam.UserLoginProfile("login", { user: "breakglass-admin-1", pgpKey, passwordResetRequired: false });',
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: (type) => type === LOGIN_PROFILE || type === PASSWORD_POLICY || isUserType(type),
  resource({ type, props }, users, report) {
    if (type === PASSWORD_POLICY && property(props, "hardExpiry") === true) {
      report({
        path: "hardExpiry",
        found: "an emergency user whose password expired cannot sign in until an administrator sets another",
        instead: "write hardExpiry: false, and let the steward's alarm watch the age",
      });
    }
    const path = resetPath(type, props);
    const name = type === LOGIN_PROFILE ? text(property(props, "user")) : userName(props);
    const isEmergency =
      name !== undefined &&
      (isEmergencyName(name, users) || (isUserType(type) && isEmergencyUser(props, users)));
    if (path !== undefined && isEmergency) report({ path, found: FOUND, instead: INSTEAD });
  },
  stack(resources, users, report) {
    const emergency = resources.filter(
      ({ type, props }) => isUserType(type) && isEmergencyUser(props, users),
    );
    for (const login of resources) {
      const path = login.type === LOGIN_PROFILE ? resetPath(login.type, login.props) : undefined;
      const name = text(property(login.props, "user"));
      // By its name alone it has been reported as a resource already.
      if (path === undefined || (name !== undefined && isEmergencyName(name, users))) continue;
      if (emergency.some((user) => refersTo(login, "user", user)))
        report(login, { path, found: FOUND, instead: INSTEAD });
    }
  },
});

const PASSWORD_POLICY = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy";

const FOUND = "an emergency user would have to change its password at sign-in, which fails without MFA";
const INSTEAD = "write passwordResetRequired: false";

/** The path of a reset that is asked for. */
function resetPath(type: string, props: PlainObject): string | undefined {
  const holder: Plain | undefined = type === LOGIN_PROFILE ? props : property(props, "loginProfile");
  if (!isObject(holder) || property(holder, "passwordResetRequired") !== true) return undefined;
  return type === LOGIN_PROFILE ? "passwordResetRequired" : "loginProfile.passwordResetRequired";
}
