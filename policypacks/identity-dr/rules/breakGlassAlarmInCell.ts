import { missingAlarms } from "../lib/cellAlarms";
import { missingAlerts } from "../lib/cellAlerts";
import { ALARM, isCellPart, METRIC_FILTER, RULE, TARGET, watchedCells } from "../lib/cells";
import { EMERGENCY_USER_OPTIONS, isUserType } from "../lib/emergencyUsers";
import { byType } from "../lib/references";
import { defineRule } from "../lib/rule";

/** Rejects cells in which an emergency user could be used unnoticed. */
export const breakGlassAlarmInCell = defineRule({
  id: "break-glass-alarm-in-cell",
  title: "Alarms on emergency users in every cell",
  description:
    "A cell must tell people of every use of an emergency user by event rules of its own, and have the alarm BreakglassAccountUsed-USER.",
  severity: "critical",
  why:
    "The users are administrators, and a use that nobody ordered is a break-in. A sign-in is recorded in the region of the address that was " +
    "used (fact 17), and one trail's alarm dies with its region (fact 25): so each cell has event rules that send to a topic within " +
    "seconds, and the first seed's metric filter and alarm on a trail of its own.",
  looksAt: [
    "stacks that own emergency users, or hold a component of `cellComponents`; in the region that these stand in",
    "event rules on the default bus, enabled: with a standard topic as target those that match sign-ins, also failed ones without an ARN, and " +
      "whatever the detail-type says; with any target those that match calls that change something, and AssumeRole with all management events",
    "alarms BreakglassAccountUsed-USER: sum over 60 seconds, 1 or more, once, sent to a topic, and a metric filter that feeds them",
  ],
  leavesAlone: ["all other stacks", "rules on other buses, which see other accounts", "what else is watched"],
  unknowns:
    "a pattern, target, bus or action that is not known counts as right until it is known, unless it comes from a resource of another type. A user " +
    "whose name is not known is checked when it is.",
  examples: {
    rejected:
      'new BreakGlassMonitor("monitor", { cell, userNames, alertTopicArn, kmsKeyArn }, { provider }); // and no trail',
    accepted: `new BreakGlassMonitor("monitor", { cell, userNames, alertTopicArn, kmsKeyArn }, { provider });
new aws.cloudwatch.LogMetricFilter("filter", {
  logGroupName, pattern: '{ $.userIdentity.userName = "breakglass-admin-1" }',
  metricTransformation: { namespace: "Security/BreakglassMonitoring", name: "BreakglassLoginCount-breakglass-admin-1", value: "1" },
}, { provider });
new aws.cloudwatch.MetricAlarm("alarm", {
  name: "BreakglassAccountUsed-breakglass-admin-1",
  namespace: "Security/BreakglassMonitoring", metricName: "BreakglassLoginCount-breakglass-admin-1",
  statistic: "Sum", period: 60, evaluationPeriods: 1, threshold: 1, comparisonOperator: "GreaterThanOrEqualToThreshold",
  alarmActions: [alertTopicArn],
}, { provider });`,
  },
  options: {
    ...EMERGENCY_USER_OPTIONS,
    cellComponents: {
      description:
        "Types of components that make a stack a cell, in which emergency users have to be watched.",
      default: [
        "bulkhead:index:ActivationRecord",
        "bulkhead:index:BreakGlassAccount",
        "bulkhead:index:BreakGlassMonitor",
      ],
    },
  },
  appliesTo: (type) =>
    isUserType(type) || [RULE, TARGET, ALARM, METRIC_FILTER].includes(type) || isCellPart(type),
  stack(resources, config, report) {
    const of = byType(resources);
    for (const cell of watchedCells(resources, config)) {
      const place = cell.region === undefined ? "this stack" : cell.region;
      if (cell.users.length === 0) {
        report(cell.marker, {
          path: "",
          found: `no event rule of ${place} watches an emergency user, and this is a cell`,
          instead: "add a BreakGlassMonitor to the cell",
        });
      }
      for (const user of cell.users) {
        for (const { found, instead } of [
          ...missingAlerts(of, cell, user),
          ...missingAlarms(of, cell, user),
        ]) {
          report(cell.marker, { path: "", found: `in ${place}, ${found}`, instead });
        }
      }
    }
  },
});
