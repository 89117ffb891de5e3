import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { failureKind } from "../engine/failure";
import type { Secrets } from "../engine/ports";
import { awsCall } from "./calls";

/** What each secret gets. */
export interface SecretSettings {
  /** ARN of the key; empty: the account's own for Secrets Manager. */
  kmsKeyId: string;
  /** Replicas, which have the secret's tags and policy too: Secrets Manager copies them. */
  replicas: readonly { region: string; kmsKeyId: string }[];
}

/** Secrets Manager of the region and account in which keys are stored. */
export class AwsSecrets implements Secrets {
  constructor(
    private readonly client: Pick<SecretsManagerClient, "send">,
    private readonly settings: SecretSettings,
  ) {}

  async versions(name: string): Promise<string[] | undefined> {
    try {
      const { VersionIdsToStages, DeletedDate } = await awsCall("DescribeSecret", () =>
        this.client.send(new DescribeSecretCommand({ SecretId: name })),
      );
      if (DeletedDate) return undefined;
      return Object.entries(VersionIdsToStages ?? {}).flatMap(([id, stages]) =>
        stages.length > 0 ? [id] : [],
      );
    } catch (error) {
      if (failureKind(error) === "missing") return undefined;
      throw error;
    }
  }

  async create(name: string, tags: Record<string, string>): Promise<void> {
    const { kmsKeyId, replicas } = this.settings;
    const key = (id: string) => (id === "" ? {} : { KmsKeyId: id });
    await awsCall("CreateSecret", () =>
      this.client.send(
        new CreateSecretCommand({
          Name: name,
          Description: "Access key of an IAM user, kept and rotated by Bulkhead",
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          ...key(kmsKeyId),
          ...(replicas.length > 0 && {
            AddReplicaRegions: replicas.map(({ region, kmsKeyId: id }) => ({ Region: region, ...key(id) })),
          }),
        }),
      ),
    );
  }

  async putPolicy(name: string, policy: string): Promise<void> {
    await awsCall("PutResourcePolicy", () =>
      this.client.send(
        new PutResourcePolicyCommand({ SecretId: name, ResourcePolicy: policy, BlockPublicPolicy: true }),
      ),
    );
  }

  async putValue(name: string, token: string, value: string): Promise<void> {
    await awsCall("PutSecretValue", () =>
      this.client.send(
        new PutSecretValueCommand({ SecretId: name, ClientRequestToken: token, SecretString: value }),
      ),
    );
  }
}
