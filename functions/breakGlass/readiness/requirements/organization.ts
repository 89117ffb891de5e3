/** Whether the organization leaves the users alone. */
import { command } from "../command";
import { type Obstacle, obstacles } from "../controlPolicies/inTheWay";
import { together } from "../observed";
import { userArn, userArnPattern } from "../policy";
import { either, fail, judged, ofUser, pass, perUser, type Requirement } from "../requirement";

export const ORGANIZATION_REQUIREMENTS: readonly Requirement[] = [
  perUser({
    id: "scp-simulation",
    group: "organization",
    text: "By IAM's own simulation, no service control policy refuses what an emergency needs.",
    source: "seed",
    how: "iam:SimulatePrincipalPolicy with MFA (OrganizationsDecisionDetail)",
    mend: () =>
      "See the row scp-exempts of the same user. If it passes, the simulation may know too little: try as the user, in a drill.",
    judge: ({ simulatedWithMfa }) =>
      ofUser(simulatedWithMfa, (actions) => {
        const refused = actions.filter(({ allowedByOrganization }) => allowedByOrganization === false);
        return either(
          refused.length === 0,
          actions.some(({ allowedByOrganization }) => allowedByOrganization === true)
            ? `The organization allows all ${actions.length} tried actions.`
            : "No service control policy applies.",
          `The organization refuses ${refused.map(({ action }) => action).join(", ")}.`,
        );
      }),
  }),
  perUser({
    id: "scp-exempts",
    group: "organization",
    text: "No statement of a service control policy above the account would hit the user: each exempts emergency users.",
    source: "fact 27",
    how: "organizations:ListParents and organizations:ListPoliciesForTarget up to the root, read statement by statement; those that protect single named resources are left out",
    mend: () => command("aws", "organizations", "list-policies", "--filter", "SERVICE_CONTROL_POLICY"),
    judge: ({ user }, { observations, policy }, userName) =>
      judged(together([observations.account.organization, user]), ([organization, observedUser]) => {
        if (observedUser === null) return fail("There is no such user.");
        if (organization.membership === "none") return pass("The account is in no organization.");
        if (organization.membership === "management") {
          return pass("The account is the management account: service control policies do not apply to it.");
        }
        if (!organization.enforced) return pass("The organization uses no service control policies.");
        const found = obstacles(
          organization.levels,
          {
            userName,
            arn: userArn(policy, userName),
            accountId: policy.accountId,
            tags: observedUser.tags,
            regions: policy.stsRegions,
            arnPattern: userArnPattern(policy),
          },
          policy.toleratedScpStatements,
        );
        return found.length === 0
          ? pass(`No statement on ${organization.levels.length} levels would hit the user.`)
          : fail(`${found.map(({ what }) => what).join("; ")}.`, found.map(mendObstacle).join("\n"));
      }),
  }),
];

/** What to write where, and the command that puts it in force. */
function mendObstacle({ level, policy, statement, instead }: Obstacle): string {
  const json = JSON.stringify(instead);
  return policy === undefined
    ? `# A policy with this statement, attached to ${level}: ${json}\n${command("aws", "organizations", "attach-policy", "--policy-id", "POLICY-ID", "--target-id", level)}`
    : `# In ${policy.id}, ${statement} becomes: ${json}\n${command("aws", "organizations", "update-policy", "--policy-id", policy.id, "--content", `file://${policy.id}.json`)}`;
}
