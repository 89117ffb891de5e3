"""Secrets Manager: replicas, versions that are written once, resource policies, other accounts, customer-managed keys.

From the Secrets Manager API reference and user guide ("Access secrets from a different account", "Secret encryption"):

- A secret may be made without a value; it has no version then.
- A version's id is the request's token. The same token with the same value changes nothing; with another value it is refused.
- Replicas are named when a secret is made, or later; they take values, tags and resource policy from their primary, cannot be
  changed by themselves, and are read in their own region whatever became of the primary's. StopReplicationToReplica, called in
  the replica's region, makes it a secret of its own.
- Another account needs an Allow in the secret's policy and in its own; the key has to be a customer-managed one, and the key's
  policy has to let the caller in as well. Calls of Secrets Manager use the key on behalf of the caller (kms:ViaService).
- PutResourcePolicy refuses principals that do not exist, and, with BlockPublicPolicy, policies that let everybody in.
"""
import hashlib
import json
import re
import time

import ministack.core.iam_actions as iam_actions
from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid, request_scope
from ministack.services import iam, kms, secretsmanager

from overlay import answers, calls, outage, regions

_AWS_KEY = "alias/aws/secretsmanager"
#: What other accounts may call, when the secret's policy lets them.
_ACROSS_ACCOUNTS = frozenset(
    {
        "CancelRotateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "DescribeSecret",
        "GetResourcePolicy",
        "GetSecretValue",
        "ListSecretVersionIds",
        "PutResourcePolicy",
        "PutSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RestoreSecret",
        "RotateSecret",
        "StopReplicationToReplica",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "ValidateResourcePolicy",
    }
)
#: What a call needs of the key that a secret is encrypted with.
_KEY_ACTIONS = {
    "GetSecretValue": ("kms:Decrypt",),
    "CreateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
    "PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "UpdateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
    "ReplicateSecretToRegions": ("kms:Decrypt",),
}
#: What making a replica needs of the replica's key.
_REPLICA_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Encrypt")

#: ARNs of primaries whose replicas lag because their region is gone.
_behind = set()


def install():
    secretsmanager._resolve = _resolve
    secretsmanager._sync_replicas = _where_reachable(secretsmanager._sync_replicas)
    secretsmanager.secret_policy_for_arn = _policy_of
    kms.key_policy_for_arn = _key_policy_of
    iam_actions.extract_resource_arn = _whole_arn(iam_actions.extract_resource_arn)
    secretsmanager._create_secret = _create
    secretsmanager._put_secret_value = _put_value
    secretsmanager._put_resource_policy = _put_policy(secretsmanager._put_resource_policy)
    secretsmanager._validate_resource_policy = _validate_policy
    secretsmanager._delete_resource_policy = _not_on_replicas(secretsmanager._delete_resource_policy)
    secretsmanager._replicate_secret_to_regions = _replicate(secretsmanager._replicate_secret_to_regions)
    secretsmanager.handle_request = _handle(secretsmanager.handle_request)


def _error(code, message):
    return error_response_json(code, message, 400)


def _not_found():
    return _error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


# ---------------------------------------------------------------- finding


def _parts(secret_id):
    """Account, region and the name with its random end, of a secret's ARN; None for anything else."""
    try:
        spec = parse_arn(secret_id)
    except ArnParseError:
        return None
    if spec.service != "secretsmanager" or not spec.resource.startswith("secret:"):
        return None
    return spec.account_id, spec.region, spec.resource[len("secret:") :]


def _find(secret_id, account, region):
    """`(name, record)` of a secret by its name, ARN, or ARN without the random end, in a scope; `(None, None)` if none is."""
    if not secret_id:
        return None, None
    store = secretsmanager._secrets
    parts = _parts(secret_id)
    if parts is None:
        record = store.get_scoped(account, region, secret_id)
        return (secret_id, record) if record else (None, None)
    if parts[:2] != (account, region):
        return None, None
    for name in (parts[2][:-7], parts[2]):
        record = store.get_scoped(account, region, name)
        if record is not None and record["ARN"] in (secret_id, f"{secret_id}{record['ARN'][-7:]}"):
            return name, record
    return None, None


def _resolve(secret_id, *, use_arn_scope=False):
    parts = _parts(secret_id or "") if use_arn_scope else None
    if parts is not None and parts[0] == get_account_id():
        return _find(secret_id, *parts[:2])
    return _find(secret_id, get_account_id(), get_region())


def _whole_arn(extract):
    def extract_whole(service, method, path, headers, body, query_params, region, account_id):
        found = extract(service, method, path, headers, body, query_params, region, account_id)
        if service == "secretsmanager" and (parts := _parts(found)) is not None and parts[0] != account_id:
            _, record = _find(found, *parts[:2])
            return record["ARN"] if record else found
        return found

    return extract_whole


def _policy_of(resource_arn):
    """The policy of a secret and the account that owns it, wherever the caller is."""
    parts = _parts(resource_arn)
    _, record = _find(resource_arn, *parts[:2]) if parts else (None, None)
    if record is None or record["ARN"] != resource_arn:
        return None
    policy = secretsmanager._resource_policies.get_scoped(parts[0], parts[1], resource_arn)
    return policy or "", parts[0]


def _key_policy_of(resource_arn):
    """As `_policy_of`, of a key."""
    try:
        spec = parse_arn(resource_arn)
    except ArnParseError:
        return None
    with request_scope(spec.account_id, spec.region):
        record = kms._resolve_key(resource_arn)
    return (record.get("Policy") or "", spec.account_id) if record else None


# ---------------------------------------------------------------- calls


def _handle(handle_request):
    added = {
        "RemoveRegionsFromReplication": _remove_regions,
        "StopReplicationToReplica": _stop_replication,
    }

    async def handle(method, path, headers, body, query_params):
        call = calls.current()
        if call is None or call.service != "secretsmanager" or call.operation is None:
            return await handle_request(method, path, headers, body, query_params)
        _catch_up()
        given = call.given
        parts = _parts(given.get("SecretId", ""))
        owner = parts[0] if parts else call.account
        if owner != call.account and call.operation not in _ACROSS_ACCOUNTS:
            return _error("InvalidRequestException", "You can't perform this operation on a secret of another account.")
        refused = _refused_by_key(call, given, owner)
        if refused:
            return refused
        with request_scope(owner, call.region):
            if call.operation in added:
                return added[call.operation](given)
            return await handle_request(method, path, headers, body, query_params)

    return handle


# ---------------------------------------------------------------- keys


def _refused_by_key(call, given, owner):
    """The answer to a call whose caller may not use the key of the secret, or None."""
    actions = _KEY_ACTIONS.get(call.operation)
    _, record = _find(given.get("SecretId"), owner, call.region)
    if record is None and call.operation != "CreateSecret":
        return None
    if actions:
        key = given.get("KmsKeyId") or (record or {}).get("KmsKeyId")
        secret_arn = record["ARN"] if record else ""
        if owner != call.account and _is_aws_key(key) and call.operation in ("GetSecretValue", "PutSecretValue"):
            return _error(
                "InvalidRequestException",
                "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS "
                "service key.",
            )
        if refused := _refused_key(call, key, owner, call.region, actions, secret_arn):
            return refused
    if call.operation in ("CreateSecret", "ReplicateSecretToRegions"):
        for replica in given.get("AddReplicaRegions") or []:
            region = replica.get("Region", "")
            if refused := _refused_key(call, replica.get("KmsKeyId"), owner, region, _REPLICA_KEY_ACTIONS, ""):
                return refused
    return None


def _is_aws_key(key):
    return not key or key.endswith(_AWS_KEY)


def _refused_key(call, key, owner, region, actions, secret_arn):
    if _is_aws_key(key):
        return None
    spec_account, spec_region = owner, region
    if key.startswith("arn:"):
        spec = parse_arn(key)
        spec_account, spec_region = spec.account_id, spec.region
        if spec_region != region:
            return _error("InvalidParameterException", f"Invalid key {key}: it is in another region than the secret")
    with request_scope(spec_account, spec_region):
        record = kms._resolve_key(key)
    if record is None or record.get("KeyState") != "Enabled":
        return _denied(call)
    suffix = regions.dns_suffix(region)
    context = {
        "kms:viaservice": f"secretsmanager.{region}.{suffix}",
        "kms:calleraccount": call.account,
        "kms:resourcealiases": _aliases_of(record, spec_account, spec_region),
        **({"kms:encryptioncontext:secretarn": secret_arn} if secret_arn else {}),
    }
    for action in actions:
        denied = iam_evaluator.enforce(
            call.access_key_id, action, "kms", region, resource_arn=record["Arn"], service_context=context
        )
        if denied:
            return _denied(call)
    return None


def _aliases_of(key, account, region):
    """The names of a key's aliases, for `kms:ResourceAliases`."""
    aliases = kms._aliases.items_scoped(account, region)
    return [arn.split(":", 5)[-1] for arn, target in aliases if target == key["KeyId"]]


def _denied(call):
    return answers.error(call, 400, "AccessDeniedException", "Access to KMS is not allowed")


# ---------------------------------------------------------------- versions


def _value_of(data):
    return {"SecretString": data.get("SecretString"), "SecretBinary": data.get("SecretBinary")}


def _has_value(data):
    return data.get("SecretString") is not None or data.get("SecretBinary") is not None


def _same_value(version, data):
    return all(version.get(name) == value for name, value in _value_of(data).items())


def _create(data):
    name = data.get("Name")
    token = data.get("ClientRequestToken") or new_uuid()
    existing = secretsmanager._secrets.get(name)
    if existing is not None:
        if existing.get("DeletedDate"):
            return _error(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        version = existing["Versions"].get(token)
        if version is not None and _same_value(version, data):
            return json_response({"ARN": existing["ARN"], "Name": name, "VersionId": token})
        return _error("ResourceExistsException", f"The operation failed because the secret {name} already exists.")
    replicas = data.get("AddReplicaRegions") or []
    if any(replica.get("Region") == get_region() for replica in replicas):
        return _error("InvalidParameterException", "Invalid replica region: it is the region of the secret.")
    partition = regions.partition_of(get_region())
    suffix = hashlib.sha256(new_uuid().encode()).hexdigest()[:6]
    arn = f"arn:{partition}:secretsmanager:{get_region()}:{get_account_id()}:secret:{name}-{suffix}"
    now = int(time.time())
    secret = {
        "ARN": arn,
        "Name": name,
        "Description": data.get("Description", ""),
        "Tags": list(data.get("Tags") or []),
        "CreatedDate": now,
        "LastChangedDate": now,
        "LastAccessedDate": None,
        "DeletedDate": None,
        "RotationEnabled": False,
        "RotationLambdaARN": None,
        "RotationRules": None,
        "KmsKeyId": data.get("KmsKeyId"),
        "ReplicationStatus": [],
        "Versions": {},
    }
    if _has_value(data):
        secret["Versions"][token] = {**_value_of(data), "CreatedDate": now, "Stages": ["AWSCURRENT"]}
    secretsmanager._secrets[name] = secret
    answer = {"ARN": arn, "Name": name}
    if _has_value(data):
        answer["VersionId"] = token
    if replicas:
        wanted = {"SecretId": name, "AddReplicaRegions": replicas}
        wanted["ForceOverwriteReplicaSecret"] = bool(data.get("ForceOverwriteReplicaSecret"))
        status, _, body = replicated = secretsmanager._replicate_secret_to_regions(wanted)
        if status != 200:
            del secretsmanager._secrets[name]
            return replicated
        answer["ReplicationStatus"] = json.loads(body)["ReplicationStatus"]
    return json_response(answer)


def _put_value(data):
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if secret is None:
        return _not_found()
    if secret.get("DeletedDate"):
        return _error(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    if secretsmanager._is_replica(secret):
        return secretsmanager._replica_mutation_error()
    if not _has_value(data):
        return _error("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
    token = data.get("ClientRequestToken") or new_uuid()
    version = secret["Versions"].get(token)
    if version is not None and not _same_value(version, data):
        return _error(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret "
            f"{secret['ARN']}.",
        )
    if version is None:
        now = int(time.time())
        stages = list(data.get("VersionStages") or ["AWSCURRENT"])
        if not any("AWSCURRENT" in each["Stages"] for each in secret["Versions"].values()):
            stages = sorted({*stages, "AWSCURRENT"})  # The first value is the current one, whatever the request says.
        secret["Versions"][token] = {**_value_of(data), "CreatedDate": now, "Stages": []}
        for stage in stages:
            if stage == "AWSCURRENT":
                secretsmanager._apply_current_promotion(secret, token)
            else:
                secretsmanager._remove_stage_everywhere(secret, stage)
                secretsmanager._add_stage(secret, token, stage)
        secret["LastChangedDate"] = now
        secretsmanager._sync_replicas(secret)
    stages = list(secret["Versions"][token]["Stages"])
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": stages})


# ---------------------------------------------------------------- replicas


def _replicate(replicate):
    def replicate_reachable(data):
        gone = [each["Region"] for each in data.get("AddReplicaRegions") or [] if outage.is_cut_off(each.get("Region"))]
        status, headers, body = replicate(data)
        if status != 200:
            return status, headers, body
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        for each in secret["ReplicationStatus"]:
            if each["Region"] in gone:
                secretsmanager._secrets.pop_scoped(get_account_id(), each["Region"], secret["Name"], None)
                each.update(Status="InProgress", StatusMessage="")
                _behind.add(secret["ARN"])
            elif each["Status"] == "InSync":
                each["StatusMessage"] = "Replication succeeded"
        return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})

    return replicate_reachable


def _where_reachable(sync):
    """Replicas in a region that is gone are brought up to date when it is back."""

    def sync_reachable(secret):
        statuses = secret.get("ReplicationStatus", [])
        gone = [each for each in statuses if outage.is_cut_off(each.get("Region"))]
        for each in gone:
            each.update(Status="InProgress", StatusMessage="")
        if gone:
            _behind.add(secret["ARN"])
        sync({**secret, "ReplicationStatus": [each for each in statuses if each not in gone]})

    return sync_reachable


def _catch_up():
    for arn in list(_behind):
        account, region, _ = _parts(arn)
        _, secret = _find(arn, account, region)
        waiting = [each for each in (secret or {}).get("ReplicationStatus", []) if each["Status"] == "InProgress"]
        if outage.is_cut_off(region) or any(outage.is_cut_off(each["Region"]) for each in waiting):
            continue
        _behind.discard(arn)
        if not waiting:
            continue
        with request_scope(account, region):
            wanted = [{key: each[key] for key in ("Region", "KmsKeyId") if key in each} for each in waiting]
            secretsmanager._replicate_secret_to_regions({"SecretId": arn, "AddReplicaRegions": wanted})


def _remove_regions(data):
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if secret is None:
        return _not_found()
    if secretsmanager._is_replica(secret):
        return secretsmanager._replica_mutation_error()
    unwanted = set(data.get("RemoveReplicaRegions") or [])
    known = {each["Region"] for each in secret["ReplicationStatus"]}
    if not unwanted <= known:
        return _error("InvalidParameterException", f"The secret has no replica in {', '.join(sorted(unwanted - known))}.")
    going = {**secret, "ReplicationStatus": [each for each in secret["ReplicationStatus"] if each["Region"] in unwanted]}
    secretsmanager._delete_replicas(going)
    secret["ReplicationStatus"] = [each for each in secret["ReplicationStatus"] if each["Region"] not in unwanted]
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})


def _stop_replication(data):
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    if secret is None:
        return _not_found()
    if not secretsmanager._is_replica(secret):
        return _error("InvalidRequestException", "You can't perform this operation on a secret that is not a replica.")
    primary_region = secret["_PrimaryRegion"]
    if not outage.is_cut_off(primary_region):
        secretsmanager._unlink_from_primary(secret)
    for member in ("_PrimarySecretArn", "_PrimaryRegion"):
        del secret[member]
    return json_response({"ARN": secret["ARN"]})


# ---------------------------------------------------------------- resource policies


def _not_on_replicas(handler):
    def handle(data):
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        if secret is not None and secretsmanager._is_replica(secret):
            return secretsmanager._replica_mutation_error()
        return handler(data)

    return handle


def _put_policy(put):
    def handle(data):
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        if secret is None:
            return _not_found()
        refused = _policy_problem(data.get("ResourcePolicy"))
        if refused:
            return _error("MalformedPolicyDocumentException", refused)
        if data.get("BlockPublicPolicy") and _is_public(data["ResourcePolicy"]):
            return _error(
                "PublicPolicyException",
                "The resource policy did not prevent broad access to the secret, and BlockPublicPolicy is set.",
            )
        return put(data)

    return _not_on_replicas(handle)


def _validate_policy(data):
    problem = _policy_problem(data.get("ResourcePolicy"))
    if problem is None and _is_public(data["ResourcePolicy"]):
        problem = "The resource policy grants broad access to the secret."
    errors = [{"CheckName": "ResourcePolicy", "ErrorMessage": problem}] if problem else []
    return json_response({"PolicyValidationPassed": not errors, "ValidationErrors": errors})


def _statements(document):
    statements = document.get("Statement")
    return [statements] if isinstance(statements, dict) else statements


def _policy_problem(text):
    try:
        document = json.loads(text or "")
        statements = _statements(document)
        if not statements or not all(isinstance(each, dict) for each in statements):
            raise ValueError
    except (ValueError, AttributeError):
        return "This resource policy contains a syntax error."
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny") or not (statement.keys() & {"Principal", "NotPrincipal"}):
            return "This resource policy contains a syntax error."
        for principal in _aws_principals(statement):
            if not _exists(principal):
                return "This resource policy contains an unsupported principal."
    return None


def _aws_principals(statement):
    principal = statement.get("Principal", {})
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return [named] if isinstance(named, str) else named


def _exists(principal):
    """Whether there is such a user or role. Principals of accounts that the emulator does not know count as existing."""
    match = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):(user|role)/(?:.*/)?([^/]+)", principal)
    if match is None:
        return principal == "*" or re.fullmatch(r"\d{12}|arn:[^:]+:(iam|sts)::\d{12}:.+", principal) is not None
    account, kind, name = match.groups()
    store = iam._users if kind == "user" else iam._roles
    record = store.get_scoped(account, None, name)
    return record is not None and record["Arn"] == principal


def _is_public(text):
    """Whether a statement lets everybody in; a condition on who or from where counts as a limit."""
    for statement in _statements(json.loads(text)):
        if statement["Effect"] != "Allow" or "*" not in _aws_principals(statement):
            continue
        keys = {key.lower() for block in (statement.get("Condition") or {}).values() for key in block}
        if not keys & _LIMITING_KEYS:
            return True
    return False


_LIMITING_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
    }
)
