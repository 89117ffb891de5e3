import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { functionNames } from "../lambda/functionNames";
import type { RegionalFunction } from "../lambda/regionalFunction";
import { type Cell, regionalName } from "../regional/cell";
import { stateMachineArn } from "../stateMachine/machineArn";
import { APPROVAL, type ApprovalFunction } from "./names";

/** What the alarms are made of. */
export interface ApprovalAlarmsParts {
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  alertTopicArn: pulumi.Input<string>;
  functions: Readonly<Record<ApprovalFunction, RegionalFunction>>;
}

/** Minutes without a sweep after which something is wrong with the schedule: three sweeps. */
const MISSED_MINUTES = 15;

/** What functions log, as metrics. */
const COUNTED = {
  bypassUsed: {
    metric: "ApprovalBypassUsed",
    pattern: '{ ($.message = "a choice took effect") && ($.choice = "bypass") }',
  },
  stuck: {
    metric: "ApprovalRequestsStuck",
    pattern: '{ ($.message = "swept") && (($.overdue > 0) || ($.failed > 0)) }',
  },
} as const;
const NAMESPACE = "Bulkhead";

/**
 * Alarms on executions, on the sweep being missed or finding something stuck, and on the bypass; the functions and queues have alarms of their own.
 * Every use of the bypass is also told by the functions themselves: the alarm is there for when they cannot.
 */
export function createApprovalAlarms(parts: ApprovalAlarmsParts): void {
  const { parent, name, cell, alertTopicArn, functions } = parts;
  const alarm = (suffix: string, args: Partial<aws.cloudwatch.MetricAlarmArgs>) =>
    new aws.cloudwatch.MetricAlarm(
      `${name}-${suffix}-alarm`,
      {
        name: `${regionalName(cell, APPROVAL)}-${suffix}`,
        statistic: "Sum",
        period: 300,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: "notBreaching",
        alarmActions: [alertTopicArn],
        ...args,
      },
      { parent },
    );
  const ofExecutions = {
    namespace: "AWS/States",
    dimensions: { StateMachineArn: stateMachineArn(cell, APPROVAL) },
  };
  for (const [suffix, metricName, what] of [
    ["failed", "ExecutionsFailed", "failed"],
    ["timed-out", "ExecutionsTimedOut", "took too long"],
    ["aborted", "ExecutionsAborted", "was stopped by somebody"],
  ] as const) {
    alarm(`executions-${suffix}`, {
      ...ofExecutions,
      metricName,
      alarmDescription: `The execution that watches a request for approval ${what}. Its name is the request's id; the sweep starts another one.`,
    });
  }
  alarm("sweep-missed", {
    namespace: "AWS/Lambda",
    metricName: "Invocations",
    dimensions: { FunctionName: functionNames(cell, "approval-sweep").functionName },
    period: MISSED_MINUTES * 60,
    comparisonOperator: "LessThanThreshold",
    treatMissingData: "breaching",
    alarmDescription: `Nobody has looked for stuck requests and left-over access for ${MISSED_MINUTES} minutes: look at the schedule ${regionalName(cell, "approval-sweep")}.`,
  });
  const count = (what: keyof typeof COUNTED, which: ApprovalFunction) => {
    const { metric, pattern } = COUNTED[what];
    new aws.cloudwatch.LogMetricFilter(
      `${name}-${which.replace("approval-", "")}-${what}`,
      {
        name: metric,
        logGroupName: functions[which].logGroupName,
        pattern,
        metricTransformation: { name: metric, namespace: NAMESPACE, value: "1" },
      },
      { parent },
    );
    return { namespace: NAMESPACE, metricName: metric };
  };
  alarm("bypass-used", {
    ...count("bypassUsed", "approval-http"),
    period: 60,
    alarmDescription:
      "A member of approval-bypass let an operation pass without its approvals. The audit says who, what and why.",
  });
  alarm("requests-stuck", {
    ...count("stuck", "approval-sweep"),
    alarmDescription:
      "The sweep found requests for approval that nobody watched any more, or could not look after them. Its log says which.",
  });
}
