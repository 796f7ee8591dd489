"""The timeline of a report: a lane for each person at a camera and for its processor, as SVG.

Places along the time are percentages of the lane's width and everything else is pixels, so that a
lane fits any screen and its letters keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from streamctl.cli.event_words import roughly, text, when
from streamctl.core.chronicle import RunEntry, SightingEntry
from streamctl.ops.reporting import Report

_STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600),
    *(86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400),
    *(180 * 86400, 365 * 86400),
)
_MOST_TICKS: Final = 8
_HEIGHT: Final = 30
_MIDDLE: Final = _HEIGHT // 2
_WORTH_A_WORD: Final = 10.0
"""Per cent of the width below which the length of a gap would not fit into it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The time that a timeline shows: where something was told, and a little around it."""

    begins: datetime
    ends: datetime

    def at(self, time: datetime) -> float:
        """Where a time is, in per cent of the width; what is outside is at the edge."""
        share = (time - self.begins) / (self.ends - self.begins)
        return round(min(max(share, 0.0), 1.0) * 100, 3)

    def ticks(self) -> list[datetime]:
        """Round times in UTC, evenly apart, and none so close to an edge that its word is cut."""
        span_s = (self.ends - self.begins).total_seconds()
        fitting = (step for step in _STEPS_S if span_s / step <= _MOST_TICKS)
        step = next(fitting, _STEPS_S[-1])
        first = math.ceil(self.begins.timestamp() / step)
        found = (
            datetime.fromtimestamp(number * step, UTC)
            for number in range(first, math.floor(self.ends.timestamp() / step) + 1)
        )
        return [tick for tick in found if 3 <= self.at(tick) <= 97]


def axis(report: Report) -> Axis:
    """The whole time that was asked for, or the part of it in which all that was told lies, where
    that is so small a part that little could be seen.
    """
    times = [time for each in report.sightings for time in (each.time, each.last)]
    times += [time for run in report.runs for time in (run.began, run.over) if time]
    times += [each.time for each in report.turns]  # a newer version's may begin and end no run
    first, last = (min(max(time, report.since), report.until) for time in (min(times), max(times)))
    margin = max((last - first) * 0.03, timedelta(seconds=5))
    first, last = max(first - margin, report.since), min(last + margin, report.until)
    if last - first > (report.until - report.since) * 0.6:
        return Axis(report.since, report.until)
    return Axis(first, last)


def timeline(report: Report) -> Iterator[str]:
    """The lanes, camera by camera."""
    shown = axis(report)
    cameras = {each.event.camera for each in report.sightings}
    for camera in sorted(cameras | {run.camera for run in report.runs}):
        yield f'<section class="camera"><h3>camera {text(camera)}</h3>'
        yield _ruler(shown)
        runs = [run for run in report.runs if run.camera == camera]
        if runs:
            yield _lane("processor", "soft", shown, [_run(run, shown) for run in runs])
        for who, seen in _people(each for each in report.sightings if each.event.camera == camera):
            yield _lane(who, "", shown, _marks(seen, shown))
        yield "</section>"


def legend() -> str:
    """What the marks mean."""
    marks = (
        (_bar("alert", 0, 100), "alert"),
        (_bar("allow", 0, 100), "allow"),
        (_bar("alert late", 0, 100), "told late"),
        (_bar("alert", 0, 40) + _goes_on("alert", 40, 100), "no end told"),
        (f'<rect class="run" x="0" width="100%" y="{_MIDDLE - 2}" height="3"/>', "processor runs"),
        (_cross(50), "it failed"),
    )
    drawn = (
        f'<span><svg viewBox="0 {_MIDDLE - 8} 28 16" aria-hidden="true">{mark}</svg>{words}</span>'
        for mark, words in marks
    )
    return f'<p class="legend note">{"".join(drawn)}</p>'


def _people(seen: Iterable[SightingEntry]) -> list[tuple[str, list[SightingEntry]]]:
    """Everybody who was at a camera, in order of when they came first; strangers last."""
    found = dict[str, list[SightingEntry]]()
    for each in seen:
        found.setdefault(each.event.person or "", []).append(each)
    people = sorted(found.items(), key=lambda lane: (not lane[0], lane[1][0].time))
    return [(person or "unknown", entries) for person, entries in people]


def _ruler(shown: Axis) -> str:
    words = (
        f'<text{_odd(number)} x="{shown.at(tick)}%" y="12">{_clock(tick, shown)}</text>'
        for number, tick in enumerate(shown.ticks())
    )
    drawn = f'<svg height="18" aria-hidden="true">{"".join(words)}</svg>'
    return f'<div class="lane axis"><span class="name"></span>{drawn}</div>'


def _clock(tick: datetime, shown: Axis) -> str:
    by_day = shown.ends - shown.begins > timedelta(days=7) or tick.hour == tick.minute == 0
    if by_day and not tick.second:
        return f"{tick:%-d %b}"
    return (
        f"{tick:%H:%M:%S}" if shown.ends - shown.begins < timedelta(minutes=5) else f"{tick:%H:%M}"
    )


def _odd(number: int) -> str:
    """On a narrow screen every other word is left out."""
    return ' class="odd"' if number % 2 else ""


def _lane(name: str, kind: str, shown: Axis, marks: Iterable[str]) -> str:
    ticks = "".join(
        f'<line class="tick" x1="{x}%" x2="{x}%" y1="0" y2="{_HEIGHT}"/>'
        for x in map(shown.at, shown.ticks())
    )
    said = text(name)
    return (
        f'<div class="lane"><span class="name {kind}" title="{said}">{said}</span>'
        f'<svg height="{_HEIGHT}" role="img" aria-label="{said}">{ticks}{"".join(marks)}</svg></div>'
    )


def _marks(seen: Sequence[SightingEntry], shown: Axis) -> Iterator[str]:
    for before, after in pairwise(seen):
        if after.time > before.last and before.is_over:
            yield _gap(before.last, after.time, shown)
    for each in seen:
        yield _seen(each, shown)


def _gap(begins: datetime, ends: datetime, shown: Axis) -> str:
    x1, x2 = shown.at(begins), shown.at(ends)
    word = ""
    if x2 - x1 >= _WORTH_A_WORD:
        word = f'<text x="{(x1 + x2) / 2:.3f}%" y="{_MIDDLE - 4}">{roughly(ends - begins)}</text>'
    line = f'<line class="gap" x1="{x1}%" x2="{x2}%" y1="{_MIDDLE}" y2="{_MIDDLE}"/>'
    return line + word


def _seen(entry: SightingEntry, shown: Axis) -> str:
    kind = "alert" if entry.event.attention == "alert" else "allow"
    begins, ends = shown.at(entry.time), shown.at(entry.last)
    bar = _bar(f"{kind} late" if entry.event.late else kind, begins, ends)
    on = "" if entry.is_over else _goes_on(kind, ends, 100)
    said = f"{entry.who}, {entry.event.attention}: {when(entry.time)} to {when(entry.last)} UTC"
    return f"<g><title>{text(said)}</title>{bar}{on}</g>"


def _bar(kind: str, begins: float, ends: float) -> str:
    """Whom to alert of is thicker too: not everybody tells the colours apart."""
    thick = 12 if "alert" in kind else 5
    return (
        f'<rect class="bar {kind}" x="{begins}%" width="{ends - begins:.3f}%"'
        f' y="{_MIDDLE - thick / 2:g}" height="{thick}"/>'
    )


def _goes_on(kind: str, begins: float, ends: float) -> str:
    return f'<line class="on {kind}" x1="{begins}%" x2="{ends}%" y1="{_MIDDLE}" y2="{_MIDDLE}"/>'


def _run(run: RunEntry, shown: Axis) -> str:
    begins = shown.at(run.began) if run.began else 0.0
    ends = shown.at(run.over) if run.over else 100.0
    kind = "run" if run.over else "run open"
    bar = ""
    if run.began or not run.failed:
        bar = (
            f'<rect class="{kind}" x="{begins}%" width="{max(ends - begins, 0):.3f}%"'
            f' y="{_MIDDLE - 2}" height="3"/>'
        )
    cross = _cross(ends, "%") if run.failed else ""
    began, over = (when(time) if time else "?" for time in (run.began, run.over))
    said = f"processor {run.processor}: {began} to {over} UTC{', failed' if run.failed else ''}"
    return f"<g><title>{text(said)}</title>{bar}{cross}</g>"


def _cross(x: float, unit: str = "") -> str:
    at = f"{x}{unit}" if unit else f"{x / 100 * 28:g}"
    path = f"M-4 {_MIDDLE - 4}l8 8m0 -8l-8 8"
    return f'<svg x="{at}" overflow="visible"><path class="cross" d="{path}"/></svg>'
