/** CloudWatch Logs. */
import type { Client } from "../context";
import { define, type Handler, syncTags, withoutAwsTags } from "../handler";
import { bool, map, num, obj, str } from "../schema";
import type { Props } from "../types";

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

async function putMetricFilter(logs: Client<"logs">, inputs: Props): Promise<void> {
  const { metricTransformation: metric } = inputs;
  await logs.putMetricFilter({
    logGroupName: inputs.logGroupName,
    filterName: inputs.name,
    filterPattern: inputs.pattern,
    metricTransformations: [
      {
        metricName: metric.name,
        metricNamespace: metric.namespace,
        metricValue: metric.value,
        defaultValue: metric.defaultValue === undefined ? undefined : Number(metric.defaultValue),
        dimensions: metric.dimensions,
        unit: metric.unit,
      },
    ],
  });
}

const logMetricFilter = define("logs", {
  type: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  autoname: { property: "name", maxLength: 512 },
  inputs: {
    name: str({ replaces: true }),
    logGroupName: str({ required: true, replaces: true }),
    pattern: str({ required: true }),
    metricTransformation: obj(
      {
        name: str({ required: true }),
        namespace: str({ required: true }),
        value: str({ required: true }),
        defaultValue: str(),
        dimensions: map(),
        unit: str({ default: "None" }),
      },
      { required: true },
    ),
  },
  advice: { applyOnTransformedLogs: "leave it out: there are no log transformers here" },
  outputs: [],
  validate({ metricTransformation: metric }) {
    const isDouble = metric?.defaultValue !== undefined && Object.keys(metric?.dimensions ?? {}).length > 0;
    const reason = "a metric with dimensions has no default value";
    return isDouble ? [{ property: "metricTransformation.defaultValue", reason }] : [];
  },
  async create(logs, inputs) {
    await putMetricFilter(logs, inputs);
    return inputs.name;
  },
  async read(logs, id, { logGroupName }) {
    const { metricFilters } = await logs.describeMetricFilters({ logGroupName, filterNamePrefix: id });
    const found = metricFilters?.find((one) => one.filterName === id);
    const metric = found?.metricTransformations?.[0];
    if (!found || !metric) return undefined;
    return {
      name: id,
      logGroupName,
      pattern: found.filterPattern ?? "",
      metricTransformation: {
        name: metric.metricName,
        namespace: metric.metricNamespace,
        value: metric.metricValue,
        defaultValue: metric.defaultValue === undefined ? undefined : String(metric.defaultValue),
        dimensions: metric.dimensions,
        unit: metric.unit ?? "None",
      },
    };
  },
  async update(logs, _id, inputs) {
    await putMetricFilter(logs, inputs);
    return undefined;
  },
  async delete(logs, filterName, { logGroupName }) {
    await logs.deleteMetricFilter({ logGroupName, filterName });
  },
  // A filter of that name would be overwritten: there is no error that says so.
  identify: async (_logs, inputs) => inputs.name,
});

export const logsHandlers: readonly Handler[] = [logGroup, logMetricFilter];
