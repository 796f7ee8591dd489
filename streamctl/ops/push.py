"""Plays a video file to a camera, in real time or as fast as it goes, until all of it is stored.

A connection that breaks is opened again, and sends again what was not acknowledged, with the same
producer times: cameras lose connections, and AWS ends each after 45 minutes anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from streamctl.aws import kinesisvideo, putmedia
from streamctl.aws.putmedia import Ack, Kind, Upload
from streamctl.aws.session import Aws
from streamctl.errors import GaveUpWaiting, StreamctlError, Transient, Unreachable
from streamctl.media import camera as player
from streamctl.media.camera import Shot, Survey
from streamctl.media.recording import Recording

PATIENCE: Final = timedelta(seconds=60)
"""How long nothing may be acknowledged, once it is due, before we give up."""

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
_FAREWELL_S: Final = 2.0
_SILENCE_S: Final = 10.0
"""After the last byte, a connection that says nothing for so long is lost. AWS's C producer opens
another after 5 s without acknowledgements (recorded from it)."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Why nothing gets through at present, and until when it is tried."""

    why: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the playing is. Frames and fragments that were sent again count once."""

    frames_sent: int
    frames: int
    fragments_acked: int
    fragments: int
    reconnects: int
    outage: Outage | None = None
    """None again once something new is acknowledged."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was sent. `damage` says why the rest of the file was not; empty where all of it was.

    `started` is the producer time of the first frame, whose time in the file is `first_s`; a frame
    that is at `t` seconds in the file has the producer time started + (t - first_s), but for gaps
    in the file that were too long to keep. `first_frame_at` and `last_frame_at` are when the
    first and last frame were really sent.
    """

    frames_sent: int
    fragments_sent: int
    fragments_acked: int
    bytes_sent: int
    reconnects: int
    started: datetime
    first_s: float
    first_frame_at: datetime
    last_frame_at: datetime
    damage: str

    @property
    def truncated(self) -> bool:
        return bool(self.damage)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time, so that tests need not wait for it."""

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def push(
    aws: Aws,
    camera: str,
    path: Path,
    *,
    fast: bool = False,
    patience: timedelta = PATIENCE,
    progress: Callable[[Progress], None] = lambda _: None,
    clocks: Clocks = Clocks(),
) -> Pushed:
    """Send a file to a camera (name or ARN), and wait until every fragment is acknowledged.

    That is PERSISTED; for a camera that keeps nothing it is RECEIVED. Of a file that breaks off the
    whole fragments are sent, and `damage` is set. Raises, before anything is sent, MediaError,
    Unsuitable, NotFound, AskedWrongly or Missing for the file, and NotFound or NotAllowed for the
    camera; GaveUpWaiting where it takes no more for `patience`. Ctrl-C ends the body in order.
    """
    survey = player.survey(path)
    found = kinesisvideo.describe(aws, camera)
    counts = Kind.PERSISTED if found.retention else Kind.RECEIVED
    began, epoch = _to_the_millisecond(clocks.wall()), clocks.monotonic()
    playing = _Playing(
        recording=Recording(path),
        survey=survey,
        counts=counts,
        began=began,
        epoch=epoch,
        fast=fast,
        patience_s=patience.total_seconds(),
        progress=progress,
        clocks=clocks,
    )
    playing.run(lambda again: putmedia.upload(aws, found.arn, began, fresh=again))
    return playing.result()


def _to_the_millisecond(moment: datetime) -> datetime:
    """What a timecode can say: so that times read back are times that were sent."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(slots=True)
class _Playing:
    """One file on its way to one camera, over as many connections as that takes."""

    recording: Recording
    survey: Survey
    counts: Kind
    began: datetime
    epoch: float
    fast: bool
    patience_s: float
    progress: Callable[[Progress], None]
    clocks: Clocks
    _frames_of: dict[int, int] = field(default_factory=dict)
    """Frames that were sent, by fragment. Sent again, they count once."""
    _frames: int = 0
    _index_of: dict[int, int] = field(default_factory=dict)
    """Which fragment has which timecode; acknowledgements name the latter."""
    _acked: set[int] = field(default_factory=set)
    _bytes: int = 0
    _reconnects: int = 0
    _failing_since: float | None = None
    _outage: Outage | None = None
    _first_frame_at: datetime | None = None
    _last_frame_at: datetime | None = None

    def run(self, connect: Callable[[bool], Upload]) -> None:
        pause = _FIRST_PAUSE_S
        while len(self._acked) < self.survey.fragments:
            known = len(self._acked)
            try:
                with connect(self._reconnects > 0) as upload:
                    self._play(upload)
            except Transient as error:
                pause = _FIRST_PAUSE_S if len(self._acked) > known else pause
                self._give_up_or_pause(error, pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _play(self, upload: Upload) -> None:
        try:
            self._send(upload, player.opening(self.survey.track))
            for shot in player.play(self.recording):
                if shot.index not in self._acked:
                    self._send_shot(upload, shot)
            upload.finish()
            self._await_acks(upload)
        except KeyboardInterrupt:
            _say_farewell(upload)
            raise

    def _send_shot(self, upload: Upload, shot: Shot) -> None:
        began_ms = round(self.began.timestamp() * 1000)
        self._index_of[began_ms + shot.starts_ms] = shot.index
        for sent, piece in enumerate(player.pieces(shot, began_ms), start=1):
            self._wait_until(upload, piece.due_s)
            self._send(upload, piece.data)
            self._last_frame_at = self.clocks.wall()
            self._first_frame_at = self._first_frame_at or self._last_frame_at
            self._count(shot.index, sent)
            self.progress(self._progress())

    def _count(self, index: int, sent: int) -> None:
        """The shot's first `sent` frames are sent, for the first time or again."""
        if sent > self._frames_of.get(index, 0):
            self._frames_of[index] = sent
            self._frames += 1

    def _send(self, upload: Upload, data: bytes) -> None:
        upload.send(data)
        self._bytes += len(data)

    def _wait_until(self, upload: Upload, due_s: float) -> None:
        """Read acknowledgements until a frame is due; those that are there, where we are fast."""
        if self.fast:
            self._note(upload.acks())
            return
        while (left := self.epoch + due_s - self.clocks.monotonic()) > 0:
            self._note(upload.acks(left))

    def _await_acks(self, upload: Upload) -> None:
        quiet_since = self.clocks.monotonic()
        while len(self._acked) < self.survey.fragments:
            if self._note(upload.acks(1.0)):
                quiet_since = self.clocks.monotonic()
            if self.clocks.monotonic() - quiet_since > _SILENCE_S:
                raise Unreachable("the camera acknowledges nothing more")

    def _note(self, acks: list[Ack]) -> bool:
        """Take acknowledgements in; whether they say anything new. Raises what an ERROR means."""
        known = len(self._acked)
        for ack in acks:
            if ack.kind is Kind.ERROR:
                raise putmedia.failure(ack)
            if ack.kind is self.counts and ack.timecode_ms in self._index_of:
                self._acked.add(self._index_of[ack.timecode_ms])
        if len(self._acked) == known:
            return False
        self._failing_since = self._outage = None
        self.progress(self._progress())
        return True

    def _give_up_or_pause(self, error: Transient, pause: float) -> None:
        now = self.clocks.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since > self.patience_s:
            raise self._gave_up(str(error)) from error
        left = timedelta(seconds=self._failing_since + self.patience_s - now)
        self._outage = self._outage or Outage(str(error), self.clocks.wall() + left)
        self.progress(self._progress())
        self.clocks.sleep(pause)
        self._reconnects += 1

    def _gave_up(self, why: str) -> GaveUpWaiting:
        seen = f"{len(self._acked)} of {self.survey.fragments} fragments acknowledged"
        return GaveUpWaiting(
            f"gave up sending after {self.patience_s:.0f} s without success ({seen}): {why}",
            hint="check the network and the camera, and push again",
            last_seen=seen,
        )

    def _progress(self) -> Progress:
        return Progress(
            frames_sent=self._frames,
            frames=self.survey.frames,
            fragments_acked=len(self._acked),
            fragments=self.survey.fragments,
            reconnects=self._reconnects,
            outage=self._outage,
        )

    def result(self) -> Pushed:
        return Pushed(
            frames_sent=self._frames,
            fragments_sent=len(self._frames_of),
            fragments_acked=len(self._acked),
            bytes_sent=self._bytes,
            reconnects=self._reconnects,
            started=self.began,
            first_s=self.survey.first_s,
            first_frame_at=self._first_frame_at or self.began,
            last_frame_at=self._last_frame_at or self.began,
            damage=self.survey.damage,
        )


def _say_farewell(upload: Upload) -> None:
    """End the body, and let the camera notice: closing at once could take back what was sent."""
    deadline = time.monotonic() + _FAREWELL_S
    with suppress(StreamctlError):
        upload.finish()
        while (left := deadline - time.monotonic()) > 0:
            upload.acks(left)
