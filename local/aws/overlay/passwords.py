"""Console passwords: stored salted and hashed, held to the account's password policy, changed by their owners."""
import hashlib
import hmac
import secrets

from ministack.core.responses import get_account_id
from ministack.services import iam

from overlay.iam_xml import calling_user, error, override, parameter

#: What AWS demands where an account has set no password policy.
_DEFAULT_LENGTH = 8
_LONGEST = 128
#: When the password was last set, in a login profile's record.
CHANGED = "_PasswordChanged"
_SYMBOLS = set("!@#$%^&*()_+-=[]{}|'")
_CLASSES_BY_DEFAULT = 3


def install():
    override("CreateLoginProfile", _create)
    override("UpdateLoginProfile", _update)
    override("ChangePassword", _change)


def _hash(password, salt):
    # Cheap on purpose: these are passwords of an emulator, and a test run makes and checks many.
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1_000)


def _store(profile, password):
    salt = secrets.token_bytes(16)
    profile["_Password"] = (salt, _hash(password, salt))
    profile[CHANGED] = iam._now()


def matches(account, user_name, password):
    """Whether the user has a login profile with this password."""
    profile = iam._login_profiles.get_scoped(account, None, user_name)
    if profile is None or "_Password" not in profile:
        return False
    salt, expected = profile["_Password"]
    return hmac.compare_digest(_hash(password, salt), expected)


def violation(password, user_name):
    """What a password lacks by the account's password policy, as IAM words it, or None."""
    policy = iam._account_password_policy.get("policy") or {}
    required = {
        "RequireUppercaseCharacters": (str.isupper, "one uppercase letter"),
        "RequireLowercaseCharacters": (str.islower, "one lowercase letter"),
        "RequireNumbers": (str.isdigit, "one number"),
        "RequireSymbols": (_SYMBOLS.__contains__, "one symbol"),
    }
    length = int(policy.get("MinimumPasswordLength") or _DEFAULT_LENGTH)
    if not length <= len(password) <= _LONGEST:
        return f"Password should have a minimum length of {length} and a maximum of {_LONGEST}"
    present = {name for name, (test, _) in required.items() if any(test(each) for each in password)}
    if policy:
        for name, (_, words) in required.items():
            if str(policy.get(name, "")).lower() == "true" and name not in present:
                return f"Password should have at least {words}"
    elif len(present) < _CLASSES_BY_DEFAULT:
        return "Password does not conform to the account password policy."
    if password.lower() == user_name.lower():
        return "Password should not be the same as the user's name"
    return None


def _refuse(password, user_name):
    found = violation(password, user_name)
    return error(400, "PasswordPolicyViolation", found) if found else None


def _create(create):
    def handle(p):
        user = parameter(p, "UserName") or calling_user() or ""
        p = {**p, "UserName": [user]}
        password = parameter(p, "Password")
        if user in iam._users and user not in iam._login_profiles and password and (refused := _refuse(password, user)):
            return refused
        existed = user in iam._login_profiles
        response = create(p)
        if not existed and password and user in iam._login_profiles:
            _store(iam._login_profiles[user], password)
        return response

    return handle


def _update(update):
    def handle(p):
        user, password = parameter(p, "UserName"), parameter(p, "Password")
        if user in iam._login_profiles and password:
            if refused := _refuse(password, user):
                return refused
            _store(iam._login_profiles[user], password)
        return update(p)

    return handle


def _change(_missing):
    def handle(p):
        user = calling_user()
        if user is None:
            return error(400, "InvalidUserType", "Only IAM users can change their own password.")
        if user not in iam._login_profiles:
            return error(404, "NoSuchEntity", f"Login Profile for User {user} cannot be found.")
        if not matches(get_account_id(), user, parameter(p, "OldPassword")):
            return error(403, "AccessDenied", "The old password was incorrect.")
        if refused := _refuse(parameter(p, "NewPassword"), user):
            return refused
        _store(iam._login_profiles[user], parameter(p, "NewPassword"))
        iam._login_profiles[user]["PasswordResetRequired"] = False
        return iam._xml(200, "ChangePasswordResponse", "")

    return handle
