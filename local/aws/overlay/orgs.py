"""AWS Organizations: one organization that is created, not there by itself; members and delegated administrators see it too.

MiniStack keeps an organization in the scope of its management account. Calls of members and of delegated administrators are
answered in that scope when AWS lets them ask, and refused otherwise.
"""
import base64
import json
import time

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import iam, organizations

from overlay import control_policies, regions

_NOT_IN_USE = "AWSOrganizationsNotInUseException"
_ACCESS_ROLE = "OrganizationAccountAccessRole"
_PAGE = 20
#: Asked for by local mode: the id that the account gets, as AWS's are drawn by lot.
_ACCOUNT_ID_TAG = "bulkhead:account-id"

#: What any member may ask.
_OF_MEMBERS = frozenset({"DescribeOrganization", "LeaveOrganization"})
#: Reads, which delegated administrators may ask too.
_READS = ("Describe", "List")

#: (management, service principal) -> when access was enabled.
_trusted = {}
#: (management, account, service principal) -> when it was registered.
_delegated = {}
_listeners = []


def on_membership(function):
    """Registers `(management, account)`, called when an account was created or moved."""
    _listeners.append(function)
    return function


def install():
    organizations._ensure_org = _require_organization
    organizations.handle_request = _in_scope(organizations.handle_request)
    dispatch = organizations._DISPATCH
    dispatch["CreateOrganization"] = _create_organization
    dispatch["DeleteOrganization"] = _delete_organization
    dispatch["CreateAccount"] = _create_account(dispatch["CreateAccount"])
    dispatch["CreateOrganizationalUnit"] = _create_unit(dispatch["CreateOrganizationalUnit"])
    dispatch["MoveAccount"] = _move_account(dispatch["MoveAccount"])
    dispatch["ListChildren"] = _list_children
    dispatch["ListCreateAccountStatus"] = _list_create_account_status
    dispatch["ListTagsForResource"] = _paged("Tags", dispatch["ListTagsForResource"])
    for operation, member in (
        ("ListAccounts", "Accounts"),
        ("ListAccountsForParent", "Accounts"),
        ("ListRoots", "Roots"),
        ("ListOrganizationalUnitsForParent", "OrganizationalUnits"),
        ("ListPolicies", "Policies"),
        ("ListPoliciesForTarget", "Policies"),
        ("ListTargetsForPolicy", "Targets"),
        ("ListParents", "Parents"),
    ):
        dispatch[operation] = _paged(member, dispatch[operation])
    dispatch["EnableAWSServiceAccess"] = _enable_service_access
    dispatch["DisableAWSServiceAccess"] = _disable_service_access
    dispatch["ListAWSServiceAccessForOrganization"] = _paged("EnabledServicePrincipals", _list_service_access)
    dispatch["RegisterDelegatedAdministrator"] = _register_delegated
    dispatch["DeregisterDelegatedAdministrator"] = _deregister_delegated
    dispatch["ListDelegatedAdministrators"] = _paged("DelegatedAdministrators", _list_delegated)
    dispatch["ListDelegatedServicesForAccount"] = _paged("DelegatedServices", _list_delegated_services)
    iam_evaluator._principal_org_id = organization_id


def _json(body):
    return organizations._json(200, body)


def _error(code, message):
    return error_response_json(code, message, 400)


# ---------------------------------------------------------------- what others ask


def organization_id(account):
    """The id of an account's organization, or None."""
    management = control_policies.management_account_of(account)
    organization = organizations._orgs.get_scoped(management, None, "self") if management else None
    return organization["Id"] if organization else None


def path_of(account):
    """`aws:PrincipalOrgPaths` of an account, `o-.../r-.../ou-.../`, or None."""
    management = control_policies.management_account_of(account)
    if management is None:
        return None
    parts = []
    parent = (organizations._accounts._data.get((management, account)) or {}).get("_ParentId")
    while parent:
        parts.insert(0, parent)
        parent = (organizations._ous._data.get((management, parent)) or {}).get("_ParentId")
    return "/".join([organization_id(account), *parts]) + "/"


def is_trusted(management, principal):
    """Whether the organization lets a service work across its accounts."""
    return (management, principal) in _trusted


def is_delegated(management, account, principal):
    """Whether an account is the delegated administrator of a service."""
    return (management, account, principal) in _delegated


def accounts_below(management, parent):
    """The accounts of a root or OU and of everything below it, active ones only, ordered by id."""
    below = {parent}
    units = {key[1]: unit for key, unit in organizations._ous._data.items() if key[0] == management}
    grown = True
    while grown:
        grown = False
        for unit_id, unit in units.items():
            if unit_id not in below and unit.get("_ParentId") in below:
                below.add(unit_id)
                grown = True
    return sorted(
        account["Id"]
        for key, account in list(organizations._accounts._data.items())
        if key[0] == management and account.get("_ParentId") in below and account["Status"] == "ACTIVE"
    )


def exists(management, target):
    """Whether the organization has a root, OU or account of this id."""
    return any(
        (management, target) in store._data for store in (organizations._roots, organizations._ous, organizations._accounts)
    )


# ---------------------------------------------------------------- scope


def _require_organization():
    """MiniStack makes an organization at the first call; AWS has none until it is created (see `_in_scope`)."""


def _in_scope(handle_request):
    async def handle(method, path, headers, body, query):
        operation = (headers.get("x-amz-target") or "").rpartition(".")[2]
        account = get_account_id()
        management = control_policies.management_account_of(account)
        if management is None:
            if operation == "CreateOrganization":
                return await handle_request(method, path, headers, body, query)
            return _error(_NOT_IN_USE, "Your account is not a member of an organization.")
        if account != management and not _may_ask(management, account, operation):
            return error_response_json(
                "AccessDeniedException", "You don't have permissions to access this resource.", 400
            )
        with request_scope(management, get_region()):
            return await handle_request(method, path, headers, body, query)

    return handle


def _may_ask(management, account, operation):
    if operation in _OF_MEMBERS:
        return True
    is_administrator = any(key[:2] == (management, account) for key in _delegated)
    return is_administrator and operation.startswith(_READS)


# ---------------------------------------------------------------- organization and accounts


def _create_organization(payload):
    management = get_account_id()
    if control_policies.management_account_of(management):
        return _error("AlreadyInOrganizationException", "The provided account is already a member of an organization.")
    feature_set = payload.get("FeatureSet") or "ALL"
    partition = regions.partition_of(get_region())
    organization_id_ = "o-" + new_uuid().replace("-", "")[:10]
    root_id = "r-" + new_uuid().replace("-", "")[:4]
    root = f"arn:{partition}:organizations::{management}"
    full_access = organizations.FULL_ACCESS_POLICY_ID
    email = f"management+{management}@example.com"
    account_arn = f"{root}:account/{organization_id_}/{management}"
    organizations._orgs["self"] = {
        "Id": organization_id_,
        "Arn": f"{root}:organization/{organization_id_}",
        "FeatureSet": feature_set,
        "MasterAccountArn": account_arn,
        "MasterAccountId": management,
        "MasterAccountEmail": email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    # Policy types are off until they are enabled on the root.
    organizations._roots[root_id] = {
        "Id": root_id,
        "Arn": f"{root}:root/{organization_id_}/{root_id}",
        "Name": "Root",
        "PolicyTypes": [],
    }
    allow_all = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    organizations._policies[full_access] = {
        "Id": full_access,
        "Arn": f"arn:{partition}:organizations::aws:policy/service_control_policy/{full_access}",
        "Name": "FullAWSAccess",
        "Description": "Allows access to every operation",
        "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": True,
        "_Content": json.dumps(allow_all),
    }
    organizations._attachments[full_access] = [root_id, management]
    organizations._accounts[management] = {
        "Id": management,
        "Arn": account_arn,
        "Email": email,
        "Name": "Management",
        "Status": "ACTIVE",
        "JoinedMethod": "INVITED",
        "JoinedTimestamp": int(time.time()),
        "_ParentId": root_id,
    }
    return _json({"Organization": dict(organizations._orgs["self"])})


def _delete_organization(_payload):
    management = get_account_id()
    if len(organizations._accounts) > 1:
        return _error("OrganizationNotEmptyException", "To delete the organization, first remove all member accounts.")
    for store in (
        organizations._orgs,
        organizations._accounts,
        organizations._ous,
        organizations._roots,
        organizations._policies,
        organizations._attachments,
    ):
        for key in list(store.keys()):
            store.pop(key, None)
    for known in (_trusted, _delegated):
        for key in [key for key in known if key[0] == management]:
            del known[key]
    return _json({})


def _create_account(create):
    def handle(payload):
        management = get_account_id()
        tags = {tag["Key"]: tag.get("Value") for tag in payload.get("Tags") or []}
        wanted = tags.get(_ACCOUNT_ID_TAG)
        if wanted and (len(wanted) != 12 or not wanted.isdigit() or control_policies.management_account_of(wanted)):
            return _error("InvalidInputException", f"{_ACCOUNT_ID_TAG}: {wanted} is no free account id")
        if any(account["Email"] == payload.get("Email") for account in organizations._accounts.values()):
            return _failed_creation(payload, "EMAIL_ALREADY_EXISTS")
        status, headers, body = create(payload)
        created = json.loads(body).get("CreateAccountStatus")
        if created is None:
            return status, headers, body
        account = created["AccountId"]
        if wanted:
            _rename(management, created, wanted)
            account = wanted
        partition = regions.partition_of(get_region())
        _create_access_role(account, management, payload.get("RoleName") or _ACCESS_ROLE, partition)
        _tell(management, account)
        return _json({"CreateAccountStatus": _status_out(created)})

    return handle


def _failed_creation(payload, reason):
    status = {
        "Id": "car-" + new_uuid().replace("-", ""),
        "AccountName": payload.get("AccountName"),
        "State": "FAILED",
        "FailureReason": reason,
        "RequestedTimestamp": int(time.time()),
        "CompletedTimestamp": int(time.time()),
    }
    organizations._create_statuses[status["Id"]] = status
    return _json({"CreateAccountStatus": status})


def _status_out(status):
    return {key: value for key, value in status.items() if not key.startswith("_")}


def _rename(management, created, wanted):
    drawn = created["AccountId"]
    record = organizations._accounts.pop(drawn)
    record.update(Id=wanted, Arn=record["Arn"].replace(f"/{drawn}", f"/{wanted}"))
    organizations._accounts[wanted] = record
    if (management, drawn) in organizations._tags._data:
        organizations._tags[wanted] = {
            key: value for key, value in organizations._tags.pop(drawn).items() if key != _ACCOUNT_ID_TAG
        }
    for policy_id, targets in organizations._attachments.items():
        organizations._attachments[policy_id] = [wanted if target == drawn else target for target in targets]
    created["AccountId"] = wanted
    organizations._create_statuses[created["Id"]] = created


def _create_access_role(account, management, name, partition):
    """The role through which the management account administers an account that it created."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{management}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    with request_scope(account, get_region()):
        iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [json.dumps(trust)]})
        policy = f"arn:{partition}:iam::aws:policy/AdministratorAccess"
        iam._attach_role_policy({"RoleName": [name], "PolicyArn": [policy]})


def _create_unit(create):
    """A new OU has FullAWSAccess attached, without which it would allow nothing."""

    def handle(payload):
        parent = payload.get("ParentId")
        if organizations._target(parent)[1] not in ("ROOT", "ORGANIZATIONAL_UNIT"):
            return _error(
                "ParentNotFoundException", f"We can't find a root or organizational unit with the ParentId {parent}"
            )
        if any(unit["_ParentId"] == parent and unit["Name"] == payload.get("Name") for unit in organizations._ous.values()):
            return _error("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
        status, headers, body = create(payload)
        if status == 200:
            full_access = organizations.FULL_ACCESS_POLICY_ID
            unit = json.loads(body)["OrganizationalUnit"]["Id"]
            organizations._attachments[full_access] = [*organizations._attachments.get(full_access, []), unit]
        return status, headers, body

    return handle


def _move_account(move):
    def handle(payload):
        account = organizations._accounts.get(payload.get("AccountId")) or {}
        source = payload.get("SourceParentId")
        if account and account.get("_ParentId") != source and organizations._target(source)[0]:
            return _error("SourceParentNotFoundException", f"We can't find a parent with the ParentId {source}")
        response = move(payload)
        if response[0] == 200:
            _tell(get_account_id(), payload["AccountId"])
        return response

    return handle


def _tell(management, account):
    for listener in _listeners:
        listener(management, account)


# ---------------------------------------------------------------- listing


def _page_of(items, payload, member, extra=None):
    """One page of a list, with a token that says where the next one begins."""
    token = payload.get("NextToken")
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token).decode())
        except ValueError:
            return _error("InvalidInputException", "You provided an invalid pagination token.")
    size = min(int(payload.get("MaxResults") or _PAGE), _PAGE)
    answer = {member: items[start : start + size], **(extra or {})}
    if start + size < len(items):
        answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return _json(answer)


def _paged(member, listing):
    def handle(payload):
        status, headers, body = listing(payload)
        if status != 200:
            return status, headers, body
        return _page_of(json.loads(body)[member], payload, member)

    return handle


def _list_children(payload):
    parent, kind = payload.get("ParentId"), payload.get("ChildType")
    if organizations._target(parent)[1] not in ("ROOT", "ORGANIZATIONAL_UNIT"):
        return _error("ParentNotFoundException", f"We can't find a root or organizational unit with the ParentId {parent}")
    store = organizations._accounts if kind == "ACCOUNT" else organizations._ous
    children = [{"Id": each["Id"], "Type": kind} for each in store.values() if each.get("_ParentId") == parent]
    return _page_of(children, payload, "Children")


def _list_create_account_status(payload):
    wanted = payload.get("States")
    statuses = [_status_out(each) for each in organizations._create_statuses.values()]
    return _page_of(
        [each for each in statuses if not wanted or each["State"] in wanted], payload, "CreateAccountStatuses"
    )


# ---------------------------------------------------------------- trusted services and delegated administrators


def _enable_service_access(payload):
    _trusted.setdefault((get_account_id(), payload["ServicePrincipal"]), int(time.time()))
    return _json({})


def _disable_service_access(payload):
    _trusted.pop((get_account_id(), payload["ServicePrincipal"]), None)
    return _json({})


def _list_service_access(_payload):
    return _json(
        {
            "EnabledServicePrincipals": [
                {"ServicePrincipal": principal, "DateEnabled": enabled}
                for (management, principal), enabled in _trusted.items()
                if management == get_account_id()
            ]
        }
    )


def _register_delegated(payload):
    management, account, principal = get_account_id(), payload["AccountId"], payload["ServicePrincipal"]
    if account not in organizations._accounts:
        return _error("AccountNotFoundException", f"You specified an account that doesn't exist: {account}")
    if account == management:
        return _error(
            "ConstraintViolationException",
            "You cannot register master account/yourself as delegated administrator for your organization.",
        )
    if (management, account, principal) in _delegated:
        return _error("AccountAlreadyRegisteredException", "The provided account is already a delegated administrator.")
    _trusted.setdefault((management, principal), int(time.time()))
    _delegated[(management, account, principal)] = int(time.time())
    return _json({})


def _deregister_delegated(payload):
    key = (get_account_id(), payload["AccountId"], payload["ServicePrincipal"])
    if _delegated.pop(key, None) is None:
        return _error("AccountNotRegisteredException", "The provided account is not a registered delegated administrator.")
    return _json({})


def _list_delegated(payload):
    management, wanted = get_account_id(), payload.get("ServicePrincipal")
    since = {}
    for (owner, account, principal), when in _delegated.items():
        if owner == management and wanted in (None, principal):
            since[account] = min(when, since.get(account, when))
    listed = [
        {**organizations._public_account(organizations._accounts[account]), "DelegationEnabledDate": when}
        for account, when in since.items()
    ]
    return _json({"DelegatedAdministrators": listed})


def _list_delegated_services(payload):
    management, account = get_account_id(), payload["AccountId"]
    if not any(key[:2] == (management, account) for key in _delegated):
        return _error("AccountNotRegisteredException", "The provided account is not a registered delegated administrator.")
    listed = [
        {"ServicePrincipal": principal, "DelegationEnabledDate": when}
        for (owner, member, principal), when in _delegated.items()
        if (owner, member) == (management, account)
    ]
    return _json({"DelegatedServices": listed})
