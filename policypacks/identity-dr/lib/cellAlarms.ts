import { ALARM, type CellUser, isInCell, METRIC_FILTER, type WatchedCell } from "./cells";
import type { byType } from "./references";
import type { RuleStackResource } from "./rule";
import { sendsToTopic } from "./topics";
import { isObject, list, type Plain, property, text, UNKNOWN } from "./walk";

/** What is wrong with a cell's alarm on the use of a user, and what to do about it. */
export function missingAlarms(
  of: ReturnType<typeof byType>,
  cell: WatchedCell,
  user: CellUser,
): { found: string; instead: string }[] {
  const name = `BreakglassAccountUsed-${user.userName}`;
  const alarms = of(ALARM).filter((alarm) => isInCell(alarm, cell));
  const alarm = alarms.find(
    ({ props }) => text(property(props, "name"))?.toLowerCase() === name.toLowerCase(),
  );
  if (!alarm) {
    // One whose name is not known may be it.
    if (alarms.some(({ props }) => property(props, "name") === UNKNOWN)) return [];
    return [
      {
        found: `there is no alarm "${name}"`,
        instead: "add the cell's trail with its metric filters and alarms",
      },
    ];
  }
  const weak = weaknesses(alarm);
  if (weak.length > 0) {
    return [
      {
        found: `the alarm "${name}" has ${weak.join(", ")}`,
        instead:
          "write statistic Sum, period 60, evaluationPeriods 1, threshold 1, GreaterThanOrEqualToThreshold, and a topic in alarmActions",
      },
    ];
  }
  if (of(METRIC_FILTER).some((filter) => isInCell(filter, cell) && feeds(filter, alarm))) return [];
  return [
    {
      found: `no metric filter feeds the alarm "${name}"`,
      instead:
        "add a metric filter with the alarm's namespace and metric name on the log group of the cell's trail",
    },
  ];
}

/** What an alarm must have, and what it may say about it. */
const DEMANDS: readonly { name: string; accepts: (value: Plain | undefined) => boolean }[] = [
  { name: "statistic", accepts: (value) => value === "Sum" },
  { name: "period", accepts: (value) => Number(value) === 60 },
  { name: "evaluationPeriods", accepts: (value) => Number(value) === 1 },
  { name: "threshold", accepts: (value) => Number(value) === 1 },
  { name: "comparisonOperator", accepts: (value) => value === "GreaterThanOrEqualToThreshold" },
  { name: "actionsEnabled", accepts: (value) => value === undefined || value === null || value === true },
];

function weaknesses(alarm: RuleStackResource): string[] {
  const found = DEMANDS.flatMap(({ name, accepts }) => {
    const value = property(alarm.props, name);
    if (value === UNKNOWN || accepts(value)) return [];
    return [value === undefined || value === null ? `no ${name}` : `${name} ${String(value)}`];
  });
  return sendsToTopic(alarm, "alarmActions") ? found : [...found, "no topic in alarmActions"];
}

function feeds(filter: RuleStackResource, alarm: RuleStackResource): boolean {
  return list(property(filter.props, "metricTransformation")).some((transformation) => {
    if (!isObject(transformation)) return transformation === UNKNOWN;
    return (
      same(property(transformation, "name"), property(alarm.props, "metricName")) &&
      same(property(transformation, "namespace"), property(alarm.props, "namespace"))
    );
  });
}

function same(one: Plain | undefined, other: Plain | undefined): boolean {
  return one === other || one === UNKNOWN || other === UNKNOWN;
}
