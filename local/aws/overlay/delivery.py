"""What AWS's services may do to one another: the resource policies that let them in, the roles that they assume, queues.

MiniStack delivers in-process and mostly without asking; in AWS a missing permission of this kind is the commonest reason why an
event never arrives.
"""
import hashlib
import json
import re
import time

from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.concurrency import esm_wake
from ministack.core.responses import new_uuid, request_scope
from ministack.services import iam, kms, sns, sqs

from overlay import outage


def require(allowed, refusal, arn, action):
    """Raises `refusal(code, message)` unless allowed; None means that there is no such resource."""
    if allowed is None:
        raise refusal("RESOURCE_NOT_FOUND", f"{arn} does not exist")
    if not allowed:
        raise refusal("NO_PERMISSIONS", f"the policy of {arn} does not allow {action} to the service")


def policy_allows(policy, service, action, resource, source_arn, source_account, keys=None):
    """Whether a resource policy lets a service act for a source (the rule, say) in an account; `keys` are further condition
    keys of the request, in lower case."""
    context = iam_evaluator.EvalContext(
        # A service is no principal of an account: a statement for an account must not let it in.
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3] if resource.count(":") > 4 else "",
        service_context={
            **({"aws:sourcearn": source_arn, "aws:sourceaccount": source_account} if source_arn else {}),
            "aws:principalisawsservice": "true",
            "aws:principalservicename": service,
            **(keys or {}),
        },
    )
    return iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow"


def _scope(arn):
    spec = parse_arn(arn)
    return request_scope(spec.account_id, spec.region)


# ---------------------------------------------------------------- topics and queues


def topic_allows(arn, service, source_arn, source_account):
    """Whether a topic lets a service publish; None when there is no such topic."""
    with _scope(arn):
        topic = sns._topics.get(arn)
    if topic is None:
        return None
    policy = topic.get("attributes", {}).get("Policy")
    return policy_allows(policy, service, "sns:Publish", arn, *_told_of_source(service, source_arn, source_account))


def _told_of_source(service, source_arn, source_account):
    """What a topic's policy and a key's are told of the source: nothing by EventBridge, so that a condition on it is never met
    (EventBridge user guide, "Using resource-based policies"; SNS developer guide, "Key management")."""
    return (None, None) if service == "events.amazonaws.com" else (source_arn, source_account)


def topic_key(arn):
    """The key that a topic is encrypted with: its account, region and reference, or None."""
    with _scope(arn):
        topic = sns._topics.get(arn) or {}
    return _key_of(arn, topic.get("attributes", {}).get("KmsMasterKeyId"))


def queue_allows(arn, service, source_arn, source_account):
    """Whether a queue lets a service send; None when there is no such queue."""
    with _scope(arn):
        queue = sqs._queue_by_arn(arn)
    if queue is None:
        return None
    policy = queue["attributes"].get("Policy")
    return policy_allows(policy, service, "sqs:SendMessage", arn, source_arn, source_account)


def queue_key(arn):
    """As `topic_key`, of a queue."""
    with _scope(arn):
        queue = sqs._queue_by_arn(arn) or {"attributes": {}}
    return _key_of(arn, queue["attributes"].get("KmsMasterKeyId"))


def _key_of(arn, reference):
    spec = parse_arn(arn)
    return (spec.account_id, spec.region, reference) if reference else None


def require_key(key, service, source, refusal):
    """Raises `refusal(code, message)` unless the service may use the key; `key` is from `topic_key` or `queue_key`."""
    if key is None:
        return
    account, region, reference = key
    if re.search(r"(^|:)alias/aws/", reference):
        # The policies of AWS's own keys admit only the service that they are named for.
        raise refusal("NO_PERMISSIONS", f"{reference} is AWS's own key, which other services cannot use")
    with request_scope(account, region):
        record = kms._resolve_key(reference)
    if record is None:
        raise refusal("RESOURCE_NOT_FOUND", f"key {reference} does not exist")
    if record.get("KeyState") != "Enabled":
        raise refusal("SDK_CLIENT_ERROR", f"key {reference} is not enabled")
    told = _told_of_source(service, *source)
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        if not policy_allows(record.get("Policy"), service, action, record["Arn"], *told):
            raise refusal("NO_PERMISSIONS", f"the policy of key {reference} does not allow {action} to {service}")


def send_to_queue(arn, body, attributes=None):
    """Puts a message with text attributes on a queue; false when there is no such queue."""
    try:
        spec = parse_arn(arn)
    except ArnParseError:
        return False
    if outage.is_cut_off(spec.region):
        return False
    with request_scope(spec.account_id, spec.region):
        queue = sqs._queue_by_arn(arn)
        if queue is None:
            return False
        texts = {name: {"DataType": "String", "StringValue": str(value)} for name, value in (attributes or {}).items()}
        now = time.time()
        message = {
            "id": new_uuid(),
            "body": body,
            "md5_body": hashlib.md5(body.encode()).hexdigest(),
            "message_attributes": texts,
            "md5_attrs": sqs._md5_msg_attrs(texts) if texts else None,
            "sent_at": now,
            "visible_at": now + sqs.queue_delay(queue),
            "receive_count": 0,
            "receipt_handle": None,
        }
        sqs._ensure_msg_fields(message)
        queue["messages"].append(message)
    esm_wake.set()
    return True


# ---------------------------------------------------------------- functions


def function_allows(arn, service, source_arn, source_account):
    """Whether a function lets a service invoke it; None when there is no such function."""
    from ministack.services import lambda_svc  # Heavy; not every start needs it.

    name = arn.split(":")[6]
    with _scope(arn):
        function = lambda_svc._functions.get(name)
    if function is None:
        return None
    return policy_allows(function["policy"], service, "lambda:InvokeFunction", arn, source_arn, source_account)


def invoke_async(arn, payload):
    """Invokes a function as an event: retried, and at last put aside, as its configuration says."""
    from ministack.services import lambda_svc

    with _scope(arn):
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            try:
                event = json.loads(payload)
            except ValueError:
                event = payload
            lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), event)


# ---------------------------------------------------------------- log groups


def to_log_group(spec, payload):
    """Writes an event into a log group, in a stream of its own as EventBridge does."""
    from ministack.services import cloudwatch_logs as logs

    group = spec.resource.partition("log-group:")[2].split(":")[0]
    with request_scope(spec.account_id, spec.region):
        stream = new_uuid()
        logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        logs._put_log_events(
            {"logGroupName": group, "logStreamName": stream, "logEvents": [{"message": payload}]}
        )


# ---------------------------------------------------------------- roles


def assume(role_arn, service, action, resource, source_arn="", source_account=""):
    """`(problem, principal)` of a service acting as a role: what is wrong as a text, or None and the role's principal."""
    try:
        spec = parse_arn(role_arn)
    except ArnParseError:
        return f"{role_arn} is not the ARN of a role", None
    name = spec.resource.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(spec.account_id, None, name)
    if role is None or role.get("Arn") != role_arn:
        return f"{role_arn} does not exist", None
    trust = role.get("AssumeRolePolicyDocument", "{}")
    if not policy_allows(trust, service, "sts:AssumeRole", role_arn, source_arn, source_account):
        return f"{role_arn} does not trust {service}", None
    principal = iam_evaluator.PrincipalInfo(
        arn=f"arn:{spec.partition}:sts::{spec.account_id}:assumed-role/{name}/{service.split('.')[0]}",
        type="AssumedRole",
        account=spec.account_id,
        policies=iam_evaluator._gather_role_policies(name, spec.account_id),
        limits=iam_evaluator._permissions_boundary(iam._roles, name, spec.account_id) + _control_policies(spec.account_id),
    )
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3] if resource.count(":") > 4 else "",
    )
    if iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision != "Allow":
        return f"{role_arn} is not allowed {action} on {resource}", None
    return None, principal


def _control_policies(account):
    from overlay import control_policies

    return control_policies.limits_of(account)
