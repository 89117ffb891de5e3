"""What calls about event rules' targets and about several alarms are authorised on; MiniStack takes the former for calls about the bus and
the latter for calls about anything.

CloudWatch: DescribeAlarms can be granted for `alarm:*`; only composite alarms need more (API reference, "DescribeAlarms").
"""
import ministack.core.iam_actions as iam_actions

from overlay import calls, regions


def install():
    iam_actions.extract_resource_arn = _resource_arn(iam_actions.extract_resource_arn)


def _resource_arn(extract):
    def extract_more(service, method, path, headers, body, query_params, region, account_id):
        call = calls.current()
        given = call.given if call is not None and call.service == service else {}
        root = f"arn:{regions.partition_of(region)}"
        if service == "events" and isinstance(given.get("Rule"), str):
            # A bus may be named by its ARN; rules of the default bus are named without the bus.
            bus = (given.get("EventBusName") or "default").rsplit("/", 1)[-1]
            name = given["Rule"] if bus == "default" else f"{bus}/{given['Rule']}"
            return f"{root}:events:{region}:{account_id}:rule/{name}"
        if service == "monitoring" and call is not None and call.operation == "DescribeAlarms":
            return f"{root}:cloudwatch:{region}:{account_id}:alarm:*"
        return extract(service, method, path, headers, body, query_params, region, account_id)

    return extract_more
