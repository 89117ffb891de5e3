import type { PolicyStatement } from "../regional/policyDocument";

/** Name of the policy that forces multi-factor authentication on emergency users; the name prefix goes before it. */
export const DENY_WITHOUT_MFA_POLICY = "deny-without-mfa";

/**
 * The first source document's policy, unchanged: nothing at all without multi-factor authentication. `BoolIfExists`, since the condition
 * key is absent for long-term keys (fact 29). Enrolling a first device is not exempted: whoever has a stolen password could then enrol a
 * device of their own. So devices are enrolled beforehand, by somebody else.
 */
export function denyWithoutMfaStatements(): PolicyStatement[] {
  return [
    {
      Sid: "DenyAllActionsWithoutMFA",
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
    },
  ];
}
