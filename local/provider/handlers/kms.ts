/** Key Management Service. */
import type { Client } from "../context";
import { define, type Handler, lastPart, pages, syncTags, tagMap } from "../handler";
import { bool, map, num, policy, str } from "../schema";
import type { Props } from "../types";

type Kms = Client<"kms">;

/** KMS has its own names for the parts of a tag. */
function kmsTags(tags: Record<string, string> | undefined): { TagKey: string; TagValue: string }[] {
  return Object.entries(tags ?? {}).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

async function setRotation(kms: Kms, KeyId: string, inputs: Props): Promise<void> {
  if (!inputs.enableKeyRotation) await kms.disableKeyRotation({ KeyId });
  else await kms.enableKeyRotation({ KeyId, RotationPeriodInDays: inputs.rotationPeriodInDays });
}

const key = define("kms", {
  type: "aws:kms/key:Key",
  inputs: {
    description: str({ computed: true }),
    policy: policy({ computed: true }),
    keyUsage: str({ default: "ENCRYPT_DECRYPT", replaces: true }),
    customerMasterKeySpec: str({ default: "SYMMETRIC_DEFAULT", replaces: true }),
    enableKeyRotation: bool({ default: false }),
    rotationPeriodInDays: num({ computed: true }),
    isEnabled: bool({ default: true }),
    multiRegion: bool({ computed: true, replaces: true }),
    /** Days until a deleted key is gone. AWS's own default is 30. */
    deletionWindowInDays: num({ writeOnly: true }),
    bypassPolicyLockoutSafetyCheck: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  outputs: ["arn", "keyId"],
  async create(kms, inputs, call) {
    const { KeyMetadata } = await kms.createKey({
      Description: inputs.description,
      Policy: inputs.policy,
      KeyUsage: inputs.keyUsage,
      KeySpec: inputs.customerMasterKeySpec,
      MultiRegion: inputs.multiRegion,
      BypassPolicyLockoutSafetyCheck: inputs.bypassPolicyLockoutSafetyCheck,
      Tags: inputs.tags && kmsTags(inputs.tags),
    });
    const KeyId = call.created(KeyMetadata!.KeyId!);
    if (inputs.enableKeyRotation) await setRotation(kms, KeyId, inputs);
    if (!inputs.isEnabled) await kms.disableKey({ KeyId });
    return KeyId;
  },
  async read(kms, KeyId) {
    const { KeyMetadata: data } = await kms.describeKey({ KeyId });
    // A key waiting for its end serves nobody any more.
    if (data?.KeyState?.startsWith("Pending")) return undefined;
    const { Policy } = await kms.getKeyPolicy({ KeyId, PolicyName: "default" });
    const { Tags } = await kms.listResourceTags({ KeyId });
    const isSymmetric = data!.KeySpec === "SYMMETRIC_DEFAULT";
    const rotation = isSymmetric && data!.Enabled ? await kms.getKeyRotationStatus({ KeyId }) : undefined;
    return {
      description: data!.Description,
      policy: Policy,
      keyUsage: data!.KeyUsage,
      customerMasterKeySpec: data!.KeySpec,
      enableKeyRotation: rotation?.KeyRotationEnabled ?? false,
      rotationPeriodInDays: rotation?.RotationPeriodInDays,
      isEnabled: data!.Enabled,
      multiRegion: data!.MultiRegion ?? false,
      tags: tagMap(Tags?.map((tag) => ({ Key: tag.TagKey, Value: tag.TagValue }))),
      arn: data!.Arn,
      keyId: data!.KeyId,
    };
  },
  async update(kms, KeyId, inputs, olds, call) {
    // A disabled key takes no other change.
    if (call.changed("isEnabled") && inputs.isEnabled) await kms.enableKey({ KeyId });
    if (call.changed("description"))
      await kms.updateKeyDescription({ KeyId, Description: inputs.description ?? "" });
    if (call.changed("policy")) {
      const BypassPolicyLockoutSafetyCheck = inputs.bypassPolicyLockoutSafetyCheck;
      await kms.putKeyPolicy({ KeyId, Policy: inputs.policy, BypassPolicyLockoutSafetyCheck });
    }
    if (call.changed("enableKeyRotation", "rotationPeriodInDays")) await setRotation(kms, KeyId, inputs);
    if (call.changed("isEnabled") && !inputs.isEnabled) await kms.disableKey({ KeyId });
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
  // Keys have no names: one is known by its tags and its description.
  async identify(kms, inputs) {
    const wanted = Object.entries(inputs.tags ?? {});
    if (wanted.length === 0) return undefined;
    const keys = await pages(
      (Marker) => kms.listKeys({ Marker }),
      (page) => page.Keys,
      (page) => page.NextMarker,
    );
    for (const { KeyId } of keys) {
      const { KeyMetadata } = await kms.describeKey({ KeyId });
      if (KeyMetadata?.KeyManager === "AWS" || KeyMetadata?.KeyState?.startsWith("Pending")) continue;
      if ((inputs.description ?? "") !== (KeyMetadata?.Description ?? "")) continue;
      const { Tags = [] } = await kms.listResourceTags({ KeyId });
      const live = Object.fromEntries(Tags.map((tag) => [tag.TagKey, tag.TagValue]));
      if (wanted.every(([name, value]) => live[name] === value)) return KeyId;
    }
    return undefined;
  },
});

const alias = define("kms", {
  type: "aws:kms/alias:Alias",
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 256, before: "alias/" },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    targetKeyId: str({ required: true }),
  },
  outputs: ["arn", "targetKeyArn"],
  volatile: { targetKeyArn: ["targetKeyId"] },
  validate({ name }) {
    if (typeof name !== "string" || name.startsWith("alias/") || !/^[\w/-]+$/.test(name)) return [];
    return [{ property: "name", reason: `is "${name}": must begin with "alias/"` }];
  },
  async create(kms, inputs) {
    await kms.createAlias({ AliasName: inputs.name, TargetKeyId: inputs.targetKeyId });
    return inputs.name;
  },
  async read(kms, id, known) {
    const aliases = await pages(
      (Marker) => kms.listAliases({ Marker }),
      (page) => page.Aliases,
      (page) => page.NextMarker,
    );
    const found = aliases.find((one) => one.AliasName === id);
    if (!found) return undefined;
    const { KeyMetadata } = await kms.describeKey({ KeyId: found.TargetKeyId });
    // The program may have named the key by its ARN.
    const isSame = lastPart(known.targetKeyId ?? "", "/") === found.TargetKeyId;
    return {
      name: id,
      targetKeyId: isSame ? known.targetKeyId : found.TargetKeyId,
      arn: found.AliasArn,
      targetKeyArn: KeyMetadata?.Arn,
    };
  },
  async update(kms, id, inputs) {
    await kms.updateAlias({ AliasName: id, TargetKeyId: inputs.targetKeyId });
    return undefined;
  },
  async delete(kms, id) {
    await kms.deleteAlias({ AliasName: id });
  },
  identify: async (_kms, inputs) => inputs.name,
});

export const kmsHandlers: readonly Handler[] = [key, alias];
