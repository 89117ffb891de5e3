"""Security keys (FIDO): registered in the console alone, since no API can do it (fact 29): `POST /_bulkhead/console/security-key`.

They are listed with other MFA devices and taken away by DeactivateMFADevice, for good. Nobody can give a code of one.
"""
import re
import secrets

from ministack.core.responses import request_scope
from ministack.services import iam

from overlay import control, mfa, regions, totp
from overlay.iam_xml import override, parameter

_NAME = re.compile(r"[\w+=,.@-]{1,64}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def install():
    override("ListVirtualMFADevices", _without_keys)
    override("DeactivateMFADevice", _for_good)


@control.route("POST", "console/security-key")
def _register(body, _headers):
    account, user_name, name = (body.get(key) for key in ("accountId", "userName", "name"))
    if not isinstance(account, str) or not re.fullmatch(r"\d{12}", account):
        raise control.ControlError(400, "accountId is required: 12 digits")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise control.ControlError(400, "name is required: up to 64 letters, digits and _+=,.@-")
    region = body.get("region") or "us-east-1"
    with request_scope(account, region):
        if user_name not in iam._users:
            raise control.ControlError(404, f"there is no user {user_name} in account {account}")
        if len(mfa.devices_of(user_name, account)) >= mfa._MAX_DEVICES_PER_USER:
            raise control.ControlError(409, f"{user_name} has as many MFA devices as a user can have")
        unique = "".join(secrets.choice(_ALPHABET) for _ in range(26))
        serial = f"arn:{regions.partition_of(region)}:iam::{account}:u2f/user/{user_name}/{name}-{unique}"
        iam._mfa_devices[serial] = {
            "SerialNumber": serial,
            "Path": "/",
            "CreateDate": iam._now(),
            "User": user_name,
            "EnableDate": iam._now(),
            # Known to nobody: whatever code is tried at the sign-in is not this device's.
            "Base32StringSeed": totp.new_seed(),
            "Tags": [],
        }
    return {"serialNumber": serial}


def _is_key(serial):
    return ":u2f/" in serial


def _without_keys(listing):
    def handle(p):
        # Put aside while MiniStack lists: it takes every device for a virtual one.
        keys = {serial: device for serial, device in list(iam._mfa_devices.items()) if _is_key(serial)}
        for serial in keys:
            del iam._mfa_devices[serial]
        try:
            return listing(p)
        finally:
            for serial, device in keys.items():
                iam._mfa_devices[serial] = device

    return handle


def _for_good(deactivate):
    def handle(p):
        response = deactivate(p)
        serial = parameter(p, "SerialNumber")
        if response[0] == 200 and _is_key(serial):
            del iam._mfa_devices[serial]
        return response

    return handle
