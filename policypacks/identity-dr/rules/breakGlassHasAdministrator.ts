import { EMERGENCY_USER_OPTIONS, isEmergencyUser, isUserType, userName } from "../lib/emergencyUsers";
import { conditions, hasEffect, statements, texts } from "../lib/iamDocument";
import { defineRule } from "../lib/rule";
import { type AppliedPolicy, isPolicyTie, policiesOf } from "../lib/userPolicies";
import { property, UNKNOWN } from "../lib/walk";

/** Rejects emergency users who would first have to be given their access. */
export const breakGlassHasAdministrator = defineRule({
  id: "break-glass-has-administrator",
  title: "Emergency users are administrators beforehand",
  description: "An emergency user must have AdministratorAccess attached in the stack that owns it.",
  severity: "high",
  why:
    "Attaching a policy needs IAM's control plane, which may be what is lost. AWS's own example has it attached beforehand and names " +
    "attaching it during the event as the anti-pattern (facts 9 and 11).",
  looksAt: [
    "policies of each emergency user: inline, attached, or through a group, of all users in the stack",
    "AWS's policy AdministratorAccess, or an own one that allows every action on every resource without a condition",
  ],
  leavesAlone: ["users that other stacks own", "all other users"],
  unknowns:
    "a policy that is not known, or whose tie to the user is not known, counts as one that gives access.",
  examples: {
    rejected:
      'new aws.iam.User("user", { name: "breakglass-admin-1", path: "/break-glass/" }, { provider });',
    accepted: `new aws.iam.UserPolicyAttachment("administrator", {
  user: user.name,
  policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
}, { provider });`,
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: (type) => isUserType(type) || isPolicyTie(type),
  stack(resources, users, report) {
    for (const user of resources) {
      if (!isUserType(user.type) || !isEmergencyUser(user.props, users)) continue;
      if (policiesOf(user, resources).some(mayAllowEverything)) continue;
      report(user, {
        path: "",
        found: `emergency user "${userName(user.props) ?? user.name}" has no policy that lets it do everything`,
        instead: "attach arn:PARTITION:iam::aws:policy/AdministratorAccess to it",
      });
    }
  },
});

function mayAllowEverything({ document, arn }: AppliedPolicy): boolean {
  if (arn !== undefined && /^arn:[a-z-]+:iam::aws:policy\/AdministratorAccess$/.test(arn)) return true;
  if (document === undefined) return false;
  const all = document === UNKNOWN ? undefined : statements(document);
  if (!all) return true;
  return all.some(
    (statement) =>
      hasEffect(statement, "Allow") &&
      texts(property(statement, "Action"))?.includes("*") &&
      texts(property(statement, "Resource"))?.includes("*") &&
      conditions(statement)?.length === 0,
  );
}
