/** Replicas of KMS's multi-Region keys. */
import { define, type Handler, syncTags, tagMap } from "../handler";
import { bool, map, num, policy, str } from "../schema";
import { until } from "../wait";

const kmsTags = (tags: Record<string, string> | undefined) =>
  Object.entries(tags ?? {}).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

const replicaKey = define("kms", {
  type: "aws:kms/replicaKey:ReplicaKey",
  inputs: {
    primaryKeyArn: str({ required: true, replaces: true }),
    description: str(),
    policy: policy({ computed: true }),
    enabled: bool({ default: true }),
    /** Days until a deleted key is gone. AWS's own default is 30. */
    deletionWindowInDays: num({ writeOnly: true }),
    bypassPolicyLockoutSafetyCheck: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  outputs: ["arn", "keyId", "keyRotationEnabled", "keySpec", "keyUsage"],
  async create(kms, inputs, call) {
    const [, , , primaryRegion] = (inputs.primaryKeyArn as string).split(":");
    // Replicas are asked for where the primary key is.
    const primary = await call.aws.client("kms", primaryRegion);
    const { ReplicaKeyMetadata } = await primary.replicateKey({
      KeyId: inputs.primaryKeyArn,
      ReplicaRegion: call.region,
      Description: inputs.description,
      Policy: inputs.policy,
      BypassPolicyLockoutSafetyCheck: inputs.bypassPolicyLockoutSafetyCheck,
      Tags: inputs.tags && kmsTags(inputs.tags),
    });
    const KeyId = call.created(ReplicaKeyMetadata!.KeyId!);
    await until(
      `replica of key ${KeyId} in ${call.region}`,
      async () => (await kms.describeKey({ KeyId })).KeyMetadata?.KeyState === "Enabled",
    );
    if (!inputs.enabled) await kms.disableKey({ KeyId });
    return KeyId;
  },
  async read(kms, KeyId, known) {
    const { KeyMetadata: data } = await kms.describeKey({ KeyId });
    if (data?.KeyState?.startsWith("Pending")) return undefined;
    const { Policy } = await kms.getKeyPolicy({ KeyId, PolicyName: "default" });
    const { Tags } = await kms.listResourceTags({ KeyId });
    return {
      primaryKeyArn: data!.MultiRegionConfiguration?.PrimaryKey?.Arn ?? known.primaryKeyArn,
      description: data!.Description || undefined,
      policy: Policy,
      enabled: data!.Enabled,
      tags: tagMap(Tags?.map((tag) => ({ Key: tag.TagKey, Value: tag.TagValue }))),
      arn: data!.Arn,
      keyId: data!.KeyId,
      keyRotationEnabled: data!.Enabled
        ? ((await kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled ?? false)
        : (known.keyRotationEnabled ?? false),
      keySpec: data!.KeySpec,
      keyUsage: data!.KeyUsage,
    };
  },
  async update(kms, KeyId, inputs, olds, call) {
    if (call.changed("enabled") && inputs.enabled) await kms.enableKey({ KeyId });
    if (call.changed("description")) {
      await kms.updateKeyDescription({ KeyId, Description: inputs.description ?? "" });
    }
    if (call.changed("policy")) {
      const BypassPolicyLockoutSafetyCheck = inputs.bypassPolicyLockoutSafetyCheck;
      await kms.putKeyPolicy({ KeyId, Policy: inputs.policy, BypassPolicyLockoutSafetyCheck });
    }
    if (call.changed("enabled") && !inputs.enabled) await kms.disableKey({ KeyId });
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => kms.tagResource({ KeyId, Tags: kmsTags(tags) }),
      (TagKeys) => kms.untagResource({ KeyId, TagKeys }),
    );
    return undefined;
  },
  async delete(kms, KeyId, olds) {
    const { KeyMetadata } = await kms.describeKey({ KeyId });
    if (KeyMetadata?.KeyState?.startsWith("Pending")) return;
    await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: olds.deletionWindowInDays });
  },
  // A replica has its primary key's id.
  identify: async (_kms, inputs) => (inputs.primaryKeyArn as string).split("/").at(-1),
});

export const kmsReplicaKeyHandlers: readonly Handler[] = [replicaKey];
