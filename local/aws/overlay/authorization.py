"""What a call is authorised on, and how a denial is worded.

MiniStack names one resource a call and leaves out the paths of users and roles; it does not ask for iam:PassRole; its denials do
not say which resource and which kind of policy denied. Each of these decides whether a policy that works in AWS works here.
"""
import contextvars
from email.utils import parseaddr

import ministack.core.iam_actions as iam_actions
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, sts

from overlay import calls, iam_xml, regions

#: Which layer of the last evaluation denied: "identity", "scp", "boundary" or "session".
_denied_by = contextvars.ContextVar("bulkhead_denied_by", default=None)

_REASONS = {
    # layer: (explicit deny in ..., because no ... allows)
    "identity": ("an identity-based policy", "identity-based policy"),
    "scp": ("a service control policy", "service control policy"),
    "boundary": ("a permissions boundary", "permissions boundary"),
    "session": ("a session policy", "session policy"),
}

#: EC2's lists of resources: the request's member and the resource's type.
_EC2_LISTS = {
    "InstanceIds": "instance",
    "NetworkInterfaceIds": "network-interface",
    "VpcEndpointIds": "vpc-endpoint",
    "FlowLogIds": "vpc-flow-log",
}
#: EC2's single resources that MiniStack does not name.
_EC2_SINGLES = {
    "NatGatewayId": "natgateway",
    "TransitGatewayId": "transit-gateway",
    "NetworkAclId": "network-acl",
    "EgressOnlyInternetGatewayId": "egress-only-internet-gateway",
    "DhcpOptionsId": "dhcp-options",
    "VpcPeeringConnectionId": "vpc-peering-connection",
}

#: Calls that hand a role to a service: where the role stands in the request, and the service's principal.
_PASSES = {
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("events", "PutTargets"): ("Targets[].RoleArn", "events.amazonaws.com"),
    ("events", "PutRule"): ("RoleArn", "events.amazonaws.com"),
    ("states", "CreateStateMachine"): ("roleArn", "states.amazonaws.com"),
    ("states", "UpdateStateMachine"): ("roleArn", "states.amazonaws.com"),
    ("scheduler", "CreateSchedule"): ("Target.RoleArn", "scheduler.amazonaws.com"),
    ("scheduler", "UpdateSchedule"): ("Target.RoleArn", "scheduler.amazonaws.com"),
    ("cloudformation", "CreateStack"): ("RoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "UpdateStack"): ("RoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "DeleteStack"): ("RoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "CreateStackSet"): ("AdministrationRoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "UpdateStackSet"): ("AdministrationRoleARN", "cloudformation.amazonaws.com"),
    ("cloudtrail", "CreateTrail"): ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    ("cloudtrail", "UpdateTrail"): ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    ("logs", "PutSubscriptionFilter"): ("roleArn", "logs.amazonaws.com"),
    ("pipes", "CreatePipe"): ("RoleArn", "pipes.amazonaws.com"),
    ("pipes", "UpdatePipe"): ("RoleArn", "pipes.amazonaws.com"),
}


def install():
    iam_actions.extract_resource_arn = _resource_arn(iam_actions.extract_resource_arn)
    iam_actions.access_denied_response = _worded(iam_actions.access_denied_response)
    iam_evaluator.evaluate = _evaluate
    iam_evaluator._permissions_boundary = _labelled(iam_evaluator._permissions_boundary, "boundary")
    iam_evaluator._session_policy_limits = _labelled(iam_evaluator._session_policy_limits, "session")
    sts.trust_policy_for_arn = _trust_policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["sts"] = ("sts", "trust_policy_for_arn")


# ---------------------------------------------------------------- resources


def _resource_arn(extract):
    def extract_more(service, method, path, headers, body, query_params, region, account_id):
        if service == "iam":
            found = _iam_resource(calls.current(), account_id, region)
            if found:
                return found
        if service == "ses" and (sender := sender_of(calls.current())):
            # A mail is sent as an identity: an address, or its domain. MiniStack names none.
            return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"
        if service == "ec2" and (call := calls.current()) is not None:
            found = _ec2_resources(call, region, account_id)
            if found:
                return found[0]
        arn = extract(service, method, path, headers, body, query_params, region, account_id)
        # Rules of the default bus are named without the bus.
        return arn.replace(":rule/default/", ":rule/") if service == "events" else arn

    return extract_more


def sender_of(call):
    """The address that a call of SES sends mail from, without a display name; None for other calls."""
    if call is None or call.operation not in ("SendEmail", "SendBulkEmail"):
        return None
    sender = call.given.get("FromEmailAddress") or call.given.get("Source") or ""
    return parseaddr(sender)[1] or None


def _iam_resource(call, account, region):
    if call is None:
        return None
    given = call.given
    root = f"arn:{regions.partition_of(region)}:iam::{account}"

    def entity(store, kind, name):
        record = store.get(name)
        if record is not None and record.get("Arn"):
            return record["Arn"]
        # Being created: with the path that is asked for.
        return f"{root}:{kind}{given.get('Path') or '/'}{name}"

    if given.get("RoleName") and "InstanceProfile" not in (call.operation or ""):
        return entity(iam._roles, "role", given["RoleName"])
    if call.operation in ("CreateVirtualMFADevice",):
        return f"{root}:mfa{given.get('Path') or '/'}{given.get('VirtualMFADeviceName')}"
    if call.operation == "DeleteVirtualMFADevice":
        return given.get("SerialNumber")
    if given.get("GroupName"):
        return entity(iam._groups, "group", given["GroupName"])
    if given.get("UserName"):
        return entity(iam._users, "user", given["UserName"])
    if call.operation == "GetAccessKeyLastUsed" and (key := iam._access_keys.get(given.get("AccessKeyId"))):
        # It names a key; what is allowed is about the key's user (Service Authorization Reference, IAM).
        return entity(iam._users, "user", key["UserName"])
    if given.get("InstanceProfileName"):
        return entity(iam._instance_profiles, "instance-profile", given["InstanceProfileName"])
    if given.get("PolicyArn") or given.get("PolicySourceArn"):
        return given.get("PolicyArn") or given["PolicySourceArn"]
    if call.operation == "CreatePolicy":
        return f"{root}:policy{given.get('Path') or '/'}{given.get('PolicyName')}"
    if given.get("SAMLProviderArn") or given.get("OpenIDConnectProviderArn"):
        return given.get("SAMLProviderArn") or given["OpenIDConnectProviderArn"]
    if call.operation in _OF_THE_CALLER:
        caller = iam_xml.calling_user()
        return entity(iam._users, "user", caller) if caller else None
    return None


#: IAM's calls that are about the caller when they name no user.
_OF_THE_CALLER = frozenset(
    {
        "GetUser",
        "CreateAccessKey",
        "ListAccessKeys",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "ChangePassword",
        "GetLoginProfile",
        "CreateLoginProfile",
        "DeleteLoginProfile",
        "ListMFADevices",
    }
)


def _ec2_resources(call, region, account):
    given = call.given
    root = f"arn:{regions.partition_of(region)}:ec2:{region}"
    if (call.operation or "").startswith("Describe"):
        return []
    found = []
    for member, kind in _EC2_LISTS.items():
        found += [f"{root}:{account}:{kind}/{each}" for each in given.get(member) or []]
    for member, kind in _EC2_SINGLES.items():
        if given.get(member):
            found.append(f"{root}:{account}:{kind}/{given[member]}")
    if call.operation == "DeleteSnapshot" and given.get("SnapshotId"):
        found.append(f"{root}::snapshot/{given['SnapshotId']}")
    return found


def _trust_policy(role_arn):
    """A role's trust policy as its resource policy: in one account it lets in whom it names, without another policy."""
    parts = role_arn.split(":")
    if len(parts) < 6 or parts[4] != get_account_id():
        return None
    role = iam._roles.get(role_arn.rsplit("/", 1)[-1])
    return (role.get("AssumeRolePolicyDocument", "{}"), parts[4]) if role else None


# ---------------------------------------------------------------- further checks of an allowed call


@calls.check
def _check(call):
    if call.service == "ec2":
        for arn in _ec2_resources(call, call.region, call.account)[1:]:
            denied = _enforce(call, iam_action(call), arn)
            if denied:
                return denied
        if call.given.get("DryRun") is True:
            return _dry_run()
    passed = _PASSES.get((call.service, call.operation))
    if passed:
        member, principal = passed
        for role in _find(call.given, member.replace("[]", "").split(".")):
            denied = _enforce(call, "iam:PassRole", role, {"iam:passedtoservice": principal})
            if denied:
                return denied
    return None


def iam_action(call):
    return iam_actions.extract_iam_action(
        call.service, call.method, call.path, call.headers, call.body,
        {name: values if isinstance(values, list) else [values] for name, values in (call.form.fields or call.query).items()},
    )


def _find(given, names):
    if isinstance(given, list):
        return [found for each in given for found in _find(each, names)]
    if not names:
        return [given] if given else []
    return _find(given[names[0]], names[1:]) if isinstance(given, dict) and names[0] in given else []


def _enforce(call, action, arn, context=None):
    denied = iam_evaluator.enforce(
        call.access_key_id, action, call.service, call.region, resource_arn=arn, service_context=context
    )
    if denied is None:
        return None
    return iam_actions.access_denied_response(
        call.service,
        action,
        getattr(denied, "principal_arn", ""),
        call.request_id,
        headers=call.headers,
        resource_arn=arn,
        explicit_deny=getattr(denied, "decision", "") == "Deny",
    )


def _dry_run():
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>DryRunOperation</Code>'
        "<Message>Request would have succeeded, but DryRun flag is set.</Message></Error></Errors>"
        "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"
    )
    return 412, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode()


# ---------------------------------------------------------------- denials


class _Limit(list):
    """A limit of an evaluation that knows which kind of policy it is."""

    kind = "identity"


def _labelled(gather, kind):
    def gather_labelled(*args):
        labelled = []
        for limit in gather(*args):
            each = _Limit(limit)
            each.kind = kind
            labelled.append(each)
        return labelled

    return gather_labelled


def _evaluate(context, policies, *limits):
    """MiniStack's evaluation, which also remembers which layer denied."""
    layers = [("identity", policies), *((getattr(limit, "kind", "scp"), limit) for limit in limits)]
    flat = [(kind, [statement for document in layer for statement in document]) for kind, layer in layers]
    for kind, statements in flat:
        deny = iam_evaluator._first_match(context, statements, "Deny")
        if deny:
            _denied_by.set(kind)
            return iam_evaluator.EvalResult("Deny", context.principal_arn, deny.sid, "Explicit deny")
    for kind, statements in (flat[1:] + flat[:1]) if len(flat) > 1 else flat:
        if not iam_evaluator._first_match(context, statements, "Allow"):
            _denied_by.set(kind)
            return iam_evaluator.EvalResult("ImplicitDeny", context.principal_arn, "", "No matching Allow statement")
    return iam_evaluator.EvalResult("Allow", context.principal_arn, "", "Explicit allow")


def _worded(respond):
    def respond_worded(service, action, principal_arn, request_id, **options):
        if not options.get("message") and not options.get("error_code") and not options.get("resource_policy_arn"):
            options["message"] = _message(
                service, action, principal_arn, options.get("resource_arn", "*"), options.get("explicit_deny", False)
            )
        return respond(service, action, principal_arn, request_id, **options)

    return respond_worded


def _message(service, action, principal, resource, explicit):
    explicitly, implicitly = _REASONS.get(_denied_by.get() or "identity", _REASONS["identity"])
    reason = f"with an explicit deny in {explicitly}" if explicit else f"because no {implicitly} allows the {action} action"
    on = f'"{resource}"' if service == "s3" else resource
    said = f"User: {principal} is not authorized to perform: {action} on resource: {on} {reason}"
    if service == "ec2":
        said = f"You are not authorized to perform this operation. {said}."
    return said
