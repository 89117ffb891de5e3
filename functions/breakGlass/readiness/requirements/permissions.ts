/** Whether the users may do everything with MFA, nothing without, and have nothing else in their way. */
import { denyWithoutMfaStatements } from "../../../../components/breakGlassAccount/denyWithoutMfa";
import { command, redeploy } from "../command";
import { meansTheSame } from "../document";
import { together } from "../observed";
import { type ReadinessPolicy, userArn } from "../policy";
import { either, fail, judged, ofUser, pass, perAccount, perUser, type Requirement } from "../requirement";

const attach = (userName: string, policyArn: string) =>
  command("aws", "iam", "attach-user-policy", "--user-name", userName, "--policy-arn", policyArn);

const simulate = (userName: string, policy: ReadinessPolicy) =>
  command(
    "aws",
    "iam",
    "simulate-principal-policy",
    "--policy-source-arn",
    userArn(policy, userName),
    "--action-names",
    "iam:UpdateLoginProfile",
  );

export const PERMISSION_REQUIREMENTS: readonly Requirement[] = [
  perUser({
    id: "administrator-access",
    group: "permissions",
    text: "AdministratorAccess is attached beforehand: with IAM's control plane lost, nothing can be attached any more.",
    source: "fact 11",
    how: "iam:ListAttachedUserPolicies",
    mend: (userName, { administratorPolicyArn }) => attach(userName, administratorPolicyArn),
    judge: ({ attachedPolicies }, { policy }) =>
      ofUser(attachedPolicies, (arns) =>
        either(arns.includes(policy.administratorPolicyArn), "It is attached.", "It is not attached."),
      ),
  }),
  perUser({
    id: "deny-policy-attached",
    group: "permissions",
    text: "The policy that denies everything without MFA is attached.",
    source: "seed",
    how: "iam:ListAttachedUserPolicies",
    mend: (userName, { denyPolicyArn }) => attach(userName, denyPolicyArn),
    judge: ({ attachedPolicies }, { policy }) =>
      ofUser(attachedPolicies, (arns) =>
        either(
          arns.includes(policy.denyPolicyArn),
          "It is attached.",
          "It is not attached: a password alone is enough.",
        ),
      ),
  }),
  perAccount({
    id: "deny-policy-unedited",
    group: "permissions",
    text: "That policy says what it was made to say, without an exemption for enrolling a device.",
    source: "fact 29",
    how: "iam:GetPolicy, iam:GetPolicyVersion of the default version, compared by meaning",
    mend: ({ ownerCell }) => redeploy(ownerCell),
    judge: ({ observations }) =>
      judged(observations.account.denyPolicy, (document) => {
        if (document === null) return fail("There is no such policy.");
        return either(
          meansTheSame(document, denyWithoutMfaStatements()),
          "Its default version is unedited.",
          "Its default version says something else.",
        );
      }),
  }),
  perUser({
    id: "no-other-policies",
    group: "permissions",
    text: "Nothing else decides what the user may do: no further policy, none in the user, no group.",
    source: "seed",
    how: "iam:ListAttachedUserPolicies, iam:ListUserPolicies, iam:ListGroupsForUser",
    mend: (userName) => command("aws", "iam", "list-attached-user-policies", "--user-name", userName),
    judge: ({ attachedPolicies, inlinePolicies, groups }, { policy }, userName) =>
      judged(together([attachedPolicies, inlinePolicies, groups]), ([attached, inline, memberOf]) => {
        if (attached === null || inline === null || memberOf === null) return fail("There is no such user.");
        const user = ["--user-name", userName];
        const wrong = [
          ...attached
            .filter((arn) => arn !== policy.administratorPolicyArn && arn !== policy.denyPolicyArn)
            .map((arn) => ({
              what: `policy ${arn}`,
              mend: command("aws", "iam", "detach-user-policy", ...user, "--policy-arn", arn),
            })),
          ...inline.map((name) => ({
            what: `policy ${name} in the user`,
            mend: command("aws", "iam", "delete-user-policy", ...user, "--policy-name", name),
          })),
          ...memberOf.map((name) => ({
            what: `group ${name}`,
            mend: command("aws", "iam", "remove-user-from-group", ...user, "--group-name", name),
          })),
        ];
        return wrong.length === 0
          ? pass("There is nothing else.")
          : fail(
              `There is also ${wrong.map(({ what }) => what).join(", ")}.`,
              wrong.map(({ mend }) => mend).join("\n"),
            );
      }),
  }),
  perUser({
    id: "no-permissions-boundary",
    group: "permissions",
    text: "No permissions boundary limits the user: the boundary manager leaves emergency users out.",
    source: "seed",
    how: "iam:GetUser",
    mend: (userName) => command("aws", "iam", "delete-user-permissions-boundary", "--user-name", userName),
    judge: ({ user }) =>
      ofUser(user, ({ boundaryArn }) =>
        either(boundaryArn === undefined, "There is none.", `The boundary is ${boundaryArn}.`),
      ),
  }),
  perUser({
    id: "allowed-with-mfa",
    group: "permissions",
    text: "With MFA, the account's own policies allow what an emergency needs.",
    source: "seed",
    how: "iam:SimulatePrincipalPolicy with aws:MultiFactorAuthPresent true; what the organization refuses has a row of its own",
    mend: simulate,
    judge: ({ simulatedWithMfa }) =>
      ofUser(simulatedWithMfa, (actions) => {
        const refused = actions.filter(
          ({ decision, allowedByOrganization }) => decision !== "allowed" && allowedByOrganization !== false,
        );
        return either(
          refused.length === 0,
          `All ${actions.length} tried actions are allowed.`,
          `Refused: ${refused.map(({ action, decision }) => `${action} (${decision})`).join(", ")}.`,
        );
      }),
  }),
  perUser({
    id: "denied-without-mfa",
    group: "permissions",
    text: "Without MFA, nothing is allowed: a stolen password is worth nothing.",
    source: "seed",
    how: "iam:SimulatePrincipalPolicy with aws:MultiFactorAuthPresent false",
    mend: (userName, { denyPolicyArn }) => attach(userName, denyPolicyArn),
    judge: ({ simulatedWithoutMfa }) =>
      ofUser(simulatedWithoutMfa, (actions) => {
        const allowed = actions.filter(({ decision }) => decision === "allowed");
        return either(
          allowed.length === 0,
          `All ${actions.length} tried actions are denied.`,
          `Allowed: ${allowed.map(({ action }) => action).join(", ")}.`,
        );
      }),
  }),
];
