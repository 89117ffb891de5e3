"""Metrics out of logs: metric filters, and lines in the embedded metric format, which functions write.

MiniStack keeps metric filters and counts nothing. Both kinds of metric are made of every line that reaches a log group,
whether by PutLogEvents, from a function or from a trail, and alarms are looked at afterwards.
"""
import json
import logging
import re
import time

from ministack.services import cloudwatch, cloudwatch_logs

from overlay import answers, calls, filter_pattern

logger = logging.getLogger("bulkhead.logs")

_MOST_FILTERS = 100
_MOST_DIMENSIONS = 3


def install():
    # Every way into a log group passes here: MiniStack hands new lines to the group's subscription filters.
    cloudwatch_logs._fanout_to_subscription_filters = _with_metrics(cloudwatch_logs._fanout_to_subscription_filters)
    cloudwatch_logs._put_metric_filter = _checked(cloudwatch_logs._put_metric_filter)


@calls.check
def _test(call):
    """TestMetricFilter, which MiniStack lacks."""
    if call.service != "logs" or call.operation != "TestMetricFilter":
        return None
    given = call.input
    try:
        matches = filter_pattern.compile_pattern(given["filterPattern"])
    except filter_pattern.InvalidPattern as problem:
        return answers.error(call, 400, "InvalidParameterException", f"Invalid metric filter pattern: {problem}")
    found = [
        {"eventNumber": number, "eventMessage": message}
        for number, message in enumerate(given["logEventMessages"], 1)
        if matches(message)
    ]
    return cloudwatch_logs.json_response({"matches": found})


def _checked(put):
    def put_checked(data):
        try:
            filter_pattern.compile_pattern(data.get("filterPattern") or "")
        except filter_pattern.InvalidPattern as problem:
            return _invalid(f"Invalid metric filter pattern: {problem}")
        for metric in data.get("metricTransformations", []):
            value = str(metric.get("metricValue", ""))
            if not value.startswith("$") and _number(value) is None:
                return _invalid(f"Invalid metric transformation: metricValue {value} is neither a number nor a field")
            dimensions = metric.get("dimensions") or {}
            if len(dimensions) > _MOST_DIMENSIONS or (dimensions and metric.get("defaultValue") is not None):
                return _invalid("Invalid metric transformation: at most 3 dimensions, and none beside a default value")
        group = data.get("logGroupName")
        known = [name for of_group, name in cloudwatch_logs._metric_filters if of_group == group]
        if len(known) >= _MOST_FILTERS and data.get("filterName") not in known:
            return cloudwatch_logs.error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
        return put(data)

    return put_checked


def _invalid(message):
    return cloudwatch_logs.error_response_json("InvalidParameterException", message, 400)


def _with_metrics(fan_out):
    def fan_out_with_metrics(group, stream, events):
        fan_out(group, stream, events)
        try:
            made = [_filtered(group, events), _embedded(events)]
        except Exception:  # noqa: BLE001 - a line that cannot be counted must not keep the others from the log
            logger.exception("metrics of %s failed", group)
            return
        if any(made):
            cloudwatch._evaluate_all_alarms()

    return fan_out_with_metrics


def _moment(event):
    return event.get("timestamp", time.time() * 1000) / 1000


# ---------------------------------------------------------------- metric filters


def _filtered(group, events):
    """Counts the lines for the group's metric filters; whether anything was counted."""
    filters = [each for (of_group, _), each in list(cloudwatch_logs._metric_filters.items()) if of_group == group]
    count = 0
    for each in filters:
        matches = filter_pattern.compile_pattern(each.get("filterPattern") or "")
        matching = [event for event in events if matches(event.get("message", ""))]
        for metric in each["metricTransformations"]:
            for event in matching:
                count += _count(metric, event)
            default = metric.get("defaultValue")
            if not matching and events and default is not None:
                _store(metric, {}, _moment(events[-1]), float(default))
                count += 1
    return count > 0


def _count(metric, event):
    message = event.get("message", "")
    value = str(metric["metricValue"])
    number = _number(filter_pattern.select(value, message) if value.startswith("$") else value)
    dimensions = {
        name: filter_pattern.select(field, message) for name, field in (metric.get("dimensions") or {}).items()
    }
    # Without its value or one of its dimensions there is no such metric.
    if number is None or any(each is None for each in dimensions.values()):
        return 0
    _store(metric, {name: str(each) for name, each in dimensions.items()}, _moment(event), number)
    return 1


def _store(metric, dimensions, moment, value):
    unit = metric.get("unit") or "None"
    cloudwatch._store_datum(metric["metricNamespace"], metric["metricName"], dimensions, moment, unit, value, None, None, None)


def _number(value):
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


# ---------------------------------------------------------------- the embedded metric format

_EMBEDDED = re.compile(r'\{.*"_aws"', re.DOTALL)


def _embedded(events):
    """Publishes the metrics of lines in the embedded metric format; whether there were any."""
    count = 0
    for event in events:
        message = event.get("message", "")
        if not _EMBEDDED.match(message):
            continue
        try:
            line = json.loads(message)
        except ValueError:
            continue
        head = line.get("_aws")
        if isinstance(head, dict) and isinstance(head.get("CloudWatchMetrics"), list):
            moment = head.get("Timestamp", event.get("timestamp", time.time() * 1000)) / 1000
            count += sum(_publish(directive, line, moment) for directive in head["CloudWatchMetrics"])
    return count > 0


def _publish(directive, line, moment):
    count = 0
    for names in directive.get("Dimensions") or [[]]:
        if not all(isinstance(line.get(name), str) for name in names):
            continue
        dimensions = {name: line[name] for name in names}
        for metric in directive.get("Metrics", []):
            value = line.get(metric["Name"])
            values = [float(each) for each in (value if isinstance(value, list) else [value]) if _number(each) is not None]
            if values:
                unit = metric.get("Unit", "None")
                namespace = directive["Namespace"]
                cloudwatch._store_datum(namespace, metric["Name"], dimensions, moment, unit, None, values, None, None)
                count += 1
    return count
