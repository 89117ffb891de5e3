/** The members' users whose keys are rotated in the drill, and what holds and uses these keys. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import * as z from "zod";
import { arn, partitionOf } from "../../components/regional/partition";
import { EXEMPT, EXEMPT_TAG } from "../../functions/keyRotation/decide/policy";
import { backDate, daysAgo } from "../aws/keyHistory";
import { type AccessKey, MEMBERS } from "../aws/organization";
import { PRIMARY } from "../environment";

/** A user of the story. */
interface Role {
  name: string;
  /** Name of the member account. */
  account: (typeof MEMBERS)[number]["name"];
  /** Days since each key was made. */
  ages: number[];
  tags?: Record<string, string>;
}

/** Keys of all ages, with the ages of the default configuration: 90, 100, 110. */
const ROLES: readonly Role[] = [
  { name: "deployer", account: "shop", ages: [95], tags: { owner: "dana@example.com" } },
  { name: "courier", account: "shop", ages: [84], tags: { owner: "erin@example.com" } },
  { name: "printer", account: "shop", ages: [400], tags: { [EXEMPT_TAG]: EXEMPT } },
  { name: "invoices", account: "billing", ages: [130] },
  { name: "archive", account: "billing", ages: [200, 150] },
  { name: "trainee", account: "playground", ages: [10] },
];

/** First part of the secrets' names, by default. */
export const SECRETS_PREFIX = "/bulkhead/keys";

const secretSchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** A user of a member account, with the key that its program works with. In memory only. */
export class KeyUser {
  /** ARN of the secret with its new key, in the primary's region; known from the first rotation on. */
  secretArn = "";

  constructor(
    readonly name: string,
    readonly accountId: string,
    /** All of its keys, oldest first; the program works with the last. */
    readonly keys: AccessKey[],
  ) {}

  get key(): AccessKey {
    return this.keys.at(-1)!;
  }

  /** Ids and states of its keys, as IAM has them. */
  async keysInIam(url: string): Promise<Record<string, string>> {
    const iam = rootOfMember(url, this.accountId);
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: this.name }));
    iam.destroy();
    return Object.fromEntries(
      AccessKeyMetadata.map(({ AccessKeyId = "", Status = "" }) => [AccessKeyId, Status]),
    );
  }

  /** The program reads its secret in a region, with the key that it has. */
  async readKey(settings: object, region: string): Promise<AccessKey> {
    const client = new SecretsManagerClient({ ...settings, region, credentials: this.key });
    try {
      const { SecretString = "" } = await client.send(
        new GetSecretValueCommand({ SecretId: this.secretArn.replace(PRIMARY.region, region) }),
      );
      return secretSchema.parse(JSON.parse(SecretString));
    } finally {
      client.destroy();
    }
  }

  /** The program does its work in a region. */
  async work(settings: object, region: string, credentials = this.key): Promise<void> {
    const client = new SSMClient({ ...settings, region, credentials });
    try {
      await client.send(
        new PutParameterCommand({
          Name: `/app/${this.name}`,
          Value: credentials.accessKeyId,
          Type: "String",
          Overwrite: true,
        }),
      );
    } finally {
      client.destroy();
    }
  }
}

/** The members' administrators make the users, allow each what its program needs, and years go by. */
export async function createKeyUsers(
  url: string,
  securityAccountId: string,
): Promise<Record<string, KeyUser>> {
  const users = await Promise.all(
    ROLES.map(async ({ name, account, ages, tags = {} }) => {
      const { id } = MEMBERS.find((member) => member.name === account)!;
      const iam = rootOfMember(url, id);
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await iam.send(new CreateUserCommand({ UserName: name, Tags }));
      const PolicyDocument = JSON.stringify(programPolicy(securityAccountId, id, name));
      await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: "program", PolicyDocument }));
      const keys: AccessKey[] = [];
      for (const age of ages) {
        const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
        const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey ?? {};
        keys.push({ accessKeyId, secretAccessKey });
        await backDate(url, [{ accessKeyId, createDate: daysAgo(age) }]);
      }
      iam.destroy();
      return new KeyUser(name, id, keys);
    }),
  );
  return Object.fromEntries(users.map((user) => [user.name, user]));
}

/** What docs/key-rotation-deployment.md leaves to the account's own administrator, and the program's work. */
function programPolicy(securityAccountId: string, accountId: string, userName: string) {
  const partition = partitionOf(PRIMARY.region);
  const inAnyRegion = (service: string, account: string, resource: string) =>
    arn({ partition, service, region: "*", account, resource });
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "secretsmanager:GetSecretValue",
        Resource: inAnyRegion(
          "secretsmanager",
          securityAccountId,
          `secret:${SECRETS_PREFIX}/${accountId}/${userName}-*`,
        ),
      },
      {
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: inAnyRegion("kms", securityAccountId, "key/*"),
      },
      {
        Effect: "Allow",
        Action: "ssm:PutParameter",
        Resource: inAnyRegion("ssm", accountId, "parameter/app/*"),
      },
    ],
  };
}

/** In the emulator a 12-digit key is the root of that account. */
export function rootSettings(endpoint: string, accountId: string) {
  return { endpoint, credentials: { accessKeyId: accountId, secretAccessKey: "test" } };
}

function rootOfMember(url: string, accountId: string): IAMClient {
  return new IAMClient({ ...rootSettings(url, accountId), region: PRIMARY.region });
}
