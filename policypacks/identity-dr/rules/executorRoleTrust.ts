import { conditions, statements } from "../lib/iamDocument";
import { holdsRoles, type RoleView, rolesIn } from "../lib/roles";
import { defineRule, type Violation } from "../lib/rule";
import { matches } from "../lib/ruleConfig";
import { accountTrust, isNamedRole } from "../lib/trust";

/** Rejects executor roles that anybody but the approval workflow could take. */
export const executorRoleTrust = defineRule({
  id: "executor-role-trust",
  title: "The executor role is the workflow's alone",
  description:
    "The role that carries out approved operations must trust the executor function's roles only, and must demand a source identity.",
  severity: "critical",
  why:
    "The role can do every dangerous operation that can be approved; session policies narrow it, and whoever assumes it chooses them. So only the " +
    "function that has seen the approvals may, and each session has to carry the request's id, by which the trail shows who approved it.",
  looksAt: [
    "the trust of roles whose name is among `roleNames`, also in CloudFormation templates that are JSON; roles that a condition on " +
      "`aws:PrincipalArn` names count like those named as principals",
    "their longest session: 3,600 seconds at the most",
  ],
  leavesAlone: ["all other roles"],
  unknowns: "a trust policy, or a part of it, that is not known is passed over until it is.",
  examples: {
    rejected: `new aws.iam.Role("executor", { name: "bulkhead-approval-executor", assumeRolePolicy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: { AWS: "222222222222" }, Action: "sts:AssumeRole" },
] } }, { provider });`,
    accepted: `new aws.iam.Role("executor", { name: "bulkhead-approval-executor", assumeRolePolicy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: { AWS: "arn:aws:iam::222222222222:role/bulkhead/bulkhead-approval-work-prod" },
    Action: ["sts:AssumeRole", "sts:SetSourceIdentity"], Condition: { StringLike: { "sts:SourceIdentity": "*" } } },
] } }, { provider });`,
  },
  options: {
    roleNames: {
      description: "Names of executor roles; * stands for any characters.",
      default: ["*-approval-executor*"],
    },
    trustedRoles: {
      description: "ARNs of the roles that may assume them; * stands for any characters.",
      default: ["arn:*:iam::*:role/*-approval-work-*"],
    },
  },
  appliesTo: holdsRoles,
  resource({ type, props }, { roleNames, trustedRoles }, report) {
    for (const role of rolesIn(type, props)) {
      const { name } = role;
      if (name === undefined || !roleNames.some((pattern) => matches(pattern, name))) continue;
      if (isFunctionsOwn(role)) continue;
      for (const violation of problems(role, name, trustedRoles)) report(violation);
    }
  },
});

const LONGEST_SESSION = 3600;

/** Whether the role is that of a function, which no account's principal can take at all. */
function isFunctionsOwn({ trust }: RoleView): boolean {
  return (statements(trust)?.length ?? 0) > 0 && accountTrust(trust).length === 0;
}

function problems(role: RoleView, name: string, trustedRoles: readonly string[]): Violation[] {
  const { trust, trustPath, at, maxSessionDuration } = role;
  const found: Violation[] = [];
  for (const { label, statement, principals } of accountTrust(trust)) {
    const other = principals.find(
      (principal) => !isNamedRole(principal) || !trustedRoles.some((pattern) => matches(pattern, principal)),
    );
    if (other !== undefined) {
      found.push({
        path: trustPath,
        found: `${label} lets "${other}" assume executor role "${name}"`,
        instead:
          "name the roles of the executor function by their full ARNs, or add them to the rule's trustedRoles",
      });
    }
    const block = conditions(statement);
    const demandsIdentity = block?.some(
      ({ operator, key, values }) =>
        key === "sts:sourceidentity" && /^string(?:equals|like)$/i.test(operator) && values.length > 0,
    );
    if (block && !demandsIdentity) {
      found.push({
        path: trustPath,
        found: `${label} of executor role "${name}" demands no source identity`,
        instead: 'add the condition {"StringLike":{"sts:SourceIdentity":"*"}}',
      });
    }
  }
  if (maxSessionDuration !== undefined && maxSessionDuration > LONGEST_SESSION) {
    found.push({
      path: `${at}maxSessionDuration`,
      found: `sessions of executor role "${name}" may last ${maxSessionDuration} seconds`,
      instead: `write ${LONGEST_SESSION} or less`,
    });
  }
  return found;
}
