"""The past of users and keys: back-dating them, the credential report, and the paging of what describes the whole account.

`PUT /_bulkhead/iam/history` sets what AWS never lets anybody set: when a key was made and last used, when a user was made and
its password set. With it a test or the drill has keys of 100 days in a second. It is the local AWS's own; no client of AWS
can do it.

The credential report is made at most every four hours (fact 34), so that what happened since is not in it; setting the past
anew discards the account's report, as the world that it described is gone.
"""
import base64
import csv
import io
import re
import time
from xml.etree import ElementTree

from ministack.core.responses import get_account_id
from ministack.services import iam

from overlay import control, iam_behaviour, mfa, passwords
from overlay.iam_xml import answer, error, override, parameter

_NEVER = "N/A"
_FOUR_HOURS = 4 * 3600
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
#: In a key's record: when its status was last changed, which the report counts as a rotation.
_CHANGED = "_StatusChanged"

#: Account -> {"content", "made"}.
_reports = {}
#: Seconds that the making of a report takes.
_delay = 0.0


def install():
    override("GenerateCredentialReport", lambda _: _generate)
    override("GetCredentialReport", lambda _: _get)
    override("UpdateAccessKey", _noting_change)
    override("GetAccountAuthorizationDetails", _in_pages)


# ---------------------------------------------------------------- back-dating


@control.route("PUT", "iam/history")
def _set_history(body, _headers):
    """`{"keys": [{accessKeyId, createDate?, lastUsed?}], "users": [{accountId, userName, createDate?, ...}]}`, dates in ISO
    8601 with Z. `lastUsed` is `{date, region?, service?}`, or null: never."""
    keys, users = body.get("keys", []), body.get("users", [])
    unknown = set(body) - {"keys", "users"}
    if unknown or not isinstance(keys, list) or not isinstance(users, list):
        raise control.ControlError(400, "the body is {keys: [...], users: [...]}")
    # All is looked at before anything is changed.
    changes = [_key_change(each) for each in keys] + [_user_change(each) for each in users]
    for account, apply in changes:
        apply()
        _reports.pop(account, None)
    return {"keys": len(keys), "users": len(users)}


def _key_change(given):
    _only(given, {"accessKeyId", "createDate", "lastUsed"})
    key_id = given.get("accessKeyId")
    places = iam._access_keys._data.places.get(key_id)
    if not places:
        raise control.ControlError(404, f"there is no access key {key_id}")
    account = next(iter(places))[0]
    key = iam._access_keys.get_scoped(account, None, key_id)
    created = _moment(given, "createDate")
    used = given.get("lastUsed")
    if used is not None:
        _only(used, {"date", "region", "service"})
        used = {
            "at": _moment(used, "date", required=True),
            "region": used.get("region", "us-east-1"),
            "service": used.get("service", "sts"),
        }

    def apply():
        if created:
            key["CreateDate"] = created
            key.pop(_CHANGED, None)
        if "lastUsed" in given:
            if used is None:
                iam_behaviour._used.pop(key_id, None)
            else:
                iam_behaviour._used[key_id] = used

    return account, apply


def _user_change(given):
    _only(given, {"accountId", "userName", "createDate", "passwordChanged", "passwordLastUsed"})
    account, name = given.get("accountId"), given.get("userName")
    user = iam._users.get_scoped(account, None, name)
    if user is None:
        raise control.ControlError(404, f"account {account} has no user {name}")
    profile = iam._login_profiles.get_scoped(account, None, name)
    created, changed, used = (_moment(given, each) for each in ("createDate", "passwordChanged", "passwordLastUsed"))
    if changed and profile is None:
        raise control.ControlError(400, f"user {name} of account {account} has no password")

    def apply():
        if created:
            user["CreateDate"] = created
        if changed:
            profile[passwords.CHANGED] = changed
        if used:
            user["PasswordLastUsed"] = used

    return account, apply


def _only(given, known):
    if not isinstance(given, dict) or set(given) - known:
        raise control.ControlError(400, f"an entry has only {', '.join(sorted(known))}")


def _moment(given, name, required=False):
    value = given.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise control.ControlError(400, f"{name} is a time such as 2026-01-31T08:00:00Z")
    return re.sub(r"\.\d+Z", "Z", value)


# ---------------------------------------------------------------- credential report


@control.route("PUT", "iam/credential-report")
def _set_delay(body, _headers):
    """`{"delaySeconds": 1.5}`: how long the making of a report takes from now on; 0, the default, is at once."""
    global _delay
    delay = body.get("delaySeconds")
    if not isinstance(delay, (int, float)) or isinstance(delay, bool) or not 0 <= delay <= 60:
        raise control.ControlError(400, "delaySeconds is a number from 0 to 60")
    _delay = float(delay)
    return {"delaySeconds": _delay}


def _current():
    """The account's report while it counts, or None."""
    report = _reports.get(get_account_id())
    return report if report and time.time() - report["made"] < _FOUR_HOURS else None


def _generate(_p):
    report = _current()
    if report is None:
        _reports[get_account_id()] = {"content": _content(), "made": time.time() + _delay}
        return answer(
            "GenerateCredentialReport",
            "<State>STARTED</State><Description>No report exists. Starting a new report generation task</Description>",
        )
    if report["made"] > time.time():
        return answer("GenerateCredentialReport", "<State>INPROGRESS</State>")
    return answer("GenerateCredentialReport", "<State>COMPLETE</State>")


def _get(_p):
    account = get_account_id()
    if account not in _reports:
        return error(410, "ReportNotPresent", "No report is present")
    report = _current()
    if report is None:
        return error(410, "ReportExpired", "The report is expired; generate a new one")
    if report["made"] > time.time():
        return error(404, "ReportInProgress", "The report is being generated")
    content = base64.b64encode(report["content"].encode()).decode()
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(report["made"]))
    return answer(
        "GetCredentialReport",
        f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>{made}</GeneratedTime>",
    )


def _content():
    account = get_account_id()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER.split(","))
    root = ["<root_account>", f"arn:aws:iam::{account}:root", _written(iam._now()), "not_supported"]
    root += ["no_information", "not_supported", "not_supported", "false"]
    writer.writerow(root + _key_columns(None) * 2 + ["false", _NEVER] * 2)
    keys_of = {}
    for key in iam._access_keys.values():
        keys_of.setdefault(key["UserName"], []).append(key)
    for name, user in iam._users.items():
        keys = sorted(keys_of.get(name, []), key=lambda key: key["CreateDate"])
        row = [name, user["Arn"], _written(user["CreateDate"]), *_password_columns(name, user)]
        row.append("true" if mfa.devices_of(name) else "false")
        for index in range(2):
            row += _key_columns(keys[index] if index < len(keys) else None)
        writer.writerow(row + ["false", _NEVER] * 2)
    return text.getvalue().rstrip("\n")


def _written(moment):
    """A time as the report writes it, which is not as the API does."""
    return re.sub(r"(\.\d+)?Z$", "+00:00", moment)


def _password_columns(name, user):
    profile = iam._login_profiles.get(name)
    if profile is None:
        return ["false", _NEVER, _NEVER, _NEVER]
    changed = profile.get(passwords.CHANGED, profile["CreateDate"])
    used = user.get("PasswordLastUsed")
    return ["true", _written(used) if used else "no_information", _written(changed), _NEVER]


def _key_columns(key):
    """Five columns of a key. `last_rotated` is when it was made or last changed, a change of its status included."""
    if key is None:
        return ["false", *[_NEVER] * 4]
    active = "true" if key["Status"] == "Active" else "false"
    rotated = _written(key.get(_CHANGED, key["CreateDate"]))
    use = iam_behaviour._used.get(key["AccessKeyId"])
    if use is None:
        return [active, rotated, *[_NEVER] * 3]
    return [active, rotated, _written(use["at"]), use["region"], use["service"]]


def _noting_change(update):
    def handle(p):
        key = iam._access_keys.get(parameter(p, "AccessKeyId"))
        before = key["Status"] if key else None
        response = update(p)
        if key is not None and key["Status"] != before:
            key[_CHANGED] = iam._now()
        return response

    return handle


# ---------------------------------------------------------------- account details

_DETAILS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
_PAGE = 100


def _in_pages(details):
    """GetAccountAuthorizationDetails, whose pages go through users, groups, roles and policies as one list."""

    def handle(p):
        response = details(p)
        status, headers, body = response
        if status != 200:
            return response
        size, marker = int(parameter(p, "MaxItems") or _PAGE), parameter(p, "Marker")
        try:
            start = int(base64.b64decode(marker).decode()) if marker else 0
        except ValueError:
            return error(400, "ValidationError", "Invalid Marker.")
        ElementTree.register_namespace("", _NAMESPACE[1:-1])
        root = ElementTree.fromstring(body)  # noqa: S314 - made by MiniStack
        result = root[0]
        lists = [found for name in _DETAILS if (found := result.find(_NAMESPACE + name)) is not None]
        entries = [(each, member) for each in lists for member in list(each)]
        if start == 0 and len(entries) <= size:
            return response
        for each, member in entries[:start] + entries[start + size :]:
            each.remove(member)
        if start + size < len(entries):
            result.find(f"{_NAMESPACE}IsTruncated").text = "true"
            following = base64.b64encode(str(start + size).encode()).decode()
            ElementTree.SubElement(result, f"{_NAMESPACE}Marker").text = following
        return status, headers, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)

    return handle
