"""The one door: advance a camera's run by what is seen now.

Whatever wakes us (a clock, the sweep, a command) comes through here and brings a name, never an
instruction. Order makes it safe: what was decided is saved, with a version, before it is done; the
next clock is sent before it is saved; events are saved before they are published. Killed anywhere
in between, the next one to come finds what is left to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from streamctl.core import acting, asking, names, policy, seeing, stretches, teardown
from streamctl.core.asking import Asking, Given, Rules, ask
from streamctl.core.folding import Story
from streamctl.core.runs import Clock, Phase, Run
from streamctl.errors import AskedWrongly, Lost, Transient

PATIENCE_S: Final = 10.0
"""How long one waking may look again and again, so that a quick stop is a quick delete."""

LONGEST_DELAY_S: Final = 900
"""What SQS delays a message by at most (SendMessage, DelaySeconds)."""

_ROUNDING: Final = timedelta(milliseconds=1)  # a function and the API write arrivals in two ways
_NEAR_S: Final = 3.0  # a clock is early by up to a second, and a glance by a fragment: no new one
_POLL_S: Final = 0.4  # DescribeStream is limited to 5 a second and camera
_POLL_AT_MOST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Wake:
    """What woke us: `trigger` for the history, `clock` the id of the clock that did, if one did.

    A clock can go off before it is saved as the one that counts: `version` is the one that it was
    to be saved as. `processor` is a name to look at where no run of the camera is known. `glances`:
    nothing is suspected, and a fresh record or fresh video is enough. `tries` says how often this
    waking was put off because AWS would not answer.
    """

    camera: str
    trigger: str
    processor: str = ""
    clock: str = ""
    version: int = 0
    glances: bool = False
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Looked:
    """The camera's run after a look (None where there is none) and when to look again."""

    run: Run | None
    version: int
    due: datetime | None


def answer(message: Mapping[str, Any], rules: Rules, given: Given) -> Asking[None]:
    """Handle one message of the clock queue. Raises AskedWrongly for one that is none of ours."""
    wake = _read(message)
    try:
        yield from advance(wake, rules, given)
    except Transient as error:
        if isinstance(error, Lost) and not wake.clock:
            return  # somebody else is advancing this run
        # The queue itself would come back only after its visibility timeout, which is minutes. Even
        # what somebody else advanced is looked at again: the clock that woke us may be the very one
        # that they saved meanwhile as the one that counts.
        again = {**message, "tries": wake.tries + 1}
        yield from ask(asking.Send(again, round(acting.backed_off(given, wake.tries))))


def advance(
    wake: Wake, rules: Rules, given: Given, patience_s: float = PATIENCE_S
) -> Asking[Run | None]:
    """Look, decide and act until nothing is due soon; arm the next clock. The run as it then is.

    Raises Lost if somebody else advanced it meanwhile, Transient if AWS would not answer.
    """
    deadline = given.now() + timedelta(seconds=patience_s)
    pause, phase, consumed = _POLL_S, None, wake.clock
    while True:
        looked = yield from _look(wake, rules, given)
        if looked is None or looked.due is None:
            return looked.run if looked else None
        now = given.now()
        wait = (looked.due - now).total_seconds()
        polls = _is_acting(looked, now)
        if polls:
            pause = min(pause * 1.5, _POLL_AT_MOST_S) if _phase(looked) is phase else _POLL_S
            wait, phase = min(wait, pause), _phase(looked)
        near = polls or wait <= _NEAR_S
        if not near or now + timedelta(seconds=wait) > deadline:
            return (yield from _arm(replace(wake, clock=consumed), looked, looked.due, given))
        yield from ask(asking.Wait(max(wait, 0.0)))
        wake = replace(wake, clock="")


def _look(wake: Wake, rules: Rules, given: Given) -> Asking[_Looked | None]:
    """One look at one camera; None where the clock that woke us is not the run's."""
    known = yield from ask(asking.Load(wake.camera))
    run = known.run
    if run is not None and _is_superseded(wake, run, known.version):
        return None
    if run is None or not run.is_open:
        run = yield from _adopted(wake, known.run, rules, given)
    if run is None:
        request = asking.CloseSightings(wake.camera, known.run, everything=False)
        story = yield from ask(request)
        return _Looked(None, known.version, story.next_close)
    began = given.now()
    if wake.glances and began < acting.ahead(run):
        return _Looked(run, known.version, acting.ahead(run))
    step = yield from seeing.see(run, known.story, wake.trigger, given, glances=wake.glances)
    version = known.version
    if step.run.is_news_after(known.run):
        version = yield from ask(asking.Save(step.run, version, step.due))
    story = yield from _end_sightings(step.run, known.story, given.now())
    run = step.run
    if run.outbox:
        yield from ask(asking.Publish(run.outbox))
        run = run.published()
        version = yield from ask(asking.Save(run, version, step.due))
    step = replace(step, run=run)
    acted = yield from acting.perform(step, version, wake.trigger, began, given)
    due = min(filter(None, (acted.due, story.next_close)), default=None)
    return _Looked(acted.run, acted.version, due)


def _is_superseded(wake: Wake, run: Run, version: int) -> bool:
    """Whether it was a clock that woke us, and another one counts by now."""
    if not wake.clock or run.clock is None or run.clock.id == wake.clock:
        return False
    return wake.version <= version


def _adopted(wake: Wake, finished: Run | None, rules: Rules, given: Given) -> Asking[Run | None]:
    """The run that begins with a processor of ours on this camera, under a name we can guess.

    Processors under other names are found by the sweep, which knows all names.
    """
    of_camera = names.of_camera(wake.camera)
    guesses = (wake.processor, finished.processor if finished else "", of_camera)
    for name in dict.fromkeys(filter(None, guesses)):
        found = yield from ask(asking.DescribeTagged(name))
        if found is None or found.processor.camera != wake.camera:
            continue
        owned = policy.from_tags(found.tags, rules.platform)
        if owned is None:
            continue
        owned = policy.at_least(owned, rules.min_idle_after)
        run = stretches.adopt(owned, found.processor, finished, given.now(), wake.trigger)
        if run is not None:
            return run
    return None


def _end_sightings(run: Run, story: Story, now: datetime) -> Asking[Story]:
    """End the sightings that are over: all of them, once the run is, and before its end is told.

    Unless records lie in results that nobody has folded yet: they may continue what is open, which
    then ends like any other.
    """
    everything = False
    if run.phase is Phase.DONE and story.open:
        everything = not (yield from _are_any_unhandled(run, story))
    if story.outbox or everything or (story.next_close or now) < now:
        return (yield from ask(asking.CloseSightings(run.camera, run, everything)))
    return story


def _are_any_unhandled(run: Run, story: Story) -> Asking[bool]:
    folded = story.last_arrival
    if folded is None or not run.results:
        return False
    newest = yield from ask(asking.NewestArrival(run.results, folded))
    return newest is not None and newest - folded > _ROUNDING


def _arm(wake: Wake, looked: _Looked, due: datetime, given: Given) -> Asking[Run | None]:
    """Send the clock that wakes us at `due`, then save that it is the one that counts.

    A clock that is still on its way and comes no later is left alone.
    """
    run, now = looked.run, given.now()
    if run and run.clock and run.clock.id != wake.clock and now < run.clock.due <= due:
        return run
    delay_s = min(max(0, math.floor((due - now).total_seconds())), LONGEST_DELAY_S)
    if run is None or not run.is_open:
        yield from ask(asking.Send({"camera": wake.camera}, delay_s))
        return run
    clock = Clock(given.new_id(), min(due, now + timedelta(seconds=delay_s + 1)))
    message = {"camera": wake.camera, "clock": clock.id, "version": looked.version + 1}
    yield from ask(asking.Send(message, delay_s))
    run = replace(run, clock=clock)
    yield from ask(asking.Save(run, looked.version, clock.due))
    return run


def _phase(looked: _Looked) -> Phase | None:
    return looked.run.phase if looked.run else None


def _is_acting(looked: _Looked, now: datetime) -> bool:
    """Stopping or deleting, and worth polling for: not held back, not throttled."""
    if looked.run is None or looked.due is None or looked.run.refusals:
        return False
    soon = looked.due - now <= teardown.LOOK_AGAIN
    return soon and looked.run.phase in (Phase.STOPPING, Phase.DELETING)


def _read(message: Mapping[str, Any]) -> Wake:
    texts = {name: message.get(name, "") for name in ("camera", "processor", "clock")}
    numbers = {name: message.get(name, 0) for name in ("version", "tries")}
    if not all(isinstance(value, str) for value in texts.values()) or not texts["camera"]:
        raise AskedWrongly("a message in the clock queue names no camera")
    if not all(isinstance(value, int) for value in numbers.values()):
        raise AskedWrongly("a message in the clock queue has no number where one belongs")
    glance = message.get("glance", False)
    if not isinstance(glance, bool):
        raise AskedWrongly("a message in the clock queue has no truth where one belongs")
    trigger = "clock" if texts["clock"] else "message"
    return Wake(trigger=trigger, glances=glance or trigger == "clock", **texts, **numbers)
