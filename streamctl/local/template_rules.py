"""What CloudFormation holds to and ministack does not, for the resources of our templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from streamctl.local.engine_room import EngineRoom

_PROVISIONERS: Final = "services.cloudformation.provisioners"
_EVENTS: Final = "services.eventbridge"
_STREAM: Final = "AWS::Kinesis::Stream"
_BUS: Final = "AWS::Events::EventBus"
_RULE: Final = "AWS::Events::Rule"

# Where ministack keeps what has a name: the property, and the store of its service.
_NAMED: Final = {
    _STREAM: ("Name", "services.kinesis", "_streams"),
    "AWS::DynamoDB::Table": ("TableName", "services.dynamodb", "_tables"),
    "AWS::IAM::Role": ("RoleName", "services.iam", "_roles"),
    "AWS::Lambda::Function": ("FunctionName", "services.lambda_svc", "_functions"),
    "AWS::Logs::LogGroup": ("LogGroupName", "services.cloudwatch_logs", "_log_groups"),
    "AWS::SQS::Queue": ("QueueName", "services.sqs", "_queue_name_to_url"),
}

Create = Callable[[str, dict[str, Any], str], Any]


def hold_to_templates(engine: EngineRoom) -> None:
    """Install the rules below. Once a process, before the first stack."""
    handlers = engine.part(_PROVISIONERS, "_RESOURCE_HANDLERS")
    for kind, (property_, module, store) in _NAMED.items():
        taken = engine.part(module, store)
        handlers[kind]["create"] = _new_only(kind, property_, taken, handlers[kind]["create"])
    _encrypt_streams(engine, handlers[_STREAM])
    _make_new_rules_only(engine, handlers[_RULE])
    _demand_buses(engine, handlers[_RULE])
    _keep_buses_with_rules(engine, handlers[_BUS])


def _new_only(kind: str, property_: str, taken: Any, create: Create) -> Create:
    """A stack creates what there is not; ministack takes over what has the name.

    And would delete it with the stack, though it was never the stack's.
    """

    def checked(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        name = props.get(property_)
        if name and name in taken:
            raise ValueError(f"Resource of type '{kind}' with identifier '{name}' already exists.")
        return create(logical_id, props, stack)

    return checked


def _encrypt_streams(engine: EngineRoom, handlers: dict[str, Any]) -> None:
    """A template's StreamEncryption shows in DescribeStream; ministack leaves it out."""
    streams = engine.part("services.kinesis", "_streams")
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        name, attributes = create(logical_id, props, stack)
        _encrypt(streams[name], props)
        return name, attributes

    def updated(name: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Any:
        name, attributes = update(name, old, new, stack)
        _encrypt(streams[name], new)
        return name, attributes

    handlers.update(create=created, update=updated)


def _encrypt(stream: dict[str, Any], props: Mapping[str, Any]) -> None:
    wanted = props.get("StreamEncryption") or {}
    stream["EncryptionType"] = wanted.get("EncryptionType", "NONE")
    stream["KeyId"] = wanted.get("KeyId")


def _make_new_rules_only(engine: EngineRoom, handlers: dict[str, Any]) -> None:
    """As _new_only does, but for a name that is taken on its bus alone."""
    rules = engine.part(_EVENTS, "_rules")
    key_of = engine.part(_EVENTS, "_rule_key")
    bus_of = engine.part(_PROVISIONERS, "_eb_rule_bus_name")
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        name, bus = props.get("Name"), bus_of(props)
        if name and key_of(name, bus) in rules:
            raise ValueError(
                f"Resource of type '{_RULE}' with identifier '{bus}|{name}' already exists."
            )
        return create(logical_id, props, stack)

    handlers["create"] = created


def _demand_buses(engine: EngineRoom, handlers: dict[str, Any]) -> None:
    """A rule is made on a bus that there is, by a template as by PutRule."""
    buses = engine.part(_EVENTS, "_event_buses")
    bus_of = engine.part(_PROVISIONERS, "_eb_rule_bus_name")
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        bus = bus_of(props)
        if bus != "default" and bus not in buses:
            raise ValueError(
                f"Event bus {bus} does not exist. (Service: EventBridge, ResourceNotFoundException)"
            )
        return create(logical_id, props, stack)

    handlers["create"] = created


def _keep_buses_with_rules(engine: EngineRoom, handlers: dict[str, Any]) -> None:
    """A bus goes when its rules have gone, by a template as by DeleteEventBus."""
    rules = engine.part(_EVENTS, "_rules")
    delete_by_api = engine.part(_EVENTS, "_delete_event_bus")
    delete_by_template = handlers["delete"]
    refuse = engine.part("core.responses", "error_response_json")
    why = "Event bus can't be deleted since it has rules."

    def has_rules(bus: Any) -> bool:
        return any(rule.get("EventBusName") == bus for rule in rules.values())

    def deleted_by_api(data: dict[str, Any]) -> Any:
        if has_rules(data.get("Name")):
            return refuse("ValidationException", why, 400)
        return delete_by_api(data)

    def deleted_by_template(bus: str, props: dict[str, Any]) -> Any:
        if has_rules(bus):
            raise ValueError(f"{why} (Service: EventBridge, ValidationException)")
        return delete_by_template(bus, props)

    engine.replace(_EVENTS, "_delete_event_bus", deleted_by_api)
    handlers["delete"] = deleted_by_template
