"""Source identities of role sessions, which MiniStack ignores.

From the IAM user guide ("Monitor and control actions taken with assumed roles"):

- AssumeRole with a source identity needs sts:SetSourceIdentity, of the caller and in the role's trust policy.
- A trust policy may ask for one by `sts:SourceIdentity`; later calls carry it as `aws:SourceIdentity`.
- It stays when the session assumes another role, and cannot be changed.
- CloudTrail shows it in every call of the session.
"""
import dataclasses

from ministack.core import iam_evaluator
from ministack.services import sts

from overlay import answers, authorization, calls, trail

_ASSUMING = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})


def install():
    iam_evaluator.evaluate_trust_policy = _with_source_identity(iam_evaluator.evaluate_trust_policy)
    iam_evaluator._resolve_condition_key = _resolve(iam_evaluator._resolve_condition_key)
    sts.register_session = _remembering(sts.register_session)
    trail.user_identity = _shown(trail.user_identity)


def _session_of(call):
    return sts._sessions.get(call.access_key_id) if call is not None else None


def _inherited(call):
    return (_session_of(call) or {}).get("SourceIdentity")


def _asked(call):
    """The source identity that a call of AssumeRole gives, or that its session has already."""
    if call is None or call.service != "sts" or call.operation not in _ASSUMING:
        return None
    return call.given.get("SourceIdentity") or _inherited(call)


def _with_source_identity(evaluate):
    def evaluate_with_source_identity(trust, caller_arn, context=None):
        identity = _asked(calls.current())
        if context is None or identity is None or context.action not in ("sts:AssumeRole", "sts:TagSession"):
            return evaluate(trust, caller_arn, context)
        told = dataclasses.replace(context, service_context={**context.service_context, "sts:sourceidentity": identity})
        setting = dataclasses.replace(told, action="sts:SetSourceIdentity")
        return evaluate(trust, caller_arn, told) and evaluate(trust, caller_arn, setting)

    return evaluate_with_source_identity


@calls.check
def _check(call):
    if call.service != "sts" or call.operation != "AssumeRole":
        return None
    identity, inherited = call.given.get("SourceIdentity"), _inherited(call)
    if identity is None and inherited is None:
        return None
    if identity is not None and inherited is not None and identity != inherited:
        return answers.error(call, 403, "AccessDenied", "The source identity of a session cannot be changed")
    context = {"sts:sourceidentity": identity or inherited}
    return authorization._enforce(call, "sts:SetSourceIdentity", call.given.get("RoleArn", "*"), context)


def _resolve(resolve):
    def resolve_source_identity(key, context):
        name = key.lower()
        if name == "aws:sourceidentity":
            return _inherited(calls.current())
        if name == "sts:sourceidentity" and name not in context.service_context:
            return _asked(calls.current())
        return resolve(key, context)

    return resolve_source_identity


def _remembering(register):
    def register_with_source_identity(access_key, session):
        identity = _asked(calls.current())
        if identity is not None:
            session["SourceIdentity"] = identity
        return register(access_key, session)

    return register_with_source_identity


def _shown(user_identity):
    def shown(access_key_id, identity, account):
        found = user_identity(access_key_id, identity, account)
        source = (identity.get("session") or {}).get("SourceIdentity")
        if source and "sessionContext" in found:
            found["sessionContext"]["sourceIdentity"] = source
        return found

    return shown
