"""SNS invokes functions as events: with the function's permission, retried, and put aside where the subscription says."""
import json
import logging

from ministack.core.arn import parse_arn
from ministack.services import sns

from overlay import delivery

logger = logging.getLogger("bulkhead.sns")
_SERVICE = "sns.amazonaws.com"


def install():
    sns._deliver_to_lambda = _deliver


def _deliver(endpoint, envelope, topic_arn, subscription_arn, *_message):
    account = parse_arn(topic_arn).account_id
    if delivery.function_allows(endpoint, _SERVICE, topic_arn, account):
        record = {
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription_arn,
            "EventSource": "aws:sns",
            "Sns": json.loads(envelope),
        }
        delivery.invoke_async(endpoint, json.dumps({"Records": [record]}))
        return
    logger.warning("%s may not invoke %s, or there is no such function", topic_arn, endpoint)
    queue = _dead_letters(topic_arn, subscription_arn)
    if queue and delivery.queue_allows(queue, _SERVICE, topic_arn, account):
        delivery.send_to_queue(queue, envelope)


def _dead_letters(topic_arn, subscription_arn):
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    for subscription in topic["subscriptions"]:
        if subscription["arn"] == subscription_arn:
            return json.loads(subscription["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    return None
