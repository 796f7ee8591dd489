"""A fleet for a day, under a simulated clock: is everything torn down, in time, and nothing else?

Promise: nothing leaked, nothing wrongly killed; a site that is lost at once (a tenth of the fleet)
is gone within 3 times what Stop's limit of one a second demands; the work per camera-hour does not
grow with the fleet. It is streamctl.core that works on the fleet (fleet/), AWS that is simulated.
A quarter of an hour of computing: run only when named. STREAMCTL_FLEET_CAMERAS makes it smaller.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import report
from benchmarks.fleet.simulation import Fleet, Outcome, Sample, simulate
from benchmarks.fleet.troubles import MASS_END, TROUBLES
from benchmarks.fleet.watch import ORDINARY
from benchmarks.report import Table, say
from streamctl.core.policy import Policy

LARGEST: Final = int(os.environ.get("STREAMCTL_FLEET_CAMERAS", "10000"))
SIZES: Final = (*(size for size in (10, 100, 1000) if size < LARGEST), LARGEST)
HOURS: Final = 24.0
FACES_HOURS: Final = 4.0
"""So long is the day of the fleet whose records come for faces alone."""

_MINUTES: Final = (0, 2, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120)
_IDLE_S: Final = Policy().idle_after.total_seconds()


def measure() -> Iterator[Table]:
    outcomes = [_simulated(Fleet(size, HOURS)) for size in SIZES]
    yield _delays(outcomes[-1])
    yield _mass_end(outcomes[-1])
    faces = _simulated(Fleet(LARGEST, FACES_HOURS, writes_empty=False))
    yield _delays(faces)
    yield from _growth([*outcomes, faces])


def _simulated(fleet: Fleet) -> Outcome:
    said = _title(fleet)
    say(f"fleet_sim: {said}")
    outcome = simulate(fleet, _show_progress if sys.stderr.isatty() else _quietly)
    for wrong in outcome.wrong[:5]:
        say(f"fleet_sim: {said}: {wrong}")
    return outcome


def _show_progress(hours: float) -> None:
    print(f"\r  {hours:.1f} h of it\x1b[K\r", end="", file=sys.stderr, flush=True)


def _quietly(_hours: float) -> None:
    """Progress that nobody watches."""


def _title(fleet: Fleet) -> str:
    records = "a record a frame" if fleet.writes_empty else "faces only"
    return f"{fleet.cameras:,} cameras, {fleet.hours:g} h, {records}"


def _delays(outcome: Outcome) -> Table:
    """How late processors went, by what else was going on."""
    titles = [outcome.mass_end, ORDINARY, *(each.title for each in TROUBLES)]
    rows = [
        (title, str(len(late)), *_spread(late))
        for title in titles
        if (late := outcome.delays.get(title))
    ]
    return Table(
        f"fleet_sim: {_title(outcome.fleet)}: gone, s after idle time",
        ("video ended", "ends", "median s", "p95", "worst"),
        rows,
        [
            f"leaked {len(outcome.leaked)}, wrongly killed {len(outcome.wrong)}",
            f"stopped as video came back, before it could be seen: {outcome.came_back}",
            "4 s of each are for the last record to arrive, 2 to 6 s for Stop to be done",
        ],
    )


def _spread(late: Sequence[float]) -> tuple[str, str, str]:
    return f"{statistics.median(late):.0f}", f"{report.p95(late):.0f}", f"{max(late):.0f}"


def _mass_end(outcome: Outcome) -> Table:
    """The clock queue, and what is left, after a site was lost."""
    over = MASS_END.at * outcome.fleet.hours * 3600 + _IDLE_S
    shown = [_sample_at(outcome.samples, over + minutes * 60) for minutes in _MINUTES]
    pairs = itertools.pairwise([shown[0], *shown])
    rows = [
        (f"{minutes} min", *_row(before, sample))
        for minutes, (before, sample) in zip(_MINUTES, pairs, strict=True)
    ]
    return Table(
        f"fleet_sim: {outcome.fleet.cameras:,} cameras, {outcome.mass_end}",
        (
            "since idle",
            "queue",
            "functions",
            "site left",
            "all late",
            "stops/s",
            "tried",
            "looks/s",
        ),
        rows,
        [*_drained(outcome, over), *_queue(outcome)],
    )


def _sample_at(samples: Sequence[Sample], time: float) -> Sample:
    return next((each for each in samples if each.at >= time), samples[-1])


def _row(before: Sample, sample: Sample) -> tuple[str, ...]:
    """How things stand, and the rates since the row before."""
    seconds = max(sample.at - before.at, 1.0)

    def rate(call: str, *, granted: bool) -> str:
        calls = sample.tried.get(call, 0) - before.tried.get(call, 0)
        refused = sample.throttled.get(call, 0) - before.throttled.get(call, 0)
        return f"{(calls - refused * granted) / seconds:.2f}"

    return (
        str(sample.ready),
        str(sample.busy),
        str(sample.left),
        str(sample.waiting),
        rate("stop", granted=True),
        rate("stop", granted=False),
        rate("describe", granted=True),
    )


def _drained(outcome: Outcome, over: float) -> Iterator[str]:
    """How long it took, against what one Stop a second demands for these, and for all meanwhile."""
    late = outcome.delays.get(outcome.mass_end, ())
    if not late:
        return
    took, alone = max(late), len(late)
    due = sum(over <= begin <= over + took for begin, _ in outcome.gone)
    yield f"drained in {took:.0f} s: {took / alone:.2f} x the {alone} s that Stop demands; aim 3"
    yield f"with the {due - alone} others that ended meanwhile: {took / due:.2f} x {due} s"


def _queue(outcome: Outcome) -> Iterator[str]:
    ready = [each.ready for each in outcome.samples]
    yield (
        f"clock queue, of {len(ready)} minutes: median {statistics.median(ready):.0f},"
        f" p95 {report.p95(ready):.0f}, longest {max(ready)}"
    )


def _growth(outcomes: Sequence[Outcome]) -> Iterator[Table]:
    yield Table(
        "fleet_sim: work for an hour of one camera, by the size of the fleet",
        ("cameras", "camera-h", "invoked", "of it s", "writes", "queue", "Describe", "Stop"),
        [_work(outcome) for outcome in outcomes],
        [
            "invoked: clocks and sweeps, and the seconds they take. queue: sends,",
            "receives, deletes. Stop: tries for each that is done. Without on_records",
        ],
    )
    yield Table(
        "fleet_sim: teardown by the size of the fleet, all ends",
        ("cameras", "ends", "median s", "p95", "worst", "leaked", "wrongly killed"),
        [_teardown(outcome) for outcome in outcomes],
    )


def _work(outcome: Outcome) -> tuple[str, ...]:
    tried = outcome.tried
    done = tried["stop"] - outcome.throttled.get("stop", 0)
    return (
        _name(outcome.fleet),
        f"{outcome.camera_hours:.0f}",
        f"{outcome.an_hour('invocations'):.1f}",
        f"{outcome.busy_s / outcome.camera_hours:.1f}",
        f"{outcome.an_hour('Save'):.1f}",
        f"{outcome.an_hour('queue'):.1f}",
        f"{tried['describe'] / outcome.camera_hours:.1f}",
        f"{tried['stop'] / done:.2f}",
    )


def _teardown(outcome: Outcome) -> tuple[str, ...]:
    late = [each for some in outcome.delays.values() for each in some]
    name, leaked, wrong = _name(outcome.fleet), len(outcome.leaked), len(outcome.wrong)
    return (name, str(len(late)), *_spread(late), str(leaked), str(wrong))


def _name(fleet: Fleet) -> str:
    return f"{fleet.cameras:,}" if fleet.writes_empty else f"{fleet.cameras:,}, faces only"
