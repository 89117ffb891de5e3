import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type Cell, regionalName } from "../regional/cell";
import { machineArn } from "./names";

/** What the alarms on runs are made of. */
export interface RunAlarmParts {
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  intervalHours: number;
  /** Whether runs are started at all: without, none can be missed. */
  scheduled: boolean;
  alertTopicArn: pulumi.Input<string>;
}

/** So many hours later than it should have been, a run counts as missed. */
const GRACE_HOURS = 2;

/**
 * Alarms on the runs: one failed, took too long or was stopped, or none was started when one should have been. A standby's runs count: they
 * prove that it stands by. The functions have alarms of their own, for accounts that failed within what is tolerated among other things.
 */
export function createRunAlarms(parts: RunAlarmParts): void {
  const { cell, intervalHours } = parts;
  const machine = regionalName(cell, "key-rotator");
  const alarm = (suffix: string, args: Partial<aws.cloudwatch.MetricAlarmArgs>) =>
    new aws.cloudwatch.MetricAlarm(
      `${parts.name}-runs-${suffix}-alarm`,
      {
        name: `${machine}-runs-${suffix}`,
        namespace: "AWS/States",
        dimensions: { StateMachineArn: machineArn(cell) },
        statistic: "Sum",
        period: 300,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: "notBreaching",
        alarmActions: [parts.alertTopicArn],
        ...args,
      },
      { parent: parts.parent },
    );
  alarm("failed", {
    alarmDescription: `A run of ${machine} failed. The execution says in which state.`,
    metricName: "ExecutionsFailed",
  });
  alarm("timed-out", {
    alarmDescription: `A run of ${machine} took too long and was stopped; the next one goes on.`,
    metricName: "ExecutionsTimedOut",
  });
  alarm("aborted", {
    alarmDescription: `A run of ${machine} was stopped by somebody; the next one goes on.`,
    metricName: "ExecutionsAborted",
  });
  if (!parts.scheduled) return;
  const hours = intervalHours + GRACE_HOURS;
  // Without a run there is no metric: the data being missing for so long is the alarm. A rotator that was never run yet is not missed.
  alarm("missed", {
    alarmDescription: `No run of ${machine} was started in ${hours} hours: look at its schedule.`,
    metricName: "ExecutionsStarted",
    period: 3600,
    evaluationPeriods: hours,
    datapointsToAlarm: hours,
    comparisonOperator: "LessThanThreshold",
    treatMissingData: "missing",
    insufficientDataActions: [parts.alertTopicArn],
  });
}
