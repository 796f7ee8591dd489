"""The periodic look at everything: what is overdue, what is not as it was, what nobody knows.

One index and one listing say enough to leave most alone: describing every processor each minute
would exceed what AWS allows long before ten thousand of them (Describe 20 a second, tags 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from streamctl.core import asking, door, policy, stretches
from streamctl.core.asking import Asking, Given, OpenRun, Rules, ask
from streamctl.core.door import Wake
from streamctl.core.liveness import Status
from streamctl.errors import Lost, StreamctlError

OVERDUE: Final = timedelta(seconds=60)
"""A clock this late is lost."""

STRANGERS_AT_MOST: Final = 100
"""How many unknown processors one sweep asks for their tags: ten seconds' worth (quotas, General
Reference). Which ones, turns with the minute."""

PATIENCE_S: Final = 5.0
ADVANCE_FOR_S: Final = 25.0
"""So long a sweep does what it found itself. The rest it hands to the clock queue, whose many hands
are at it at once: after minutes without clocks, that is thousands of cameras."""

BUDGET_S: Final = 45.0

_SAME: Final = {Status.UPDATING.value: Status.RUNNING.value}


class Would(StrEnum):
    """What a sweep does about a camera or a processor."""

    ADVANCE = "advance"
    ADOPT = "adopt"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a sweep found, what it does about it, and why. `camera` is empty for a
    processor that is left alone because it is not ours.
    """

    camera: str
    processor: str
    would: Would
    why: str
    only_late: bool = False
    """Its clock is lost, and nothing else is known to be wrong."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A finding, and what came of it: the run's phase, or what went wrong."""

    finding: Finding
    result: str
    failed: bool = False


def find(rules: Rules, given: Given) -> Asking[tuple[Finding, ...]]:
    """Everything there is, and what is to be done about it: what is to be done first.

    Reads only. A sweep that is only tried out ends here.
    """
    opened = yield from ask(asking.ListOpen())
    listed = dict((yield from ask(asking.ListProcessors())))
    now = given.now()
    known = [_known(each, listed, now) for each in opened]
    runs = {each.processor for each in opened if each.processor}
    begin = [name for name, status in listed.items() if status in stretches.BEGINS_A_RUN]
    strangers = _turn([name for name in begin if name not in runs], now)
    unknown = yield from _unknown(strangers, rules)
    rest = [
        Finding("", name, Would.LEAVE, f"it is {status}: nothing to watch")
        for name, status in listed.items()
        if name not in runs and name not in begin
    ]
    return tuple(sorted((*known, *unknown, *rest), key=lambda each: each.would is Would.LEAVE))


def sweep(rules: Rules, given: Given) -> Asking[tuple[Swept, ...]]:
    """Do what is to be done, for as long as the time suffices: the next sweep finds the rest again.

    One camera's failure spares the others.
    """
    began = given.now()
    findings = yield from find(rules, given)
    done = []
    for camera, finding in _first_of_each([f for f in findings if f.would is not Would.LEAVE]):
        name = finding.processor if finding.would is Would.ADOPT else ""
        wake = Wake(camera, "sweep", name, glances=finding.only_late)
        took = (given.now() - began).total_seconds()
        try:
            if took < ADVANCE_FOR_S:
                result = yield from _advance(wake, rules, given)
            elif took < BUDGET_S:
                result = yield from _hand_on(wake)
            else:
                result = "left to the next sweep"
        except StreamctlError as error:
            done.append(Swept(finding, f"failed: {error}", failed=True))
        else:
            done.append(Swept(finding, result))
    return tuple(done)


def _known(each: OpenRun, listed: dict[str, str], now: datetime) -> Finding:
    late = now - each.due
    status = listed.get(each.processor, "gone")
    if each.expects and _SAME.get(status, status) != each.expects:
        why = f"it is {status}, and was {each.expects}"
        return Finding(each.camera, each.processor, Would.ADVANCE, why)
    if late > OVERDUE:
        why = f"its clock is {late.total_seconds():.0f} s late"
        return Finding(each.camera, each.processor, Would.ADVANCE, why, only_late=True)
    why = f"its next look is due in {-late.total_seconds():.0f} s"
    if late > timedelta(0):
        why = f"its clock is {late.total_seconds():.0f} s late; {_limit()} are allowed"
    return Finding(each.camera, each.processor, Would.LEAVE, why)


def _limit() -> str:
    return f"{OVERDUE.total_seconds():.0f} s"


def _unknown(strangers: Iterable[str], rules: Rules) -> Asking[list[Finding]]:
    """Processors that no open run knows: ours are adopted, all others are nobody's business."""
    found = []
    for name in strangers:
        tagged = yield from ask(asking.DescribeTagged(name))
        if tagged is None:
            continue
        if policy.from_tags(tagged.tags, rules.platform) is None:
            found.append(Finding("", name, Would.LEAVE, _not_ours(tagged.tags.keys())))
            continue
        camera, status = tagged.processor.camera, tagged.processor.status
        found.append(Finding(camera, name, Would.ADOPT, f"ours, {status}, and no run knows it"))
    return found


def _not_ours(tags: Iterable[str]) -> str:
    if policy.MANAGED in tags:
        return "another platform's, by its tags"
    return f"not ours: no tag {policy.MANAGED}"


def _turn(strangers: Sequence[str], now: datetime) -> list[str]:
    """As many as one sweep may ask about, beginning elsewhere each minute."""
    if len(strangers) <= STRANGERS_AT_MOST:
        return list(strangers)
    start = int(now.timestamp() // 60) * STRANGERS_AT_MOST % len(strangers)
    return [*strangers[start:], *strangers[:start]][:STRANGERS_AT_MOST]


def _first_of_each(findings: Iterable[Finding]) -> Iterable[tuple[str, Finding]]:
    """One finding a camera: a run and a story may both be overdue."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.camera, finding)
    return first.items()


def _hand_on(wake: Wake) -> Asking[str]:
    message = {"camera": wake.camera, "processor": wake.processor, "glance": wake.glances}
    yield from ask(asking.Send(message, 0))
    return "handed to the clock queue"


def _advance(wake: Wake, rules: Rules, given: Given) -> Asking[str]:
    try:
        run = yield from door.advance(wake, rules, given, PATIENCE_S)
    except Lost:
        return "somebody else is at it"
    return run.phase.value if run else "no run"
