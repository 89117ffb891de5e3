import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { CallFailure } from "../engine/failure";
import { awsCall } from "./calls";

/** Credentials for a client, as the SDK asks for them; it keeps them until they are about to expire. */
export type CredentialProvider = () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration?: Date;
}>;

/**
 * Credentials of a role, from the STS endpoint of the client's own region. Asked for when the first call needs them.
 * @param sts of the cell's region
 */
export function assumedRole(
  sts: Pick<STSClient, "send">,
  role: { arn: string; externalId: string | undefined; sessionName: string },
): CredentialProvider {
  let current: { value: ReturnType<CredentialProvider>; until: number } | undefined;
  return () => {
    if (!current || current.until < Date.now()) {
      const value = assume(sts, role);
      // Several clients share the provider; each would ask anew.
      current = { value, until: Date.now() + 45 * 60_000 };
      value.catch(() => {
        current = undefined;
      });
    }
    return current.value;
  };
}

async function assume(
  sts: Pick<STSClient, "send">,
  { arn, externalId, sessionName }: { arn: string; externalId: string | undefined; sessionName: string },
): ReturnType<CredentialProvider> {
  const { Credentials } = await awsCall("AssumeRole", () =>
    sts.send(
      new AssumeRoleCommand({
        RoleArn: arn,
        RoleSessionName: sessionName,
        ExternalId: externalId,
        DurationSeconds: 3600,
      }),
    ),
  );
  if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
    throw new CallFailure("other", "AssumeRole");
  }
  return {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
    ...(Credentials.Expiration && { expiration: Credentials.Expiration }),
  };
}
