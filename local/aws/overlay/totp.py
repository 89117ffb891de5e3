"""Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds) and their use, each once."""
import base64
import binascii
import hashlib
import hmac
import secrets
import struct
import time

_STEP_SECONDS = 30
#: How many steps a device's clock may be off, in either direction.
_DRIFT_STEPS = 1


def new_seed():
    """A seed as authenticators take it: base32, of 40 random bytes as AWS's are."""
    return base64.b32encode(secrets.token_bytes(40)).decode()


def code_at(seed, step):
    """The code of a seed in a step of 30 seconds since the epoch."""
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def _steps_of(seed, code):
    """The steps near now in which the device shows the code."""
    now = int(time.time() // _STEP_SECONDS)
    try:
        return [step for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1)
                if hmac.compare_digest(code_at(seed, step), str(code))]
    except (binascii.Error, TypeError, ValueError):
        return []


def accept(device, code):
    """Whether the device's code is right and was not used before; from then on it is used, and so are earlier ones."""
    fresh = [step for step in _steps_of(device["Base32StringSeed"], code) if step > device.get("_LastStep", 0)]
    if not fresh:
        return False
    device["_LastStep"] = fresh[0]
    return True


def are_consecutive(device, first, second):
    """Whether the two codes follow one another, as enabling or resynchronising a device asks. Does not use them up."""
    seed = device["Base32StringSeed"]
    now = int(time.time() // _STEP_SECONDS)
    # Enabling tolerates more drift than signing in: it is where the drift is measured.
    return any(code_at(seed, step) == first and code_at(seed, step + 1) == second for step in range(now - 10, now + 10))
