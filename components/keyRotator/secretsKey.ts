import { type Cell, cellArn, cellIamArn } from "../regional/cell";
import { arn, dnsSuffix } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { secretsRoot } from "./requests";

/** Who may read centrally stored keys: a whole organization, or single accounts. */
export interface SecretReaderAccounts {
  /** Id of the organization, or "". */
  organizationId: string;
  /** Accounts by themselves, where there is no organization. */
  accountIds: string[];
}

/**
 * The policy of the key that centrally stored keys are encrypted with. Other accounts may decrypt through Secrets Manager of this region
 * only, and only secrets of their own account: those whose name has the caller's account after the prefix. Who of the account it is, the
 * secret's own policy says; both have to allow it (Secrets Manager user guide, "Access secrets from a different account").
 */
export function secretsKeyStatements(
  cell: Cell,
  secretsPrefix: string,
  readers: SecretReaderAccounts,
): PolicyStatement[] {
  const statements: PolicyStatement[] = [
    {
      Sid: "AccountDecidesByIamPolicies",
      Effect: "Allow",
      Principal: { AWS: cellIamArn(cell, "root") },
      Action: "kms:*",
      Resource: "*",
    },
  ];
  const { organizationId, accountIds } = readers;
  if (organizationId === "" && accountIds.length === 0) return statements;
  const root = (account: string) =>
    arn({ partition: cell.partition, service: "iam", account, resource: "root" });
  const ownSecrets = cellArn(
    { ...cell, region: "*" },
    "secretsmanager",
    `secret:${secretsRoot(secretsPrefix)}\${aws:PrincipalAccount}/*`,
  );
  statements.push({
    Sid: "MembersReadTheirOwnThroughSecretsManager",
    Effect: "Allow",
    Principal: { AWS: organizationId ? "*" : accountIds.map(root) },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: {
      StringEquals: {
        "kms:ViaService": `secretsmanager.${cell.region}.${dnsSuffix(cell.partition)}`,
        ...(organizationId && { "aws:PrincipalOrgID": organizationId }),
      },
      StringLike: { "kms:EncryptionContext:SecretARN": ownSecrets },
    },
  });
  return statements;
}
