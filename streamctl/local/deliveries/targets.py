"""One try at one target: a queue, a topic, a function or a log group.

What EventBridge may not do it does not do: the target's own policy is asked, or the role that the
rule names for it, whatever AUTH is. ministack asks neither.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any, Final

from streamctl.local.deliveries.lanes import Delivery
from streamctl.local.deliveries.retrying import Undelivered
from streamctl.local.deliveries.webhooks import Webhooks
from streamctl.local.engine_room import EngineRoom
from streamctl.local.roles import Roles

SERVICE: Final = "events.amazonaws.com"

_EVENTS: Final = "services.eventbridge"
_SQS: Final = "services.sqs"
_SNS: Final = "services.sns"
_LAMBDA: Final = "services.lambda_svc"
_LOGS: Final = "services.cloudwatch_logs"
_EVALUATOR: Final = "core.iam_evaluator"


class Targets:
    """Delivers to whatever a target's ARN names."""

    def __init__(self, engine: EngineRoom, roles: Roles) -> None:
        self._roles = roles
        self._webhooks = Webhooks(engine)
        self._scope = engine.part("core.responses", "request_scope")
        self._parse = engine.part("core.arn", "parse_arn")
        self._evaluate = engine.part(_EVALUATOR, "evaluate_resource_policy")
        self._context_of = engine.part(_EVALUATOR, "EvalContext")
        self._queue_policy = engine.part(_SQS, "queue_policy_for_arn")
        self._into_queue = engine.part(_EVENTS, "_dispatch_to_sqs")
        self._send = engine.part(_SQS, "_act_send_message")
        self._topic_policy = engine.part(_SNS, "topic_policy_for_arn")
        self._publish = engine.part(_SNS, "publish_internal")
        self._unpublished = engine.part(_SNS, "SnsPublishError")
        self._function_policy = engine.part(_LAMBDA, "function_policy_for_arn")
        self._function = engine.part(_LAMBDA, "_get_func_record_for_ref")
        self._execution = engine.part(_LAMBDA, "_execution_record_for_config")
        self._invoke = engine.part(_LAMBDA, "invoke_async_with_retry")
        self._log_groups = engine.part(_LOGS, "_log_groups")
        self._log_policies = engine.part(_LOGS, "_resource_policies")
        self._make_stream = engine.part(_LOGS, "_create_log_stream")
        self._write = engine.part(_LOGS, "_put_log_events")
        self._ways = {
            "events": self._to_webhook,
            "lambda": self._to_function,
            "logs": self._to_log_group,
            "sns": self._to_topic,
            "sqs": self._to_queue,
        }

    def takes(self, arn: str) -> bool:
        """Whether a target is of a kind that is known here."""
        service = _service(arn)
        return service in self._ways and (service != "events" or ":api-destination/" in arn)

    def deliver(self, delivery: Delivery) -> None:
        """Raises Undelivered."""
        arn = str(delivery.target["Arn"])
        region = arn.split(":")[3]
        if region != delivery.region:
            raise Undelivered("NO_RESOURCE", f"{arn} is in another region", again=False)
        with self._scope(delivery.account, delivery.region):
            self._ways[_service(arn)](delivery, arn)

    def fail(self, delivery: Delivery, queue_arn: str, attributes: dict[str, str]) -> None:
        """Put what was not delivered into a failure queue. Raises Undelivered."""
        with self._scope(delivery.account, delivery.region):
            found = self._queue_policy(queue_arn)
            if found is None:
                raise Undelivered("NO_RESOURCE", f"there is no queue {queue_arn}", again=False)
            self._demand(delivery, "sqs:SendMessage", queue_arn, [found[0]])
            message = {
                "QueueUrl": queue_arn.rsplit(":", 1)[-1],
                "MessageBody": delivery.event,
                "MessageAttributes": {
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            }
            self._send(message, "")

    def _to_queue(self, delivery: Delivery, arn: str) -> None:
        found = self._queue_policy(arn)
        if found is None:
            raise Undelivered("NO_RESOURCE", f"there is no queue {arn}", again=False)
        self._permit(delivery, "sqs:SendMessage", arn, [found[0]])
        settings = delivery.target.get("SqsParameters") or {}
        self._into_queue(self._parse(arn), delivery.payload, settings)

    def _to_topic(self, delivery: Delivery, arn: str) -> None:
        found = self._topic_policy(arn)
        if found is None:
            raise Undelivered("NO_RESOURCE", f"there is no topic {arn}", again=False)
        self._permit(delivery, "sns:Publish", arn, [found[0]])
        try:
            self._publish(arn, delivery.payload)
        except self._unpublished as error:
            raise Undelivered("INVALID_PARAMETER", str(error), again=False) from error

    def _to_function(self, delivery: Delivery, arn: str) -> None:
        """Taken on, no more: what the function makes of it is Lambda's to retry."""
        record, config, _ = self._function(arn)
        if record is None or config is None:
            raise Undelivered("NO_RESOURCE", f"there is no function {arn}", again=False)
        found = self._function_policy(arn)
        self._permit(delivery, "lambda:InvokeFunction", arn, found[:1] if found else [])
        try:
            event = json.loads(delivery.payload)
        except ValueError as error:
            raise Undelivered("INVALID_JSON", str(error), again=False) from error
        self._invoke(self._execution(record, config), event)

    def _to_log_group(self, delivery: Delivery, arn: str) -> None:
        group = arn.split(":log-group:", 1)[-1].removesuffix(":*")
        if group not in self._log_groups:
            raise Undelivered("NO_RESOURCE", f"there is no log group {group}", again=False)
        stream = str(uuid.uuid5(uuid.NAMESPACE_URL, delivery.rule_arn))
        resource = f"{arn.removesuffix(':*')}:log-stream:{stream}"
        policies = [each["policyDocument"] for each in self._log_policies.values()]
        # EventBridge makes streams in nobody's name (guide, CloudWatch Logs permissions).
        self._demand(delivery, "logs:CreateLogStream", resource, policies, source_arn="")
        self._demand(delivery, "logs:PutLogEvents", resource, policies)
        self._make_stream({"logGroupName": group, "logStreamName": stream})
        event = {"timestamp": int(time.time() * 1000), "message": delivery.payload}
        self._write({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})

    def _to_webhook(self, delivery: Delivery, arn: str) -> None:
        self._permit(delivery, "events:InvokeApiDestination", arn, [])
        self._webhooks.post(delivery, arn)

    def _permit(self, delivery: Delivery, action: str, arn: str, policies: Iterable[Any]) -> None:
        """Raises Undelivered unless the target's role may, or, without one, a policy lets it."""
        role = delivery.target.get("RoleArn")
        if not role:
            self._demand(delivery, action, arn, policies)
        elif not self._roles.trusts(role, SERVICE, delivery.rule_arn):
            said = f"EventBridge may not assume the role {role} for {delivery.rule_arn}"
            raise Undelivered("FAILED_TO_ASSUME_ROLE", said, again=False)
        elif not self._roles.grants(role, action, arn):
            raise Undelivered("NO_PERMISSIONS", f"{role} may not {action} on {arn}", again=False)

    def _demand(
        self,
        delivery: Delivery,
        action: str,
        resource: str,
        policies: Iterable[Any],
        source_arn: str | None = None,
    ) -> None:
        context = self._context_of(
            principal_arn="",
            principal_type="Service",
            principal_account=delivery.account,
            action=action,
            resource_arn=resource,
            region=delivery.region,
            service_context={
                "aws:sourceaccount": delivery.account,
                "aws:sourcearn": delivery.rule_arn if source_arn is None else source_arn,
            },
        )
        for policy in policies:
            if policy and self._evaluate(policy, context, service=SERVICE).decision == "Allow":
                return
        said = f"no policy of {resource} lets {SERVICE} do {action} for {delivery.rule_arn}"
        raise Undelivered("NO_PERMISSIONS", said, again=False)


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""
