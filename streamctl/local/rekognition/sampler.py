"""Which frames of a live camera are analysed: the first of each fragment, then one a second.

Takes the bytes of GetMedia as they arrive and gives each sampled frame as soon as it is decoded,
long before its fragment is whole. Real records show this cadence: offsets of one
fragment lie 1 s apart, and the next fragment begins anew near 0.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from streamctl.errors import MediaError, Unsuitable
from streamctl.local.rekognition.records import FrameAt
from streamctl.media import mkv
from streamctl.media.frames import Decoder, Frame

STEP_MS: Final = 1000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame to analyse, and where it stands."""

    at: FrameAt
    frame: Frame


class Sampler:
    """Turns the bytes of one GetMedia answer into samples.

    Video that cannot be decoded gives none, as with Rekognition, whose processor runs on without
    a word; the log has it, once for each change of track. `feed` raises MediaError only for bytes
    that are not Matroska.
    """

    def __init__(self) -> None:
        self._reader = mkv.Reader()
        self._opened: mkv.Opened | None = None
        self._track: mkv.Track | None = None
        self._decoder: Decoder | None = None
        self._due_ms = 0

    def feed(self, data: bytes) -> Iterator[Sample]:
        """Take the next bytes; give the samples that they complete, in order."""
        for event in self._reader.feed(data):
            if isinstance(event, mkv.Opened):
                self._open(event)
            elif isinstance(event, mkv.Frame):
                yield from self._sampled(self._decoded(event))
            else:
                yield from self._sampled(self._decoder.flush() if self._decoder else ())

    def _open(self, opened: mkv.Opened) -> None:
        self._opened, self._due_ms = opened, 0
        track = opened.tracks[0] if opened.tracks else None
        if track != self._track:
            self._track, self._decoder = track, _decoder(track)

    def _decoded(self, coded: mkv.Frame) -> Iterable[Frame]:
        if self._decoder is None or self._track is None or coded.track != self._track.number:
            return ()
        try:
            return self._decoder.decode(coded.data, coded.time_ms)
        except MediaError as error:
            _log.debug("%s", error)  # one broken frame; the next key frame mends it
            return ()

    def _sampled(self, frames: Iterable[Frame]) -> Iterator[Sample]:
        for frame in frames:
            opened = self._opened
            if opened is None or frame.time - opened.timecode_ms < self._due_ms:
                continue
            offset_ms = frame.time - opened.timecode_ms
            self._due_ms = offset_ms - offset_ms % STEP_MS + STEP_MS
            yield Sample(_at(opened, offset_ms), frame)


def _decoder(track: mkv.Track | None) -> Decoder | None:
    if track is None:
        return None
    try:
        return Decoder(track.codec_id, track.codec_private)
    except Unsuitable as error:
        _log.warning("%s; %s", error, error.hint)
        return None


def _at(opened: mkv.Opened, offset_ms: int) -> FrameAt:
    return FrameAt(
        fragment=opened.number or "",
        server_s=opened.server_time.timestamp() if opened.server_time else 0.0,
        producer_s=opened.producer_time.timestamp() if opened.producer_time else 0.0,
        offset_s=offset_ms / 1000,
    )
