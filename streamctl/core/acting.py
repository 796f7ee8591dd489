"""Doing what was decided: to the very processor that was described, and in its turn.

The API has no conditional Stop or Delete, so the processor is described right before either, FRESH
ago at most. Between that and the call another hand may replace it, and nothing can be done about
that. What was seen of its video is at most ACT_WITHIN old when it is acted on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import asking
from streamctl.core.asking import Asking, Given, ask
from streamctl.core.runs import Action, Run, Step
from streamctl.errors import Busy, NotFound, Throttled

ACT_WITHIN: Final = timedelta(seconds=10)
"""What was seen longer ago than this is not acted on but looked at again."""

FRESH: Final = timedelta(seconds=1)
"""A processor that was described longer ago is described again before it is stopped or deleted."""

STOP_APART: Final = timedelta(seconds=1.15)
"""Between the turns of those that are to be stopped: Stop is limited to one a second and account
(quotas, General Reference), and operators stop some by hand."""

_AGAIN_S: Final = (2.0, 10.0, 160.0)
"""Until the next try: at least, at most, and at most after many tries in vain."""


@dataclass(frozen=True, slots=True)
class Acted:
    """The run after that, its version, and when to look again."""

    run: Run
    version: int
    due: datetime | None


def perform(step: Step, version: int, trigger: str, began: datetime, given: Given) -> Asking[Acted]:
    """Do what was decided, and saved, if it is its turn."""
    run, action = step.run, step.action
    if action is None:
        return Acted(run, version, step.due)
    if action is Action.STOP and run.turn is None:
        run, version = yield from _take_turn(run, version, given)
    if given.now() < ahead(run):
        return Acted(run, version, ahead(run))
    if run.turn is not None and given.now() < run.turn:
        # To the moment: the turn after it is a second and little more away.
        yield from ask(asking.Wait((run.turn - given.now()).total_seconds()))
    if not (yield from _is_still_the_one(run, given)):
        return Acted(run, version, step.due)
    if given.now() - began > ACT_WITHIN:
        return Acted(run, version, given.now())
    try:
        yield from ask(_deed(action, run))
    except (NotFound, Busy):
        pass  # done already, or under way: the next look tells
    except Throttled:
        run = run.refused(action, given.now(), trigger)
        if action is Action.STOP:
            # Not at random: that would take the turns of others, who would then do the same.
            run, version = yield from _take_turn(run, version, given)
            return Acted(run, version, ahead(run))
        pause = backed_off(given, run.refusals - 1)
        return Acted(run, version, given.now() + timedelta(seconds=pause))
    return Acted(replace(run, refusals=0, turn=None), version, step.due)


def ahead(run: Run) -> datetime:
    """From when on it is looked at for its turn, so that the look is over by then, and fresh."""
    return (run.turn or run.since) - FRESH


def _take_turn(run: Run, version: int, given: Given) -> Asking[tuple[Run, int]]:
    """The run with the next turn at Stop, saved if that is yet to come.

    All take turns, and not the refused alone: if a crowd tried at random, most would do so in vain,
    and use up what is allowed of Describe, which comes before each try.
    """
    now = given.now()
    turn = yield from ask(asking.TakeTurn(now, STOP_APART))
    run = replace(run, turn=turn)
    if turn > now:
        version = yield from ask(asking.Save(run, version, turn))
    return run, version


def _deed(action: Action, run: Run) -> asking.Request[None]:
    return asking.Stop(run) if action is Action.STOP else asking.Delete(run)


def _is_still_the_one(run: Run, given: Given) -> Asking[bool]:
    """Whether it is the very processor that is to be stopped or deleted, by a fresh description."""
    if run.described is not None and given.now() - run.described < FRESH:
        return True
    found = yield from ask(asking.Describe(run.processor))
    if found is None or found.created != run.created:
        return False
    return found.updated <= (run.last_change or run.since)


def backed_off(given: Given, before: int) -> float:
    """Seconds until the next try: the more were in vain, the longer, so that a crowd thins out."""
    shortest, longest, after_many = _AGAIN_S
    return given.between(shortest, min(longest * 2 ** min(before, 10), after_many))
