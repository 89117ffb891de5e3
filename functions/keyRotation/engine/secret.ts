import { createHash } from "node:crypto";
import type { Partition } from "../../../components/regional/partition";
import { arn } from "../../../components/regional/partition";

/** Name of the secret with a user's current key. Names of IAM users have only characters that names of secrets have, but for a comma. */
export function secretName(prefix: string, accountId: string, userName: string): string {
  return `${prefix}/${accountId}/${userName.replaceAll(",", "_2C")}`;
}

/**
 * Id of the version that holds a key, and the token that makes storing it idempotent: the same for the same key, whoever asks. So the ids
 * of a secret's versions tell which keys it holds, without reading it.
 */
export function versionOf(accountId: string, userName: string, keyId: string): string {
  const hex = createHash("sha256")
    .update(["bulkhead-key", accountId, userName, keyId].join("\n"))
    .digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

/** What the secret holds: enough to sign in with, in the names that the SDKs' credential processes use. */
export function secretValue(
  user: { accountId: string; userName: string },
  key: { id: string; secret: string; createdAt: Date },
): string {
  return JSON.stringify({
    accessKeyId: key.id,
    secretAccessKey: key.secret,
    userName: user.userName,
    accountId: user.accountId,
    createdAt: key.createdAt.toISOString(),
  });
}

/**
 * The secret's resource policy: only the named principals may read it, whatever the policies of others say, administrators of the secret's
 * account included. They stand in a condition, since a principal that does not exist is refused, and one that is made anew under its name would
 * be locked out (fact 37). The rotation itself writes and never reads.
 */
export function secretPolicy(options: {
  partition: Partition;
  accountId: string;
  userName: string;
  userArn: string;
  readers: readonly string[];
}): string {
  const { partition, accountId, userName, userArn } = options;
  const readers = options.readers.map((reader) =>
    reader.replaceAll("{userArn}", userArn).replaceAll("{account}", accountId).replaceAll("{user}", userName),
  );
  const accounts = [
    ...new Set(readers.map((reader) => reader.split(":")[4] ?? "").filter((id) => /^\d{12}$/.test(id))),
  ];
  const READ = "secretsmanager:GetSecretValue";
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Readers",
        Effect: "Allow",
        Principal: {
          AWS: accounts
            .sort()
            .map((account) => arn({ partition, service: "iam", account, resource: "root" })),
        },
        Action: [READ, "secretsmanager:DescribeSecret"],
        Resource: "*",
        Condition: { ArnEquals: { "aws:PrincipalArn": [...readers].sort() } },
      },
      {
        Sid: "NobodyElse",
        Effect: "Deny",
        Principal: "*",
        Action: [READ, "secretsmanager:BatchGetSecretValue"],
        Resource: "*",
        Condition: { ArnNotEquals: { "aws:PrincipalArn": [...readers].sort() } },
      },
    ],
  });
}

/** What tells whether a secret has a policy. */
export function policyDigest(policy: string): string {
  return createHash("sha256").update(policy).digest("hex").slice(0, 32);
}
