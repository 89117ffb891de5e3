"""CloudFormation StackSets: one template in many accounts and regions, and in accounts that come later.

A stack instance is a stack that MiniStack's own CloudFormation makes in the instance's account and region; this module decides
which instances there are and carries operations out, one at a time a stack set, region after region as AWS does by default.
"""
import asyncio
import contextvars
import time

import ministack.app as ministack_app
from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

from overlay import answers, calls, control_policies, delivery, orgs, outage, regions

_SERVICE = "cloudformation"
_TRUSTED = "member.org.stacksets.cloudformation.amazonaws.com"
_EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
_ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
_POLL_SECONDS = 0.02
_PAGE = 100
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED")

#: (owner account, region, name) -> StackSet
_sets = {}
#: Management accounts that have activated organizations access.
_activated = set()


class Refused(Exception):
    """A call that is refused, with the error's code."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code = code
        self.status = status


class Instance:
    def __init__(self, account, region, unit, overrides):
        self.account = account
        self.region = region
        self.unit = unit
        self.overrides = overrides
        self.stack_name = None
        self.stack_id = None
        self.status = "OUTDATED"
        self.detail = "PENDING"
        self.reason = None
        self.operation = None


class Operation:
    def __init__(self, identifier, action, given):
        self.id = identifier
        self.action = action
        self.given = given
        self.status = "QUEUED"
        self.created = time.time()
        self.ended = None
        self.results = []


class StackSet:
    def __init__(self, owner, region, name, given):
        self.owner = owner
        self.region = region
        self.name = name
        self.id = f"{name}:{new_uuid()}"
        self.given = given
        self.template = ""
        self.parameters = []
        #: (account, region) -> Instance
        self.instances = {}
        self.operations = []
        #: OU or root -> regions: where accounts that come later are deployed to.
        self.targets = {}
        self.lock = asyncio.Lock()

    @property
    def is_service_managed(self):
        return self.given.get("PermissionModel") == "SERVICE_MANAGED"

    @property
    def is_automatic(self):
        return bool((self.given.get("AutoDeployment") or {}).get("Enabled"))

    @property
    def arn(self):
        partition = regions.partition_of(self.region)
        return f"arn:{partition}:cloudformation:{self.region}:{self.owner}:stackset/{self.id}"


def install():
    table = {
        "CreateStackSet": _create,
        "UpdateStackSet": _update,
        "DeleteStackSet": _delete,
        "DescribeStackSet": _describe,
        "ListStackSets": _list,
        "CreateStackInstances": _create_instances,
        "UpdateStackInstances": _update_instances,
        "DeleteStackInstances": _delete_instances,
        "DescribeStackInstance": _describe_instance,
        "ListStackInstances": _list_instances,
        "DescribeStackSetOperation": _describe_operation,
        "ListStackSetOperations": _list_operations,
        "ListStackSetOperationResults": _list_results,
        "ListStackSetAutoDeploymentTargets": _list_targets,
        "ActivateOrganizationsAccess": _activate,
        "DeactivateOrganizationsAccess": _deactivate,
        "DescribeOrganizationsAccess": _describe_access,
    }
    for operation, function in table.items():
        handlers._ACTION_HANDLERS[operation] = _handler(operation, function)
    orgs.on_membership(_on_membership)


def _handler(operation, function):
    def handle(_params):
        call = calls.current()
        try:
            return answers.query(_SERVICE, operation, function(call.given) or {}, call.request_id)
        except Refused as refused:
            return answers.error(call, refused.status, refused.code, str(refused))

    return handle


# ---------------------------------------------------------------- who may, and which


def _owner(given, service_managed):
    """The account that a stack set is kept in: that of the organization's management for service-managed ones."""
    account = get_account_id()
    delegated = given.get("CallAs") == "DELEGATED_ADMIN"
    if not service_managed and not delegated:
        return account
    management = control_policies.management_account_of(account)
    if management is None:
        raise Refused("ValidationError", "You must be in an organization to use the service-managed permission model.")
    if delegated and not orgs.is_delegated(management, account, _TRUSTED):
        raise Refused("ValidationError", "Account used is not a delegated administrator")
    if not delegated and account != management:
        raise Refused(
            "ValidationError",
            "You must be the management account or delegated admin account of an organization before operating a "
            "SERVICE_MANAGED stack set (a delegated administrator says CallAs: DELEGATED_ADMIN)",
        )
    if management not in _activated and not orgs.is_trusted(management, _TRUSTED):
        raise Refused(
            "ValidationError",
            "You must enable organizations access to operate a service managed stack set",
        )
    return management


def _find(given):
    name = given["StackSetName"].partition(":")[0].rsplit("/", 1)[-1]
    if given["StackSetName"].startswith("arn:"):
        name = given["StackSetName"].rsplit("/", 1)[-1].partition(":")[0]
    for service_managed in (False, True):
        try:
            owner = _owner(given, service_managed)
        except Refused:
            if given.get("CallAs") == "DELEGATED_ADMIN":
                raise
            continue
        found = _sets.get((owner, get_region(), name))
        if found is not None:
            return found
    raise Refused("StackSetNotFoundException", f"StackSet {given['StackSetName']} not found", 404)


# ---------------------------------------------------------------- stack sets


def _template(given, previous=None):
    if given.get("UsePreviousTemplate"):
        return previous
    params = {name: [given[name]] for name in ("TemplateBody", "TemplateURL") if given.get(name)}
    body, problem = helpers._resolve_template(params)
    if problem or not body:
        raise Refused("ValidationError", "Either Template URL or Template Body must be specified.")
    from ministack.services.cloudformation.engine import _parse_template

    try:
        template = _parse_template(body)
        if not isinstance(template, dict) or not template.get("Resources"):
            raise ValueError("At least one Resources member must be defined.")
    except Exception as problem:
        raise Refused("ValidationError", f"Template format error: {problem}") from None
    needed = handlers._required_iam_capabilities(template)
    missing = handlers._missing_capabilities(given.get("Capabilities") or [], needed)
    if missing:
        raise Refused("InsufficientCapabilitiesException", handlers._insufficient_capabilities_message(missing))
    declared = template.get("Parameters") or {}
    passed = {each.get("ParameterKey") for each in given.get("Parameters") or []}
    unknown = passed - declared.keys()
    if unknown:
        raise Refused("ValidationError", f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    absent = [name for name, each in declared.items() if "Default" not in each and name not in passed]
    if absent:
        raise Refused("ValidationError", f"Parameters: [{', '.join(absent)}] must have values")
    return body


def _create(given):
    service_managed = given.get("PermissionModel") == "SERVICE_MANAGED"
    owner = _owner(given, service_managed)
    key = (owner, get_region(), given["StackSetName"])
    if key in _sets:
        raise Refused("NameAlreadyExistsException", f"The specified StackSet {given['StackSetName']} already exists", 409)
    if service_managed and "Enabled" not in (given.get("AutoDeployment") or {}):
        raise Refused("ValidationError", "AutoDeployment is required for a SERVICE_MANAGED stack set")
    if not service_managed and given.get("AutoDeployment"):
        raise Refused("ValidationError", "AutoDeployment is only for the SERVICE_MANAGED permission model")
    made = StackSet(owner, get_region(), given["StackSetName"], {"PermissionModel": "SELF_MANAGED", **given})
    made.template = _template(given)
    made.parameters = given.get("Parameters") or []
    _sets[key] = made
    return {"StackSetId": made.id}


def _update(given):
    found = _find(given)
    _require_idle(found)
    template = _template(given, found.template)
    kept = {each["ParameterKey"]: each for each in found.parameters}
    parameters = [
        kept.get(each["ParameterKey"], each) if each.get("UsePreviousValue") else each
        for each in given.get("Parameters") or []
    ]
    found.template, found.parameters = template, parameters
    for name in ("Description", "Capabilities", "Tags", "AutoDeployment", "AdministrationRoleARN", "ExecutionRoleName"):
        if name in given:
            found.given[name] = given[name]
    for instance in found.instances.values():
        instance.status = "OUTDATED"
    chosen = list(found.instances.values())
    if given.get("Regions"):
        pairs = _pairs(found, given)
        chosen = [each for each in chosen if (each.account, each.region) in pairs]
    return {"OperationId": _start(found, "UPDATE", given, chosen, _deploy)}


def _delete(given):
    found = _find(given)
    if found.instances:
        raise Refused(
            "StackSetNotEmptyException", "StackSet is not empty: delete its stack instances before the stack set", 409
        )
    _require_idle(found)
    del _sets[(found.owner, found.region, found.name)]


def _describe(given):
    found = _find(given)
    described = {
        "StackSetName": found.name,
        "StackSetId": found.id,
        "StackSetARN": found.arn,
        "Status": "ACTIVE",
        "TemplateBody": found.template,
        "Parameters": found.parameters,
        "PermissionModel": found.given["PermissionModel"],
        "Capabilities": found.given.get("Capabilities") or [],
        "Tags": found.given.get("Tags") or [],
        "OrganizationalUnitIds": sorted(found.targets),
        "Regions": sorted({instance.region for instance in found.instances.values()}),
        **{
            name: found.given.get(name)
            for name in ("Description", "AutoDeployment", "ManagedExecution", "AdministrationRoleARN", "ExecutionRoleName")
        },
    }
    if not found.is_service_managed:
        described["ExecutionRoleName"] = found.given.get("ExecutionRoleName") or _EXECUTION_ROLE
    return {"StackSet": described}


def _list(given):
    owners = {get_account_id()}
    if given.get("CallAs") == "DELEGATED_ADMIN":
        owners = {_owner(given, True)}
    listed = [
        {
            "StackSetName": each.name,
            "StackSetId": each.id,
            "Status": "ACTIVE",
            **{name: each.given.get(name) for name in ("Description", "AutoDeployment", "PermissionModel")},
        }
        for each in _sets.values()
        if each.owner in owners and each.region == get_region()
    ]
    if given.get("Status") == "DELETED":
        listed = []
    return _paged(listed, given)


def _paged(items, given):
    size = given.get("MaxResults") or _PAGE
    start = int(given.get("NextToken") or 0)
    answer = {"Summaries": items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = str(start + size)
    return answer


# ---------------------------------------------------------------- instances


def _pairs(found, given):
    """The (account, region) that a call is about, with the OU that each account was reached by, in order of regions."""
    wanted = given.get("Regions") or []
    chosen = _accounts(found, given)
    return {(account, region): unit for region in wanted for account, unit in chosen.items()}


def _accounts(found, given):
    targets = given.get("DeploymentTargets") or {}
    if not found.is_service_managed:
        accounts = given.get("Accounts") or targets.get("Accounts") or []
        if not accounts:
            raise Refused("ValidationError", "Accounts must be specified for a SELF_MANAGED stack set")
        return dict.fromkeys(accounts)
    if given.get("Accounts"):
        raise Refused("ValidationError", "A SERVICE_MANAGED stack set takes DeploymentTargets, not Accounts")
    units = targets.get("OrganizationalUnitIds") or []
    listed = set(targets.get("Accounts") or [])
    chosen = {}
    for unit in units:
        if not orgs.exists(found.owner, unit):
            raise Refused("ValidationError", f"The organizational unit {unit} does not exist")
        # The management account is in no service-managed deployment.
        for account in orgs.accounts_below(found.owner, unit):
            if account != found.owner:
                chosen.setdefault(account, unit)
    how = targets.get("AccountFilterType") or "NONE"
    if how == "INTERSECTION":
        return {account: unit for account, unit in chosen.items() if account in listed}
    if how == "DIFFERENCE":
        return {account: unit for account, unit in chosen.items() if account not in listed}
    if how == "UNION":
        return {**chosen, **{account: chosen.get(account) for account in sorted(listed)}}
    if not units:
        if listed:
            known = set(found.instances)
            return {account: None for account in sorted(listed) if any(key[0] == account for key in known)}
        raise Refused("ValidationError", "OrganizationalUnitIds are required for a SERVICE_MANAGED stack set")
    return chosen


def _create_instances(given):
    found = _find(given)
    _require_idle(found)
    pairs = _pairs(found, given)
    overrides = given.get("ParameterOverrides") or []
    for unit in (given.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or []:
        if found.is_service_managed:
            found.targets.setdefault(unit, [])
            found.targets[unit] += [each for each in given["Regions"] if each not in found.targets[unit]]
    chosen = []
    for (account, region), unit in pairs.items():
        instance = found.instances.get((account, region))
        if instance is None:
            instance = Instance(account, region, unit, overrides)
            found.instances[(account, region)] = instance
        chosen.append(instance)
    return {"OperationId": _start(found, "CREATE", given, chosen, _deploy)}


def _update_instances(given):
    found = _find(given)
    _require_idle(found)
    pairs = _pairs(found, given)
    absent = [pair for pair in pairs if pair not in found.instances]
    if absent:
        raise Refused("StackInstanceNotFoundException", f"There is no stack instance in {absent[0][0]}, {absent[0][1]}", 404)
    chosen = [found.instances[pair] for pair in pairs]
    for instance in chosen:
        if "ParameterOverrides" in given:
            instance.overrides = given["ParameterOverrides"]
    return {"OperationId": _start(found, "UPDATE", given, chosen, _deploy)}


def _delete_instances(given):
    found = _find(given)
    _require_idle(found)
    pairs = _pairs(found, given)
    for unit in (given.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or []:
        left = [each for each in found.targets.get(unit, []) if each not in given["Regions"]]
        if left:
            found.targets[unit] = left
        else:
            found.targets.pop(unit, None)
    chosen = [found.instances[pair] for pair in pairs if pair in found.instances]
    return {"OperationId": _start(found, "DELETE", given, chosen, _remove)}


def _describe_instance(given):
    found = _find(given)
    instance = found.instances.get((given["StackInstanceAccount"], given["StackInstanceRegion"]))
    if instance is None:
        raise Refused("StackInstanceNotFoundException", "Stack instance not found for the given account and region", 404)
    return {"StackInstance": {**_summary(found, instance), "ParameterOverrides": instance.overrides}}


def _summary(found, instance):
    return {
        "StackSetId": found.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack_id,
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": instance.detail},
        "StatusReason": instance.reason,
        "OrganizationalUnitId": instance.unit or "",
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": instance.operation,
    }


def _list_instances(given):
    found = _find(given)
    account, region = given.get("StackInstanceAccount"), given.get("StackInstanceRegion")
    wanted = {each["Name"]: each["Values"] for each in given.get("Filters") or []}
    listed = [
        _summary(found, each)
        for each in found.instances.values()
        if account in (None, each.account)
        and region in (None, each.region)
        and wanted.get("DETAILED_STATUS") in (None, each.detail)
        and wanted.get("LAST_OPERATION_ID") in (None, each.operation)
    ]
    return _paged(listed, given)


# ---------------------------------------------------------------- operations


def _require_idle(found):
    if any(operation.status not in _ENDED for operation in found.operations):
        raise Refused("OperationInProgressException", "Another Operation on StackSet is in progress", 409)


def _start(found, action, given, instances, work):
    """Begins an operation and returns its id; the call is answered at once."""
    identifier = given.get("OperationId") or new_uuid()
    if any(operation.id == identifier for operation in found.operations):
        raise Refused("OperationIdAlreadyExistsException", f"The operation {identifier} exists already", 409)
    operation = Operation(identifier, action, given)
    found.operations.append(operation)
    for instance in instances:
        instance.operation = identifier
        instance.detail = "PENDING"
    context = contextvars.Context()

    def begin():
        ministack_app._MAIN_LOOP.create_task(_run(found, operation, instances, work))

    ministack_app._MAIN_LOOP.call_soon_threadsafe(begin, context=context)
    return identifier


async def _run(found, operation, instances, work):
    async with found.lock:
        operation.status = "RUNNING"
        preferences = operation.given.get("OperationPreferences") or {}
        order = preferences.get("RegionOrder") or list(dict.fromkeys(each.region for each in instances))
        by_region = {region: [each for each in instances if each.region == region] for region in order}
        failed = False
        for members in by_region.values():
            if failed:
                _cancel(operation, members)
                continue
            failures = 0
            for instance in members:
                failures += not await _one(found, operation, instance, work)
            failed = failures > _tolerance(preferences, len(members))
        operation.status = "FAILED" if failed else "SUCCEEDED"
        operation.ended = time.time()


def _tolerance(preferences, count):
    """How many failures a region may have before the operation fails and no further region is begun."""
    if "FailureToleranceCount" in preferences:
        return preferences["FailureToleranceCount"]
    return count * preferences.get("FailureTolerancePercentage", 0) // 100


def _cancel(operation, instances):
    for instance in instances:
        instance.detail, instance.reason = "CANCELLED", "Cancelled since failure tolerance has exceeded"
        _note(operation, instance, "CANCELLED")


async def _one(found, operation, instance, work):
    instance.detail = "RUNNING"
    problem = _obstacle(found, instance) or await work(found, operation, instance)
    instance.detail = "FAILED" if problem else "SUCCEEDED"
    instance.status = "OUTDATED" if problem else "CURRENT"
    instance.reason = problem
    _note(operation, instance, instance.detail)
    return not problem


def _note(operation, instance, status):
    operation.results.append(
        {
            "Account": instance.account,
            "Region": instance.region,
            "Status": status,
            "StatusReason": instance.reason,
            "OrganizationalUnitId": instance.unit or "",
        }
    )


def _obstacle(found, instance):
    """Why nothing can be done in an instance's account and region now, or None."""
    for region in (found.region, instance.region):
        if outage.is_cut_off(region):
            return f"CloudFormation in {region} does not answer"
    if outage.are_global_services_cut_off():
        return "The IAM control plane does not answer"
    if found.is_service_managed:
        return None
    partition = regions.partition_of(found.region)
    administration = (
        found.given.get("AdministrationRoleARN") or f"arn:{partition}:iam::{found.owner}:role/{_ADMINISTRATION_ROLE}"
    )
    execution = found.given.get("ExecutionRoleName") or _EXECUTION_ROLE
    execution_arn = f"arn:{partition}:iam::{instance.account}:role/{execution}"
    problem, _ = delivery.assume(administration, "cloudformation.amazonaws.com", "sts:AssumeRole", execution_arn)
    return problem or _untrusted(administration, execution_arn)


def _untrusted(administration, execution_arn):
    from ministack.core import iam_evaluator
    from ministack.services import iam

    role = iam._roles.get_scoped(execution_arn.split(":")[4], None, execution_arn.rsplit("/", 1)[-1])
    if role is None:
        return f"Account {execution_arn.split(':')[4]} should have the role {execution_arn}"
    trust = role.get("AssumeRolePolicyDocument", "{}")
    session = administration.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/stackset"
    if not iam_evaluator.evaluate_trust_policy(trust, session):
        return f"{execution_arn} does not trust {administration}"
    return None


# ---------------------------------------------------------------- stacks


async def _deploy(found, _operation, instance):
    """Makes or updates the stack of an instance; a problem as a text, or None."""
    params = {"TemplateBody": [found.template]}
    overrides = {each["ParameterKey"]: each for each in instance.overrides}
    for number, each in enumerate(found.parameters, 1):
        each = overrides.get(each["ParameterKey"], each)
        params[f"Parameters.member.{number}.ParameterKey"] = [each["ParameterKey"]]
        params[f"Parameters.member.{number}.ParameterValue"] = [each.get("ParameterValue", "")]
    known = {each["ParameterKey"] for each in found.parameters}
    extra = [each for key, each in overrides.items() if key not in known]
    for number, each in enumerate(extra, len(found.parameters) + 1):
        params[f"Parameters.member.{number}.ParameterKey"] = [each["ParameterKey"]]
        params[f"Parameters.member.{number}.ParameterValue"] = [each.get("ParameterValue", "")]
    for number, each in enumerate(found.given.get("Capabilities") or [], 1):
        params[f"Capabilities.member.{number}"] = [each]
    for number, each in enumerate(found.given.get("Tags") or [], 1):
        params[f"Tags.member.{number}.Key"] = [each["Key"]]
        params[f"Tags.member.{number}.Value"] = [each["Value"]]
    with request_scope(instance.account, instance.region):
        stack = cloudformation._stacks.get(instance.stack_name) if instance.stack_name else None
        if stack is not None and stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
            # What never stood is made anew.
            await _delete_stack(instance)
            stack = None
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            instance.stack_name = f"StackSet-{found.name}-{new_uuid()}"
            response = handlers._create_stack({**params, "StackName": [instance.stack_name]})
        else:
            response = handlers._update_stack({**params, "StackName": [instance.stack_name]})
        status, _, body = response
        if status != 200:
            text = bytes(body).decode()
            message = _message_of(text)
            return None if "No updates are to be performed" in message else message
        instance.stack_id = cloudformation._stacks[instance.stack_name]["StackId"]
        final = await _settled(instance.stack_name)
    if final["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    return f"{final['StackStatus']}: {_failed_resource(instance)}"


def _message_of(text):
    """The message of an error in XML."""
    start, end = text.find("<Message>"), text.find("</Message>")
    return text[start + 9 : end] if 0 <= start < end else text


def _failed_resource(instance):
    with request_scope(instance.account, instance.region):
        for event in cloudformation._stack_events.get(instance.stack_id) or []:
            if event.get("ResourceStatus", "").endswith("_FAILED") and event.get("ResourceStatusReason"):
                return f"{event.get('LogicalResourceId')}: {event['ResourceStatusReason']}"
    return "unknown"


async def _settled(stack_name, begins=""):
    """The stack once nothing goes on in it; `begins` is how its status must begin, for work that has yet to start."""
    while True:
        stack = cloudformation._stacks.get(stack_name)
        if stack is None:
            return {"StackStatus": "DELETE_COMPLETE"}
        if stack["StackStatus"].startswith(begins) and not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        await asyncio.sleep(_POLL_SECONDS)


async def _remove(found, operation, instance):
    if not operation.given.get("RetainStacks") and instance.stack_name:
        with request_scope(instance.account, instance.region):
            problem = await _delete_stack(instance)
        if problem:
            return problem
    found.instances.pop((instance.account, instance.region), None)
    return None


async def _delete_stack(instance):
    """Deletes an instance's stack, in the current account and region; a problem as a text, or None."""
    if instance.stack_name not in cloudformation._stacks:
        return None
    status, _, body = handlers._delete_stack({"StackName": [instance.stack_name]})
    if status != 200:
        return _message_of(bytes(body).decode())
    final = await _settled(instance.stack_name, "DELETE_")
    return None if final["StackStatus"] == "DELETE_COMPLETE" else f"Stack deletion ended as {final['StackStatus']}"


# ---------------------------------------------------------------- accounts that come and go


def _on_membership(management, account):
    """An account was created or moved: automatic stack sets follow it into their OUs and out of them."""
    for found in list(_sets.values()):
        if found.owner != management or not found.is_service_managed or not found.is_automatic:
            continue
        wanted = {}
        for unit, unit_regions in found.targets.items():
            if account != management and account in orgs.accounts_below(management, unit):
                for region in unit_regions:
                    wanted.setdefault(region, unit)
        chosen = []
        for region, unit in wanted.items():
            if (account, region) not in found.instances:
                found.instances[(account, region)] = Instance(account, region, unit, [])
                chosen.append(found.instances[(account, region)])
        if chosen:
            _start(found, "CREATE", {}, chosen, _deploy)
        gone = [
            each for (owner, region), each in found.instances.items() if owner == account and region not in wanted and each.unit
        ]
        if gone:
            retain = bool(found.given["AutoDeployment"].get("RetainStacksOnAccountRemoval"))
            _start(found, "DELETE", {"RetainStacks": retain}, gone, _remove)


# ---------------------------------------------------------------- asking for operations


def _operation_of(found, identifier):
    for operation in found.operations:
        if operation.id == identifier:
            return operation
    raise Refused("OperationNotFoundException", f"Operation {identifier} not found", 404)


def _describe_operation(given):
    found = _find(given)
    operation = _operation_of(found, given["OperationId"])
    return {
        "StackSetOperation": {
            "OperationId": operation.id,
            "StackSetId": found.id,
            "Action": operation.action,
            "Status": operation.status,
            "OperationPreferences": operation.given.get("OperationPreferences"),
            "RetainStacks": operation.given.get("RetainStacks"),
            "CreationTimestamp": operation.created,
            "EndTimestamp": operation.ended,
            "DeploymentTargets": operation.given.get("DeploymentTargets"),
            "StatusDetails": {"FailedStackInstancesCount": _failures(operation)},
        }
    }


def _failures(operation):
    return sum(result["Status"] == "FAILED" for result in operation.results)


def _list_operations(given):
    found = _find(given)
    listed = [
        {
            "OperationId": each.id,
            "Action": each.action,
            "Status": each.status,
            "CreationTimestamp": each.created,
            "EndTimestamp": each.ended,
            "StatusDetails": {"FailedStackInstancesCount": _failures(each)},
        }
        for each in reversed(found.operations)
    ]
    return _paged(listed, given)


def _list_results(given):
    return _paged(_operation_of(_find(given), given["OperationId"]).results, given)


def _list_targets(given):
    found = _find(given)
    return _paged(
        [{"OrganizationalUnitId": unit, "Regions": unit_regions} for unit, unit_regions in found.targets.items()], given
    )


# ---------------------------------------------------------------- organizations access


def _activate(_given):
    account = get_account_id()
    if control_policies.management_account_of(account) != account:
        raise Refused("InvalidOperationException", "Only the management account can activate organizations access")
    _activated.add(account)


def _deactivate(_given):
    _activated.discard(get_account_id())


def _describe_access(given):
    account = get_account_id()
    management = control_policies.management_account_of(account)
    if given.get("CallAs") == "DELEGATED_ADMIN":
        _owner(given, True)
    enabled = management is not None and (management in _activated or orgs.is_trusted(management, _TRUSTED))
    return {"Status": "ENABLED" if enabled else "DISABLED"}
