"""Service control policies: what an account may at most do, by the policies of its organization's root, OUs and itself.

They skip the management account and service-linked roles (fact 27). Each level must allow, so each level is one limit of the
evaluation; a level with no policy attached allows nothing.
"""
from ministack.core import iam_evaluator
from ministack.services import organizations

_TYPE = "SERVICE_CONTROL_POLICY"


def install():
    iam_evaluator.resolve_principal = _limited(iam_evaluator.resolve_principal)


def management_account_of(account):
    """The management account of the organization that an account belongs to, or None."""
    for (management, _), _organization in list(organizations._orgs._data.items()):
        if account == management or (management, account) in organizations._accounts._data:
            return management
    return None


def _is_enforced(management):
    roots = [root for (owner, _), root in list(organizations._roots._data.items()) if owner == management]
    return any(
        entry.get("Type") == _TYPE and entry.get("Status") == "ENABLED"
        for root in roots
        for entry in root.get("PolicyTypes") or []
    )


def limits_of(account):
    """The limits that SCPs put on the principals of an account, one a level of the organization."""
    management = management_account_of(account)
    if management is None or management == account or not _is_enforced(management):
        return []
    record = organizations._accounts._data[(management, account)]
    levels = [account]
    parent = record.get("_ParentId")
    while parent:
        levels.append(parent)
        parent = (organizations._ous._data.get((management, parent)) or {}).get("_ParentId")
    attached = {level: [] for level in levels}
    for (owner, policy_id), targets in list(organizations._attachments._data.items()):
        if owner != management:
            continue
        policy = organizations._policies._data.get((management, policy_id))
        if policy and policy["Type"] == _TYPE:
            for target in targets:
                if target in attached:
                    attached[target].append(policy["_Content"])
    return [[iam_evaluator.parse_policy_document(document) for document in attached[level]] for level in levels]


def _limited(resolve_principal):
    def resolve(access_key_id, account_id, credential=None):
        principal = resolve_principal(access_key_id, account_id, credential)
        if isinstance(principal, iam_evaluator.PrincipalInfo) and principal.policies is not None:
            if ":assumed-role/AWSServiceRoleFor" not in principal.arn:
                principal.limits = [*principal.limits, *limits_of(principal.account)]
        return principal

    return resolve
