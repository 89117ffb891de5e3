"""How CloudTrail writes the parameters and results of calls (fact 36): not as the SDK does.

Names begin with a lower-case letter; EC2 wraps lists in `items`; S3 says `bucketName`; secrets are left out. What is not
listed here follows the general rule, which was not checked for every operation of AWS.
"""
import re

import botocore.parsers

from overlay import models

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
#: Members that are left out altogether, by their name as the model spells it.
_OMITTED = frozenset(
    {
        "Password",
        "OldPassword",
        "NewPassword",
        "SecretAccessKey",
        "SessionToken",
        "TokenCode",
        "Base32StringSeed",
        "QRCodePNG",
    }
)
_LAMBDA_VERSIONS = {
    "CreateFunction": "CreateFunction20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "GetFunction": "GetFunction20150331v2",
    "ListFunctions": "ListFunctions20150331",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
    "AddPermission": "AddPermission20150331v2",
    "RemovePermission": "RemovePermission20150331v2",
    "GetPolicy": "GetPolicy20150331v2",
    "PublishVersion": "PublishVersion20150331",
    "CreateAlias": "CreateAlias20150331",
    "CreateEventSourceMapping": "CreateEventSourceMapping20150331",
    "PutFunctionConcurrency": "PutFunctionConcurrency20171031",
    "TagResource": "TagResource20170331v2",
}

#: S3's newer operations have older names in records.
_S3_NAMES = {
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
}

#: EC2 lists by the request's member: the wrapper's name and, where each item is a structure of one, the item's name.
_EC2_SETS = {
    "InstanceIds": ("instancesSet", "instanceId"),
    "ImageIds": ("imagesSet", "imageId"),
    "GroupIds": ("groupIdSet", "groupId"),
    "SubnetIds": ("subnetSet", "subnetId"),
    "VpcIds": ("vpcSet", "vpcId"),
    "VolumeIds": ("volumeSet", "volumeId"),
    "SnapshotIds": ("snapshotSet", "snapshotId"),
    "NetworkInterfaceIds": ("networkInterfaceIdSet", "networkInterfaceId"),
    "Resources": ("resourcesSet", "resourceId"),
    "Tags": ("tagSet", None),
    "Filters": ("filterSet", None),
}
#: Operations of EC2's newer kind: the parameters stand, with their own names, in a structure named for the operation.
_EC2_REQUEST_WRAPPED = re.compile(
    r"(Create|Delete|Modify|Describe)(NatGateways?|TransitGateway\w*|VpcEndpoint\w*|FlowLogs|LaunchTemplate\w*|ClientVpn\w*)$"
)
_S3_SUBRESOURCES = {
    "BucketPolicy": "policy",
    "BucketAcl": "acl",
    "BucketTagging": "tagging",
    "BucketVersioning": "versioning",
    "BucketEncryption": "encryption",
    "BucketLifecycle": "lifecycle",
    "BucketLifecycleConfiguration": "lifecycle",
    "BucketLogging": "logging",
    "BucketCors": "cors",
    "BucketReplication": "replication",
    "BucketWebsite": "website",
    "PublicAccessBlock": "publicAccessBlock",
    "BucketNotificationConfiguration": "notification",
    "ObjectLockConfiguration": "object-lock",
}


def event_name(service, operation):
    """The name that CloudTrail records an operation under."""
    return {"lambda": _LAMBDA_VERSIONS, "s3": _S3_NAMES}.get(service, {}).get(operation, operation)


def lower_first(name):
    """`DBInstanceIdentifier` as `dBInstanceIdentifier`, as CloudTrail does."""
    return name[:1].lower() + name[1:]


def request_parameters(service, operation, given):
    """`requestParameters` of a call; None when it has none."""
    if not given:
        return None
    model = models.operation_model(service, operation)
    shape = model.input_shape if model else None
    if shape is None:
        return None
    if service == "ec2":
        return _ec2_parameters(operation, shape, given)
    written = {}
    for name, value in given.items():
        member = shape.members.get(name)
        if member is None or name in _OMITTED:
            continue
        wire = name
        if member.serialization.get("location") in ("uri", "querystring"):
            wire = member.serialization.get("name", name)
        written[lower_first(wire)] = _written(member, value)
    if service == "s3":
        return _s3_parameters(operation, written)
    return written or None


def response_elements(service, operation, status, body):
    """`responseElements` of a call that changed something; None when its answer says nothing."""
    model = models.operation_model(service, operation)
    shape = model.output_shape if model else None
    if shape is None or not body or not shape.members:
        return None
    if not isinstance(body, (bytes, bytearray)):
        return None
    protocol = model.service_model.metadata.get("protocol")
    if protocol == "smithy-rpc-v2-cbor":
        return None
    parser = botocore.parsers.create_parser(protocol)
    parsed = parser.parse({"status_code": status, "headers": {}, "body": bytes(body)}, shape)
    parsed.pop("ResponseMetadata", None)
    written = _written(shape, parsed)
    if service == "ec2":
        written = {"requestId": _HIDDEN, **{key: value for key, value in written.items() if value not in ({}, [], None)}}
        written.pop("requestId")
    return written or None


def _written(shape, value):
    if shape.metadata.get("sensitive") and not isinstance(value, bool):
        return _HIDDEN
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            lower_first(name): _written(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members and name not in _OMITTED
        }
    if kind == "list" and isinstance(value, list):
        return [_written(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _written(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return _HIDDEN
    if kind == "timestamp":
        return value if isinstance(value, (int, float, str)) else value.strftime("%b %d, %Y %I:%M:%S %p")
    return value


def _ec2_parameters(operation, shape, given):
    if _EC2_REQUEST_WRAPPED.match(operation):
        return {f"{operation}Request": {name: value for name, value in given.items()}}
    written = {}
    for name, value in given.items():
        member = shape.members.get(name)
        if member is None:
            continue
        if isinstance(value, list):
            wrapper, item_name = _EC2_SETS.get(name, (f"{lower_first(re.sub(r's$', '', name))}Set", None))
            items = [
                _ec2_item(member.member, item) if isinstance(item, dict) else {item_name or _singular(name): item}
                for item in value
            ]
            written[wrapper] = {"items": items}
        else:
            written[lower_first(name)] = _written(member, value)
    return written or None


def _singular(name):
    return lower_first(re.sub(r"s$", "", name))


def _ec2_item(shape, item):
    return _written(shape, item) if shape.type_name == "structure" else item


def _s3_parameters(operation, written):
    if "bucket" in written:
        written = {"bucketName": written.pop("bucket"), **written}
        written["Host"] = "s3.amazonaws.com"
    subresource = _S3_SUBRESOURCES.get(re.sub(r"^(Put|Get|Delete)", "", operation))
    if subresource:
        written[subresource] = ""
        if operation == "PutBucketPolicy" and "policy" in written:
            written["policy"] = ""
    return written or None
