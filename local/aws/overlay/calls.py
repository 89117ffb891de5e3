"""One place through which every request of an AWS API passes: what is checked before, and what is noted after it.

MiniStack authenticates and authorises a request in its dispatcher and then runs the service's handler. `checks` run between
the two, as AWS validates a request after it has found it allowed; `observers` run after the whole, on denied calls too.
What MiniStack's services do among themselves (an EventBridge target, a CloudFormation resource) does not pass here: it is no
call of an API.
"""
import contextvars
import logging

import ministack.app as ministack_app
from ministack.core.iam_evaluator import resolve_caller_identity
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from overlay import models, regions

logger = logging.getLogger("bulkhead.calls")

#: Names the endpoint that the caller meant, where a client is sent to the emulator instead (not signed).
ENDPOINT_HEADER = "x-bulkhead-endpoint"

_checks = []
_observers = []
_current = contextvars.ContextVar("bulkhead_call", default=None)


class Call:
    """A request of an AWS API."""

    def __init__(self, service, method, path, headers, body, query, request_id):
        self.service = service
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.query = query
        self.request_id = request_id
        self.account = get_account_id()
        #: The region of the signature.
        self.region = get_region()
        self.access_key_id = extract_access_key_id(headers, query)
        self.form = models.read_form(service, method, path, headers, body, query)
        self._input = None
        self._identity = None

    @property
    def operation(self):
        """The operation's name, or None when it is not one of the service's model."""
        return self.form.operation if self.form else None

    @property
    def input(self):
        """The request's members by the model's names, or None when they cannot be read. May raise models.Malformed."""
        if self._input is None and self.form is not None:
            self._input = models.read_input(self.service, self.form, self.headers, self.body, self.query)
        return self._input

    @property
    def given(self):
        """The request's members as far as they can be read: `input`, or nothing where that is None or malformed."""
        try:
            return self.input or {}
        except models.Malformed:
            return {}

    @property
    def identity(self):
        """MiniStack's description of the caller, taken before the call could change it; None for an unknown key."""
        return self._identity

    def remember_identity(self):
        self._identity = resolve_caller_identity(self.access_key_id)

    @property
    def host(self):
        """The host name of the endpoint that the caller meant."""
        meant = self.headers.get(ENDPOINT_HEADER)
        if meant:
            return meant
        host = self.headers.get("host", "").partition(":")[0]
        suffix = regions.dns_suffix(self.region)
        if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonwebservices.com.cn")):
            return host
        model = models.service_model(self.service)
        prefix = model.metadata.get("endpointPrefix", self.service) if model else self.service
        if self.service in regions.IAM_LIKE or self.service in regions.ORGANIZATIONS_LIKE:
            return f"{prefix}.{suffix}"
        return f"{prefix}.{self.region}.{suffix}"

    @property
    def recorded_region(self):
        """The region whose trail and event bus the call reaches."""
        return regions.recorded_in(self.service, self.region, self.host)


def check(function):
    """Registers `(call) -> response or None`, run on allowed calls; a response is answered instead of the service's."""
    _checks.append(function)
    return function


def observe(function):
    """Registers `(call, response) -> None`, run after every call."""
    _observers.append(function)
    return function


def current():
    """The call being answered, or None in what the emulator does by itself."""
    return _current.get()


def install():
    ministack_app._dispatch_service_request = _watched(ministack_app._dispatch_service_request, _detect)
    ministack_app._handle_ses_v2_request = _watched(ministack_app._handle_ses_v2_request, _detect_ses_v2)
    ministack_app._handle_s3_control_request = _s3_control(ministack_app._handle_s3_control_request)
    for name, handler in list(ministack_app.SERVICE_HANDLERS.items()):
        ministack_app.SERVICE_HANDLERS[name] = _checked(handler)
    from ministack.services import ses_v2

    ses_v2.handle_request = _checked(ses_v2.handle_request)


def _detect(method, path, headers, body, query):
    if path.startswith("/_"):
        return None
    routing = ministack_app._routing_params(method, path, headers, body, query)
    service = ministack_app.detect_service(method, path, headers, routing)
    return None if service == "unknown_query" else service


def _detect_ses_v2(_method, path, _headers, _body, _query):
    return "sesv2" if path.startswith(ministack_app._SES_V2_PREFIX) else None


def _watched(dispatch, detect):
    async def dispatch_watched(method, path, headers, body, query, request_id):
        service = detect(method, path, headers, body, query)
        if service is None:
            return await dispatch(method, path, headers, body, query, request_id)
        if service != "s3" and "content-encoding" in headers:
            body = ministack_app._decompress_request_body(body, headers)
            headers = {name: value for name, value in headers.items() if name != "content-encoding"}
        call = Call(service, method, path, headers, body, query, request_id)
        call.remember_identity()
        token = _current.set(call)
        try:
            response = await dispatch(method, path, headers, body, query, request_id)
        finally:
            _current.reset(token)
        if response is not None:
            for observer in _observers:
                try:
                    observer(call, response)
                except Exception:  # noqa: BLE001 - a record that cannot be made must not break the call
                    logger.exception("noting %s %s failed", service, call.operation)
        return response

    return dispatch_watched


def _s3_control(handle):
    """S3 Control has MiniStack's dispatcher to itself and another order of arguments."""

    async def ordered(method, path, headers, body, query, request_id):
        return await handle(path, method, body, query, request_id, headers)

    watched = _watched(ordered, lambda _m, path, _h, _b, _q: "s3control" if path.startswith("/v20180820/") else None)

    async def handle_watched(path, method, body, query, request_id, headers):
        return await watched(method, path, headers, body, query, request_id)

    return handle_watched


def _checked(handler):
    async def handle_checked(method, path, headers, body, query):
        call = _current.get()
        # What a call sets off (a stack's resources, say) inherits its context, but is not the call.
        if call is not None and call.path == path and call.body == body:
            for each in _checks:
                response = each(call)
                if response is not None:
                    return response
        return await handler(method, path, headers, body, query)

    return handle_checked
