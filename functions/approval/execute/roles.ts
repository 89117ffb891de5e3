import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { arn } from "../../../components/regional/partition";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { Place } from "../operations/values";
import type { SessionCredentials } from "./actingCalls";

/** ARN of a role that stands in every account. @param name with its path, without a leading slash */
export function roleArn({ partition, account }: Pick<Place, "partition" | "account">, name: string): string {
  return arn({ partition, service: "iam", account, resource: `role/${name}` });
}

/** What a role is assumed with. */
export interface Assumption {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  /** @default 900, the shortest that there is */
  readonly seconds?: number;
  /** @default none: all of the role's permissions */
  readonly policy?: string;
  /** @default none */
  readonly sourceIdentity?: string;
}

/**
 * Credentials of a role, from the regional STS.
 * @throws whatever STS answers
 */
export async function assume(
  sts: Pick<STSClient, "send">,
  { roleArn: RoleArn, sessionName, externalId, seconds = 900, policy, sourceIdentity }: Assumption,
): Promise<SessionCredentials> {
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn,
      RoleSessionName: sessionName,
      DurationSeconds: seconds,
      ...(externalId !== undefined && { ExternalId: externalId }),
      ...(policy !== undefined && { Policy: policy }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) {
    throw new BulkheadError("no-credentials", "STS gave no credentials for a role");
  }
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

/** Whether AWS said that it is not allowed, rather than not possible at the moment. */
export function isDenied(error: unknown): boolean {
  const { name = "", $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  return /^AccessDenied(Exception)?$|^UnauthorizedOperation$/.test(name) || $metadata?.httpStatusCode === 403;
}
