import { conditions, hasEffect, statements } from "../lib/iamDocument";
import { narrows, principalsOf } from "../lib/principals";
import { defineRule, type Violation } from "../lib/rule";
import { type Plain, property, UNKNOWN } from "../lib/walk";

/** Rejects secrets that everybody may read. */
export const secretsNotPublic = defineRule({
  id: "secrets-not-public",
  title: "Secrets are not public",
  description: "A secret's policy must name who may read it, and must refuse to become public.",
  severity: "critical",
  why:
    "Rotated keys are kept in secrets, with policies so that other accounts can read them. Principal `*` without a condition that names them " +
    "is everybody with an AWS account. `blockPublicPolicy` makes Secrets Manager itself refuse such a policy, also a later one.",
  looksAt: [
    'statements that allow something to Principal `*`, also as `{ AWS: "*" }`, in policies of secrets',
    "`blockPublicPolicy` of each `SecretPolicy`",
  ],
  leavesAlone: [
    "denials; secrets without a policy, which only the account's own policies open",
    "Principal `*` with a condition on an account, an organization, a principal or a network that is named in it",
  ],
  unknowns: "a statement that is not known, or whose conditions are not, is passed over until it is.",
  examples: {
    rejected: `new aws.secretsmanager.SecretPolicy("policy", { secretArn, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: "*", Action: "secretsmanager:GetSecretValue", Resource: "*" },
] } }, { provider });`,
    accepted: `new aws.secretsmanager.SecretPolicy("policy", { secretArn, blockPublicPolicy: true, policy: { Version: "2012-10-17", Statement: [
  { Effect: "Allow", Principal: { AWS: "arn:aws:iam::333333333333:role/app" }, Action: "secretsmanager:GetSecretValue", Resource: "*" },
] } }, { provider });`,
  },
  options: {},
  appliesTo: (type) => type in POLICIES,
  resource({ type, props }, _config, report) {
    const { path, blocks } = POLICIES[type] as SecretPolicyPart;
    for (const violation of openings(path, property(props, path))) report(violation);
    const block = property(props, "blockPublicPolicy");
    if (blocks && block !== true && block !== UNKNOWN) {
      report({
        path: "blockPublicPolicy",
        found: "Secrets Manager would take a policy that makes the secret public",
        instead: "write blockPublicPolicy: true",
      });
    }
  },
});

interface SecretPolicyPart {
  /** The property with the document. */
  path: string;
  /** Whether the type has blockPublicPolicy. */
  blocks: boolean;
}

const POLICIES: Readonly<Record<string, SecretPolicyPart>> = {
  "aws:secretsmanager/secret:Secret": { path: "policy", blocks: false },
  "aws:secretsmanager/secretPolicy:SecretPolicy": { path: "policy", blocks: true },
  "aws-native:secretsmanager:ResourcePolicy": { path: "resourcePolicy", blocks: true },
};

function openings(path: string, document: Plain | undefined): Violation[] {
  return (statements(document) ?? []).flatMap((statement, index) => {
    const isForAll = hasEffect(statement, "Allow") && isEverybody(principalsOf(statement));
    const block = conditions(statement);
    if (!isForAll || !block || block.some(narrows)) return [];
    return [
      {
        path: `${path}: Statement[${index}]`,
        found:
          "Principal * without a condition that names an account, organization, principal or network is everybody",
        instead: "name the roles that may read the secret",
      },
    ];
  });
}

function isEverybody(principals: ReturnType<typeof principalsOf>): boolean {
  return principals?.some(({ kind, value }) => kind === "AWS" && value === "*") === true;
}
