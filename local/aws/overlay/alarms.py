"""Alarms on metrics: looked at every second, and held to the topic's permission when they tell it.

MiniStack looks at alarms only when metric data are put, adds up data of all dimensions, knows no missing data, and publishes
without asking. Here an alarm begins with INSUFFICIENT_DATA and is what the last periods say, up to now: each period is one
data point, or missing, in which case `TreatMissingData` decides; it goes to ALARM when DatapointsToAlarm of them breach.
(AWS looks back somewhat further than the alarm's periods for data that are not missing, and only once a minute.)

An alarm publishes as cloudwatch.amazonaws.com with its own ARN as the source: the topic's policy, and the key's of an encrypted
one, must let it. Alarms of metric math, of anomalies, and actions other than topics are not served.
"""
import asyncio
import contextvars
import json
import logging
import time

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, sns, sqs

from overlay import delivery, outage

logger = logging.getLogger("bulkhead.alarms")

_PRINCIPAL = "cloudwatch.amazonaws.com"
_SECONDS = 1
_INSUFFICIENT = "INSUFFICIENT_DATA"
#: Tasks are kept, since the loop itself keeps none.
_tasks = set()


def install():
    cloudwatch._evaluate_all_alarms = _evaluate_all
    # A new alarm has no data yet; it is looked at within the next second.
    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._dispatch_alarm_actions = _act


def start():
    """Looks at all alarms every second from now on."""
    _tasks.add(asyncio.get_running_loop().create_task(_watch(), context=contextvars.Context()))


async def _watch():
    while True:
        await asyncio.sleep(_SECONDS)
        for account, region, name in list(cloudwatch._alarms._data):
            with request_scope(account, region):
                alarm = cloudwatch._alarms.get(name)
                if alarm is not None:
                    _look_at(alarm)


def _evaluate_all():
    """Looks at the alarms of the current account and region: their data have changed."""
    for alarm in list(cloudwatch._alarms.values()):
        _look_at(alarm)


def _look_at(alarm):
    try:
        _evaluate(alarm)
    except Exception:  # noqa: BLE001 - one alarm must not keep the others from being looked at
        logger.exception("alarm %s", alarm["AlarmName"])


# ---------------------------------------------------------------- states


def _evaluate(alarm):
    """Brings an alarm of the current account and region to the state that its metric says."""
    if outage.is_cut_off(get_region()) or not alarm.get("MetricName"):
        return
    old = alarm["StateValue"]
    state, reason = _state(alarm, _points(alarm))
    if state == old:
        return
    alarm["StateValue"], alarm["StateReason"] = state, reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    _act(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _points(alarm):
    """The alarm's data points, the newest first; None for a period without data."""
    now = time.time()
    period, count = alarm.get("Period", 60), alarm.get("EvaluationPeriods", 1)
    data = _data(alarm, now)
    points = []
    for index in range(count):
        end = now - index * period
        points.append(_statistic(alarm, [each for each in data if end - period < each["Timestamp"] <= end]))
    return points


def _data(alarm, now):
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []}
    if alarm["Namespace"] == "AWS/SQS" and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible":
        return _queue_length(dimensions.get("QueueName"), now)
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    unit = alarm.get("Unit")
    return [each for each in cloudwatch._metrics.get(key) or [] if not unit or each.get("Unit") == unit]


def _queue_length(name, now):
    """SQS's own metric of a queue, as it is now."""
    queue = next((each for each in sqs._queues.values() if each.get("name") == name), None)
    if queue is None:
        return []
    visible = sum(1 for message in queue["messages"] if message.get("visible_at", 0) <= now)
    return [{"Timestamp": now, "Value": float(visible), "Unit": "Count"}]


def _statistic(alarm, data):
    if not data:
        return None
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return cloudwatch._stat_value(cloudwatch._calc_stats(data), name, data)


_BREACHES = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def _state(alarm, points):
    """The state that data points (None: missing) mean, and why."""
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    threshold = alarm["Threshold"]
    needed = alarm.get("DatapointsToAlarm") or len(points)
    treatment = alarm.get("TreatMissingData") or "missing"
    real = [point for point in points if point is not None]
    missing = len(points) - len(real)
    breaching = sum(1 for point in real if breaches(point, threshold))
    shown = f"{len(real)} data points {[round(point, 6) for point in real]} in {len(points)} periods, {missing} missing"
    if missing == len(points):
        told = {"breaching": "ALARM", "notBreaching": "OK", "ignore": alarm["StateValue"]}.get(treatment, _INSUFFICIENT)
        return told, f"{shown}: missing data are treated as {treatment}"
    if treatment == "breaching":
        breaching += missing
    elif treatment == "missing":
        # What is there decides alone.
        needed = min(needed, len(real))
    elif treatment == "ignore" and breaching < needed <= breaching + missing:
        return alarm["StateValue"], alarm["StateReason"]
    operator = alarm["ComparisonOperator"]
    if breaching >= needed:
        return "ALARM", f"Threshold Crossed: {shown}: {breaching} were {operator} {threshold}"
    return "OK", f"Threshold not crossed: {shown}: {breaching} were {operator} {threshold}, {needed} are needed"


# ---------------------------------------------------------------- actions

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", _INSUFFICIENT: "InsufficientDataActions"}


class _Refused(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")


def _act(alarm, old, state, reason):
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_ACTIONS[state]) or []:
        try:
            _tell(action, alarm, old, state, reason)
        except (_Refused, sns.SnsPublishError) as refused:
            logger.warning("%s: %s: %s", alarm["AlarmArn"], action, refused)
            _note(alarm, f"Failed to execute action {action}. Received error: {refused}")
        else:
            _note(alarm, f"Successfully executed action {action}")


def _tell(topic, alarm, old, state, reason):
    try:
        spec = parse_arn(topic)
    except ArnParseError:
        raise _Refused("INVALID_ACTION", f"{topic} is not an ARN") from None
    if spec.service != "sns" or spec.region != get_region():
        raise _Refused("INVALID_ACTION", "the local AWS serves topics of the alarm's own region only")
    source = (alarm["AlarmArn"], get_account_id())
    delivery.require(delivery.topic_allows(topic, _PRINCIPAL, *source), _Refused, topic, "sns:Publish")
    delivery.require_key(delivery.topic_key(topic), _PRINCIPAL, source, _Refused)
    name = alarm["AlarmName"]
    sns.publish_internal(topic, json.dumps(_message(alarm, old, state, reason)), f'{state}: "{name}" in {get_region()}'[:100])


def _message(alarm, old, state, reason):
    """As CloudWatch words it for a topic."""
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _iso(alarm.get("AlarmConfigurationUpdatedTimestamp", time.time())),
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": _iso(time.time()),
        "Region": get_region(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
        "Trigger": {
            "MetricName": alarm["MetricName"],
            "Namespace": alarm["Namespace"],
            "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
            "Statistic": (alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "").upper(),
            "Unit": alarm.get("Unit"),
            "Dimensions": [{"name": each["Name"], "value": each["Value"]} for each in alarm.get("Dimensions") or []],
            "Period": alarm.get("Period", 60),
            "EvaluationPeriods": alarm.get("EvaluationPeriods", 1),
            **({"DatapointsToAlarm": alarm["DatapointsToAlarm"]} if alarm.get("DatapointsToAlarm") else {}),
            "ComparisonOperator": alarm["ComparisonOperator"],
            "Threshold": alarm["Threshold"],
            "TreatMissingData": alarm.get("TreatMissingData") or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _iso(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(moment))


def _note(alarm, summary):
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": summary,
            "HistoryData": json.dumps({"actionState": summary.split()[0]}),
        }
    )
