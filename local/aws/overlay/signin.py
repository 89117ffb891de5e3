"""The console's sign-in page as a call: `POST /_bulkhead/console/sign-in`.

Signing in is what the emergency users do; it is no API of AWS that an SDK could call. The password and, for a user with an MFA
device, the one-time code are checked; the answer is the credentials that the console would act with. Like AWS, the events
`CheckMfa` and `ConsoleLogin` are recorded in the region of the sign-in address (facts 17 to 19).
"""
import re
import time

from ministack.core.responses import request_scope
from ministack.services import iam, sts

from overlay import control, events, mfa, outage, passwords, regions, totp, trail

_SESSION_SECONDS = 12 * 3600
_UNKNOWN_USER = "HIDDEN_DUE_TO_SECURITY_REASONS"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_SIGN_IN_SUFFIX = {"aws": "signin.aws.amazon.com", "aws-cn": "signin.amazonaws.cn", "aws-us-gov": "signin.amazonaws-us-gov.com"}
_CONSOLE = {"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


@control.route("POST", "console/sign-in")
def _sign_in(body, _headers):
    account, user_name, password, region = (body.get(name) for name in ("accountId", "userName", "password", "region"))
    for name, value in (("accountId", account), ("userName", user_name), ("password", password), ("region", region)):
        if not isinstance(value, str) or not value:
            raise control.ControlError(400, f"{name} is required: a text")
    if not re.fullmatch(r"\d{12}", account):
        raise control.ControlError(400, f"accountId is not of 12 digits: {account}")
    if outage.is_cut_off(region):
        raise control.ControlError(503, f"the sign-in endpoint of {region} does not answer: the region is cut off")
    with request_scope(account, region):
        return _checked(account, user_name, password, body.get("mfaCode"), region)


def _checked(account, user_name, password, code, region):
    user = iam._users.get(user_name)
    devices = mfa.devices_of(user_name, account)
    if user is None or user_name not in iam._login_profiles:
        _record(account, region, None, "ConsoleLogin", "Failure", {"MFAUsed": "No"}, "No username found in supplied account")
        raise _failed()
    if not passwords.matches(account, user_name, password):
        _record(account, region, user, "ConsoleLogin", "Failure", {"MFAUsed": "No"}, "Failed authentication")
        raise _failed()
    device = None
    if devices:
        if not code:
            # The page asks for the code; nothing is signed in or failed yet.
            raise control.ControlError(401, "The user has an MFA device: a code of it (mfaCode) is needed.")
        device = next((each for each in devices if totp.accept(each, code)), None)
        outcome = "Failure" if device is None else "Success"
        _record(account, region, user, "CheckMfa", outcome, {"MfaType": "Virtual MFA"})
        if device is None:
            _record(account, region, user, "ConsoleLogin", "Failure", {"MFAUsed": "Yes"}, "Failed authentication")
            raise _failed()
    profile = iam._login_profiles[user_name]
    if profile.get("PasswordResetRequired"):
        raise control.ControlError(401, "The password must be changed before signing in: it was set with PasswordResetRequired.")
    extra = {"MFAUsed": "Yes" if device else "No"}
    if device:
        extra["MFAIdentifier"] = device["SerialNumber"]
    user["PasswordLastUsed"] = iam._now()
    _record(account, region, user, "ConsoleLogin", "Success", extra)
    return _session(account, user, device)


def _failed():
    # AWS does not tell whether name, password or code is wrong.
    return control.ControlError(401, "Your authentication information is incorrect. Please try again.")


def _session(account, user, device):
    access_key, secret, token = iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token()
    sts.register_session(
        access_key,
        {
            "Arn": user["Arn"],
            "UserId": user["UserId"],
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + _SESSION_SECONDS,
            "AccountId": account,
            "PrincipalType": "User",
            "PrincipalName": user["UserName"],
            "SourcePrincipalArn": user["Arn"],
            mfa.SESSION_KEY: time.time() if device else None,
        },
    )
    return {"accessKeyId": access_key, "secretAccessKey": secret, "sessionToken": token, "mfa": device is not None}


def _record(account, region, user, name, outcome, extra, error=None):
    """Delivers a sign-in event; `user` is None for a name that is no user's."""
    partition = regions.partition_of(region)
    identity = {"type": "IAMUser", "accountId": account, "accessKeyId": ""}
    if user is None:
        identity["userName"] = _UNKNOWN_USER
    else:
        identity.update(principalId=user["UserId"], userName=user["UserName"])
        if name == "ConsoleLogin" and outcome == "Success":
            # Other sign-in events lack the ARN (fact 19), and a success has no empty key.
            identity["arn"] = user["Arn"]
            del identity["accessKeyId"]
    if name == "ConsoleLogin":
        console = _CONSOLE[partition]
        extra = {"LoginTo": f"https://{console}/console/home?region={region}&state=hashArgs%23", "MobileVersion": "No", **extra}
    home = regions.iam_region(region)
    host = _SIGN_IN_SUFFIX[partition] if region == home else f"{region}.{_SIGN_IN_SUFFIX[partition]}"
    detail = {
        "eventVersion": "1.08",
        "userIdentity": identity,
        "eventTime": trail.now(),
        "eventSource": "signin.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": _BROWSER,
        **({"errorMessage": error} if error else {}),
        "requestParameters": None,
        "responseElements": {name: outcome},
        "additionalEventData": extra,
        "eventID": trail.new_id(),
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {**trail.TLS, "clientProvidedHostHeader": host},
    }
    events.emit(account, region, "aws.signin", "AWS Console Sign In via CloudTrail", detail)
