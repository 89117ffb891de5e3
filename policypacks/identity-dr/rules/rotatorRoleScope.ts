import { conditions, hasEffect, statements, texts, wildcard } from "../lib/iamDocument";
import { holdsRoles, type PolicyView, policiesIn, type RoleView, rolesIn } from "../lib/roles";
import { defineRule, type Violation } from "../lib/rule";
import { matches } from "../lib/ruleConfig";
import { accountTrust, isNamedRole } from "../lib/trust";
import { property } from "../lib/walk";

/** Rejects roles that may change access keys of more than users, or that anybody else could take. */
export const rotatorRoleScope = defineRule({
  id: "rotator-role-scope",
  title: "Key rotation has its own narrow role",
  description:
    "What may create, change or delete access keys must name users, and a member's rotation role must trust named roles with an external id.",
  severity: "critical",
  why:
    "Who can create an access key for a user is that user. The rotation role exists in every account of the organization, so its trust " +
    "decides who can become anybody everywhere: the rotator's own roles, and only when they were started for this organization.",
  looksAt: [
    "statements of roles' and managed policies that allow iam:CreateAccessKey, iam:UpdateAccessKey or iam:DeleteAccessKey by name or by a " +
      "pattern with AccessKey in it, on anything but ARNs of users",
    "the trust of roles whose name is among `roleNames`: named roles, and StringEquals with sts:ExternalId",
    "both also in CloudFormation templates that are JSON",
  ],
  leavesAlone: [
    "administrators' policies, which allow `*` or `iam:*`",
    "denials; trust in services and identity providers",
  ],
  unknowns: "a document, a resource or a name that is not known is passed over until it is.",
  examples: {
    rejected: `new aws.iam.RolePolicy("rotate", { role, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Action: ["iam:CreateAccessKey", "iam:DeleteAccessKey"], Resource: "*" },
] } }, { provider });`,
    accepted: `new aws.iam.RolePolicy("rotate", { role, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Action: ["iam:CreateAccessKey", "iam:DeleteAccessKey"], Resource: "arn:aws:iam::333333333333:user/*" },
] } }, { provider });`,
  },
  options: {
    roleNames: {
      description: "Names of the members' rotation roles; * stands for any characters.",
      default: ["*-key-rotator*"],
    },
  },
  appliesTo: holdsRoles,
  resource({ type, props }, { roleNames }, report) {
    for (const policy of policiesIn(type, props)) for (const violation of wideKeys(policy)) report(violation);
    for (const role of rolesIn(type, props)) {
      const { name } = role;
      if (name === undefined || !roleNames.some((pattern) => matches(pattern, name))) continue;
      for (const violation of wideTrust(role, name)) report(violation);
    }
  },
});

const KEY_ACTIONS = ["iam:createaccesskey", "iam:updateaccesskey", "iam:deleteaccesskey"];

/** ARNs of users; the partition and account may be variables of a template. */
const USER_ARN = /^arn:[^:]+:iam::[^:]*:user\/.+$/;

function wideKeys({ path, document }: PolicyView): Violation[] {
  return (statements(document) ?? []).flatMap((statement, index) => {
    if (!hasEffect(statement, "Allow")) return [];
    const action = texts(property(statement, "Action"))?.find(changesKeys);
    if (action === undefined) return [];
    const resources = texts(property(statement, "Resource"));
    const isInverted = property(statement, "NotResource") !== undefined;
    const wide = isInverted ? "NotResource" : resources?.find((resource) => !USER_ARN.test(resource));
    if (wide === undefined) return [];
    return [
      {
        path: `${path}: Statement[${index}]`,
        found: `"${action}" is allowed on "${wide}"`,
        instead: "name users: arn:PARTITION:iam::ACCOUNT:user/PATH*",
      },
    ];
  });
}

function changesKeys(action: string): boolean {
  const pattern = action.toLowerCase();
  return pattern.includes("accesskey") && KEY_ACTIONS.some((one) => wildcard(pattern).test(one));
}

function wideTrust({ trust, trustPath }: RoleView, name: string): Violation[] {
  return accountTrust(trust).flatMap(({ label, statement, principals }) => {
    const found: Violation[] = [];
    const unnamed = principals.find((principal) => !isNamedRole(principal));
    if (unnamed !== undefined) {
      found.push({
        path: trustPath,
        found: `${label} lets "${unnamed}" assume rotation role "${name}"`,
        instead: "name the rotator functions' roles by their full ARNs",
      });
    }
    const block = conditions(statement);
    const asksForId = block?.some(
      ({ operator, key, values }) =>
        operator.toLowerCase() === "stringequals" &&
        key === "sts:externalid" &&
        values.every((value) => value !== ""),
    );
    if (block && !asksForId) {
      found.push({
        path: trustPath,
        found: `${label} of rotation role "${name}" asks for no external id`,
        instead: 'add the condition {"StringEquals":{"sts:ExternalId":"..."}}',
      });
    }
    return found;
  });
}
