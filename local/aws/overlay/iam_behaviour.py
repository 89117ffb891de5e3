"""Where MiniStack's IAM answers otherwise than AWS: defaults, conflicts, the use of keys and passwords, paging."""
import base64
import time
from xml.etree import ElementTree

import botocore.loaders
from ministack.services import iam

from overlay import calls, mfa, regions, trail
from overlay.iam_xml import calling_user, default_user, error, escape, override, parameter

_PAGE = 100
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"

#: Access key id -> when, where and by which service it was last seen.
_used = {}


def install():
    default_user(
        ["GetUser", "CreateAccessKey", "ListAccessKeys", "GetLoginProfile", "DeleteLoginProfile", "ListMFADevices"]
    )
    override("DeleteUser", _delete_user)
    override("DeleteAccessKey", _of_its_user)
    override("GetAccessKeyLastUsed", _last_used)
    iam._user_xml = _with_password_use(iam._user_xml)
    paginators = botocore.loaders.Loader().load_service_model("iam", "paginators-1")["pagination"]
    for operation, pages in paginators.items():
        if isinstance(pages["result_key"], str) and operation in iam._IAM_HANDLERS:
            override(operation, _paged(pages["result_key"]))


# ---------------------------------------------------------------- users and keys


def _delete_user(delete):
    def handle(p):
        name = parameter(p, "UserName")
        if name in iam._users:
            if name in iam._login_profiles:
                return _conflict("must delete login profile first.")
            if mfa.devices_of(name):
                return _conflict("must delete MFA device first.")
            if iam._user_inline_policies.get(name):
                return _conflict("must delete policies first.")
            if any(name in group.get("Users", []) for group in iam._groups.values()):
                return _conflict("must remove users from group first.")
        return delete(p)

    return handle


def _conflict(what):
    return error(409, "DeleteConflict", f"Cannot delete entity, {what}")


def _of_its_user(handler):
    def handle(p):
        key_id = parameter(p, "AccessKeyId")
        user = parameter(p, "UserName") or calling_user()
        key = iam._access_keys.get(key_id)
        if key is not None and user and key["UserName"] != user:
            return error(404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
        return handler(p)

    return handle


@calls.observe
def _note_use(call, response):
    if call.identity is None or call.identity.get("session") is not None or call.access_key_id.isdigit():
        return
    if response[0] >= 400 and trail.error_of(response[2])[0] in trail.UNAUTHENTICATED:
        return
    _used[call.access_key_id] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": regions.recorded_in(call.service, call.region, call.host),
        "service": call.service,
    }


def _last_used(answer_never):
    def handle(p):
        key_id = parameter(p, "AccessKeyId")
        key, use = iam._access_keys.get(key_id), _used.get(key_id)
        if key is None or use is None:
            return answer_never(p)
        inner = (
            f"<UserName>{escape(key['UserName'])}</UserName><AccessKeyLastUsed><LastUsedDate>{use['at']}</LastUsedDate>"
            f"<Region>{use['region']}</Region><ServiceName>{use['service']}</ServiceName></AccessKeyLastUsed>"
        )
        result = f"<GetAccessKeyLastUsedResult>{inner}</GetAccessKeyLastUsedResult>"
        return iam._xml(200, "GetAccessKeyLastUsedResponse", result)

    return handle


def _with_password_use(user_xml):
    def xml(name, boundary=True):
        used = (iam._users.get(name) or {}).get("PasswordLastUsed")
        return user_xml(name, boundary) + (f"<PasswordLastUsed>{used}</PasswordLastUsed>" if used else "")

    return xml


# ---------------------------------------------------------------- paging


def _paged(list_name):
    """Cuts a listing into pages of MaxItems, with the position of the next page as its opaque Marker."""

    def wrap(listing):
        def handle(p):
            response = listing(p)
            status, headers, body = response
            size, marker = int(parameter(p, "MaxItems") or _PAGE), parameter(p, "Marker")
            if status != 200 or (not marker and body.count(b"<member>") <= size):
                return response
            try:
                start = int(base64.b64decode(marker).decode()) if marker else 0
            except ValueError:
                return error(400, "ValidationError", "Invalid Marker.")
            return status, headers, _page(body, list_name, start, size)

        return handle

    return wrap


def _page(body, list_name, start, size):
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.fromstring(body)  # noqa: S314 - made by MiniStack
    members = root.find(f".//{{{_NAMESPACE}}}{list_name}")
    result = root[0]
    if members is None:
        return body
    items = list(members)
    for item in items[:start] + items[start + size :]:
        members.remove(item)
    truncated = start + size < len(items)
    for old in [each for each in result if each.tag.endswith(("}IsTruncated", "}Marker"))]:
        result.remove(old)
    ElementTree.SubElement(result, f"{{{_NAMESPACE}}}IsTruncated").text = str(truncated).lower()
    if truncated:
        marker = base64.b64encode(str(start + size).encode()).decode()
        ElementTree.SubElement(result, f"{{{_NAMESPACE}}}Marker").text = marker
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
