"""The local AWS's own HTTP interface below `/_bulkhead/`. Concerns register their paths with `route`."""
import json

PREFIX = "/_bulkhead/"
_routes = {}


class ControlError(Exception):
    """Answered with this status and `{"message": ...}`."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Html(str):
    """A page, as the answer of a route that people open."""


def route(method, path):
    """Registers a function `(body, headers) -> value` (or a coroutine function); the value is answered as JSON."""

    def register(function):
        _routes[(method, PREFIX + path)] = function
        return function

    return register


async def handle(scope, receive, send):
    """Answers a request below the prefix."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, answer = await _answer(scope["method"], scope["path"], headers, body)
    if isinstance(answer, Html):
        content_type, content = "text/html; charset=utf-8", answer.encode()
    else:
        content_type, content = "application/json", json.dumps(answer).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type.encode()),
                (b"content-length", str(len(content)).encode()),
                (b"cache-control", b"no-store"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def _answer(method, path, headers, body):
    function = _routes.get((method, path))
    if function is None:
        known = sorted(m for m, p in _routes if p == path)
        if known:
            return 405, {"message": f"{path} takes {', '.join(known)}"}
        return 404, {"message": f"there is no {path}; there are {', '.join(sorted({p for _, p in _routes}))}"}
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        return 400, {"message": "the body is not JSON"}
    try:
        answer = function(given, headers)
        if hasattr(answer, "__await__"):
            answer = await answer
        return 200, answer
    except ControlError as error:
        return error.status, {"message": str(error)}
