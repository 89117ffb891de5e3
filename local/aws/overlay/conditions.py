"""What MiniStack's evaluation of policies lacks: policy variables, and condition keys that IAM gives on its own calls."""
import functools
import re

from ministack.core import iam_evaluator
from ministack.services import iam

from overlay import calls

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}
#: Calls on which IAM gives `iam:PermissionsBoundary`: the boundary being set, or the one that the entity has.
_SETS_BOUNDARY = frozenset({"CreateUser", "CreateRole", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary"})
_HAS_BOUNDARY = frozenset(
    {
        "AttachUserPolicy",
        "AttachRolePolicy",
        "DetachUserPolicy",
        "DetachRolePolicy",
        "PutUserPolicy",
        "PutRolePolicy",
        "DeleteUserPolicy",
        "DeleteRolePolicy",
        "DeleteUserPermissionsBoundary",
        "DeleteRolePermissionsBoundary",
    }
)
_NAMES_POLICY = frozenset(
    f"{verb}{entity}Policy" for verb in ("Attach", "Detach") for entity in ("User", "Role", "Group")
)


def install():
    iam_evaluator.parse_policy_document = _remembering(iam_evaluator.parse_policy_document)
    iam_evaluator._first_match = _first_match
    iam_evaluator._resolve_condition_key = _resolve(iam_evaluator._resolve_condition_key)
    iam_evaluator._evaluate_single_condition = _with_more_operators(iam_evaluator._evaluate_single_condition)


def _remembering(parse):
    """MiniStack parses every policy of the caller at every call; parsed statements are never changed."""
    cached = functools.lru_cache(maxsize=4096)(parse)
    return lambda document: cached(document) if isinstance(document, str) else parse(document)


# ---------------------------------------------------------------- variables


def _first_match(context, statements, effect):
    for statement in statements:
        if (
            statement.effect == effect
            and iam_evaluator._action_matches(context.action, statement.actions, statement.not_actions)
            and _resource_matches(context, statement)
            and iam_evaluator._conditions_met(_conditions(statement.conditions, context), context)
        ):
            return statement
    return None


def _resource_matches(context, statement):
    patterns, negated = statement.resources, False
    if not patterns:
        patterns, negated = statement.not_resources, True
    if not patterns:
        return True
    resource = context.resource_arn
    found = any(iam_evaluator.fnmatch_iam_cs(resource, each) if "${" not in each else _matches(each, resource, context)
                for each in patterns)
    return found is not negated


def _matches(pattern, text, context):
    """Matches a pattern with variables, whose values count literally: a `*` in a user's name is no wildcard."""
    regex = ""
    end = 0
    for match in _VARIABLE.finditer(pattern):
        value = _value(match[1], context)
        if value is None:
            return False  # A statement with a variable that has no value does not match.
        regex += _glob(pattern[end : match.start()]) + re.escape(value)
        end = match.end()
    return re.fullmatch(regex + _glob(pattern[end:]), text, re.DOTALL) is not None


def _glob(text):
    return "".join(".*" if each == "*" else "." if each == "?" else re.escape(each) for each in text)


def _value(expression, context):
    if expression in _LITERALS:
        return _LITERALS[expression]
    name, _, fallback = expression.partition(",")
    found = iam_evaluator._resolve_condition_key(name.strip(), context)
    if isinstance(found, list):
        found = None  # Variables take keys with one value only.
    if found is None and fallback:
        return fallback.strip().strip("'")
    return None if found is None else str(found)


def _conditions(conditions, context):
    """The conditions with their variables replaced; one whose variable has no value gets a value that nothing equals."""
    if not conditions or "${" not in repr(conditions):
        return conditions

    def replaced(value):
        if isinstance(value, list):
            return [replaced(each) for each in value]
        if not isinstance(value, str):
            return value
        return _VARIABLE.sub(lambda match: _absent(_value(match[1], context)), value)

    return {
        operator: {key: replaced(value) for key, value in block.items()} if isinstance(block, dict) else block
        for operator, block in conditions.items()
    }


def _absent(value):
    return "\0" if value is None else value


# ---------------------------------------------------------------- keys


def _resolve(resolve):
    def resolve_more(key, context):
        name = key.lower()
        if name == "ses:fromaddress":
            from overlay import authorization

            return authorization.sender_of(calls.current())
        if name == "aws:securetransport":
            return "true"  # The loopback connection stands for HTTPS, which is all that clients of AWS speak by default.
        if name in ("iam:permissionsboundary", "iam:policyarn") and context.action.startswith("iam:"):
            return _iam_key(name)
        if name == "iam:passedtoservice" and context.action == "iam:PassRole":
            return context.service_context.get(name)
        if name == "secretsmanager:blockpublicpolicy":
            return str(_given()["BlockPublicPolicy"]).lower() if "BlockPublicPolicy" in _given() else None
        if name == "iam:awsservicename":
            return _given().get("AWSServiceName")
        if name == "aws:principalarn":
            return _role_arn(context.principal_arn) or resolve(key, context)
        if name == "aws:principalorgpaths":
            from overlay import orgs

            path = orgs.path_of(context.principal_account)
            return [path] if path else None
        return resolve(key, context)

    return resolve_more


def _role_arn(principal):
    """The role, with its path, of a role session's ARN: what AWS gives as aws:PrincipalArn. None for any other principal."""
    match = re.fullmatch(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)(/.+)?", principal or "")
    if match is None:
        return None
    role = iam._roles.get_scoped(match[1], None, match[2])
    return role["Arn"] if role else None


def _given():
    call = calls.current()
    return call.given if call is not None else {}


def _iam_key(name):
    call = calls.current()
    if call is None or call.service != "iam":
        return None
    given = call.given
    if name == "iam:policyarn":
        return given.get("PolicyArn") if call.operation in _NAMES_POLICY else None
    if call.operation in _SETS_BOUNDARY:
        return given.get("PermissionsBoundary")
    if call.operation in _HAS_BOUNDARY:
        from ministack.services import iam

        entity = iam._users.get(given.get("UserName")) if "UserName" in given else iam._roles.get(given.get("RoleName"))
        return (entity or {}).get("PermissionsBoundary") or None
    return None


def _with_more_operators(evaluate):
    """ARN operators compare each of the six parts by itself: a `*` in one does not reach into the next."""

    def evaluate_more(operator, actual, expected):
        base = operator.lower().split(":")[-1].removesuffix("ifexists")
        if base in ("arnequals", "arnlike", "arnnotequals", "arnnotlike") and isinstance(actual, str):
            matched = any(_arn_like(actual, str(each)) for each in expected)
            return matched is not base.startswith("arnnot")
        return evaluate(operator, actual, expected)

    return evaluate_more


def _arn_like(actual, pattern):
    wanted, found = pattern.split(":", 5), actual.split(":", 5)
    if len(wanted) != 6 or len(found) != 6:
        return iam_evaluator.fnmatch_iam_cs(actual, pattern)
    return all(iam_evaluator.fnmatch_iam_cs(part, each) for part, each in zip(found, wanted))
