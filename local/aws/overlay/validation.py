"""Requests held to AWS's own models: what real AWS would refuse is refused here, where MiniStack would take it.

Checked are the operation's name, required members, types, lengths, ranges, patterns and enumerations, in each of the protocols;
the error is the service's own. AWS validates after it has authorised, and so does this (see `calls.py`).
"""
import functools
import logging
import re

from overlay import answers, calls, models

logger = logging.getLogger("bulkhead.validation")

#: The code that a service gives when a constraint of its model is violated; the others say ValidationException.
_CODES = {
    "iam": "ValidationError",
    "sts": "ValidationError",
    "cloudformation": "ValidationError",
    "sns": "InvalidParameter",
    "ses": "ValidationError",
    "monitoring": "ValidationError",
    "rds": "InvalidParameterValue",
    "elasticloadbalancing": "ValidationError",
    "autoscaling": "ValidationError",
    "organizations": "InvalidInputException",
    "logs": "InvalidParameterException",
    "sqs": "InvalidParameterValue",
    "sesv2": "BadRequestException",
    "apigateway": "BadRequestException",
    "s3": "InvalidRequest",
    "s3control": "InvalidRequest",
    "eks": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "cloudtrail": "InvalidParameterCombinationException",
}
#: Services whose constraints' text is not the common one.
_MISSING = {"ec2": "MissingParameter", "sqs": "MissingParameter", "rds": "MissingParameter"}

#: Where the model says more than AWS enforces: (service, operation or "*", member's path or "*", constraint) -> why.
#: `constraint` is "required", "enum", "pattern", "length", "range" or "*".
KNOWN_FALSE = {
    ("ec2", "*", "*", "*"): "EC2's model is generated from its documentation; its service has rules of its own.",
    ("s3", "*", "*", "enum"): "S3 takes values that older models lack, and answers MalformedXML in its own way.",
    ("s3", "*", "*", "pattern"): "Bucket names are checked by S3's own rules, which depend on the bucket's kind.",
    ("s3", "*", "ContentMD5", "*"): "Newer SDKs send another checksum instead.",
    ("lambda", "*", "Runtime", "enum"): "New runtimes reach the service before the model.",
    ("lambda", "*", "FunctionName", "pattern"): "The model's pattern lacks what ARNs of newer partitions have.",
    ("dynamodb", "*", "*", "pattern"): "TableName takes an ARN in places where the model's pattern does not.",
    ("sns", "*", "*", "enum"): "SNS checks attribute names itself.",
    ("sqs", "*", "*", "enum"): "SQS checks attribute names itself.",
    ("sesv2", "*", "*", "pattern"): "SES checks addresses itself.",
}

_UNKNOWN_OPERATION = {
    "query": (400, "InvalidAction"),
    "ec2": (400, "InvalidAction"),
    "json": (400, "UnknownOperationException"),
}


def _ignored(service, operation, path, constraint):
    plain = re.sub(r"\.\d+\b", "", path)
    return any(
        known_service == service
        and known_operation in ("*", operation)
        and known_path in ("*", plain)
        and known_constraint in ("*", constraint)
        for known_service, known_operation, known_path, known_constraint in KNOWN_FALSE
    )


@calls.check
def _check(call):
    """The error of a request that AWS would refuse, or None."""
    if call.form is None or models.service_model(call.service) is None:
        return None
    operation = models.operation_model(call.service, call.operation)
    if operation is None:
        unknown = _UNKNOWN_OPERATION.get(call.form.encoding)
        if unknown is None:
            return None
        message = f"The action {call.operation} is not valid for this web service." if unknown[1] == "InvalidAction" else ""
        return answers.error(call, *unknown, message)
    try:
        given = call.input
    except models.Malformed as problem:
        return _malformed(call, problem)
    if given is None or operation.input_shape is None:
        return None
    problems = []
    _walk(operation.input_shape, given, "", _Collector(call, problems))
    if not problems:
        return None
    return _refusal(call, problems)


class _Collector:
    def __init__(self, call, problems):
        self._call = call
        self._problems = problems

    def add(self, path, constraint, value, text):
        if not _ignored(self._call.service, self._call.operation, path, constraint):
            self._problems.append((path, constraint, value, text))


def _malformed(call, problem):
    if call.form.encoding == "rest-xml":
        return answers.error(
            call, 400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
        )
    if call.form.encoding in ("json", "rest-json"):
        expected = {"structure": "a structure", "list": "a list", "map": "a map"}.get(problem.expected, problem.expected)
        where = problem.path or "the body"
        return answers.error(call, 400, "SerializationException", f"Unexpected value for {where}: {expected} is expected")
    if _ignored(call.service, call.operation, problem.path, "type"):
        return None
    return answers.error(
        call, 400, "MalformedInput", f"Value ({problem.value}) for parameter {problem.path} is invalid: not a {problem.expected}"
    )


def _refusal(call, problems):
    first = problems[0]
    if call.service in _MISSING and first[1] == "required":
        return answers.error(
            call, 400, _MISSING[call.service], f"The request must contain the parameter {first[0]}."
        )
    count = f"{len(problems)} validation error{'' if len(problems) == 1 else 's'} detected"
    texts = [
        f"Value {_shown(value)} at '{_wire_path(path)}' failed to satisfy constraint: {text}"
        for path, _, value, text in problems
    ]
    return answers.error(call, 400, _CODES.get(call.service, "ValidationException"), f"{count}: {'; '.join(texts)}")


def _wire_path(path):
    """`Targets.1.RoleArn` as AWS writes it: `targets.1.member.roleArn`."""
    parts = []
    for part in path.split("."):
        parts += [part, "member"] if part.isdigit() else [part[:1].lower() + part[1:]]
    return ".".join(parts)


def _shown(value):
    return "null" if value is None else f"'{value}'"


def _walk(shape, value, path, found):
    kind = shape.type_name
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None and not _is_implied(shape.members[name]):
                found.add(_join(path, name), "required", None, "Member must not be null")
        for name, item in value.items():
            if item is not None and name in shape.members:
                _walk(shape.members[name], item, _join(path, name), found)
        return
    shown = _hidden(shape, value)
    if kind == "list" and isinstance(value, list):
        _length(shape, len(value), shown, path, found)
        for number, item in enumerate(value, 1):
            _walk(shape.member, item, f"{path}.{number}", found)
    elif kind == "map" and isinstance(value, dict):
        _length(shape, len(value), shown, path, found)
        for key, item in value.items():
            _walk(shape.key, key, path, found)
            _walk(shape.value, item, _join(path, str(key)), found)
    elif kind == "string" and isinstance(value, str):
        _length(shape, len(value), shown, path, found)
        _pattern(shape, value, shown, path, found)
        if shape.enum and value not in shape.enum:
            found.add(path, "enum", shown, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        _range(shape, value, path, found)
    elif kind == "blob" and isinstance(value, (bytes, str)):
        _length(shape, len(value), shown, path, found)


def _hidden(shape, value):
    """What an error may show of a value: never a password."""
    return "***" if shape.metadata.get("sensitive") else value


def _is_implied(shape):
    """Members that clients fill in by themselves, or that stand elsewhere than this reader looks."""
    return bool(shape.metadata.get("idempotencyToken")) or shape.serialization.get("location") == "headers"


def _length(shape, length, value, path, found):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        found.add(path, "length", value, f"Member must have length greater than or equal to {least}")
    if most is not None and length > most:
        found.add(path, "length", value, f"Member must have length less than or equal to {most}")


def _range(shape, value, path, found):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        found.add(path, "range", value, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        found.add(path, "range", value, f"Member must have value less than or equal to {most}")


def _pattern(shape, value, shown, path, found):
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return
    compiled = _compiled(pattern)
    if compiled is not None and compiled.fullmatch(value) is None:
        found.add(path, "pattern", shown, f"Member must satisfy regular expression pattern: {pattern}")


@functools.lru_cache(maxsize=None)
def _compiled(pattern):
    r"""A pattern of the models, which are Java's; None where Python has no equal (`\p{...}` and its like)."""
    if r"\p{" in pattern:
        return _compiled_classes(pattern)
    try:
        return re.compile(pattern.replace(r"\z", r"\Z"))
    except re.error:
        return None


def _compiled_classes(pattern):
    r"""`\p{L}` and the like, as near as Python comes: `\w` for letters and numbers, and so on."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        pattern = pattern.replace(java, python)
    if r"\p{" in pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _join(path, name):
    return f"{path}.{name}" if path else name
