"""What a fault may be: each member within its limits, and all of them together meaning something."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from streamctl.errors import AskedWrongly
from streamctl.local.faults.happenings import DROPPED, LOST, codes_of, effects_on, is_happening

if TYPE_CHECKING:
    from streamctl.local.faults.fault import Fault

LONGEST_S: Final = 3600.0
MOST_TIMES: Final = 1_000_000
MOST_COPIES: Final = 100
_LONGEST_TEXT: Final = 2048
_OPERATION: Final = re.compile(r"[\w-]+\.\w+")
_EXAMPLE: Final = (
    'for example {"operation": "rekognition.StopStreamProcessor",'
    ' "code": "ThrottlingException", "times": 3}'
)


def demand_sense(fault: Fault) -> Fault:
    """The fault itself. Raises AskedWrongly, which says what is wrong, where it cannot be meant."""
    wrong = [name for name, is_right in _LIMITS.items() if not is_right(getattr(fault, name))]
    if wrong:
        raise AskedWrongly(f"a fault with a wrong {', '.join(wrong)}", hint=_EXAMPLE)
    for nonsense, hint in _nonsense(fault):
        raise AskedWrongly(nonsense, hint=hint)
    return fault


def _nonsense(fault: Fault) -> Iterator[tuple[str, str]]:
    """What cannot be meant, and what could be, most important first."""
    operation, able = fault.operation, effects_on(fault.operation)
    for name in fault.effects:
        if name not in able:
            yield f"{name} does nothing to {operation}", f"it takes {', '.join(able)}"
    if not fault.effects:
        yield "a fault that does nothing", _EXAMPLE
    yield from _strange_error(fault)
    if fault.caller and is_happening(operation):
        yield f"nobody calls {operation}", "leave out caller; target narrows it"
    if fault.kills and not fault.caller:
        yield "a fault that kills, and does not say whom", "name the function in caller"
    if fault.code and fault.kills:
        yield "who is killed hears no error", "leave out code or kills"
    if fault.code == LOST and fault.copies > 1:
        yield "what is lost has no copies", "leave out code or copies"


def _strange_error(fault: Fault) -> Iterator[tuple[str, str]]:
    codes = codes_of(fault.operation)
    if codes and fault.code and fault.code not in codes:
        yield f"the code of {fault.operation} is {' or '.join(codes)}, not {fault.code}", ""
    if fault.code == LOST and not codes:
        yield f"{fault.operation} cannot be lost", "sqs.Message and rekognition.Record can be"
    answers = fault.code and not codes and fault.code != DROPPED
    for name in ("status", "message"):
        if getattr(fault, name) and not answers:
            yield f"{name} without an error to answer", "name the error in code"


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _length(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_S
    )


def _whole(least: int, most: int) -> Callable[[object], bool]:
    def is_right(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return is_right


def _or_none(is_right: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_right(value)


_LIMITS: Final[dict[str, Callable[[object], bool]]] = {
    "operation": lambda value: _text(value) and bool(_OPERATION.fullmatch(str(value))),
    "target": _text,
    "caller": _text,
    "skip": _whole(0, MOST_TIMES),
    "times": _or_none(_whole(1, MOST_TIMES)),
    "for_s": _or_none(lambda value: _length(value) and value != 0),
    "code": _text,
    "status": _or_none(_whole(400, 599)),
    "message": _text,
    "delay_s": _length,
    "kills": lambda value: value in ("", "before", "after"),
    "stale_s": _length,
    "shuffle_s": _length,
    "copies": _whole(1, MOST_COPIES),
}
