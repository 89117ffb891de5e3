/** CloudWatch Logs. */
import { define, type Handler, syncTags, withoutAwsTags } from "../handler";
import { bool, map, num, str } from "../schema";

const logGroup = define("logs", {
  type: "aws:cloudwatch/logGroup:LogGroup",
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 512 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    kmsKeyId: str(),
    logGroupClass: str({
      computed: true,
      replaces: true,
      values: ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"],
    }),
    /** 0: kept for ever. */
    retentionInDays: num({ default: 0 }),
    skipDestroy: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  outputs: ["arn"],
  async create(logs, inputs, call) {
    await logs.createLogGroup({
      logGroupName: inputs.name,
      kmsKeyId: inputs.kmsKeyId,
      logGroupClass: inputs.logGroupClass,
      tags: inputs.tags,
    });
    call.created(inputs.name);
    if (inputs.retentionInDays > 0) {
      await logs.putRetentionPolicy({ logGroupName: inputs.name, retentionInDays: inputs.retentionInDays });
    }
    return inputs.name;
  },
  async read(logs, id) {
    const { logGroups } = await logs.describeLogGroups({ logGroupNamePrefix: id });
    const group = logGroups?.find((found) => found.logGroupName === id);
    if (!group) return undefined;
    // Older answers have only `arn`, which ends in `:*`.
    const arn = group.logGroupArn ?? group.arn?.replace(/:\*$/, "");
    const { tags } = await logs.listTagsForResource({ resourceArn: arn });
    return {
      name: id,
      kmsKeyId: group.kmsKeyId,
      logGroupClass: group.logGroupClass ?? "STANDARD",
      retentionInDays: group.retentionInDays ?? 0,
      tags: withoutAwsTags(tags),
      arn,
    };
  },
  async update(logs, logGroupName, inputs, olds, call) {
    if (call.changed("kmsKeyId")) {
      if (inputs.kmsKeyId) await logs.associateKmsKey({ logGroupName, kmsKeyId: inputs.kmsKeyId });
      else await logs.disassociateKmsKey({ logGroupName });
    }
    if (call.changed("retentionInDays")) {
      const { retentionInDays } = inputs;
      if (retentionInDays > 0) await logs.putRetentionPolicy({ logGroupName, retentionInDays });
      else await logs.deleteRetentionPolicy({ logGroupName });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => logs.tagResource({ resourceArn: olds.arn, tags }),
      (tagKeys) => logs.untagResource({ resourceArn: olds.arn, tagKeys }),
    );
    return undefined;
  },
  async delete(logs, logGroupName, olds) {
    if (!olds.skipDestroy) await logs.deleteLogGroup({ logGroupName });
  },
  identify: async (_logs, inputs) => inputs.name,
});

export const logsHandlers: readonly Handler[] = [logGroup];
