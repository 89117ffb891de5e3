"""SNS: e-mail subscriptions (asked to confirm first, then mailed to, as SNS words it), and keys that let it reach a queue."""
import logging
import re

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_region, new_uuid
from ministack.services import sns

from overlay import control, delivery, inbox, outage

logger = logging.getLogger("bulkhead.sns")

_PROTOCOLS = ("email", "email-json")
_SENDER = "no-reply@sns.amazonaws.com"
_PRINCIPAL = "sns.amazonaws.com"
_PENDING = "pending confirmation"


def install():
    sns._subscribe = _subscribe_pending(sns._subscribe)
    sns._fanout = _fanout_with_mail(sns._fanout)
    sns._deliver_to_sqs = _held_to_key(sns._deliver_to_sqs)
    sns._list_subscriptions = _hiding_pending_arns(sns._list_subscriptions)
    sns._list_subscriptions_by_topic = _hiding_pending_arns(sns._list_subscriptions_by_topic)


def _subscriptions():
    for topic in list(sns._topics._data.values()):
        for subscription in topic["subscriptions"]:
            if subscription["protocol"] in _PROTOCOLS:
                yield topic, subscription


def pending():
    """ARNs of the e-mail subscriptions that wait for confirmation."""
    return [subscription["arn"] for _, subscription in _subscriptions() if not subscription["confirmed"]]


@control.route("POST", "inbox/confirm")
def _confirm(body, _headers):
    wanted = body.get("subscriptionArn")
    if not body.get("all") and not isinstance(wanted, str):
        raise control.ControlError(400, 'subscriptionArn is required, or {"all": true}')
    found = [(t, s) for t, s in _subscriptions() if body.get("all") or s["arn"] == wanted]
    if wanted and not body.get("all") and not found:
        raise control.ControlError(404, f"there is no e-mail subscription {wanted}")
    confirmed = []
    for topic, subscription in found:
        if not subscription["confirmed"]:
            subscription["confirmed"] = True
            subscription["token"] = None
            subscription["attributes"]["PendingConfirmation"] = "false"
            sns._refresh_subscription_counts(topic)
            confirmed.append(subscription["arn"])
    return {"confirmed": confirmed}


def _subscribe_pending(subscribe):
    def subscribe_pending(params):
        protocol, endpoint = sns._p(params, "Protocol"), sns._p(params, "Endpoint")
        if protocol in _PROTOCOLS and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
            return sns._error("InvalidParameter", "Invalid parameter: Email address", 400)
        response = subscribe(params)
        if protocol not in _PROTOCOLS or response[0] != 200:
            return response
        topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
        subscription = next(
            each for each in topic["subscriptions"] if each["protocol"] == protocol and each["endpoint"] == endpoint
        )
        is_new = "_Asked" not in subscription
        if is_new:
            subscription["_Asked"] = True
            subscription["confirmed"] = False
            subscription["token"] = new_uuid()
            subscription["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
            sns._refresh_subscription_counts(topic)
        if subscription["confirmed"]:
            return response
        _ask(topic, subscription)  # Subscribing again asks again.
        wants_arn = sns._p(params, "ReturnSubscriptionArn").lower() == "true"
        told = subscription["arn"] if wants_arn else _PENDING
        inner = f"<SubscribeResult><SubscriptionArn>{told}</SubscriptionArn></SubscribeResult>"
        return sns._xml(200, "SubscribeResponse", inner)

    return subscribe_pending


def _hiding_pending_arns(listing):
    """Lists say "PendingConfirmation" in place of the ARN of a subscription that is not confirmed."""

    def listing_hidden(params):
        status, headers, body = listing(params)
        for arn in pending():
            body = body.replace(
                f"<SubscriptionArn>{arn}</SubscriptionArn>".encode(), b"<SubscriptionArn>PendingConfirmation</SubscriptionArn>"
            )
        return status, headers, body

    return listing_hidden


def _sender(topic):
    name = topic["attributes"].get("DisplayName") or "AWS Notifications"
    return f"{name} <{_SENDER}>"


def _ask(topic, subscription):
    arn = topic["arn"]
    region = parse_arn(arn).region
    link = f"https://sns.{region}.amazonaws.com/confirmation.html?TopicArn={arn}&Token={subscription['token']}"
    text = (
        f"You have chosen to subscribe to the topic:\n{arn}\n\n"
        "To confirm this subscription, click or visit the link below (If this was in error no action is necessary):\n"
        f"{link}&Endpoint={subscription['endpoint']}\n\n"
        "Please do not reply directly to this email. If you wish to remove yourself from receiving all future SNS "
        "subscription confirmation requests please send an email to sns-opt-out\n"
    )
    subject = "AWS Notification - Subscription Confirmation"
    inbox.put("sns", region, _sender(topic), [subscription["endpoint"]], subject, text)


def _fanout_with_mail(fanout):
    def fanout_with_mail(topic_arn, msg_id, message, subject, message_structure="", message_attributes=None, **rest):
        try:
            region = parse_arn(topic_arn).region
        except ArnParseError:
            region = get_region()
        if outage.is_cut_off(region):
            return
        fanout(topic_arn, msg_id, message, subject, message_structure, message_attributes, **rest)
        topic = sns._topic_by_arn_any_scope(topic_arn)
        for subscription in list((topic or {}).get("subscriptions", [])):
            protocol = subscription["protocol"]
            if protocol not in _PROTOCOLS or not subscription["confirmed"]:
                continue
            told = sns._resolve_message_for_protocol(message, message_structure, protocol)
            if sns._matches_filter_policy(subscription, message_attributes or {}, told):
                _mail(topic, subscription, region, msg_id, told, subject, message_attributes or {})

    return fanout_with_mail


def _held_to_key(deliver):
    """A queue that is encrypted with a key is reached only when the key's policy lets SNS use it."""

    def deliver_held(endpoint, *args, topic_arn="", **rest):
        source = (topic_arn, topic_arn.split(":")[4] if topic_arn.count(":") > 4 else "")
        try:
            delivery.require_key(delivery.queue_key(endpoint), _PRINCIPAL, source, _Refused)
        except (_Refused, ArnParseError) as refused:
            logger.warning("%s: %s", topic_arn, refused)
            return
        deliver(endpoint, *args, topic_arn=topic_arn, **rest)

    return deliver_held


class _Refused(Exception):
    def __init__(self, _code, message):
        super().__init__(message)


def _mail(topic, subscription, region, msg_id, message, subject, attributes):
    endpoint = subscription["endpoint"]
    text = (
        f"{message}\n\n--\n"
        "If you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:\n"
        f"https://sns.{region}.amazonaws.com/unsubscribe.html?SubscriptionArn={subscription['arn']}&Endpoint={endpoint}\n\n"
        "Please do not reply directly to this email. If you have any questions or comments regarding this email, please "
        "contact us at https://aws.amazon.com/support\n"
    )
    if subscription["protocol"] == "email-json":
        text = sns._build_envelope(topic["arn"], msg_id, message, subject, attributes, False)
    inbox.put("sns", region, _sender(topic), [endpoint], subject or "AWS Notification Message", text)
