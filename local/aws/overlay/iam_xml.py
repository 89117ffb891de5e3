"""What the wrappers of MiniStack's IAM and STS share: answering, reading parameters, finding the caller."""
import re

from ministack.services import iam

from overlay import calls

parameter = iam._p


def error(status, code, message, ns="iam"):
    """An error of IAM or STS, with text that may hold anything."""
    return iam._error(status, code, escape(message), ns=ns)


def answer(operation, inner, ns="iam"):
    """A successful answer with a result element, or without one when `inner` is empty."""
    result = f"<{operation}Result>{inner}</{operation}Result>" if inner else ""
    return iam._xml(200, f"{operation}Response", result, ns=ns)


def escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def override(operation, wrap):
    """Replaces IAM's handler of an operation by `wrap(handler)`."""
    iam._IAM_HANDLERS[operation] = wrap(iam._IAM_HANDLERS.get(operation))


def calling_user():
    """The name of the IAM user who makes the current call, or None when it is no user."""
    call = calls.current()
    arn = ((call and call.identity) or {}).get("userArn", "")
    match = re.match(r"arn:[^:]+:iam::\d{12}:user/(?:.*/)?([^/]+)$", arn)
    return match.group(1) if match else None


def default_user(operations):
    """Lets the operations' UserName default to the caller, as IAM does where it is optional."""

    def with_default(handler):
        def handle(p):
            if not parameter(p, "UserName"):
                caller = calling_user()
                if caller:
                    p = {**p, "UserName": [caller]}
            return handler(p)

        return handle

    for operation in operations:
        override(operation, with_default)
