/** CloudWatch metrics and alarms. */
import type { Client } from "../context";
import { define, type Handler, someTags, syncTags, tagList, tagMap } from "../handler";
import { bool, map, num, set, str } from "../schema";
import type { Props } from "../types";

function dimensionList(
  dimensions: Record<string, string> | undefined,
): { Name: string; Value: string }[] | undefined {
  return dimensions && Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}

function dimensionMap(
  dimensions: readonly { Name?: string; Value?: string }[] | undefined,
): Props | undefined {
  return dimensions?.length ? Object.fromEntries(dimensions.map((one) => [one.Name, one.Value])) : undefined;
}

async function putAlarm(cloudwatch: Client<"cloudwatch">, inputs: Props, withTags: boolean): Promise<void> {
  await cloudwatch.putMetricAlarm({
    AlarmName: inputs.name,
    AlarmDescription: inputs.alarmDescription,
    ActionsEnabled: inputs.actionsEnabled,
    AlarmActions: inputs.alarmActions,
    OKActions: inputs.okActions,
    InsufficientDataActions: inputs.insufficientDataActions,
    ComparisonOperator: inputs.comparisonOperator,
    DatapointsToAlarm: inputs.datapointsToAlarm,
    Dimensions: dimensionList(inputs.dimensions),
    EvaluateLowSampleCountPercentile: inputs.evaluateLowSampleCountPercentiles,
    EvaluationPeriods: inputs.evaluationPeriods,
    ExtendedStatistic: inputs.extendedStatistic,
    MetricName: inputs.metricName,
    Namespace: inputs.namespace,
    Period: inputs.period,
    Statistic: inputs.statistic,
    Threshold: inputs.threshold,
    TreatMissingData: inputs.treatMissingData,
    Unit: inputs.unit,
    ...(withTags && { Tags: someTags(inputs.tags) }),
  });
}

const metricAlarm = define("cloudwatch", {
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  autoname: { property: "name", maxLength: 255 },
  inputs: {
    name: str({ replaces: true }),
    alarmDescription: str(),
    actionsEnabled: bool({ default: true }),
    alarmActions: set(str()),
    okActions: set(str()),
    insufficientDataActions: set(str()),
    comparisonOperator: str({
      required: true,
      values: [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
      ],
    }),
    datapointsToAlarm: num(),
    dimensions: map(),
    evaluateLowSampleCountPercentiles: str({ computed: true, values: ["evaluate", "ignore"] }),
    evaluationPeriods: num({ required: true }),
    extendedStatistic: str(),
    metricName: str({ required: true }),
    namespace: str({ required: true }),
    period: num({ required: true }),
    statistic: str({ values: ["SampleCount", "Average", "Sum", "Minimum", "Maximum"] }),
    threshold: num({ required: true }),
    treatMissingData: str({ default: "missing", values: ["missing", "ignore", "breaching", "notBreaching"] }),
    unit: str(),
    tags: map(),
  },
  advice: {
    metricQueries: "alarm on one metric (metricName, namespace, period, statistic)",
    thresholdMetricId: "alarm on one metric with a fixed threshold",
  },
  outputs: ["arn"],
  async create(cloudwatch, inputs) {
    await putAlarm(cloudwatch, inputs, true);
    return inputs.name;
  },
  async read(cloudwatch, id) {
    const { MetricAlarms } = await cloudwatch.describeAlarms({ AlarmNames: [id] });
    const alarm = MetricAlarms?.find((found) => found.AlarmName === id);
    if (!alarm) return undefined;
    const { Tags } = await cloudwatch.listTagsForResource({ ResourceARN: alarm.AlarmArn });
    return {
      name: alarm.AlarmName,
      alarmDescription: alarm.AlarmDescription,
      actionsEnabled: alarm.ActionsEnabled,
      alarmActions: alarm.AlarmActions,
      okActions: alarm.OKActions,
      insufficientDataActions: alarm.InsufficientDataActions,
      comparisonOperator: alarm.ComparisonOperator,
      datapointsToAlarm: alarm.DatapointsToAlarm,
      dimensions: dimensionMap(alarm.Dimensions),
      evaluateLowSampleCountPercentiles: alarm.EvaluateLowSampleCountPercentile,
      evaluationPeriods: alarm.EvaluationPeriods,
      extendedStatistic: alarm.ExtendedStatistic,
      metricName: alarm.MetricName,
      namespace: alarm.Namespace,
      period: alarm.Period,
      statistic: alarm.Statistic,
      threshold: alarm.Threshold,
      treatMissingData: alarm.TreatMissingData,
      unit: alarm.Unit,
      tags: tagMap(Tags),
      arn: alarm.AlarmArn,
    };
  },
  async update(cloudwatch, _id, inputs, olds) {
    await putAlarm(cloudwatch, inputs, false);
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => cloudwatch.tagResource({ ResourceARN: olds.arn, Tags: tagList(tags) }),
      (TagKeys) => cloudwatch.untagResource({ ResourceARN: olds.arn, TagKeys }),
    );
    return undefined;
  },
  async delete(cloudwatch, id) {
    await cloudwatch.deleteAlarms({ AlarmNames: [id] });
  },
  identify: async (_cloudwatch, inputs) => inputs.name,
});

export const cloudwatchHandlers: readonly Handler[] = [metricAlarm];
