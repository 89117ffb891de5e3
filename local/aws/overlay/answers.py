"""Answers in a service's own protocol, from values by the model's names."""
import datetime
import json

from ministack.core import responses

from overlay import models


def _escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def query(service, operation, value, request_id):
    """A successful answer of a query service (CloudFormation, IAM, STS, SNS)."""
    model = models.operation_model(service, operation)
    namespace = models.service_model(service).metadata.get("xmlNamespace", "")
    inner = ""
    if model.output_shape is not None:
        wrapper = model.output_shape.serialization.get("resultWrapper", f"{operation}Result")
        inner = f"<{wrapper}>{_members(model.output_shape, value)}</{wrapper}>"
    body = (
        f'<{operation}Response xmlns="{namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return 200, {"Content-Type": "text/xml"}, body.encode()


def _members(shape, value):
    return "".join(
        _element(member.serialization.get("name", name), member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _element(tag, shape, value):
    kind = shape.type_name
    if kind == "structure":
        inner = _members(shape, value)
    elif kind == "list":
        item = shape.member.serialization.get("name", "member")
        inner = "".join(_element(item, shape.member, each) for each in value)
    elif kind == "boolean":
        inner = "true" if value else "false"
    elif kind == "timestamp" and isinstance(value, (int, float)):
        moment = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
        inner = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    else:
        inner = _escape(value)
    return f"<{tag}>{inner}</{tag}>"


def error(call, status, code, message):
    """An error in the protocol that a call was made in."""
    model = models.service_model(call.service)
    encoding = call.form.encoding if call.form else model.metadata.get("protocol", "json") if model else "json"
    if encoding == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{code}</Code><Message>{_escape(message)}</Message></Error></Errors>"
            f"<RequestID>{call.request_id}</RequestID></Response>"
        )
        return status, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode()
    if encoding == "query":
        namespace = model.metadata.get("xmlNamespace", "") if model else ""
        body = (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{code}</Code>'
            f"<Message>{_escape(message)}</Message></Error><RequestId>{call.request_id}</RequestId></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml"}, body.encode()
    if encoding == "rest-xml":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{_escape(message)}</Message><RequestId>{call.request_id}</RequestId></Error>"
        )
        return status, {"Content-Type": "application/xml"}, body.encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    responses.fix_error_content_type(call.service, status, headers)
    if call.service == "sqs":
        headers["x-amzn-query-error"] = f"{code};Sender"
    return status, headers, json.dumps({"__type": code, "message": message}).encode()
