"""API Gateway's HTTP APIs: who may call them, what functions are told of a request, and what happens without the region.

From the API Gateway developer guide ("Working with AWS Lambda proxy integrations for HTTP APIs", "Control access"):

- Everybody may call a route without authorisation, signed or not.
- API Gateway invokes a function only with the function's permission; otherwise it answers 500.
- With payload format 2.0 cookies are a list of their own, and no header.
"""
import contextvars
import json

from ministack.services import apigateway, lambda_svc

from overlay import delivery, outage, regions

_SERVICE = "apigateway.amazonaws.com"
_port = None

#: Whether a request of an HTTP API is being answered.
_answering = contextvars.ContextVar("bulkhead_http_api", default=False)


def set_port(port):
    """Where this emulator is reached, for the addresses of APIs."""
    global _port
    _port = port


def install():
    apigateway.find_api_scope = _find_api_scope
    apigateway.handle_execute = _reached(apigateway.handle_execute)
    apigateway._invoke_lambda_proxy = _permitted(apigateway._invoke_lambda_proxy)
    apigateway.run_reentrant = _told(apigateway.run_reentrant)
    apigateway.handle_request = _managed(apigateway.handle_request)
    for name in ("_create_api", "_get_api", "_get_apis", "_update_api"):
        setattr(apigateway, name, _addressed(getattr(apigateway, name)))


def _find_api_scope(api_id):
    """The account and region of an API: a browser has no credentials to tell an account by."""
    for (account, region, stored), _api in apigateway._apis.all_items():
        if stored == api_id:
            return account, region
    return None


# ---------------------------------------------------------------- managing


def _addressed(handler):
    """Without names in DNS, an API is reached by its path below the emulator's own address."""

    def handle(*args):
        status, headers, body = handler(*args)
        if _port is None or status >= 300:
            return status, headers, body
        answer = json.loads(body)
        for api in answer.get("items", [answer]):
            api["apiEndpoint"] = f"http://127.0.0.1:{_port}/_aws/execute-api/{api['apiId']}"
        return status, headers, json.dumps(answer).encode()

    return handle


def _managed(handle_request):
    async def handle(method, path, headers, body, query):
        parts = [part for part in path.strip("/").split("/") if part]
        # MiniStack would delete the stage.
        if method == "DELETE" and parts[:2] == ["v2", "apis"] and parts[5:] == ["accesslogsettings"]:
            stage = apigateway._stages.get(parts[2], {}).get(parts[4])
            if stage is None:
                return apigateway._apigw_error("NotFoundException", "Unable to find Stage", 404)
            stage.pop("accessLogSettings", None)
            return 204, {}, b""
        return await handle_request(method, path, headers, body, query)

    return handle


# ---------------------------------------------------------------- answering


def _reached(execute):
    async def execute_reached(api_id, *args, **kwargs):
        scope = _find_api_scope(api_id)
        if scope and outage.is_cut_off(scope[1]):
            # A browser would not even connect; here it is told why.
            return 503, {"Content-Type": "application/json"}, b'{"message":"The region of this API cannot be reached"}'
        token = _answering.set(True)
        try:
            return await execute(api_id, *args, **kwargs)
        finally:
            _answering.reset(token)

    return execute_reached


def _permitted(invoke):
    async def invoke_permitted(integration, api_id, stage, path, method, *args, **kwargs):
        account, region = _find_api_scope(api_id)
        function = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
        resource = f"{api_id}/{stage}/{method}/{path.lstrip('/')}"
        source = f"arn:{regions.partition_of(region)}:execute-api:{region}:{account}:{resource}"
        if not delivery.function_allows(function, _SERVICE, source, account):
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await invoke(integration, api_id, stage, path, method, *args, **kwargs)

    return invoke_permitted


def _told(run):
    """What an HTTP API's function is told of a request, as AWS tells it."""

    async def run_told(function, *args, **kwargs):
        if function is lambda_svc._execute_function_with_config_scope and len(args) == 2 and _answering.get():
            _complete(args[1])
        return await run(function, *args, **kwargs)

    return run_told


def _complete(event):
    if event.get("version") != "2.0" or "http" not in event.get("requestContext", {}):
        return
    headers = event["headers"]
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    if cookies:
        event["cookies"] = cookies
    address = event["requestContext"]["http"]["sourceIp"]
    headers.setdefault("x-forwarded-for", address)
    headers.setdefault("x-forwarded-proto", "https")
    headers.setdefault("x-forwarded-port", "443")
