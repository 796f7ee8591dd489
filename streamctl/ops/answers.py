"""Who answers the door in a function: each request, asked of AWS.

What the door decides is written to the log once it is saved, and measured.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from streamctl.aws import bus, queues, rekognition, table
from streamctl.aws.session import Aws
from streamctl.core import asking, teardown
from streamctl.core.asking import Asking, Given, Known, OpenRun, Request
from streamctl.core.folding import Story
from streamctl.core.liveness import Status
from streamctl.core.runs import Run
from streamctl.errors import StreamctlError
from streamctl.ops import journal, observe, run_log, stories
from streamctl.ops.setting import STOP_TURNS_KEY, Setting, camera_of, run_key, story_key

A = TypeVar("A")

GIVEN: Final = Given(
    now=lambda: datetime.now(UTC), new_id=lambda: uuid.uuid4().hex, between=random.uniform
)


def follow(aws: Aws, setting: Setting, steps: Asking[A]) -> A:
    """Take these steps, answering each request they make; what they come to."""
    answers = _Answers(aws, setting)
    try:
        request = next(steps)
        while True:
            request = _after(steps, answers, request)
    except StopIteration as over:
        result: A = over.value
        return result


def _after(steps: Asking[Any], answers: _Answers, request: Request[Any]) -> Request[Any]:
    """The next request, once this one is answered or has failed."""
    try:
        answer = answers.to(request)
    except StreamctlError as error:
        answers.note_refusal(request, error)
        return steps.throw(error)
    return steps.send(answer)


class _Answers:
    def __init__(self, aws: Aws, setting: Setting) -> None:
        self._aws = aws
        self._setting = setting
        self._stored: dict[str, Run | None] = {}
        self._about: dict[str, str] = {}
        """What lines of the log carry about the camera that was looked at last."""

    def to(self, request: Request[Any]) -> Any:
        match request:
            case asking.Load(camera):
                return self._load(camera)
            case asking.Save():
                return self._save(request)
            case asking.TakeTurn(now, apart):
                return table.take_turn(self._aws, self._setting.table, STOP_TURNS_KEY, now, apart)
            case asking.ListOpen():
                return self._list_open()
            case asking.CloseSightings(camera, run, everything):
                return stories.close(self._aws, self._setting, camera, run, everything=everything)
            case asking.Publish() | asking.Send() | asking.Stop() | asking.Delete() | asking.Wait():
                return self._do(request)
            case _:
                return self._observed(request)

    def _observed(self, request: Request[Any]) -> Any:
        """What is seen outside the table, and changes nothing."""
        aws = self._aws
        match request:
            case asking.Describe(processor):
                return observe.described(aws, processor)
            case asking.DescribeTagged(processor):
                return observe.tagged(aws, processor)
            case asking.RecentVideo(camera, since):
                return observe.video(aws, camera, since)
            case asking.NewestArrival(results, since):
                return observe.newest_arrival(aws, results, since)
            case asking.ListProcessors():
                return tuple(rekognition.names(aws))
            case _:
                raise TypeError(f"nobody answers {type(request).__name__}")

    def note_refusal(self, request: Request[Any], error: StreamctlError) -> None:
        """What AWS would not do, and for which run: the steps may well live with it, or try again."""
        match request:
            case asking.Load(camera):
                about = {"camera": camera}
            case asking.DescribeTagged(processor):
                about = {"processor": processor}
            case asking.ListOpen() | asking.ListProcessors():
                about = {}
            case _:
                about = self._about
        journal.note("refused", **about, asked=type(request).__name__, why=error)

    def _do(self, request: Request[Any]) -> None:
        """What changes something outside the table."""
        aws, setting = self._aws, self._setting
        match request:
            case asking.Publish(said):
                bus.publish(aws, setting.bus, said)
                journal.note("published", **self._about, events=[each.type for each in said])
            case asking.Send(message, delay_s):
                queues.send(aws, setting.clock_queue, message, delay_s)
            case asking.Stop(run):
                journal.note("stopping", **run_log.about(run))
                rekognition.stop(aws, run.processor)
            case asking.Delete(run):
                journal.note("deleting", **run_log.about(run))
                rekognition.delete(aws, run.processor)
            case asking.Wait(seconds):
                time.sleep(seconds)

    def _load(self, camera: str) -> Known:
        keys = {run_key(camera): Run, story_key(camera): Story}
        found = table.load(self._aws, self._setting.table, keys)
        saved = found[run_key(camera)]
        self._stored[camera] = saved.thing
        self._about = run_log.about(saved.thing) if saved.thing else {"camera": camera}
        return Known(saved.thing, saved.version, found[story_key(camera)].thing or Story(camera))

    def _list_open(self) -> tuple[OpenRun, ...]:
        items = table.open_items(self._aws, self._setting.table)
        found = tuple(_open_run(key, item) for key, item in items)
        live = sum(each.expects == Status.RUNNING for each in found)
        journal.measure(self._setting.platform, "LiveRuns", live)
        return found

    def _save(self, request: asking.Save) -> int:
        run, now = request.run, datetime.now(UTC)
        version = table.save(
            self._aws,
            self._setting.table,
            run_key(run.camera),
            run,
            request.against,
            open_as=table.Open(request.due or now, _shows(run)) if run.is_open else None,
            expires=None if run.is_open else now + teardown.FINISHED_EXPIRES,
        )
        run_log.saved(self._setting.platform, self._stored.get(run.camera), run)
        self._stored[run.camera], self._about = run, run_log.about(run)
        return version


def _shows(run: Run) -> Mapping[str, str]:
    return {"processor": run.processor, "expects": run.expects}


def _open_run(key: str, item: table.Open) -> OpenRun:
    shows = item.shows
    return OpenRun(camera_of(key), item.due, shows.get("processor", ""), shows.get("expects", ""))
