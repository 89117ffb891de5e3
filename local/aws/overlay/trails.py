"""CloudTrail's trails: what they need before AWS makes one, and what they deliver.

MiniStack keeps trails and delivers nothing. Here a trail that logs writes the account's management events, of all regions or of
its own, to its bucket (gzipped JSON under `AWSLogs/`) and to its log group, each held to the permissions that AWS asks for when
the trail is made and again at every delivery. AWS takes about five minutes for both (fact 23), the emulator half a second.

A multi-region trail delivers from its home region: while that is gone nothing comes, and what was recorded elsewhere comes
afterwards. Digest files, data events, insights and SNS notifications are not made.

EventBridge sees API calls only while a trail logs them (fact 20). Accounts count as covered by a trail of somebody else, as
with an organization's trail, unless `PUT /_bulkhead/trails/required {"accounts": [...]}` names them.
"""
import collections
import contextvars
import gzip
import json
import logging
import re
import secrets
import time

import ministack.app as ministack_app
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudtrail, cloudwatch_logs, kms, s3

from overlay import calls, control, control_policies, delivery, orgs, outage, regions

logger = logging.getLogger("bulkhead.trails")

_PRINCIPAL = "cloudtrail.amazonaws.com"
_ACL = "bucket-owner-full-control"
#: Seconds in which events are gathered before they are delivered together.
_BATCH_SECONDS = 0.5
#: What waits for a home region that is gone; the oldest events are dropped beyond it.
_MOST_WAITING = 20_000
_MOST_TRAILS = 5
_NAME = re.compile(r"(?!.*[._-]{2})[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]")
_PRIVATE = ("_Status",)

#: Accounts whose events reach EventBridge only while a trail logs them.
_required = frozenset()
#: Events that wait for delivery, by the trail's ARN.
_waiting = {}
#: Trails that a call has just stopped or deleted, by the call's request id: they still record that call.
_ending = {}


class _Problem(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def install():
    cloudtrail._TRAIL_STATE_KEYS |= frozenset(_PRIVATE)
    cloudtrail._trail_arn = _arn
    cloudtrail._is_non_aws_trail_arn_partition = lambda _raw: False
    cloudtrail._validate_trail_arn = _validate_arn
    operations = cloudtrail._DISPATCH
    operations["CreateTrail"] = _create(operations["CreateTrail"])
    operations["UpdateTrail"] = _update(operations["UpdateTrail"])
    operations["GetTrailStatus"] = _status(operations["GetTrailStatus"])
    operations["StopLogging"] = _end(operations["StopLogging"])
    operations["DeleteTrail"] = _end(_forget_tags(operations["DeleteTrail"]))


@control.route("PUT", "trails/required")
def _require(body, _headers):
    global _required
    accounts = body.get("accounts")
    if not isinstance(accounts, list) or not all(re.fullmatch(r"\d{12}", str(each)) for each in accounts):
        raise control.ControlError(400, "accounts is required: a list of account ids, empty to require trails nowhere")
    _required = frozenset(accounts)
    return {"accounts": sorted(_required)}


# ---------------------------------------------------------------- the trails themselves


def _arn(name):
    return f"arn:{regions.partition_of(get_region())}:cloudtrail:{get_region()}:{get_account_id()}:trail/{name}"


def _validate_arn(arn, *, require_existing=False):
    try:
        spec, name = cloudtrail._parse_trail_arn(arn)
    except ValueError as problem:
        return cloudtrail._err("CloudTrailARNInvalidException", str(problem))
    if spec.region != get_region() or spec.account_id != get_account_id():
        return cloudtrail._err("CloudTrailARNInvalidException", "Invalid CloudTrail trail ARN.")
    if require_existing and cloudtrail._trails.get(name) is None:
        return cloudtrail._err("ResourceNotFoundException", f"Unknown trail: {arn}")
    return None


def _create(create):
    def create_checked(body):
        name = str(body.get("Name", ""))
        if not _NAME.fullmatch(name):
            return cloudtrail._err("InvalidTrailNameException", f"Trail name {name} is not valid.")
        if len([key for key in cloudtrail._trails]) >= _MOST_TRAILS and cloudtrail._trails.get(name) is None:
            message = f"User: {get_account_id()} already has {_MOST_TRAILS} trails in {get_region()}."
            return cloudtrail._err("MaximumNumberOfTrailsExceededException", message)
        try:
            _check(_arn(name), body)
        except _Problem as problem:
            return cloudtrail._err(problem.code, str(problem))
        status, headers, answer = create(body)
        if status != 200:
            return status, headers, answer
        trail = cloudtrail._trails[name]
        logs = {key: body[key] for key in _LOGS if body.get(key)}
        trail.update(logs)
        if body.get("TagsList"):
            cloudtrail._trail_tags[trail["TrailARN"]] = {tag["Key"]: tag.get("Value", "") for tag in body["TagsList"]}
        return cloudtrail._ok({**json.loads(answer), **logs})

    return create_checked


def _update(update):
    def update_checked(body):
        _, _, trail, refused = cloudtrail._find_mutable_trail(str(body.get("Name", "")))
        if refused:
            return refused
        try:
            _check(trail["TrailARN"], {**trail, **body})
        except _Problem as problem:
            return cloudtrail._err(problem.code, str(problem))
        return update(body)

    return update_checked


def _end(end):
    def end_recorded(body):
        _, _, trail, _ = cloudtrail._find_mutable_trail(str(body.get("Name", "")))
        before = dict(trail) if trail else None
        answer = end(body)
        call = calls.current()
        if answer[0] == 200 and call is not None and before is not None and before.get("IsLogging"):
            _ending[call.request_id] = before
        return answer

    return end_recorded


def _forget_tags(delete):
    def delete_with_tags(body):
        _, _, trail, _ = cloudtrail._find_mutable_trail(str(body.get("Name", "")))
        arn = trail["TrailARN"] if trail else None
        answer = delete(body)
        if answer[0] == 200:
            cloudtrail._trail_tags.pop(arn, None)
        return answer

    return delete_with_tags


def _status(status):
    def status_with_deliveries(body):
        code, headers, answer = status(body)
        if code != 200:
            return code, headers, answer
        _, _, trail = cloudtrail._find_visible_trail(str(body.get("Name", "")))
        return cloudtrail._ok({**json.loads(answer), **trail.get("_Status", {})})

    return status_with_deliveries


# ---------------------------------------------------------------- what AWS checks when a trail is made or changed

_LOGS = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")


def _check(arn, settings):
    """Raises _Problem for settings of a trail that AWS would refuse."""
    if settings.get("IsMultiRegionTrail") and settings.get("IncludeGlobalServiceEvents") is False:
        raise _Problem("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
    if settings.get("IsOrganizationTrail") and not _organization_of(get_account_id()):
        raise _Problem("NotOrganizationMasterAccountException", "Only the organization's management account makes such trails.")
    _check_bucket(arn, settings)
    if settings.get("KmsKeyId"):
        _require_key(arn, settings)
    group, role = (settings.get(key) or "" for key in _LOGS)
    if bool(group) != bool(role):
        code = "InvalidCloudWatchLogsRoleArnException" if group else "InvalidCloudWatchLogsLogGroupArnException"
        raise _Problem(code, "A log group and a role for it go together.")
    if group:
        _check_log_group(group)
        _require_role(role, group, _stream(get_account_id(), get_region()))


def _check_bucket(arn, settings):
    bucket = settings.get("S3BucketName", "")
    if s3._bucket_owner_account(bucket) is None:
        raise _Problem("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!")
    prefix = settings.get("S3KeyPrefix") or ""
    if len(prefix) > 200:
        raise _Problem("InvalidS3PrefixException", "The S3 prefix is longer than 200 characters.")
    _require_bucket(arn, settings, "s3:GetBucketAcl", "")
    _require_bucket(arn, settings, "s3:PutObject", f"{_folder(settings, get_account_id())}/CloudTrail/")


def _require_bucket(arn, settings, action, key):
    """Raises _Problem unless the bucket's policy lets CloudTrail act for the trail."""
    bucket = settings["S3BucketName"]
    policy = s3._bucket_policies.get_scoped(s3._bucket_owner_account(bucket), None, bucket)
    partition, account = arn.split(":")[1], arn.split(":")[4]
    resource = f"arn:{partition}:s3:::{bucket}" + (f"/{key}" if key else "")
    keys = {"s3:x-amz-acl": _ACL} if action == "s3:PutObject" else {}
    if not delivery.policy_allows(policy, _PRINCIPAL, action, resource, arn, account, keys):
        message = f"Incorrect S3 bucket policy is detected for bucket: {bucket} ({action} is not allowed)"
        raise _Problem("InsufficientS3BucketPolicyException", message)


def _require_key(arn, settings):
    reference, bucket = settings["KmsKeyId"], settings["S3BucketName"]
    account, region = arn.split(":")[4], arn.split(":")[3]
    if reference.startswith("arn:"):
        try:
            spec = parse_arn(reference)
        except ArnParseError:
            raise _Problem("InvalidKmsKeyIdException", f"{reference} is not the ARN of a key.") from None
        account, region = spec.account_id, spec.region
    with request_scope(account, region):
        record = kms._resolve_key(reference)
    if record is None:
        raise _Problem("KmsKeyNotFoundException", f"KMS key {reference} does not exist.")
    if record.get("KeyState") != "Enabled":
        raise _Problem("KmsKeyDisabledException", f"KMS key {reference} is not enabled.")
    owner = s3._bucket_owner_account(bucket)
    if s3._buckets.get_scoped(owner, None, bucket).get("region", "us-east-1") != region:
        raise _Problem("KmsKeyNotFoundException", f"The KMS key and the bucket {bucket} must be in the same region.")
    context = {"kms:encryptioncontext:aws:cloudtrail:arn": arn}
    for action, keys in (("kms:GenerateDataKey", context), ("kms:DescribeKey", {})):
        if not delivery.policy_allows(record.get("Policy"), _PRINCIPAL, action, record["Arn"], arn, arn.split(":")[4], keys):
            message = f"Insufficient permissions to access S3 bucket {bucket} or KMS key {reference} ({action})."
            raise _Problem("InsufficientEncryptionPolicyException", message)


def _check_log_group(arn):
    match = re.fullmatch(r"arn:[^:]+:logs:([^:]+):(\d{12}):log-group:([^:]+):\*", arn)
    if not match or (match[1], match[2]) != (get_region(), get_account_id()) or match[3] not in cloudwatch_logs._log_groups:
        raise _Problem(
            "InvalidCloudWatchLogsLogGroupArnException", f"CloudTrail cannot validate the specified log group ARN: {arn}"
        )


def _require_role(role, group, stream):
    """Raises _Problem unless CloudTrail may write to the stream of the group by the role."""
    resource = f"{group.removesuffix(':*')}:log-stream:{stream}"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        # Whether CloudTrail names the trail as the source is not documented: a trust policy must not depend on it.
        problem, _ = delivery.assume(role, _PRINCIPAL, action, resource)
        if problem:
            message = f"Access denied. Verify in IAM that the role has adequate permissions: {problem}"
            raise _Problem("InvalidCloudWatchLogsRoleArnException", message)


# ---------------------------------------------------------------- which trail records what


def covers(account, region):
    """Whether some trail records management events of the account in the region."""
    return any(True for _ in _recording(account, region, None))


def is_ending():
    """Whether a call has just stopped or deleted a trail, which still records that call."""
    return bool(_ending)


def reach_event_bus(account, region, detail):
    """Whether EventBridge sees the events that trails record of the account in the region."""
    return account not in _required or any(True for _ in _recording(account, region, detail))


def record(account, region, detail):
    """Hands an event to the trails that record it. Any thread may call this."""
    if outage.is_cut_off(region):
        return
    for trail in list(_recording(account, region, detail)):
        ministack_app._MAIN_LOOP.call_soon_threadsafe(
            _wait, trail["TrailARN"], dict(trail), (account, region, detail), context=contextvars.Context()
        )
    _ending.pop(detail.get("requestID"), None)


def _recording(account, region, detail):
    """The trails that record events of an account in a region; `detail` is the event, None for any."""
    ending = _ending.get((detail or {}).get("requestID"))
    organization = None
    for (owner, home, name), trail in list(cloudtrail._trails._data.items()):
        if ending is not None and ending["TrailARN"] == trail["TrailARN"]:
            continue
        if not trail.get("IsLogging") or not (home == region or trail.get("IsMultiRegionTrail")):
            continue
        if owner != account:
            organization = organization or control_policies.management_account_of(account)
            if not trail.get("IsOrganizationTrail") or owner != organization:
                continue
        if _selects(trail, cloudtrail._event_selectors.get_scoped(owner, home, name), detail):
            yield trail
    if ending is not None and ending["TrailARN"].split(":")[4] == account:
        yield ending


def _selects(trail, selectors, detail):
    is_global = detail is not None and detail["eventSource"].split(".")[0] in regions.IAM_LIKE
    if is_global and not trail.get("IncludeGlobalServiceEvents", True):
        return False
    return not selectors or any(_selector_takes(each, detail) for each in selectors)


def _selector_takes(selector, detail):
    if "FieldSelectors" in selector:
        fields = {each["Field"]: each for each in selector["FieldSelectors"]}
        if fields.get("eventCategory", {}).get("Equals") != ["Management"]:
            return False
        return detail is None or all(_field_takes(each, detail) for name, each in fields.items() if name != "eventCategory")
    if not selector.get("IncludeManagementEvents", True):
        return False
    if detail is None:
        return True
    if detail["eventSource"] in selector.get("ExcludeManagementEventSources", []):
        return False
    kind = selector.get("ReadWriteType", "All")
    return kind == "All" or (kind == "ReadOnly") is bool(detail.get("readOnly"))


_FIELD_TESTS = {
    "Equals": (lambda value, wanted: value == wanted, any),
    "NotEquals": (lambda value, wanted: value != wanted, all),
    "StartsWith": (lambda value, wanted: value.startswith(wanted), any),
    "NotStartsWith": (lambda value, wanted: not value.startswith(wanted), all),
    "EndsWith": (lambda value, wanted: value.endswith(wanted), any),
    "NotEndsWith": (lambda value, wanted: not value.endswith(wanted), all),
}


def _field_takes(selector, detail):
    found = detail.get(selector["Field"], "")
    value = str(found).lower() if isinstance(found, bool) else str(found)
    return all(
        combine(test(value, wanted) for wanted in selector[name])
        for name, (test, combine) in _FIELD_TESTS.items()
        if selector.get(name)
    )


def _organization_of(account):
    """The id of the organization that an account manages, or None."""
    return orgs.organization_id(account) if control_policies.management_account_of(account) == account else None


# ---------------------------------------------------------------- delivery


def _wait(arn, trail, event):
    """Keeps an event until its trail's next delivery. In the emulator's own thread."""
    waiting = _waiting.get(arn)
    if waiting is None:
        waiting = _waiting[arn] = {"trail": trail, "events": collections.deque(maxlen=_MOST_WAITING)}
        _later(arn)
    waiting["trail"] = trail
    waiting["events"].append(event)


def _later(arn):
    ministack_app._MAIN_LOOP.call_later(_BATCH_SECONDS, _deliver, arn, context=contextvars.Context())


def _deliver(arn):
    waiting = _waiting[arn]
    home = waiting["trail"]["HomeRegion"]
    if outage.is_cut_off(home):
        _later(arn)
        return
    del _waiting[arn]
    account = arn.split(":")[4]
    # Settings may have changed since. A trail that was deleted delivers nothing more: its bucket may be about to go, too.
    trail = cloudtrail._trails.get_scoped(account, home, waiting["trail"]["Name"])
    if trail is None:
        return
    by_origin = collections.defaultdict(list)
    for origin_account, origin_region, detail in waiting["events"]:
        by_origin[(origin_account, origin_region)].append(detail)
    status = trail.setdefault("_Status", {})
    with request_scope(account, home):
        for (origin_account, origin_region), details in by_origin.items():
            _attempt(status, "Latest", "Delivery", _to_bucket, trail, origin_account, origin_region, details)
            if trail.get("CloudWatchLogsLogGroupArn"):
                _attempt(status, "LatestCloudWatchLogs", "Delivery", _to_log_group, trail, origin_account, origin_region, details)


def _attempt(status, prefix, what, deliver, trail, *args):
    """Delivers, and notes when or why not, as GetTrailStatus tells it."""
    error = f"{prefix}{what}Error"
    try:
        deliver(trail, *args)
    except _Problem as problem:
        logger.warning("%s: %s", trail["TrailARN"], problem)
        status[error] = problem.code
        return
    status.pop(error, None)
    status[f"{prefix}{what}Time"] = int(time.time())


def _folder(settings, account):
    prefix = settings.get("S3KeyPrefix") or ""
    parts = [prefix, "AWSLogs", account]
    if settings.get("IsOrganizationTrail"):
        parts = [prefix, "AWSLogs", _organization_of(get_account_id()) or "", account]
    return "/".join(part for part in parts if part)


def _stream(account, home):
    """By the trail's home region, to which the role's policy that AWS's console makes is restricted."""
    return f"{account}_CloudTrail_{home}"


def _to_bucket(trail, account, region, details):
    bucket = trail["S3BucketName"]
    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        raise _Problem("NoSuchBucket", f"bucket {bucket} does not exist")
    moment = time.gmtime()
    name = f"{account}_CloudTrail_{region}_{time.strftime('%Y%m%dT%H%MZ', moment)}_{secrets.token_urlsafe(12)}.json.gz"
    key = f"{_folder(trail, account)}/CloudTrail/{region}/{time.strftime('%Y/%m/%d', moment)}/{name}"
    try:
        _require_bucket(trail["TrailARN"], trail, "s3:PutObject", key)
        if trail.get("KmsKeyId"):
            _require_key(trail["TrailARN"], trail)
    except _Problem as problem:
        raise _Problem("AccessDenied", str(problem)) from None
    headers = {"content-type": "application/json", "content-encoding": "gzip", "x-amz-acl": _ACL}
    if trail.get("KmsKeyId"):
        headers["x-amz-server-side-encryption"] = "aws:kms"
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = trail["KmsKeyId"]
    else:
        headers["x-amz-server-side-encryption"] = "AES256"
    region_of_bucket = s3._buckets.get_scoped(owner, None, bucket).get("region", "us-east-1")
    if outage.is_cut_off(region_of_bucket):
        raise _Problem("ServiceUnavailable", f"bucket {bucket} does not answer")
    with request_scope(owner, region_of_bucket):
        status, _, body = s3._put_object(bucket, key, gzip.compress(json.dumps({"Records": details}).encode()), headers)
    if status != 200:
        raise _Problem("AccessDenied", f"{bucket} refused {key}: {body!r}")


def _to_log_group(trail, account, _region, details):
    group_arn = trail["CloudWatchLogsLogGroupArn"]
    group, stream = group_arn.split(":")[6], _stream(account, trail["HomeRegion"])
    if trail.get("IsOrganizationTrail"):
        stream = f"{_organization_of(get_account_id()) or ''}_{stream}"
    if group not in cloudwatch_logs._log_groups:
        raise _Problem("ResourceNotFoundException", f"log group {group} does not exist")
    try:
        _require_role(trail.get("CloudWatchLogsRoleArn", ""), group_arn, stream)
    except _Problem as problem:
        raise _Problem("AccessDenied", str(problem)) from None
    cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": json.dumps(detail, separators=(",", ":"))} for detail in details]
    cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": lines})
