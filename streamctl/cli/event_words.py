"""How times, lengths and names stand on a page: escaped, in UTC, and for people."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

from streamctl.cli.output import printable
from streamctl.core.policy import format_duration


def text(said: str) -> str:
    """What comes from elsewhere, as text of a page and as a value between double quotes."""
    return html.escape(printable(said))


def when(time: datetime, beside: datetime | None = None) -> str:
    """A time in UTC, to the second; without its day where that is the day of what stands beside."""
    moment = time.astimezone(UTC)
    if beside is not None and beside.astimezone(UTC).date() == moment.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment.day} {moment:%b %Y, %H:%M:%S}"


def length(span: timedelta) -> str:
    """A length of time, to the second: 1m30s."""
    return format_duration(timedelta(seconds=round(span.total_seconds())))


def roughly(span: timedelta) -> str:
    """The same in few letters: to the minute from an hour on, and to the hour from a day on."""
    step = 3600 if span >= timedelta(days=1) else 60 if span >= timedelta(hours=1) else 1
    return format_duration(timedelta(seconds=round(span.total_seconds() / step) * step))


def offset(apart: timedelta) -> str:
    """How far a picture's time is from the best frame's, in words."""
    seconds = apart.total_seconds()
    if abs(seconds) < 0.001:  # both are known to the millisecond
        return "of the best frame itself"
    return f"{abs(seconds):.3g} s {'after' if seconds > 0 else 'before'} the best frame"
