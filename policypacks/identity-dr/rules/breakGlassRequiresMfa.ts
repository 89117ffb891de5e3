import { EMERGENCY_USER_OPTIONS, isEmergencyUser, isUserType, userName } from "../lib/emergencyUsers";
import { mfaVerdict, mfaWeaknesses } from "../lib/mfaDeny";
import { defineRule } from "../lib/rule";
import { matches } from "../lib/ruleConfig";
import { type AppliedPolicy, isPolicyTie, policiesOf } from "../lib/userPolicies";
import { UNKNOWN } from "../lib/walk";

/** Rejects emergency users who can do anything without MFA. */
export const breakGlassRequiresMfa = defineRule({
  id: "break-glass-requires-mfa",
  title: "MFA for emergency users",
  description: "An emergency user must have a policy that denies everything without MFA.",
  severity: "critical",
  why:
    "The users are administrators: a stolen password alone must be worth nothing. `aws:MultiFactorAuthPresent` is absent for long-term " +
    "keys, so `Bool` lets them through and only `BoolIfExists` does not; an exemption for enrolling a device lets the thief enrol one " +
    "of their own (fact 29).",
  looksAt: [
    "policies of each emergency user: inline, attached, or through a group, of all users in the stack",
    "a statement, or several together, that deny action `*` on resource `*` to requests whose MFA key is `false` and to those without it",
  ],
  leavesAlone: ["users that other stacks own", "all other users"],
  unknowns:
    "a policy that is not known, or whose tie to the user is not known, counts as one that may deny: nothing is reported until it is known. A " +
    "policy's ARN or a user's name that is not known is followed to the resource that it comes from.",
  examples: {
    rejected: `new aws.iam.UserPolicy("mfa", { user: "breakglass-admin-1", policy: { Version: "2012-10-17", Statement: [
  { Effect: "Deny", Action: "*", Resource: "*", Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } } },
] } });`,
    accepted: `new aws.iam.UserPolicy("mfa", { user: "breakglass-admin-1", policy: { Version: "2012-10-17", Statement: [
  { Effect: "Deny", Action: "*", Resource: "*", Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } } },
] } });`,
  },
  options: {
    ...EMERGENCY_USER_OPTIONS,
    denyingPolicies: {
      description:
        "ARNs of policies of other stacks that are known to deny everything without MFA; * stands for any characters.",
      default: [],
    },
  },
  appliesTo: (type) => isUserType(type) || isPolicyTie(type),
  stack(resources, config, report) {
    const users = resources.filter(({ type, props }) => isUserType(type) && isEmergencyUser(props, config));
    for (const user of users) {
      const policies = policiesOf(user, resources);
      if (policies.some((policy) => mayDeny(policy, config.denyingPolicies))) continue;
      report(user, {
        path: "",
        found: `no policy of emergency user "${userName(user.props) ?? user.name}" denies everything without MFA${explanation(policies)}`,
        instead:
          "attach a policy with the statement " +
          '{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}',
      });
    }
  },
});

function mayDeny({ document, arn }: AppliedPolicy, denyingPolicies: readonly string[]): boolean {
  if (document === UNKNOWN) return true;
  if (document !== undefined) return mfaVerdict(document) !== "allows";
  return arn !== undefined && denyingPolicies.some((pattern) => matches(pattern, arn));
}

/** AWS's own policies: none of them denies by MFA. */
const AWS_MANAGED = /^arn:[a-z-]+:iam::aws:policy\//;

function explanation(policies: readonly AppliedPolicy[]): string {
  const reasons = policies.flatMap(({ label, document, arn }) => {
    if (document === undefined && arn !== undefined && !AWS_MANAGED.test(arn)) {
      return [`${arn} is of another stack and not among the rule's denyingPolicies`];
    }
    return mfaWeaknesses(document).map((weakness) => `${label}: ${weakness}`);
  });
  return reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
}
