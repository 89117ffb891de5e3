"""EventBridge: delivery of events to rules and targets, across regions and accounts too.

MiniStack matches patterns and keeps rules; which rules an event reaches, and what a target needs before it is reached, is
decided here:

- Read-only management calls reach only rules in the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS (fact 20).
- An event that came from another bus is not sent to a third one (fact 24).
- A bus in another region or account is reached with the target's role, which EventBridge must be trusted to assume and which
  must be allowed events:PutEvents there; a bus of another account must allow it too.
- A topic, queue or function must let EventBridge in by its own policy; a state machine is started with the target's role.
- What cannot be delivered goes to the target's dead-letter queue, if it has one. AWS tries for a day before; here the first
  failure is final, as an emulator's targets do not get well by themselves.
"""
import collections
import contextvars
import json
import logging
import time

import ministack.app as ministack_app
from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import eventbridge, scheduler, sns

from overlay import delivery, outage, trails

logger = logging.getLogger("bulkhead.events")

PRINCIPAL = "events.amazonaws.com"
ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_ENABLED = ("ENABLED", ALL_MANAGEMENT_EVENTS)
#: Kept per bus so that nothing grows without bound; MiniStack lists them in its own debugging page.
_LOG_LENGTH = 1_000


class Undelivered(Exception):
    """A target could not be reached; the code and text are those of the dead-letter message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def install():
    # Schedules are looked at every second, where MiniStack does so every ten.
    eventbridge._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = 1
    eventbridge._dispatch_event = dispatch
    eventbridge._invoke_target = _invoke_target
    eventbridge._put_permission = _put_permission
    eventbridge._events_log_list = _bounded_log


def _bounded_log():
    log = eventbridge._events_log.get("entries")
    if not isinstance(log, collections.deque):
        log = collections.deque(log or [], maxlen=_LOG_LENGTH)
        eventbridge._events_log["entries"] = log
    return log


def emit(account, region, source, detail_type, detail, read_only=False, resources=()):
    """Puts an event of an AWS service on the default bus of an account in a region, after the current request is answered.

    One that is a record of CloudTrail goes to the trails too, and to the bus only where it may (fact 20)."""
    if "eventVersion" in detail:
        reaches = trails.reach_event_bus(account, region, detail)
        trails.record(account, region, detail)
        if not reaches:
            return
    if not anyone_listens(account, region):
        return
    event = {
        "EventId": new_uuid(),
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": int(time.time()),
        "Resources": list(resources),
        "Account": account,
        "Region": region,
        "_ReadOnly": read_only,
    }
    # In an empty context: what the event sets off is not the call that it tells of. Threads may emit, too.
    ministack_app._MAIN_LOOP.call_soon_threadsafe(_put, account, region, event, context=contextvars.Context())


def anyone_listens(account, region):
    """Whether an event could reach a rule or an archive there: the region is not gone, and has any."""
    if outage.is_cut_off(region):
        return False
    scope = (account, region)
    return any(key[:2] == scope for key in eventbridge._rules._data) or any(
        key[:2] == scope for key in eventbridge._archives._data
    )


def _put(account, region, event):
    with request_scope(account, region):
        view = eventbridge._pattern_event_view(event)
        dispatch(event, view)
        eventbridge._archive_event(event, view)


def dispatch(event, view=None):
    """Sends an event to the targets of the rules that match it, on its bus in the current account and region."""
    if outage.is_cut_off(get_region()):
        return
    bus = event.get("EventBusName", "default")
    view = view or eventbridge._pattern_event_view(event)
    for key, rule in eventbridge._rules.items():
        if rule.get("EventBusName", "default") != bus or not rule.get("EventPattern"):
            continue
        state = rule.get("State")
        if state not in _ENABLED or (event.get("_ReadOnly") and state != ALL_MANAGEMENT_EVENTS):
            continue
        if eventbridge._matches_pattern_view(rule["EventPattern"], view, f"rule {key}"):
            for target in list(eventbridge._targets.get(key, [])):
                _invoke_target(target, event, rule, view)


def _invoke_target(target, event, rule, view=None):
    """Sends an event to one target, or to its dead-letter queue."""
    if outage.is_cut_off(get_region()):
        return
    view = view or eventbridge._pattern_event_view(event)
    whole = json.dumps(view.event_with_detail())
    try:
        _deliver(target, event, rule, view, whole)
    except Undelivered as failure:
        logger.info("%s: %s: %s", rule.get("Arn"), target.get("Arn"), failure)
        _dead_letter(target, rule, whole, failure)
    except Exception as failure:  # noqa: BLE001 - one target must not keep the others from the event
        logger.exception("%s: %s failed", rule.get("Arn"), target.get("Arn"))
        _dead_letter(target, rule, whole, Undelivered("INTERNAL_ERROR", str(failure)))


def _deliver(target, event, rule, view, whole):
    arn = target.get("Arn", "")
    try:
        spec = parse_arn(arn)
    except ArnParseError:
        raise Undelivered("INVALID_PARAMETER", f"{arn} is not an ARN") from None
    payload = _payload(target, rule, view, whole)
    if spec.service == "events" and spec.resource.startswith("api-destination/"):
        parameters = eventbridge._resolve_http_parameters(target.get("HttpParameters") or {}, view.event_with_detail())
        eventbridge._dispatch_to_api_destination(spec, payload, {**target, "HttpParameters": parameters})
        return
    if spec.service == "events":
        _to_bus(spec, target, event, rule)
        return
    if spec.region != get_region():
        raise Undelivered("RESOURCE_NOT_FOUND", f"{arn} is in another region: only event buses are reached across regions")
    source = (rule.get("Arn", ""), get_account_id())
    if event.get("Source") == _SCHEDULER_SOURCE:
        _as_scheduler(target, spec)
    elif spec.service in _LETTING_IN:
        allows, key_of, action = _LETTING_IN[spec.service]
        delivery.require(allows(arn, PRINCIPAL, *source), Undelivered, arn, action)
        if key_of:
            delivery.require_key(key_of(arn), PRINCIPAL, source, Undelivered)
    elif spec.service == "states":
        _with_role(target, "states:StartExecution", arn, rule)
    _hand_over(spec, arn, payload, target)


_SCHEDULER_SOURCE = "aws.scheduler"
_SCHEDULER_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "states": "states:StartExecution",
}
#: By service: whether a target's policy lets EventBridge in, the key of the target, and the action.
_LETTING_IN = {
    "sns": (delivery.topic_allows, delivery.topic_key, "sns:Publish"),
    "sqs": (delivery.queue_allows, delivery.queue_key, "sqs:SendMessage"),
    "lambda": (delivery.function_allows, None, "lambda:InvokeFunction"),
}


def _as_scheduler(target, spec):
    """EventBridge Scheduler reaches every target by the schedule's role, never by the target's policy."""
    action = _SCHEDULER_ACTIONS.get(spec.service)
    if action is None:
        raise Undelivered("UNSUPPORTED_TARGET", f"the local AWS does not schedule {spec}")
    problem, _ = delivery.assume(target.get("RoleArn", ""), "scheduler.amazonaws.com", action, str(spec))
    if problem:
        raise Undelivered("NO_PERMISSIONS", problem)


def _hand_over(spec, arn, payload, target):
    if spec.service == "lambda":
        delivery.invoke_async(arn, payload)
    elif spec.service == "logs":
        delivery.to_log_group(spec, payload)
    elif spec.service in ("sns", "sqs", "states"):
        with request_scope(spec.account_id, spec.region):
            if spec.service == "sqs":
                eventbridge._dispatch_to_sqs(spec, payload, target.get("SqsParameters") or {})
            elif spec.service == "states":
                eventbridge._dispatch_to_stepfunctions(arn, payload)
            else:
                try:
                    sns.publish_internal(arn, payload, "")
                except sns.SnsPublishError as refused:
                    raise Undelivered("INVALID_PARAMETER", str(refused)) from None
    else:
        raise Undelivered("UNSUPPORTED_TARGET", f"the local AWS does not deliver events to {arn}")


def _payload(target, rule, view, whole):
    if target.get("InputTransformer"):
        return eventbridge._apply_input_transformer(target["InputTransformer"], rule, view)
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        value = view.event_with_detail()
        for part in target["InputPath"].lstrip("$").strip(".").split("."):
            if part:
                if not isinstance(value, dict) or part not in value:
                    return whole
                value = value[part]
        return json.dumps(value)
    return whole


def _to_bus(spec, target, event, rule):
    if event.get("_Forwarded"):
        return  # It came from another bus already (fact 24); AWS neither sends it on nor counts that as a failure.
    if outage.is_cut_off(spec.region):
        raise Undelivered("SDK_CLIENT_ERROR", f"{spec} does not answer")
    bus = spec.resource.partition("/")[2]
    elsewhere = spec.account_id != get_account_id() or spec.region != get_region()
    principal = None
    if elsewhere or target.get("RoleArn"):
        principal = _with_role(target, "events:PutEvents", str(spec), rule)
    with request_scope(spec.account_id, spec.region):
        eventbridge._ensure_default_bus()
        if bus not in eventbridge._event_buses:
            raise Undelivered("RESOURCE_NOT_FOUND", f"{spec} does not exist")
        policy = eventbridge._event_bus_policies.get(bus)
    if spec.account_id != get_account_id() and not _bus_allows(policy, spec, principal):
        raise Undelivered("NO_PERMISSIONS", f"the policy of {spec} does not let account {get_account_id()} put events")
    # Account, region and identity of the event stay those of its origin.
    forwarded = {**event, "EventBusName": bus, "_Forwarded": True}
    with request_scope(spec.account_id, spec.region):
        view = eventbridge._pattern_event_view(forwarded)
        dispatch(forwarded, view)
        eventbridge._archive_event(forwarded, view)


def _with_role(target, action, resource, rule):
    """The principal that a target's role is, once it is known that EventBridge may act as it; else Undelivered."""
    arn = target.get("RoleArn")
    if not arn:
        raise Undelivered("NO_PERMISSIONS", f"the target {resource} needs a role")
    problem, principal = delivery.assume(arn, PRINCIPAL, action, resource, rule.get("Arn", ""), get_account_id())
    if problem:
        raise Undelivered("NO_PERMISSIONS", problem)
    return principal


def _bus_allows(policy, spec, principal):
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action="events:PutEvents",
        resource_arn=str(spec),
        region=spec.region,
        principal_keys=principal.keys,
    )
    return iam_evaluator.evaluate_resource_policy(policy, context).decision == "Allow"


def _dead_letter(target, rule, payload, failure):
    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue_arn:
        return
    if not delivery.queue_allows(queue_arn, PRINCIPAL, rule.get("Arn", ""), get_account_id()):
        logger.warning("%s: the dead-letter queue %s does not let EventBridge in", rule.get("Arn"), queue_arn)
        return
    attributes = {
        "RULE_ARN": rule.get("Arn", ""),
        "TARGET_ARN": target.get("Arn", ""),
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": str(failure),
        "RETRY_ATTEMPTS": "0",
    }
    try:
        delivery.send_to_queue(queue_arn, payload, attributes)
    except Exception:  # noqa: BLE001 - as above: the rule's other targets still get the event
        logger.exception("%s: the dead-letter queue %s could not be written", rule.get("Arn"), queue_arn)


def _put_permission(data):
    """PutPermission, which also takes a whole policy (AWS's newer form) and names principals as a policy does."""
    bus = data.get("EventBusName") or "default"
    eventbridge._ensure_default_bus()
    if bus not in eventbridge._event_buses:
        return eventbridge.error_response_json("ResourceNotFoundException", f"Event bus {bus} does not exist.", 400)
    if data.get("Policy"):
        try:
            eventbridge._event_bus_policies[bus] = json.loads(data["Policy"])
        except ValueError:
            return eventbridge.error_response_json("ValidationException", "Invalid policy: not JSON", 400)
        return eventbridge.json_response({})
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    principal = data.get("Principal", "*")
    bus_arn = eventbridge._event_buses[bus]["Arn"]
    statement = {
        "Sid": data.get("StatementId"),
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:{bus_arn.split(':')[1]}:iam::{principal}:root"},
        "Action": data.get("Action", "events:PutEvents"),
        "Resource": bus_arn,
    }
    if data.get("Condition"):
        condition = data["Condition"]
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    others = [each for each in policy["Statement"] if each.get("Sid") != statement["Sid"]]
    eventbridge._event_bus_policies[bus] = {**policy, "Statement": [*others, statement]}
    return eventbridge.json_response({})
