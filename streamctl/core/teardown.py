"""The way of a run from LIVE to DONE: what to remember, what to do next, what to say.

`step` is asked again and again, by whatever woke us, with what was just observed. It answers with
the run as it must be saved *before* anything is done, and with at most one action. Every action is
safe to repeat, and none is given unless the very same processor (by its creation time) was just
described. The verdict ENDED acts only while the camera is idle: seen alive again, a run goes back.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import announcements, liveness, stretches
from streamctl.core.liveness import (
    STUCK_STARTING_AFTER,
    Evidence,
    Processor,
    State,
    Status,
    Verdict,
)
from streamctl.core.policy import OnEnd, format_duration
from streamctl.core.runs import Action, Phase, Reason, Run, Seen, Step

QUIET: Final = timedelta(seconds=15)
"""No record has arrived for this long: results are drained (or for twice the last known lag)."""

CATCH_UP: Final = timedelta(seconds=60)
"""How long after the video's end its records are waited for, while they are behind it."""

FRAME_APART: Final = timedelta(seconds=2)
"""Analysed frames are about a second apart; so far before the video's end may the last one be."""

DRAIN_AT_MOST: Final = timedelta(minutes=10)
LOOK_AGAIN: Final = timedelta(seconds=2)
KEPT_LOOK: Final = timedelta(minutes=15)
DESCRIBE_AGAIN: Final = timedelta(minutes=45), timedelta(minutes=75)
"""How long a run that shows life goes without its processor being described, each run for another
while: Describe is limited to 20 a second and account (quotas, General Reference), of which 10,000
cameras take 3. The sweep's listing tells each minute of processors that others have touched."""

FINISHED_EXPIRES: Final = timedelta(days=30)


def glance(run: Run, seen: Seen, now: datetime, trigger: str) -> Step | None:
    """What comes next if the processor is RUNNING still, and None where that must be asked.

    `seen` holds no processor: a run that shows life, and was described not long ago, needs none.
    """
    if run.phase is not Phase.LIVE or not run.running or run.described is None:
        return None
    if now - run.described >= _describe_again(run):
        return None
    run = _with_sign(run, seen)
    verdict = liveness.judge(_evidence(run, seen), run.policy, Status.RUNNING, now)
    if verdict.state not in (State.LIVE, State.LAGGING):
        return None
    return Step(_judged(run, verdict, now, trigger), due=verdict.due)


def _describe_again(run: Run) -> timedelta:
    """Told by the run's id, so that runs that began together are not described together."""
    least, most = DESCRIBE_AGAIN
    return least + (most - least) * (zlib.crc32(run.id.encode()) / 2**32)


def step(run: Run, seen: Seen, now: datetime, trigger: str) -> Step:
    """What comes next for this run, whose processor was described just now."""
    if run.phase is Phase.DONE:
        return Step(run, due=now)  # what is left to say is said; then a new run may begin
    run = _with_sign(run, seen)
    if stretches.is_old_news(run, seen.processor, now):
        return Step(run, due=now + LOOK_AGAIN)
    run = replace(run, described=now)
    if seen.processor is None or seen.processor.created != run.created:
        return _gone(run, seen.processor, now, trigger)
    return _step(run, seen.processor, seen, now, trigger)


def _step(run: Run, processor: Processor, seen: Seen, now: datetime, trigger: str) -> Step:
    """The same for a processor that is there, and is this run's or was."""
    if stretches.is_another(run, processor):
        over = _done(run, Reason.RESTARTED, "started anew by other hands", now, trigger)
        return replace(over, due=now)  # look again: a new run begins
    run = replace(run, last_change=processor.updated)
    if processor.status is Status.RUNNING and not run.running:
        run = _seen_running(run, processor, now, trigger)
    if not seen.camera_exists and run.reason in (None, Reason.ENDED, Reason.NEVER_STARTED):
        # Its video cannot be looked at any more, so the want of it says nothing.
        run = replace(_over(run, Reason.CAMERA_GONE, seen), state=State.GONE)
        if run.phase in (Phase.LIVE, Phase.DRAINING):
            return _to_stopping(run, "the camera was deleted", now, trigger)
    match run.phase:
        case Phase.LIVE:
            return _live(run, processor, seen, now, trigger)
        case Phase.DRAINING:
            return _draining(run, seen, now, trigger)
        case Phase.STOPPING:
            return _stopping(run, processor, seen, now, trigger)
        case _:
            return _deleting(run, processor, seen, now, trigger)


def _live(run: Run, processor: Processor, seen: Seen, now: datetime, trigger: str) -> Step:
    verdict = liveness.judge(_evidence(run, seen), run.policy, processor.status, now)
    match verdict.state:
        case State.ENDED | State.NEVER_STARTED if run.policy.on_end is OnEnd.KEEP:
            return Step(_judged(run, verdict, now, trigger), due=_kept_look(run, now))
        case State.DRAINING | State.ENDED if run.policy.on_end is not OnEnd.KEEP:
            run = replace(_over(run, Reason.ENDED, seen), draining_since=now, state=verdict.state)
            run = run.moved(Phase.DRAINING, verdict.why, now, trigger)
            return _draining(run, seen, now, trigger)
        case State.NEVER_STARTED | State.OVER_TIME:
            run = replace(_over(run, Reason[verdict.state.name], seen), state=verdict.state)
            return _to_stopping(run, verdict.why, now, trigger)
        case State.STUCK:
            return _stuck(run, seen, verdict, now, trigger)
        case State.FAILED:
            return _failed(run, processor, verdict, now, trigger)
        case State.GONE:
            return _live_but_stopped(run, processor, seen, now, trigger)
        case _:
            return Step(_judged(run, verdict, now, trigger), due=verdict.due)


def _kept_look(run: Run, now: datetime) -> datetime:
    """One that is to be kept is looked at now and then, and when it has run for long enough."""
    look = now + KEPT_LOOK
    return look if run.policy.max_run is None else min(look, run.since + run.policy.max_run)


def _live_but_stopped(
    run: Run, processor: Processor, seen: Seen, now: datetime, trigger: str
) -> Step:
    """Stopped, and not by us. Video that had ended by then, and stays so: the end, by itself."""
    evidence = _evidence(run, seen)
    if not evidence.any_video or evidence.latest > processor.updated + QUIET:
        when = "while video flows" if evidence.any_video else "before there was any video"
        why = f"{processor.status} by other hands {when}"
        return _done(replace(run, state=State.GONE), Reason.STOPPED, why, now, trigger)
    over = evidence.latest + liveness.idle_time(run.policy, seen.video)
    if now < over:
        return Step(run, due=over)
    run = _over(run, Reason.ENDED, seen)
    return _to_stopping(run, "nothing since it was stopped", now, trigger)


def _failed(run: Run, processor: Processor, verdict: Verdict, now: datetime, trigger: str) -> Step:
    """Told at once; removed after the idle time, so that its StatusMessage can be read until then."""
    if run.reason is not Reason.FAILED:
        run = replace(run, reason=Reason.FAILED, state=State.FAILED, since=processor.updated)
        run = run.noted(f"FAILED: {processor.status_message}", now, trigger)
        run = run.saying(announcements.failed(run, processor, now))
        return Step(run, due=max(verdict.due, now + LOOK_AGAIN))
    if now < verdict.due:
        return Step(run, due=verdict.due)
    return _to_stopping(run, verdict.why, now, trigger)


def _stuck(run: Run, seen: Seen, verdict: Verdict, now: datetime, trigger: str) -> Step:
    run = replace(_over(run, Reason.STUCK, seen), state=State.STUCK)
    run = run.saying(announcements.stuck(run, verdict.why, now))
    return _to_stopping(run, verdict.why, now, trigger)


def _draining(run: Run, seen: Seen, now: datetime, trigger: str) -> Step:
    """Records that Rekognition still writes are waited for; they outlive the processor once here."""
    if _video_is_back(run, seen, now):
        return _back_to_live(run, seen, now, trigger)
    evidence = _evidence(run, seen)
    quiet = max(filter(None, (seen.last_arrival, run.since))) + max(QUIET, 2 * seen.lag)
    idle = evidence.latest + liveness.idle_time(run.policy, seen.video)
    drained = max(quiet, idle, _caught_up(run, seen))
    latest = (run.draining_since or now) + DRAIN_AT_MOST
    if now >= latest:
        why = f"records still come {format_duration(DRAIN_AT_MOST)} after the end: no longer waited"
        return _to_stopping(run, why, now, trigger)
    if now >= drained:
        return _to_stopping(run, "results are drained", now, trigger)
    return Step(run, due=min(drained, latest))


def _caught_up(run: Run, seen: Seen) -> datetime:
    """From when on records are taken to have come as far as the video, or to be no more to come.

    Before its first record, and where a worker hangs, how late the next will be is not known.
    """
    if run.last_frame is None:
        return run.since
    newest = seen.last_arrival - seen.lag if seen.last_arrival else run.since
    if newest >= run.last_frame - seen.video.longest - FRAME_APART:
        return run.since
    return run.last_frame + CATCH_UP


def _to_stopping(run: Run, why: str, now: datetime, trigger: str) -> Step:
    """Saved first; what to do is decided at the next look, which describes it again."""
    return Step(run.moved(Phase.STOPPING, why, now, trigger), due=now)


def _stopping(run: Run, processor: Processor, seen: Seen, now: datetime, trigger: str) -> Step:
    held = _held_by_life(run, seen, now)
    match processor.status:
        case Status.RUNNING | Status.UPDATING if held is not None:
            return _back_to_live(run, seen, now, trigger)
        case Status.RUNNING:
            return Step(run, Action.STOP, now + LOOK_AGAIN)
        case Status.UPDATING | Status.STOPPING:
            return Step(run, due=now + LOOK_AGAIN)
        case Status.STARTING if not _deletes(run):
            return Step(run, due=now + STUCK_STARTING_AFTER)  # it can be neither stopped nor left
        case _ if not _deletes(run):
            why = f"left {processor.status}, as it is to be kept"
            return _done(run, run.reason or Reason.ENDED, why, now, trigger)
        case _ if held is not None:
            return Step(run, due=held)
        case _:
            run = run.moved(Phase.DELETING, f"it is {processor.status}", now, trigger)
            return Step(run, due=now)


def _deleting(run: Run, processor: Processor, seen: Seen, now: datetime, trigger: str) -> Step:
    held = _held_by_life(run, seen, now)
    if held is not None:
        return Step(run.moved(Phase.STOPPING, "video is back", now, trigger), due=held)
    if processor.status in (Status.STOPPING, Status.UPDATING, Status.RUNNING):
        return Step(run.moved(Phase.STOPPING, f"it is {processor.status}", now, trigger), due=now)
    return Step(run, Action.DELETE, now + LOOK_AGAIN)


def _gone(run: Run, other: Processor | None, now: datetime, trigger: str) -> Step:
    if run.phase is Phase.DELETING:
        run = run.saying(announcements.torn_down(run, now))
        over = _done(run, run.reason or Reason.ENDED, "deleted", now, trigger)
    else:
        run = replace(run, state=State.GONE)
        how = "deleted" if other is None else "deleted and created anew"
        over = _done(run, run.reason or Reason.DELETED, f"{how} by other hands", now, trigger)
    return over if other is None else replace(over, due=now)  # look again: a new run may begin


def _done(run: Run, reason: Reason, why: str, now: datetime, trigger: str) -> Step:
    run = replace(run, reason=reason, clock=None)
    if run.running:
        # The end is told before the tearing down, though both are known at once.
        run = replace(run, outbox=(announcements.ended(run, now), *run.outbox))
    return Step(run.moved(Phase.DONE, why, now, trigger))


def _back_to_live(run: Run, seen: Seen, now: datetime, trigger: str) -> Step:
    run = replace(run, reason=None, draining_since=None, state=State.LIVE)
    run = run.moved(Phase.LIVE, "video is back", now, trigger)
    return Step(run, due=_evidence(run, seen).latest + liveness.idle_time(run.policy, seen.video))


def _video_is_back(run: Run, seen: Seen, now: datetime) -> bool:
    """By video alone: late records are what draining waits for, no sign of new life."""
    idle = liveness.idle_time(run.policy, seen.video)
    return seen.video.end is not None and now < max(seen.video.end, run.since) + idle


def _held_by_life(run: Run, seen: Seen, now: datetime) -> datetime | None:
    """Until when the want of video may not act, since the camera shows life; None if it may.

    Records count as well: results were quiet when this phase began, and those of new video arrive
    before its first fragment is whole. Unless they never were quiet.
    """
    if run.reason not in (Reason.ENDED, Reason.NEVER_STARTED):
        return None
    signs = [seen.video.end]
    if run.draining_since is None or now < run.draining_since + DRAIN_AT_MOST:
        signs.append(seen.last_arrival)
    latest = max((sign for sign in signs if sign and sign > run.since), default=None)
    if latest is None or now >= latest + liveness.idle_time(run.policy, seen.video):
        return None
    return latest + liveness.idle_time(run.policy, seen.video)


def _deletes(run: Run) -> bool:
    return run.policy.on_end is OnEnd.DELETE and not run.by_stack


def _with_sign(run: Run, seen: Seen) -> Run:
    evidence, end = _evidence(run, seen), seen.video.end
    if end is not None and end > run.since:
        run = replace(run, last_frame=end)
    return replace(run, last_sign=evidence.latest) if evidence.any_video else run


def _seen_running(run: Run, processor: Processor, now: datetime, trigger: str) -> Run:
    run = replace(run, running=True, since=processor.updated, id=processor.epoch, reason=None)
    return run.noted("RUNNING", now, trigger).saying(announcements.started(run, now))


def _evidence(run: Run, seen: Seen) -> Evidence:
    return Evidence(
        since=run.since,
        video=seen.video,
        last_arrival=seen.last_arrival,
        last_sign=run.last_sign,
        lag=seen.lag,
        tells_empty=seen.tells_empty,
    )


def _over(run: Run, reason: Reason, seen: Seen) -> Run:
    return replace(run, reason=reason, idle=liveness.idle_time(run.policy, seen.video))


def _judged(run: Run, verdict: Verdict, now: datetime, trigger: str) -> Run:
    """With the verdict remembered, and noted where it is another one."""
    if verdict.state is run.state:
        return run
    why = f"{verdict.state}: {verdict.why}"
    return replace(run, state=verdict.state).noted(why, now, trigger)
