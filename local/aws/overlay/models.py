"""AWS's own service models (botocore's data): which operation a request is, and what it says.

MiniStack's services each parse requests for themselves. This module reads any request with the model instead, so that one
reader serves the validation of requests (`validation.py`) and their records (`trail.py`).
"""
import base64
import functools
import json
import re
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

import botocore.loaders
import botocore.model

#: MiniStack's names of services where botocore's differ.
_BOTOCORE_NAMES = {
    "states": "stepfunctions",
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "airflow": "mwaa",
    "elasticmapreduce": "emr",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
}

_loader = botocore.loaders.Loader()


class Malformed(Exception):
    """A value that is not of the type that the model names; `path` is the member's, in the model's spelling."""

    def __init__(self, path, expected, value):
        super().__init__(f"{path}: not a {expected}")
        self.path = path
        self.expected = expected
        self.value = value


@functools.lru_cache(maxsize=None)
def service_model(name):
    """The model of a service by MiniStack's name of it, or None."""
    name = _BOTOCORE_NAMES.get(name, name)
    try:
        return botocore.model.ServiceModel(_loader.load_service_model(name, "service-2"), name)
    except Exception:  # noqa: BLE001 - botocore raises several kinds for names that it does not know
        return None


@functools.lru_cache(maxsize=None)
def operation_model(service, operation):
    """The model of an operation, or None when the service has none of that name."""
    model = service_model(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation)


@functools.lru_cache(maxsize=None)
def error_names(service):
    """The service's errors: the code on the wire to the name of the error's shape, which is what CloudTrail records."""
    names = {}
    model = service_model(service)
    if model is None:
        return names
    for shape_name in model.shape_names:
        shape = model.shape_for(shape_name)
        if shape.type_name == "structure" and shape.metadata.get("exception"):
            names[shape.metadata.get("error", {}).get("code", shape_name)] = shape_name
    return names


class Form:
    """The name of the operation and the encoding of its members, as found in a request."""

    def __init__(self, operation, encoding, fields=None, labels=None):
        self.operation = operation
        self.encoding = encoding
        self.fields = fields
        self.labels = labels


def read_form(service, method, path, headers, body, query):
    """Which operation of the service a request is, without its members; None when that cannot be told."""
    model = service_model(service)
    target = headers.get("x-amz-target", "")
    if "." in target:
        return Form(target.rsplit(".", 1)[1], "json")
    content_type = headers.get("content-type", "")
    rpc = re.match(r"/service/[^/]+/operation/([^/]+)$", path)
    if rpc:
        return Form(rpc.group(1), "cbor")
    if model is None:
        return None
    protocol = model.metadata.get("protocol", "")
    if protocol in ("rest-json", "rest-xml"):
        found = _route(service, method, path, headers, query)
        return Form(found[0], protocol, labels=found[1]) if found else None
    fields = {name: values[0] if isinstance(values, list) else values for name, values in query.items()}
    if body and "x-www-form-urlencoded" in content_type:
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = {**{name: values[0] for name, values in form.items()}, **fields}
    operation = fields.get("Action")
    if not operation:
        return None
    return Form(operation, "ec2" if protocol == "ec2" else "query", fields=fields)


def read_input(service, form, headers, body, query):
    """The members of a request, by the model's names; None when the operation is unknown or its encoding is not read.

    Raises Malformed.
    """
    operation = operation_model(service, form.operation)
    if operation is None or form.encoding == "cbor":
        return None
    shape = operation.input_shape
    if shape is None:
        return {}
    if form.encoding in ("query", "ec2"):
        return _from_fields(shape, _nest(form.fields), form.encoding == "ec2", "")
    if form.encoding == "json":
        return _from_json(shape, _json_body(body), "")
    return _from_rest(shape, form, headers, body, query)


# ---------------------------------------------------------------- query and ec2


def _nest(fields):
    """`{"A.member.1.B": "x"}` as `{"A": {"member": {"1": {"B": "x"}}}}`; a name that is both value and prefix keeps ''."""
    tree = {}
    for name, value in fields.items():
        node = tree
        parts = name.split(".")
        for part in parts[:-1]:
            child = node.get(part)
            if not isinstance(child, dict):
                child = {} if child is None else {"": child}
                node[part] = child
            node = child
        if isinstance(node.get(parts[-1]), dict):
            node[parts[-1]][""] = value
        else:
            node[parts[-1]] = value
    return tree


def _field_name(name, shape, ec2):
    serialization = shape.serialization
    if not ec2:
        return serialization.get("name", name)
    if "queryName" in serialization:
        return serialization["queryName"]
    wire = serialization.get("name", name)
    return wire[:1].upper() + wire[1:]


def _from_fields(shape, node, ec2, path):
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(node, dict):
            if node == "":
                return {}
            raise Malformed(path, "structure", node)
        value = {}
        for name, member in shape.members.items():
            wire = _field_name(name, member, ec2)
            if member.type_name == "list" and not ec2 and member.serialization.get("flattened"):
                wire = member.member.serialization.get("name", wire)
            if wire in node:
                value[name] = _from_fields(member, node[wire], ec2, _join(path, name))
        return value
    if kind == "list":
        if node == "":
            return []
        if not isinstance(node, dict):
            raise Malformed(path, "list", node)
        if not ec2 and not shape.serialization.get("flattened"):
            node = node.get(shape.member.serialization.get("name", "member"), {})
        if not isinstance(node, dict):
            return []
        numbered = sorted((int(key), item) for key, item in node.items() if key.isdigit())
        return [_from_fields(shape.member, item, ec2, f"{path}.{n}") for n, item in numbered]
    if kind == "map":
        if not isinstance(node, dict):
            return {}
        if not shape.serialization.get("flattened"):
            node = node.get("entry", {})
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = [item for key, item in sorted(node.items()) if key.isdigit() and isinstance(item, dict)]
        return {
            entry.get(key_name, ""): _from_fields(shape.value, entry.get(value_name, ""), ec2, path) for entry in entries
        }
    if isinstance(node, dict):
        node = node.get("", "")
    return _scalar(shape, node, path)


def _scalar(shape, text, path):
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "blob":
            return base64.b64decode(text)
    except (ValueError, KeyError, AttributeError):
        raise Malformed(path, kind, text) from None
    return text


def _join(path, name):
    return f"{path}.{name}" if path else name


# ---------------------------------------------------------------- json


def _json_body(body):
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError:
        raise Malformed("", "structure", None) from None


_JSON_TYPES = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "character": str,
    "blob": str,
    "boolean": bool,
    "integer": (int, float),
    "long": (int, float),
    "float": (int, float, str),
    "double": (int, float, str),
    "timestamp": (int, float, str),
}


def _from_json(shape, node, path):
    kind = shape.type_name
    if shape.type_name == "structure" and getattr(shape, "is_document_type", False):
        return node
    if not isinstance(node, _JSON_TYPES.get(kind, object)) or (isinstance(node, bool) and kind != "boolean"):
        # Services take a number where text is wanted, and the other way round, but never another structure.
        if kind in ("string", "character") and isinstance(node, (int, float)):
            return str(node)
        if kind in ("integer", "long") and isinstance(node, str) and re.fullmatch(r"-?\d+", node):
            return int(node)
        raise Malformed(path, kind, node)
    if kind == "structure":
        value = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if node.get(wire) is not None:
                value[name] = _from_json(member, node[wire], _join(path, name))
        return value
    if kind == "list":
        return [_from_json(shape.member, item, f"{path}.{n}") for n, item in enumerate(node, 1) if item is not None]
    if kind == "map":
        return {key: _from_json(shape.value, item, _join(path, key)) for key, item in node.items() if item is not None}
    if kind == "blob":
        try:
            return base64.b64decode(node, validate=False)
        except ValueError:
            raise Malformed(path, kind, node) from None
    return node


# ---------------------------------------------------------------- rest


_COPY_SOURCE = "x-amz-copy-source"


@functools.lru_cache(maxsize=None)
def _routes(service):
    routes = []
    model = service_model(service)
    # Of two operations with one route (S3's lifecycle, old and new) the one that is not deprecated counts.
    for name in sorted(model.operation_names, key=lambda each: model.operation_model(each).deprecated):
        operation = model.operation_model(name)
        path, _, literal_query = operation.http["requestUri"].partition("?")
        pattern, literals = "", 0
        for segment in re.split(r"(\{[^}]+\})", path.rstrip("/") or "/"):
            if segment.startswith("{"):
                pattern += "(.+)" if segment.endswith("+}") else "([^/]+)"
            else:
                pattern += re.escape(segment)
                literals += len(segment)
        labels = [label.rstrip("+") for label in re.findall(r"\{([^}]+)\}", path)]
        wanted = dict(part.partition("=")[::2] for part in literal_query.split("&") if part)
        needed = set()
        copies = False
        shape = operation.input_shape
        if shape is not None:
            for member_name in shape.required_members:
                member = shape.members[member_name]
                if member.serialization.get("location") == "querystring":
                    needed.add(member.serialization.get("name", member_name))
                # S3 tells a copy from a write by a header only.
                copies = copies or member.serialization.get("name") == _COPY_SOURCE
        pattern = re.compile(pattern + "/?$")
        routes.append((operation.http["method"], pattern, labels, wanted, needed, literals, name, copies))
    # The most particular first: literal query parts, then required query members, then the most literal path.
    routes.sort(key=lambda route: (len(route[3]), len(route[4]), route[5]), reverse=True)
    return routes


def _route(service, method, path, headers, query):
    for route_method, pattern, labels, wanted, needed, _, name, copies in _routes(service):
        if route_method != method or copies is not (service == "s3" and _COPY_SOURCE in headers):
            continue
        match = pattern.match(path)
        if match is None or not needed <= query.keys():
            continue
        if all(key in query and (not value or _first(query[key]) == value) for key, value in wanted.items()):
            return name, dict(zip(labels, match.groups()))
    return None


def _first(values):
    return values[0] if isinstance(values, list) else values


def _from_rest(shape, form, headers, body, query):
    value = {}
    in_body = {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if location == "uri":
            if wire in form.labels:
                value[name] = _scalar(member, unquote(form.labels[wire]), name)
        elif location == "querystring":
            if member.type_name == "list":
                if wire in query:
                    given = query[wire]
                    value[name] = [_scalar(member.member, v, name) for v in (given if isinstance(given, list) else [given])]
            elif member.type_name == "map":
                continue
            elif wire in query:
                value[name] = _scalar(member, _first(query[wire]), name)
        elif location == "header":
            if wire.lower() in headers and member.type_name in ("string", "integer", "long", "boolean"):
                value[name] = _scalar(member, headers[wire.lower()], name)
        elif location == "headers":
            prefix = wire.lower()
            found = {key[len(prefix):]: text for key, text in headers.items() if key.startswith(prefix)}
            if found:
                value[name] = found
        elif name == payload:
            if member.type_name in ("blob", "string"):
                if body:
                    value[name] = body
            elif body:
                value[name] = _payload(member, form.encoding, body, name)
        elif payload is None:
            in_body[name] = member
    if in_body and body:
        value.update(_rest_members(in_body, form.encoding, body))
    return value


def _payload(shape, encoding, body, path):
    if encoding == "rest-json":
        return _from_json(shape, _json_body(body), path)
    return _from_xml(shape, _xml_body(body), path)


def _rest_members(members, encoding, body):
    value = {}
    if encoding == "rest-json":
        node = _json_body(body)
        if not isinstance(node, dict):
            raise Malformed("", "structure", node)
        for name, member in members.items():
            wire = member.serialization.get("name", name)
            if node.get(wire) is not None:
                value[name] = _from_json(member, node[wire], name)
        return value
    root = _xml_body(body)
    for name, member in members.items():
        found = _from_xml_member(member, root, member.serialization.get("name", name), name)
        if found is not None:
            value[name] = found
    return value


def _xml_body(body):
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - entities are not expanded; the sender is the user's own program
    except ElementTree.ParseError:
        raise Malformed("", "structure", None) from None


def _local(tag):
    return tag.rsplit("}", 1)[-1]


def _from_xml(shape, element, path):
    kind = shape.type_name
    if kind == "structure":
        value = {}
        for name, member in shape.members.items():
            found = _from_xml_member(member, element, member.serialization.get("name", name), _join(path, name))
            if found is not None:
                value[name] = found
        return value
    if kind == "list":
        return [_from_xml(shape.member, child, path) for child in element]
    if kind == "map":
        return {}
    return _scalar(shape, element.text or "", path)


def _from_xml_member(shape, parent, wire, path):
    if shape.serialization.get("xmlAttribute"):
        wanted = wire.rsplit(":", 1)[-1]
        return next((text for key, text in parent.attrib.items() if _local(key) == wanted), None)
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        item = shape.member.serialization.get("name", wire)
        found = [_from_xml(shape.member, child, path) for child in parent if _local(child.tag) in (item, wire)]
        return found or None
    child = next((each for each in parent if _local(each.tag) == wire), None)
    return None if child is None else _from_xml(shape, child, path)
