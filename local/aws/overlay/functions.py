"""Lambda functions: what they find in their environment, and what becomes of asynchronous invocations.

Functions run on the Node that is first on PATH (the one that started the emulator). Endpoints of AWS that the product pins by
name are sent to the emulator by `redirect.cjs`, which is loaded into each function's process.
"""
import json
import logging
import os
import threading
import time

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid

from overlay import calls, control, delivery, outage

logger = logging.getLogger("bulkhead.functions")

_REDIRECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "redirect.cjs")
_last_error = threading.local()
#: Invocations as events wait for their turn: AWS starts as many processes as there are events, one machine cannot.
_CONCURRENT = max(2, (os.cpu_count() or 2))
_turns = {}
_turns_lock = threading.Lock()
#: AWS waits one minute, then two; an emulator's users wait less.
_RETRY_SECONDS = (1.0, 2.0)


def set_endpoint(url):
    """Functions that start from now on reach AWS at this URL."""
    os.environ["AWS_ENDPOINT_URL"] = url


@control.route("PUT", "lambda-endpoint")
def _set_endpoint(body, _headers):
    url = body.get("url")
    if not isinstance(url, str) or not url.startswith("http://"):
        raise control.ControlError(400, "url is required: where functions reach AWS, http://...")
    set_endpoint(url)
    # Those that run have the old endpoint in their environment.
    lambda_runtime.reset()
    return {"url": url}


@control.route("PUT", "function-clock")
def _set_clock(body, _headers):
    """Functions that start from now on have a clock that is ahead by so many seconds: what is due later can be seen now."""
    ahead = body.get("aheadSeconds")
    if isinstance(ahead, bool) or not isinstance(ahead, (int, float)) or ahead < 0:
        raise control.ControlError(400, "aheadSeconds is required: a number of seconds, 0 or more")
    os.environ["BULKHEAD_CLOCK_AHEAD_MS"] = str(int(ahead * 1000))
    lambda_runtime.reset()
    return {"aheadSeconds": ahead}


def install():
    from ministack.services import lambda_svc

    # In the script and not in NODE_OPTIONS, which a function may set for itself.
    script = f"require({json.dumps(_REDIRECT)});\n{lambda_runtime._NODEJS_WORKER_SCRIPT}"
    lambda_runtime._NODEJS_WORKER_SCRIPT = script.replace(
        'trace: err.stack || ""', 'trace: err.stack || "", errorType: err.name || "Error"'
    ).replace("trace: e.stack", 'trace: e.stack, errorType: e.name || "Error"')
    lambda_runtime.Worker.invoke = _noting_error_type(lambda_runtime.Worker.invoke)
    lambda_svc._execute_function_warm = _with_error_type(lambda_svc._execute_function_warm)
    lambda_svc.invoke_async_with_retry = _invoke_async
    lambda_runtime.execution_credentials = _with_role_id(lambda_runtime.execution_credentials)


def _noting_error_type(invoke):
    def invoke_noting(self, *args, **kwargs):
        result = invoke(self, *args, **kwargs)
        _last_error.value = result if result.get("status") == "error" and result.get("errorType") else None
        return result

    return invoke_noting


def _with_error_type(execute):
    """A handler's error has the type and the stack that the handler threw, where MiniStack always says HandlerError."""

    def execute_with_type(func, event, request_id):
        _last_error.value = None
        result = execute(func, event, request_id)
        thrown = _last_error.value
        if thrown and result.get("error") and result["body"].get("errorType") == "Runtime.HandlerError":
            result["body"]["errorType"] = thrown["errorType"]
            result["body"]["trace"] = str(thrown.get("trace", "")).split("\n")
        return result

    return execute_with_type


def _with_role_id(execution_credentials):
    def credentials(config):
        from ministack.services import iam, sts

        found = execution_credentials(config)
        session = sts._sessions.get(found["AWS_ACCESS_KEY_ID"])
        role_arn = config.get("Role", "")
        if session is not None and role_arn.count(":") > 4:
            role = iam._roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1]) or {}
            session["UserId"] = f"{role.get('RoleId', 'AROA')}:{config.get('FunctionName', '')}"
            session["PrincipalType"] = "AssumedRole"
        return found

    return credentials


def _invoke_async(func, event):
    """An invocation as an event: retried, then put aside where the function says; its success told where it says."""
    from ministack.services import lambda_svc

    config = func.get("config") or func
    region = config["FunctionArn"].split(":")[3]
    if outage.is_cut_off(region):
        return
    run = lambda_svc._run_with_function_config_scope
    token = calls._current.set(None)  # What the function does is not the call that set it off.
    try:
        threading.Thread(target=run, args=(func, _attempts, func, config, event, region), daemon=True).start()
    finally:
        calls._current.reset(token)


def _turn(function_arn):
    with _turns_lock:
        return _turns.setdefault(function_arn, threading.BoundedSemaphore(_CONCURRENT))


def _attempts(func, config, event, region):
    from ministack.services import lambda_svc

    settings = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
    retries = settings.get("MaximumRetryAttempts")
    retries = 2 if retries is None else int(retries)
    destinations = settings.get("DestinationConfig") or {}
    request_id = new_uuid()
    result = {}
    attempt = 0
    for attempt in range(1, retries + 2):
        if attempt > 1:
            time.sleep(_RETRY_SECONDS[min(attempt - 2, len(_RETRY_SECONDS) - 1)])
        if outage.is_cut_off(region):
            return
        with _turn(config["FunctionArn"]):
            result = lambda_svc._execute_function(func, event)
        if not result.get("error"):
            break
    failed = bool(result.get("error"))
    destination = (destinations.get("OnFailure" if failed else "OnSuccess") or {}).get("Destination")
    if destination:
        _to_destination(destination, config, event, result, request_id, attempt, failed)
    queue = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if failed and queue:
        _to_dead_letters(queue, config, event, result, request_id)


def _to_destination(arn, config, event, result, request_id, attempts, failed):
    envelope = {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{config['FunctionArn']}:{config.get('Version', '$LATEST')}",
            "condition": "RetriesExhausted" if failed else "Success",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": config.get("Version", "$LATEST"),
            **({"functionError": "Unhandled"} if failed else {}),
        },
        "responsePayload": result.get("body"),
    }
    _send(arn, config, json.dumps(envelope), None, envelope)


def _to_dead_letters(arn, config, event, result, request_id):
    """A dead-letter queue gets the event itself; the error stands in the message's attributes."""
    body = result.get("body") if isinstance(result.get("body"), dict) else {}
    attributes = {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": body.get("errorMessage", "")[:1024]}
    _send(arn, config, json.dumps(event), attributes, event)


_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}


def _send(arn, config, text, attributes, value):
    """Sends with the function's role, which must be allowed to."""
    service = arn.split(":")[2] if arn.count(":") > 4 else ""
    action = _ACTIONS.get(service)
    if action is None:
        logger.warning("%s: nothing is sent to %s", config["FunctionArn"], arn)
        return
    function_arn = config["FunctionArn"]
    account = function_arn.split(":")[4]
    problem, _ = delivery.assume(config.get("Role", ""), "lambda.amazonaws.com", action, arn, function_arn, account)
    if problem:
        logger.warning("%s: %s", config["FunctionArn"], problem)
    elif service == "sqs":
        delivery.send_to_queue(arn, text, attributes)
    elif service == "sns":
        from ministack.services import sns

        sns.publish_internal(arn, text, "")
    elif service == "lambda":
        delivery.invoke_async(arn, json.dumps(value))
    else:
        from ministack.services import eventbridge

        outcome = "Success" if value["requestContext"]["condition"] == "Success" else "Failure"
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {outcome}",
            "Detail": text,
            "EventBusName": arn,
        }
        eventbridge._put_events({"Entries": [entry]})
