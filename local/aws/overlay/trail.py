"""CloudTrail-shaped records of calls, allowed and denied, as events on the caller's default event bus.

What real records look like and where they go is told by facts 16, 19, 20, 22 and 36. Data events (object, item and message
calls, invocations) are not recorded, as a trail does not record them unless it is told to.
"""
import json
import re
import time
import uuid

from ministack.services import iam

from overlay import calls, events, mfa, models, regions, trail_shapes, trails

TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}

_VERSION = "1.11"
#: Refusals that come before the caller is known; CloudTrail does not record those.
UNAUTHENTICATED = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidAccessKeyId",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "AuthFailure",
    }
)
_READ_ONLY = re.compile(
    r"(Get|List|Describe|Head|Lookup|Search|Query|Scan|BatchGet|Filter|Select|Test|Preview|Simulate|Estimate|Validate|Verify"
    r"|AssumeRole|Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|GenerateRandom|Sign$|DeriveSharedSecret|StartQuery)"
)
#: Reads by their name that are writes.
_NOT_READ_ONLY = frozenset({"GetFederationToken", "VerifyEmailIdentity", "VerifyDomainIdentity", "VerifyDomainDkim"})
_SOURCES = {"monitoring": "monitoring", "ses": "ses", "sesv2": "ses", "s3control": "s3", "email": "ses"}

_DATA_EVENTS = {
    "s3": re.compile(
        r"(Get|Put|Head|Delete|Copy|Restore|Select|List)Object(?!LockConfiguration)|DeleteObjects"
        r"|.*Multipart|UploadPart|ListParts"
    ),
    "lambda": re.compile(r"Invoke"),
    "sqs": re.compile(r"(Send|Receive|Delete)Message|ChangeMessageVisibility"),
    "sns": re.compile(r"Publish"),
    "dynamodb": re.compile(
        r"(Get|Put|Update|Delete)Item|(Batch(Get|Write)|Transact(Get|Write))Items?|Query|Scan|(Batch)?ExecuteStatement"
        r"|ExecuteTransaction"
    ),
    "dynamodbstreams": re.compile(r"."),
    "events": re.compile(r"PutEvents|PutPartnerEvents"),
    "logs": re.compile(r"PutLogEvents|GetLogEvents|FilterLogEvents|StartLiveTail"),
    "monitoring": re.compile(r"PutMetricData|GetMetric(Data|Statistics)"),
    "kinesis": re.compile(r"PutRecords?|GetRecords|GetShardIterator|SubscribeToShard"),
    "ses": re.compile(r"Send"),
    "sesv2": re.compile(r"Send"),
    "states": re.compile(r"SendTask|GetActivityTask|InvokeHTTPEndpoint"),
    "apigateway": re.compile(r"Invoke"),
}


def now():
    """The time as CloudTrail writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def new_id():
    return str(uuid.uuid4())


def is_read_only(operation):
    """Whether CloudTrail calls an operation read-only (`readOnly: true`)."""
    if operation == "GetSessionToken":
        return True
    return operation not in _NOT_READ_ONLY and _READ_ONLY.match(operation) is not None


@calls.observe
def _record(call, response):
    operation = call.operation
    if operation is None or models.operation_model(call.service, operation) is None:
        return
    data = _DATA_EVENTS.get(call.service)
    if data is not None and data.match(operation):
        return
    status, _, body = response
    code, message = error_of(body) if status >= 400 else (None, None)
    if call.identity is None or code in UNAUTHENTICATED:
        return
    target = _target_account(call) if call.service == "sts" and code is None and operation.startswith("AssumeRole") else None
    if not any(account and _matters(account, call.recorded_region) for account in (call.account, target)):
        return  # Nobody would see it; making the record takes longer than many a call.
    detail = _detail(call, operation, status, body, code, message)
    if target is not None:
        _record_in_target(call, detail, target)
    _emit(call.account, detail)


def _matters(account, region):
    """Whether anybody would see an event of an account in a region."""
    return events.anyone_listens(account, region) or trails.covers(account, region) or trails.is_ending()


def _emit(account, detail):
    source = "aws." + detail["eventSource"].split(".")[0]
    region = detail["awsRegion"]
    events.emit(account, region, source, "AWS API Call via CloudTrail", detail, read_only=detail["readOnly"])


def _detail(call, operation, status, body, code, message):
    denied = code is not None
    detail = {
        "eventVersion": _VERSION,
        "userIdentity": user_identity(call.access_key_id, call.identity, call.account),
        "eventTime": now(),
        "eventSource": f"{_source(call.service)}.amazonaws.com",
        "eventName": trail_shapes.event_name(call.service, operation),
        "awsRegion": call.recorded_region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": call.headers.get("user-agent", ""),
        "requestParameters": None,
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": new_id(),
        "readOnly": is_read_only(operation),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
        "tlsDetails": {**TLS, "clientProvidedHostHeader": call.host},
    }
    if denied:
        detail["errorCode"] = _recorded_code(call.service, code, status)
        detail["errorMessage"] = message
    # IAM and STS leave the parameters out of what they deny.
    if not (denied and call.service in ("iam", "sts") and code == "AccessDenied"):
        try:
            detail["requestParameters"] = trail_shapes.request_parameters(call.service, operation, call.input)
        except models.Malformed:
            pass
    if not denied and not detail["readOnly"] or operation.startswith("AssumeRole") and not denied:
        detail["responseElements"] = trail_shapes.response_elements(call.service, operation, status, body)
    if call.service == "sts":
        is_global = call.host == regions.GLOBAL_STS_HOST
        serving = regions.iam_region(call.region) if is_global else call.region
        detail["additionalEventData"] = {
            "RequestDetails": {"awsServingRegion": serving, "endpointType": "global" if is_global else "regional"}
        }
    return detail


def _source(service):
    if service in _SOURCES:
        return _SOURCES[service]
    model = models.service_model(service)
    return model.metadata.get("endpointPrefix", service).split(".")[-1] if model else service


def _target_account(call):
    """The account of the role that a call assumes, when it is not the caller's."""
    arn = call.given.get("RoleArn", "")
    target = arn.split(":")[4] if arn.count(":") > 4 else call.account
    return target if target != call.account else None


def _record_in_target(call, detail, target):
    """An allowed AssumeRole of a role of another account is recorded there too, under one shared id (fact 22)."""
    detail["sharedEventID"] = new_id()
    there = {
        **detail,
        "userIdentity": {
            "type": "AWSAccount",
            "principalId": detail["userIdentity"].get("principalId"),
            "accountId": call.account,
        },
        "eventID": new_id(),
        "recipientAccountId": target,
    }
    _emit(target, there)


def user_identity(access_key_id, identity, account):
    """CloudTrail's `userIdentity` of a caller."""
    arn = identity.get("userArn", "")
    session = identity.get("session")
    found = {
        "type": "IAMUser",
        "principalId": identity.get("userId"),
        "arn": arn,
        "accountId": arn.split(":")[4] if arn.count(":") > 4 else account,
        "accessKeyId": access_key_id,
    }
    if arn.endswith(":root"):
        found["type"] = "Root"
    elif ":assumed-role/" in arn:
        found["type"] = "AssumedRole"
    elif ":federated-user/" in arn:
        found["type"] = "FederatedUser"
    else:
        found["userName"] = arn.rsplit("/", 1)[-1]
    if session is not None:
        issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.get("IssuedAt", time.time())))
        found["sessionContext"] = {
            "attributes": {"creationDate": issued, "mfaAuthenticated": mfa.session_context(session)}
        }
        issuer = _session_issuer(found, session)
        if issuer:
            found["sessionContext"]["sessionIssuer"] = issuer
            if found["type"] == "AssumedRole":
                found["principalId"] = f"{issuer['principalId']}:{arn.rsplit('/', 1)[-1]}"
    return found


def _session_issuer(identity, session):
    account = identity["accountId"]
    partition = identity["arn"].split(":")[1]
    if identity["type"] == "AssumedRole":
        name = identity["arn"].split("/")[1]
        role = iam._roles.get_scoped(account, None, name) or {}
        return {
            "type": "Role",
            "principalId": role.get("RoleId", identity["principalId"].split(":")[0] if identity["principalId"] else None),
            "arn": role.get("Arn", f"arn:{partition}:iam::{account}:role/{name}"),
            "accountId": account,
            "userName": name,
        }
    if identity["type"] == "FederatedUser":
        source = session.get("SourcePrincipalArn", "")
        user = iam._users.get_scoped(account, None, source.rsplit("/", 1)[-1]) or {}
        return {
            "type": "IAMUser" if user else "Root",
            "principalId": user.get("UserId", account),
            "arn": source,
            "accountId": account,
            **({"userName": user["UserName"]} if user else {}),
        }
    return None


def error_of(body):
    """Code and message of an error's body, in whichever protocol."""
    text = bytes(body or b"").decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except ValueError:
            return "InternalFailure", ""
        code = str(data.get("__type") or data.get("code") or data.get("Code") or "InternalFailure").split("#")[-1]
        return code, data.get("message") or data.get("Message") or data.get("errorMessage") or ""
    code = re.search(r"<Code>(.*?)</Code>", text, re.DOTALL)
    message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return (code.group(1) if code else "InternalFailure"), _unescape(message.group(1) if message else "")


def _unescape(text):
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def _recorded_code(service, code, status):
    if service == "ec2":
        return f"{'Client' if status < 500 else 'Server'}.{code}"
    # The code on the wire is short in the older protocols; the record has the name of the error's shape.
    return models.error_names(service).get(code, code)
