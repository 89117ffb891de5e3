"""Virtual MFA devices whose codes are checked, and sessions that know whether MFA was used.

Fact 29: `aws:MultiFactorAuthPresent` is absent for long-term keys, and the credentials of AssumeRole carry no MFA context. It is
"true" or "false" in sessions of GetSessionToken and of the console, and in the evaluation of the very call that brings a code.
"""
import contextvars
import time

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, sts

from overlay import calls, totp
from overlay.iam_xml import calling_user, error, escape, override, parameter

_MAX_DEVICES_PER_USER = 8
#: In a session's record: absent where AWS gives no MFA context, else the time of the authentication or None.
SESSION_KEY = "MfaAuthenticatedAt"
_MULTI_FACTOR_PRESENT = "aws:multifactorauthpresent"
_MULTI_FACTOR_AGE = "aws:multifactorauthage"

#: When the call being answered brought a right code.
_code_given_at = contextvars.ContextVar("bulkhead_code_given_at", default=None)


def devices_of(user_name, account=None):
    """The MFA devices that are enabled for a user."""
    account = account or get_account_id()
    return [device for (owner, _), device in list(iam._mfa_devices._data.items())
            if owner == account and device.get("User") == user_name]


def session_context(session):
    """`"true"` or `"false"` for CloudTrail's `mfaAuthenticated`."""
    return "true" if session and session.get(SESSION_KEY) else "false"


def install():
    override("CreateVirtualMFADevice", _create)
    override("EnableMFADevice", _enable)
    override("ResyncMFADevice", _resync)
    override("ListMFADevices", _list)
    override("GetMFADevice", _get)

    sts.handle_request = _check_codes(sts.handle_request)
    sts.register_session = _mark_sessions(sts.register_session)
    keys = _condition_keys(iam_evaluator._principal_keys)
    iam_evaluator._principal_keys = keys
    sts._principal_keys = keys


def _create(create):
    def handle(p):
        before = set(iam._mfa_devices.keys())
        response = create(p)
        for serial in set(iam._mfa_devices.keys()) - before:
            device = iam._mfa_devices[serial]
            device["Base32StringSeed"] = totp.new_seed()
            response = iam._xml(
                200,
                "CreateVirtualMFADeviceResponse",
                "<CreateVirtualMFADeviceResult><VirtualMFADevice>"
                + iam._virtual_mfa_xml(serial, include_user=False)
                + "</VirtualMFADevice></CreateVirtualMFADeviceResult>",
            )
        return response

    return handle


def _enable(enable):
    def handle(p):
        device = iam._mfa_devices.get(parameter(p, "SerialNumber"))
        user = parameter(p, "UserName")
        if device is None or user not in iam._users:
            return enable(p)
        if device.get("User") is None:
            if len(devices_of(user)) >= _MAX_DEVICES_PER_USER:
                return error(409, "LimitExceeded", f"Cannot exceed quota for MFADevicesPerUser: {_MAX_DEVICES_PER_USER}")
            if not _codes_right(device, p):
                return _wrong_codes(device)
        return enable(p)

    return handle


def _resync(resync):
    def handle(p):
        device = iam._mfa_devices.get(parameter(p, "SerialNumber"))
        if device is not None and device.get("User") == parameter(p, "UserName") and not _codes_right(device, p):
            return _wrong_codes(device)
        return resync(p)

    return handle


def _codes_right(device, p):
    return totp.are_consecutive(device, parameter(p, "AuthenticationCode1"), parameter(p, "AuthenticationCode2"))


def _wrong_codes(device):
    return error(403, "InvalidAuthenticationCode", f"Authentication code for device is not valid: {device['SerialNumber']}")


def _list(listing):
    def handle(p):
        if not parameter(p, "UserName") and (caller := calling_user()):
            p = {**p, "UserName": [caller]}
        if parameter(p, "UserName") not in iam._users:
            name = parameter(p, "UserName")
            return error(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
        return listing(p)

    return handle


def _get(_missing):
    def handle(p):
        serial = parameter(p, "SerialNumber")
        device = iam._mfa_devices.get(serial)
        user = parameter(p, "UserName")
        if device is None or (user and device.get("User") != user):
            return error(404, "NoSuchEntity", f"MFA Device invalid: {serial}")
        inner = f"<SerialNumber>{escape(serial)}</SerialNumber>"
        if device.get("User"):
            inner = f"<UserName>{device['User']}</UserName>{inner}<EnableDate>{device['EnableDate']}</EnableDate>"
        return iam._xml(200, "GetMFADeviceResponse", f"<GetMFADeviceResult>{inner}</GetMFADeviceResult>")

    return handle


# ---------------------------------------------------------------- STS


def _check_codes(handle_request):
    async def handle(method, path, headers, body, query):
        call = calls.current()
        given = call.given if call and call.operation in ("GetSessionToken", "AssumeRole") else {}
        # MiniStack evaluates the caller's policies before it comes here: `enforce` asks `_condition_keys` below, which
        # checks the code then. Here it is only left to refuse the call itself.
        if given.get("SerialNumber") or given.get("TokenCode"):
            if not _authenticated_now(call):
                return error(
                    403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", ns="sts"
                )
        token = _code_given_at.set(getattr(call, "mfa_at", None))
        try:
            return await handle_request(method, path, headers, body, query)
        finally:
            _code_given_at.reset(token)

    return handle


def _authenticated_now(call):
    """Whether the call brings a right code of a device of the caller; tried once a call, as a code works only once."""
    if not hasattr(call, "mfa_at"):
        call.mfa_at = time.time() if _code_is_right(call) else None
    return call.mfa_at is not None


def _code_is_right(call):
    given = call.given
    arn = (call.identity or {}).get("userArn", "")
    device = iam._mfa_devices.get(given.get("SerialNumber", ""))
    if device is None or not device.get("User") or not given.get("TokenCode"):
        return False
    # The device must be the caller's own; a session cannot bring a code.
    owner = (iam._users.get(device["User"]) or {}).get("Arn")
    return owner == arn and call.access_key_id not in sts._sessions and totp.accept(device, given["TokenCode"])


def _mark_sessions(register):
    def register_marked(access_key, session):
        # FederatedUser sessions cannot have MFA, roles' sessions do not carry it.
        if session.get("PrincipalType") in ("User", "Root"):
            session.setdefault(SESSION_KEY, _code_given_at.get())
        return register(access_key, session)

    return register_marked


def _condition_keys(principal_keys):
    def keys_with_mfa(credential):
        keys = principal_keys(credential)
        keys.pop(_MULTI_FACTOR_PRESENT, None)
        session = sts._sessions.get(credential.access_key_id)
        authenticated_at = None
        if session is not None and SESSION_KEY in session:
            authenticated_at = session[SESSION_KEY]
            keys[_MULTI_FACTOR_PRESENT] = "true" if authenticated_at else "false"
        call = calls.current()
        if call is not None and call.service == "sts" and call.operation in ("GetSessionToken", "AssumeRole"):
            if call.given.get("SerialNumber") and _authenticated_now(call):
                authenticated_at = call.mfa_at
                keys[_MULTI_FACTOR_PRESENT] = "true"
        if authenticated_at:
            keys[_MULTI_FACTOR_AGE] = str(int(time.time() - authenticated_at))
        return keys

    return keys_with_mfa
