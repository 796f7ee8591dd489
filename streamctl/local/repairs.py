"""What ministack 1.5.33 gets wrong, put right: each repair by the name of what it replaces.

Each has a test that fails on ministack alone (tests/local/test_repairs.py).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, Final

from streamctl.local.engine_room import EngineRoom
from streamctl.local.function_endings import report_endings
from streamctl.local.mapping_rules import Refusal, Wanted, malformed, refusal, typed
from streamctl.local.roles import Roles
from streamctl.local.shards import Mapping, Shards, is_kinesis
from streamctl.local.template_rules import hold_to_templates
from streamctl.local.unread_signatures import refuse_unread_signatures
from streamctl.local.webhook_resources import know_webhooks

_LAMBDA: Final = "services.lambda_svc"
_RUNTIME: Final = "core.lambda_runtime"
_PROVISIONERS: Final = "services.cloudformation.provisioners"
_LONGEST_DELAY_S: Final = 900

_MANAGED: Final = "service-role/AmazonRekognitionServiceRole"
# Rekognition developer guide, security-iam-awsmanpol.
_MANAGED_DOCUMENT: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["sns:Publish"],
            "Resource": "arn:aws:sns:*:*:AmazonRekognition*",
        },
        {
            "Effect": "Allow",
            "Action": ["kinesis:PutRecord", "kinesis:PutRecords"],
            "Resource": "arn:aws:kinesis:*:*:stream/AmazonRekognition*",
        },
        {
            "Effect": "Allow",
            "Action": ["kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia"],
            "Resource": "*",
        },
    ],
}


def repair(engine: EngineRoom, roles: Roles, shards: Shards) -> None:
    """Apply every repair. Once a process, before the first request."""
    _refuse_long_delays(engine)
    _demand_capabilities(engine)
    refuse_unread_signatures(engine)
    _isolate_functions(engine)
    report_endings(engine)
    _make_log_groups_by_leave(engine, roles)
    _know_rekognitions_policy(engine)
    _ask_leave_for_the_stream_of_an_iterator(engine)
    _ask_leave_for_versions(engine)
    _leave_kinesis_mappings_to_us(engine)
    NewMappings(engine, roles, shards).install()
    hold_to_templates(engine)
    know_webhooks(engine)


def _refuse_long_delays(engine: EngineRoom) -> None:
    """SQS delays a message by 900 s at most; ministack by any number."""
    send = engine.part("services.sqs", "_act_send_message")
    error = engine.part("services.sqs", "_Err")

    def checked(data: dict[str, Any], url: str) -> dict[str, Any]:
        delay = data.get("DelaySeconds")
        if delay is not None and not 0 <= int(delay) <= _LONGEST_DELAY_S:
            raise error(
                "InvalidParameterValue",
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must"
                f" be >= 0 and <= {_LONGEST_DELAY_S}.",
            )
        result: dict[str, Any] = send(data, url)
        return result

    engine.replace("services.sqs", "_act_send_message", checked)
    engine.part("services.sqs", "_HANDLERS")["SendMessage"] = checked


def _demand_capabilities(engine: EngineRoom) -> None:
    """CreateStack demands capabilities for IAM resources; ministack with AUTH=true only."""
    engine.replace("services.cloudformation.handlers", "_capabilities_enforced", lambda: True)


def _isolate_functions(engine: EngineRoom) -> None:
    """Functions see their zip and boto3 and no more.

    ministack runs them with its own interpreter and environment, so that whatever is installed
    beside it hides what a zip lacks.
    """
    engine.replace(_RUNTIME, "subprocess", engine.functions)
    spawn = "_spawn"
    for kind in ("Worker", "ProvidedWorker"):
        worker = engine.part(_RUNTIME, kind)
        setattr(worker, spawn, _announced(engine, getattr(worker, spawn)))


def _announced(engine: EngineRoom, spawn: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(spawn)
    def announced(*arguments: Any, **options: Any) -> None:
        with engine.functions.beginning():
            spawn(*arguments, **options)

    return announced


def _make_log_groups_by_leave(engine: EngineRoom, roles: Roles) -> None:
    """Lambda makes a function's log group if the function's role may; ministack makes any.

    And so one again that went with its stack, for a function that has just ended.
    """
    tell = engine.part(_LAMBDA, "_emit_lambda_logs")
    groups = engine.part("services.cloudwatch_logs", "_log_groups")
    arn_of = engine.part("services.cloudwatch_logs", "_make_group_arn")

    def told(func: dict[str, Any], *arguments: Any, **options: Any) -> None:
        config = func.get("config") or func
        role, named = config.get("Role", ""), (config.get("LoggingConfig") or {}).get("LogGroup")
        group = named or f"/aws/lambda/{config.get('FunctionName')}"
        # A role that there never was is ministack's leave to try things out.
        may = roles.grants(role, "logs:CreateLogGroup", arn_of(group))
        if group in groups or may or not (named or roles.knows(role)):
            tell(func, *arguments, **options)

    engine.replace(_LAMBDA, "_emit_lambda_logs", told)


def _know_rekognitions_policy(engine: EngineRoom) -> None:
    """Ministack knows AWS's common managed policies; this one of Rekognition's is not there."""
    record = engine.part("services.iam", "_make_aws_managed_record")(
        _MANAGED, json.dumps(_MANAGED_DOCUMENT), "Allows Rekognition to call AWS services."
    )
    engine.part("services.iam", "_aws_managed_policies")[record["Arn"]] = record


def _ask_leave_for_the_stream_of_an_iterator(engine: EngineRoom) -> None:
    """GetRecords takes leave for one data stream (Service Authorization Reference, Kinesis), which
    its iterator tells; ministack asks for leave for all where the call does not name it.
    """
    iterators = engine.part("services.kinesis", "_shard_iterators")
    of_call = engine.part("core.iam_actions", "extract_resource_arn")

    def of_iterator(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *where: str
    ) -> str:
        found: str = of_call(service, method, path, headers, body, query, *where)
        if service != "kinesis" or found != "*" or b"ShardIterator" not in body:
            return found
        region, account = where
        token = _member(body, "ShardIterator")
        return str(iterators.get_scoped(account, region, token, {}).get("stream_arn", found))

    engine.replace("core.iam_actions", "extract_resource_arn", of_iterator)


def _ask_leave_for_versions(engine: EngineRoom) -> None:
    """DeleteObjects takes s3:DeleteObject, and s3:DeleteObjectVersion too of what it names a version
    of (S3 API reference); ministack asks for the one or the other, of the first for the one alone.
    """
    more = engine.part("core.iam_actions", "s3_additional_checks")
    targets = engine.part("core.iam_actions", "_s3_batch_delete_targets")

    def checks(method: str, path: str, headers: Any, body: bytes, query: Any) -> list[Any]:
        found = list(more(method, path, headers, body, query))
        bucket, _, key = path.strip("/").partition("/")
        if method == "POST" and "delete" in query and not key:
            for arn, version in targets(bucket, body):
                found.append(("s3:DeleteObject", arn))
                if version:
                    found.append(("s3:DeleteObjectVersion", arn))
        return found

    engine.replace("core.iam_actions", "s3_additional_checks", checks)


def _member(body: bytes, name: str) -> str:
    """A text in a JSON object; empty where there is none, which ministack then says."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    value = plain.get(name) if isinstance(plain, dict) else None
    return value if isinstance(value, str) else ""


def _leave_kinesis_mappings_to_us(engine: EngineRoom) -> None:
    """Ministack's poller of Kinesis mappings; mappings.py says what is wrong with it."""
    engine.replace(_LAMBDA, "_poll_kinesis", lambda: False)


class NewMappings:
    """Creates mappings as ministack does, after asking what AWS would refuse of them.

    Both ways there are: CreateEventSourceMapping and AWS::Lambda::EventSourceMapping.
    """

    def __init__(self, engine: EngineRoom, roles: Roles, shards: Shards) -> None:
        self._engine = engine
        self._roles = roles
        self._shards = shards
        self._mappings = engine.part(_LAMBDA, "_esms")
        self._create_by_api = engine.part(_LAMBDA, "_create_esm")
        self._create_by_template = engine.part(_PROVISIONERS, "_lambda_esm_create")
        self._update_by_template = engine.part(_PROVISIONERS, "_lambda_esm_update")
        self._error = engine.part("core.responses", "error_response_json")
        self._split = engine.part(_LAMBDA, "_resolve_request_scoped_name_and_qualifier")
        self._function = engine.part(_LAMBDA, "_get_func_record_for_qualifier")
        self._arn = engine.part(_LAMBDA, "_func_arn")
        self._queues = engine.part("services.sqs", "_queues")
        self._account = engine.part("core.responses", "get_account_id")
        self._region = engine.part("core.responses", "get_region")

    def install(self) -> None:
        handlers = self._engine.part(_PROVISIONERS, "_RESOURCE_HANDLERS")
        handlers["AWS::Lambda::EventSourceMapping"]["create"] = self.by_template
        handlers["AWS::Lambda::EventSourceMapping"]["update"] = self.update_by_template
        self._engine.replace(_PROVISIONERS, "_lambda_esm_create", self.by_template)
        self._engine.replace(_LAMBDA, "_create_esm", self.by_api)

    def by_api(self, data: dict[str, Any]) -> Any:
        why = malformed(data) or self._refusal(data)
        if why is not None:
            return self._error(why.code, why.message, why.status)
        answer = self._create_by_api(_with_defaults(data))
        if answer[0] == 202:
            self._begin(json.loads(answer[2])["UUID"], data)
        return answer

    def by_template(self, logical_id: str, props: dict[str, Any], stack: str) -> Any:
        props = typed(props)
        why = self._refusal(props)
        if why is not None:
            raise ValueError(f"{why.message} (Service: Lambda, Status Code: {why.status})")
        uuid, attributes = self._create_by_template(logical_id, _with_defaults(props), stack)
        self._begin(uuid, props)
        return uuid, attributes

    def update_by_template(
        self, uuid: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Any:
        return self._update_by_template(uuid, typed(old), typed(new), stack)

    def _refusal(self, data: dict[str, Any]) -> Refusal | None:
        name, qualifier = self._split(str(data.get("FunctionName", "")))
        record, config = self._function(name, qualifier)
        if record is None:
            return None  # ministack's own refusal says so
        arn = self._arn(name) + (f":{qualifier}" if qualifier else "")
        wanted = Wanted(
            settings=data,
            function_arn=arn,
            role=(config or {}).get("Role", ""),
            function_timeout_s=int((config or {}).get("Timeout", 3)),
            existing=self._mappings.values(),
            queue_visibility_s=self._visibility(str(data.get("EventSourceArn", ""))),
        )
        return refusal(wanted, self._roles)

    def _visibility(self, source: str) -> int | None:
        for queue in self._queues.values():
            attributes = queue.get("attributes", {})
            if attributes.get("QueueArn") == source:
                return int(attributes.get("VisibilityTimeout", 30))
        return None

    def _begin(self, uuid: str, data: dict[str, Any]) -> None:
        """Where the new mapping begins to read is settled now, not when a worker comes by."""
        settings = self._mappings.get(uuid)
        if settings is None or not is_kinesis(settings["EventSourceArn"]):
            return
        if "StartingPositionTimestamp" in data:
            settings["StartingPositionTimestamp"] = data["StartingPositionTimestamp"]
        self._shards.anchor(Mapping(uuid, self._account(), self._region(), settings))


def _with_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """A stream's batch is 100 records by default; ministack's is 10 for every source."""
    return {"BatchSize": 100, **data} if is_kinesis(data.get("EventSourceArn")) else data
