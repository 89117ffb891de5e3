"""Step Functions: the execution role counts, distributed maps read and write S3, task tokens need heartbeats.

From the Step Functions developer guide ("IAM policies for integrated services", "Map state in Distributed mode", "ResultWriter",
"Wait for a callback with task token", "Error handling"):

- Every call is made with the execution role, which has to trust states.amazonaws.com and to allow the call.
- A distributed map starts its children as executions of the machine itself: the role needs states:StartExecution on it.
- A map run over its tolerated failures ends at once, with what is still running aborted. With a ResultWriter, results go to S3
  and the state's output says where; without one, they are the output.
- A token without a heartbeat for HeartbeatSeconds fails with States.HeartbeatTimeout; a token whose task is over is refused
  with TaskTimedOut.
"""
import collections
import contextvars
import copy
import json
import logging
import re
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudwatch, s3, stepfunctions

from overlay import delivery, outage, regions

logger = logging.getLogger("bulkhead.states")

PRINCIPAL = "states.amazonaws.com"
#: Tokens whose tasks are over, the latest only.
_ended_tokens = collections.OrderedDict()
_ENDED_TOKENS = 10_000
_POLL_SECONDS = 0.2
#: Children of a map run that run at the same time when MaxConcurrency sets no limit; each takes a thread here.
_WORKERS = 64

#: Role and ARN of the machine whose execution the thread works for.
_acting = contextvars.ContextVar("bulkhead_state_machine", default=None)
#: The execution that the thread works for: what it does ends with it.
_executing = contextvars.ContextVar("bulkhead_execution", default=None)


def install():
    stepfunctions._run_execution = _as_its_role(stepfunctions._run_execution)
    stepfunctions._invoke_resource = _allowed_only(stepfunctions._invoke_resource)
    stepfunctions._invoke_with_callback = _callback
    stepfunctions._run_distributed_map = _distributed_map
    stepfunctions._fail_execution = _unless_over(stepfunctions._fail_execution)
    stepfunctions._emit_execution_status_event = _with_metrics(stepfunctions._emit_execution_status_event)
    stepfunctions._create_state_machine = _with_usable_role(stepfunctions._create_state_machine)
    stepfunctions._update_state_machine = _with_usable_role(stepfunctions._update_state_machine)
    for name in ("success", "failure", "heartbeat"):
        name = f"_send_task_{name}"
        setattr(stepfunctions, name, _with_live_token(getattr(stepfunctions, name)))
    # MiniStack waits a moment before each execution, as AWS takes one; tests of many executions need not.
    stepfunctions.time = _QuickTime()


class _QuickTime:
    """The module `time`, whose fixed pause before an execution is left out."""

    def __getattr__(self, name):
        return getattr(time, name)

    @staticmethod
    def sleep(seconds):
        if seconds != 0.15:
            time.sleep(seconds)


def _unless_over(fail):
    """What a stopped execution's tasks run into does not turn ABORTED into FAILED."""
    return lambda execution, error, cause: fail(execution, error, cause) if execution["status"] == "RUNNING" else None


_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def _with_metrics(emit):
    """What an execution does counts in the metrics of its machine, where alarms look."""

    def emit_with_metrics(execution):
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        metric = _METRICS[execution["status"]]
        cloudwatch._store_datum("AWS/States", metric, dimensions, time.time(), "Count", 1.0, None, None, None)
        emit(execution)

    return emit_with_metrics


def _fail(error, cause):
    raise stepfunctions._ExecutionError(error, cause)


# ---------------------------------------------------------------- execution role


def _as_its_role(run):
    def run_as_its_role(execution_arn):
        execution = stepfunctions._executions.get(execution_arn)
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) if execution else None
        if machine is not None:
            _acting.set((machine["roleArn"], machine["stateMachineArn"]))
            _executing.set(execution)
        return run(execution_arn)

    return run_as_its_role


def _with_usable_role(handler):
    """CreateStateMachine and UpdateStateMachine look at the role: its trust, and what logging needs."""

    def handle(data):
        role = data.get("roleArn")
        arn = data.get("stateMachineArn") or f"arn:aws:states:{get_region()}:{get_account_id()}:stateMachine:{data.get('name')}"
        if role:
            problem, _ = delivery.assume(role, PRINCIPAL, "sts:AssumeRole", role, arn, get_account_id())
            if problem and "does not trust" in problem:
                return error_response_json(
                    "AccessDeniedException",
                    f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized to assume the "
                    "provided role.",
                    400,
                )
        logging_to = (data.get("loggingConfiguration") or {}).get("destinations")
        if role and logging_to:
            for action in ("logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:DescribeLogGroups"):
                problem, _ = delivery.assume(role, PRINCIPAL, action, "*", arn, get_account_id())
                if problem:
                    return error_response_json(
                        "AccessDeniedException",
                        "The state machine IAM Role is not authorized to access the Log Destination",
                        400,
                    )
        status, headers, body = handler(data)
        if status == 200 and "tracingConfiguration" in data:
            stepfunctions._state_machines[arn]["tracingConfiguration"] = data["tracingConfiguration"]
        return status, headers, body

    return handle


def _require(action, resource, error):
    """Fails the task unless the execution's role may do this."""
    acting = _acting.get()
    if acting is None:
        return
    role, machine = acting
    problem, _ = delivery.assume(role, PRINCIPAL, action, resource, machine, machine.split(":")[4])
    if problem:
        session = re.sub(r":iam::(\d+):role/(?:.*/)?([^/]+)$", r":sts::\1:assumed-role/\2/states", role)
        _fail(error, f"User: {session} is not authorized to perform: {action} on resource: {resource}: {problem}")


#: By integration: the action, the parameter with the resource, and the error of a refusal.
_INTEGRATIONS = {
    "sqs:sendMessage": ("sqs:SendMessage", "SQS.AmazonSQSException"),
    "sns:publish": ("sns:Publish", "SNS.AmazonSNSException"),
    "events:putEvents": ("events:PutEvents", "EventBridge.EventBridgeException"),
    "states:startExecution": ("states:StartExecution", "StepFunctions.SfnException"),
    "dynamodb:getItem": ("dynamodb:GetItem", "DynamoDB.AmazonDynamoDBException"),
    "dynamodb:putItem": ("dynamodb:PutItem", "DynamoDB.AmazonDynamoDBException"),
    "dynamodb:updateItem": ("dynamodb:UpdateItem", "DynamoDB.AmazonDynamoDBException"),
    "dynamodb:deleteItem": ("dynamodb:DeleteItem", "DynamoDB.AmazonDynamoDBException"),
}


def _authorize(resource, given):
    """Fails the task unless the role may call what a Task state's resource stands for."""
    clean = re.sub(r"\.(sync(:2)?|waitForTaskToken)$", "", resource)
    given = given if isinstance(given, dict) else {}
    if clean.endswith(":states:::lambda:invoke"):
        _require("lambda:InvokeFunction", _function_arn(given.get("FunctionName", "")), "Lambda.AWSLambdaException")
        return
    if ":lambda:" in clean and ":function:" in clean:
        _require("lambda:InvokeFunction", clean, "Lambda.AWSLambdaException")
        return
    integration = clean.partition(":states:::")[2]
    if integration in _INTEGRATIONS:
        action, error = _INTEGRATIONS[integration]
        for each in _resources_of(integration, given):
            _require(action, each, error)
    elif integration.startswith("aws-sdk:"):
        _, service, operation = integration.split(":")
        # What such a call works on differs by service: its first ARN counts, or nothing in particular.
        named = next((value for value in given.values() if isinstance(value, str) and value.startswith("arn:")), "*")
        _require(f"{service}:{operation[:1].upper()}{operation[1:]}", named, "States.Permissions")


def _function_arn(reference):
    if reference.startswith("arn:"):
        return reference
    partition = regions.partition_of(get_region())
    return f"arn:{partition}:lambda:{get_region()}:{get_account_id()}:function:{reference}"


def _resources_of(integration, given):
    partition, region, account = regions.partition_of(get_region()), get_region(), get_account_id()
    service = integration.split(":")[0]
    if service == "sqs":
        queue = given.get("QueueUrl", "").rstrip("/").rsplit("/", 1)[-1]
        return [f"arn:{partition}:sqs:{region}:{account}:{queue}"]
    if service == "sns":
        return [given.get("TopicArn") or given.get("TargetArn") or "*"]
    if service == "events":
        names = {each.get("EventBusName") or "default" for each in given.get("Entries") or [{}]}
        return [n if n.startswith("arn:") else f"arn:{partition}:events:{region}:{account}:event-bus/{n}" for n in names]
    if service == "states":
        return [given.get("StateMachineArn") or "*"]
    table = given.get("TableName", "")
    return [table if table.startswith("arn:") else f"arn:{partition}:dynamodb:{region}:{account}:table/{table}"]


def _allowed_only(invoke):
    def invoke_allowed(resource, given):
        executing = _executing.get()
        if executing is not None and executing["status"] != "RUNNING":
            _fail("States.TaskFailed", "the execution was stopped")
        if outage.is_cut_off(get_region()):
            _fail("States.TaskFailed", f"{get_region()} does not answer")
        _authorize(resource, given)
        return invoke(resource, given)

    return invoke_allowed


# ---------------------------------------------------------------- task tokens


def _with_live_token(handler):
    def handle(data):
        token = data.get("taskToken")
        if token in _ended_tokens:
            return error_response_json(
                "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400
            )
        response = handler(data)
        info = stepfunctions._task_tokens.get(token)
        if info is not None:
            info["beat"] = time.monotonic()
        return response

    return handle


def _end_token(token):
    _ended_tokens[token] = True
    while len(_ended_tokens) > _ENDED_TOKENS:
        _ended_tokens.popitem(last=False)
    return stepfunctions._task_tokens.pop(token, {})


def _callback(resource, given, token, state):
    """A task that waits for its token: the call is made, then its result, failure, time-out or missing heartbeat awaited."""
    event = threading.Event()
    now = time.monotonic()
    stepfunctions._task_tokens[token] = {"event": event, "result": None, "error": None, "heartbeat": None, "beat": now}
    try:
        stepfunctions._invoke_resource(re.sub(r"\.waitForTaskToken$", "", resource), given)
        _await(token, event, now, state)
    finally:
        info = _end_token(token)
    if info.get("error"):
        _fail(info["error"].get("Error") or "TaskFailed", info["error"].get("Cause") or "")
    try:
        return json.loads(info.get("result") or "{}")
    except ValueError:
        return info["result"]


def _await(token, event, started, state):
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    executing = _executing.get()
    while not event.wait(_POLL_SECONDS):
        now = time.monotonic()
        if timeout is not None and now - started >= timeout:
            _fail("States.Timeout", "")
        if heartbeat is not None and now - stepfunctions._task_tokens[token]["beat"] >= heartbeat:
            _fail("States.HeartbeatTimeout", "")
        if executing is not None and executing["status"] != "RUNNING":
            _fail("States.TaskFailed", "the execution was stopped")


# ---------------------------------------------------------------- distributed maps


def _field(state, name, raw, effective, ctx, default=None):
    """A number or text of a Map state: given, by a path (`NamePath`), or by an expression."""
    if f"{name}Path" in state:
        return stepfunctions._resolve_path_or_ctx(state[f"{name}Path"], effective, ctx)
    value = state.get(name, default)
    if isinstance(value, str) and stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_template(value, raw, ctx)
    return value


def _template(state, value, raw, effective, ctx):
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_template(value, raw, ctx)
    return stepfunctions._resolve_params_obj(value, effective, ctx)


def _items(state, raw, effective, ctx):
    reader = state.get("ItemReader")
    if reader is None:
        if stepfunctions._state_query_language(state, ctx) == "JSONata" and "Items" in state:
            return stepfunctions._jsonata_state_field(state, "Items", "array", raw, ctx)
        return stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    where = _template(state, reader.get("Parameters") or reader.get("Arguments") or {}, raw, effective, ctx)
    resource = reader.get("Resource", "")
    partition = regions.partition_of(get_region())
    bucket = f"arn:{partition}:s3:::{where.get('Bucket')}"
    if resource.endswith("s3:listObjectsV2"):
        _require("s3:ListBucket", bucket, "States.ItemReaderFailed")
    else:
        _require("s3:GetObject", f"{bucket}/{where.get('Key')}", "States.ItemReaderFailed")
    return stepfunctions._read_map_items({**reader, "Parameters": where, "Arguments": None}, effective, ctx)


class _MapRun:
    """A map run: its children, their counts, and when it has failed often enough to end."""

    def __init__(self, state, raw, effective, execution, ctx, items):
        machine = execution["stateMachineArn"]
        parts = machine.split(":")
        label = state.get("Label") or new_uuid()
        self.root = ":".join(parts[:5])
        self.name = f"{parts[6]}/{label}"
        self.run_id = new_uuid()
        self.arn = f"{self.root}:mapRun:{self.name}:{self.run_id}"
        self.machine = f"{self.root}:stateMachine:{self.name}"
        self.total = len(items)
        self.count = int(_field(state, "ToleratedFailureCount", raw, effective, ctx, 0) or 0)
        self.percentage = float(_field(state, "ToleratedFailurePercentage", raw, effective, ctx, 0) or 0)
        self.counts_set = {name for name in ("Count", "Percentage") if state.get(f"ToleratedFailure{name}") is not None
                           or f"ToleratedFailure{name}Path" in state}
        self.concurrency = int(_field(state, "MaxConcurrency", raw, effective, ctx, 0) or 0)
        self.lock = threading.Lock()
        zero = dict.fromkeys(
            ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "resultsWritten", "failuresNotRedrivable",
             "pendingRedrive"), 0)
        self.record = {
            "mapRunArn": self.arn,
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": now_iso(),
            "maxConcurrency": self.concurrency,
            "toleratedFailurePercentage": self.percentage,
            "toleratedFailureCount": self.count,
            "itemCounts": {**zero, "total": self.total, "pending": self.total},
            "executionCounts": {**zero, "total": self.total, "pending": self.total},
            "redriveCount": 0,
            "_stateMachineArn": self.machine,
        }
        stepfunctions._map_runs[self.arn] = self.record

    def move(self, before, after):
        with self.lock:
            for counts in (self.record["itemCounts"], self.record["executionCounts"]):
                counts[before] -= 1
                counts[after] += 1

    def is_over(self):
        """Whether more children failed than are tolerated. Without a threshold, the first failure is one too many."""
        failed = self.record["executionCounts"]["failed"]
        if not failed:
            return False
        exceeded = []
        if "Count" in self.counts_set:
            exceeded.append(failed > self.count)
        if "Percentage" in self.counts_set:
            exceeded.append(failed * 100 > self.percentage * self.total)
        return any(exceeded) if exceeded else True

    def end(self, status):
        self.record["status"] = status
        self.record["stopDate"] = now_iso()


def _distributed_map(state, raw, effective, processor, execution, ctx):
    _executing.set(execution)
    items = _items(state, raw, effective, ctx)
    if not isinstance(items, list):
        _fail("States.ItemReaderFailed", "the items of a Map state are an array")
    _require("states:StartExecution", execution["stateMachineArn"], "States.Permissions")
    run = _MapRun(state, raw, effective, execution, ctx, items)
    children = _run_children(state, raw, effective, processor, execution, ctx, items, run)
    exceeded = run.is_over()
    stopped = execution["status"] != "RUNNING"
    run.end("ABORTED" if stopped else "FAILED" if exceeded else "SUCCEEDED")
    written = _write_results(state, raw, effective, ctx, children, run)
    if stopped:
        _fail("States.TaskFailed", "the execution was stopped")
    if exceeded:
        _fail(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded" if run.counts_set
            else "The specified tolerated failure threshold was exceeded: no failure is tolerated",
        )
    # A child that failed within what is tolerated leaves its input, error and cause in the results.
    result = written if written is not None else [_outcome(child) for child in children]
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        output = stepfunctions._apply_jsonata_output(state, raw, ctx, result=result, default=result)
        stepfunctions._apply_state_assign(state, raw, ctx, result=result)
        return output, stepfunctions._next_or_end(state)
    selected = stepfunctions._apply_result_selector(state, result)
    output = stepfunctions._apply_result_path(state, raw, selected)
    return stepfunctions._apply_output_path(state, output, ctx), stepfunctions._next_or_end(state)


def _outcome(child):
    if child["status"] == "SUCCEEDED":
        return json.loads(child["output"])
    return _described(child)


def _run_children(state, raw, effective, processor, execution, ctx, items, run):
    selector = state.get("ItemSelector") or state.get("Parameters")
    stopped = threading.Event()

    def run_child(index, item):
        child_ctx = {**ctx, "Map": {"Item": {"Index": index, "Value": item}}, "State": dict(ctx.get("State") or {})}
        child_input = _template(state, selector, raw, effective, child_ctx) if selector else item
        name = new_uuid()
        child = {
            "executionArn": f"{run.root}:execution:{run.name}:{name}",
            "stateMachineArn": run.machine,
            "name": name,
            "status": "RUNNING",
            "startDate": now_iso(),
            "stopDate": None,
            "input": json.dumps(child_input),
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "mapRunArn": run.arn,
            "events": [],
            "testCase": execution.get("testCase"),
            "mockAttempts": {},
        }
        children[index] = child
        if stopped.is_set() or execution["status"] != "RUNNING":
            child.update(status="ABORTED", stopDate=now_iso())
            run.move("pending", "aborted")
            return
        stepfunctions._executions[child["executionArn"]] = child
        run.move("pending", "running")
        # Each child has its own variables and its own context of the execution.
        child_ctx["Execution"] = {**ctx["Execution"], "Id": child["executionArn"], "Input": child_input, "Name": name,
                                  "StartTime": child["startDate"]}
        child_ctx["variables"] = copy.deepcopy(ctx.get("variables") or {})
        _executing.set(child)
        outcome = "succeeded"
        try:
            result = stepfunctions._run_sub_machine(
                processor.get("States", {}), processor.get("StartAt"), child_input, child, child_ctx
            )
            child.update(status="SUCCEEDED", output=json.dumps(result))
        except Exception as failure:  # noqa: BLE001 - one child's failure is counted, and is not the others'
            if not isinstance(failure, stepfunctions._ExecutionError):
                logger.exception("%s failed", child["executionArn"])
                failure = stepfunctions._ExecutionError("States.Runtime", str(failure))
            if child["status"] == "RUNNING":
                child.update(status="FAILED", error=failure.error, cause=failure.cause)
            outcome = "failed" if child["status"] == "FAILED" else "aborted"
        child["stopDate"] = now_iso()
        run.move("running", outcome)
        if run.is_over() and not stopped.is_set():
            stopped.set()
            for other in list(children):
                if other is not None and other["status"] == "RUNNING":
                    other["status"] = "ABORTED"

    children = [None] * len(items)
    workers = min(run.concurrency or _WORKERS, _WORKERS, max(len(items), 1))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting = collections.deque(enumerate(items))
        running = set()
        while waiting or running:
            # Handed over as there is room: a queue of thousands of futures would hold as many contexts.
            while waiting and len(running) < workers:
                index, item = waiting.popleft()
                running.add(pool.submit(contextvars.copy_context().run, run_child, index, item))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                each.result()
    return children


def _described(child):
    """A child as the result files describe it."""
    described = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }
    if child["status"] == "SUCCEEDED":
        described["Output"] = child["output"]
        described["OutputDetails"] = {"Included": True}
    elif child["status"] == "FAILED":
        described["Error"], described["Cause"] = child["error"], child["cause"]
    return described


def _write_results(state, raw, effective, ctx, children, run):
    """Writes the results to S3 as the state says; what the state's output says of it, or None without a ResultWriter."""
    writer = state.get("ResultWriter")
    if not writer:
        return None
    config = writer.get("WriterConfig") or {}
    transformation = config.get("Transformation", "NONE")
    where = _template(state, writer.get("Parameters") or writer.get("Arguments") or {}, raw, effective, ctx)
    if not where.get("Bucket"):
        return [_outcome(child) if transformation != "NONE" else _described(child) for child in children]
    bucket, prefix = where["Bucket"], (where.get("Prefix") or "").rstrip("/")
    folder = f"{prefix}/{run.run_id}" if prefix else run.run_id
    partition = regions.partition_of(get_region())
    for action in ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"):
        _require(action, f"arn:{partition}:s3:::{bucket}/{folder}/manifest.json", "States.ResultWriterFailed")
    files = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    lines = config.get("OutputType", "JSON") == "JSONL"
    for status, statuses in (("SUCCEEDED", {"SUCCEEDED"}), ("FAILED", {"FAILED", "TIMED_OUT"}), ("PENDING", {"ABORTED"})):
        chosen = [child for child in children if child["status"] in statuses]
        if not chosen:
            continue
        values = [_outcome(child) if transformation != "NONE" and status == "SUCCEEDED" else _described(child) for child in chosen]
        if transformation == "FLATTEN" and status == "SUCCEEDED":
            values = [part for value in values for part in (value if isinstance(value, list) else [value])]
        text = "\n".join(map(json.dumps, values)) if lines else json.dumps(values)
        key = f"{folder}/{status}_0.{'jsonl' if lines else 'json'}"
        _put(bucket, key, text)
        files[status].append({"Key": key, "Size": len(text.encode())})
    manifest = {"DestinationBucket": bucket, "MapRunArn": run.arn, "ResultFiles": files}
    _put(bucket, f"{folder}/manifest.json", json.dumps(manifest))
    run.record["itemCounts"]["resultsWritten"] = run.record["executionCounts"]["resultsWritten"] = len(children)
    return {"MapRunArn": run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": f"{folder}/manifest.json"}}


def _put(bucket, key, text):
    status, _, body = s3._put_object(bucket, key, text.encode(), {"content-type": "application/json"})
    if status != 200:
        _fail("States.ResultWriterFailed", f"{bucket}/{key}: {body.decode(errors='replace') if body else status}")
