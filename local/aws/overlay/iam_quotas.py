"""IAM's default quotas (fact 26)."""
import re

from ministack.services import iam

from overlay.iam_xml import error, override, parameter

ACCESS_KEYS_PER_USER = 2
POLICIES_PER_USER = 10
POLICIES_PER_ROLE = 20
POLICIES_PER_GROUP = 10
GROUPS_PER_USER = 10
MANAGED_POLICY_CHARACTERS = 6_144
TRUST_POLICY_CHARACTERS = 2_048
#: All inline policies of an entity together.
INLINE_CHARACTERS = {"user": 2_048, "role": 10_240, "group": 5_120}


def install():
    override("CreateAccessKey", _before(_access_keys))
    override("CreatePolicy", _before(_policy_size))
    override("CreatePolicyVersion", _before(_policy_size))
    override("AttachUserPolicy", _before(_attachments("_users", "UserName", "PoliciesPerUser", POLICIES_PER_USER)))
    override("AttachRolePolicy", _before(_attachments("_roles", "RoleName", "PoliciesPerRole", POLICIES_PER_ROLE)))
    override("AttachGroupPolicy", _before(_attachments("_groups", "GroupName", "PoliciesPerGroup", POLICIES_PER_GROUP)))
    override("PutUserPolicy", _before(_inline("user", "UserName", _user_policies)))
    override("PutRolePolicy", _before(_inline("role", "RoleName", _role_policies)))
    override("PutGroupPolicy", _before(_inline("group", "GroupName", _group_policies)))
    override("CreateRole", _before(_trust("AssumeRolePolicyDocument")))
    override("UpdateAssumeRolePolicy", _before(_trust("PolicyDocument")))
    override("AddUserToGroup", _before(_groups))


def _before(check):
    """Wraps a handler so that `check(parameters)` may answer an error first."""

    def wrap(handler):
        return lambda p: check(p) or handler(p)

    return wrap


def _exceeded(quota, limit):
    return error(409, "LimitExceeded", f"Cannot exceed quota for {quota}: {limit}")


def _length(document):
    """Characters as IAM counts them: without white space."""
    return len(re.sub(r"\s", "", document))


def _access_keys(p):
    user = parameter(p, "UserName")
    count = sum(key["UserName"] == user for key in iam._access_keys.values())
    return _exceeded("AccessKeysPerUser", ACCESS_KEYS_PER_USER) if count >= ACCESS_KEYS_PER_USER else None


def _policy_size(p):
    if _length(parameter(p, "PolicyDocument")) > MANAGED_POLICY_CHARACTERS:
        return _exceeded("PolicySize", MANAGED_POLICY_CHARACTERS)
    return None


def _trust(name):
    def check(p):
        if _length(parameter(p, name)) > TRUST_POLICY_CHARACTERS:
            return _exceeded("ACLSizePerRole", TRUST_POLICY_CHARACTERS)
        return None

    return check


def _attachments(store, name, quota, limit):
    def check(p):
        attached = (getattr(iam, store).get(parameter(p, name)) or {}).get("AttachedPolicies", [])
        if parameter(p, "PolicyArn") in attached or len(attached) < limit:
            return None
        return _exceeded(quota, limit)

    return check


def _groups(p):
    user = parameter(p, "UserName")
    joined = [name for name, group in iam._groups.items() if user in group.get("Users", [])]
    if parameter(p, "GroupName") in joined or len(joined) < GROUPS_PER_USER:
        return None
    return _exceeded("GroupsPerUser", GROUPS_PER_USER)


def _user_policies(name):
    return iam._user_inline_policies.get(name) or {}


def _group_policies(name):
    return iam._group_inline_policies.get(name) or {}


def _role_policies(name):
    return (iam._roles.get(name) or {}).get("InlinePolicies") or {}


def _inline(kind, name, policies_of):
    limit = INLINE_CHARACTERS[kind]

    def check(p):
        entity = parameter(p, name)
        policies = {**policies_of(entity), parameter(p, "PolicyName"): parameter(p, "PolicyDocument")}
        if sum(_length(document if isinstance(document, str) else str(document)) for document in policies.values()) <= limit:
            return None
        return error(409, "LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {kind} {entity}")

    return check
