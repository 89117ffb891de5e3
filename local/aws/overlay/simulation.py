"""SimulatePrincipalPolicy, with what MiniStack's leaves out: users under a path, condition keys that are given, boundaries, and the
organization's word (OrganizationsDecisionDetail).

Condition keys that are not given are not in a simulated request. Service control policies are simulated with their conditions, as IAM
does now; where a condition's key is not given, so that a deny with a negated condition holds, AWS's own simulator is known to refuse, too.
"""
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from overlay import answers, calls, control_policies
from overlay.iam_xml import error, override

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}


def install():
    override("SimulatePrincipalPolicy", _simulate)


def _simulate(_simulated):
    def handle(_p):
        call = calls.current()
        given = call.given
        arn = given.get("PolicySourceArn") or ""
        account, kind, name = get_account_id(), *_entity(arn)
        record = {"user": iam._users, "role": iam._roles}.get(kind, {}).get(name)
        if record is None or record["Arn"] != arn:
            return error(404, "NoSuchEntity", f"Entity {arn} does not exist.")
        principal_type = "User" if kind == "user" else "AssumedRole"
        gather = iam_evaluator._gather_user_policies if kind == "user" else iam_evaluator._gather_role_policies
        store = iam._users if kind == "user" else iam._roles
        policies = gather(name, account)
        boundaries = iam_evaluator._permissions_boundary(store, name, account)
        organization = control_policies.limits_of(account)
        keys = _context(given.get("ContextEntries") or [])
        tags = {f"aws:principaltag/{tag['Key'].lower()}": tag["Value"] for tag in record.get("Tags") or []}
        results = []
        for action in given.get("ActionNames") or []:
            for resource in given.get("ResourceArns") or ["*"]:
                context = iam_evaluator.EvalContext(
                    principal_arn=arn,
                    principal_type=principal_type,
                    principal_account=account,
                    action=action,
                    resource_arn=resource,
                    region=keys.get("aws:requestedregion") or get_region(),
                    secure_transport=True,
                    service_context=keys,
                    principal_keys={**tags, **({"aws:username": name} if kind == "user" else {})},
                )
                results.append(_result(context, policies, boundaries, organization))
        value = {"EvaluationResults": results, "IsTruncated": False}
        return answers.query("iam", "SimulatePrincipalPolicy", value, call.request_id)

    return handle


def _entity(arn):
    parts = arn.split(":", 5)
    if len(parts) < 6 or "/" not in parts[5]:
        return "", ""
    return parts[5].split("/", 1)[0], parts[5].rsplit("/", 1)[-1]


def _context(entries):
    keys = {}
    for entry in entries:
        values = entry.get("ContextKeyValues") or []
        many = (entry.get("ContextKeyType") or "").endswith("List")
        keys[entry["ContextKeyName"].lower()] = values if many else (values[0] if values else "")
    return keys


def _result(context, policies, boundaries, organization):
    result = {
        "EvalActionName": context.action,
        "EvalResourceName": context.resource_arn,
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
    decision = iam_evaluator.evaluate(context, policies, *boundaries).decision
    if organization:
        allowed = all(iam_evaluator.evaluate(context, level).decision == "Allow" for level in organization)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
        if not allowed and decision == "Allow":
            decision = "ImplicitDeny"
    if boundaries:
        within = all(iam_evaluator.evaluate(context, boundary).decision == "Allow" for boundary in boundaries)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    result["EvalDecision"] = _DECISIONS[decision]
    return result
