"""Still pictures out of a fragment: of its frames, those nearest to given times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamctl.errors import MediaError
from streamctl.media import mkv
from streamctl.media.frames import Decoder, Frame


def nearest(fragment: mkv.Fragment, times_ms: Sequence[int]) -> Iterator[Frame | None]:
    """For each time, earliest first, the frame nearest to it; None where that cannot be decoded.

    Times are on the fragment's own time line, and must rise. One picture is in memory at a time;
    the fragment is decoded no further than the last of them. Raises MediaError for a fragment
    without video, Unsuitable for a codec that is not read.
    """
    track = next(iter(fragment.opened.tracks), None)
    frames = [frame for frame in fragment.frames if track and frame.track == track.number]
    if track is None or not frames:
        raise MediaError("the fragment holds no video")
    shown = _decoded(Decoder(track.codec_id, track.codec_private), frames)
    picture: Frame | None = None
    for time_ms in times_ms:
        wanted = min((frame.time_ms for frame in frames), key=lambda t: (abs(t - time_ms), t))
        while picture is None or picture.time < wanted:
            picture = next(shown, None)
            if picture is None:
                break
        yield picture if picture is not None and picture.time == wanted else None


def _decoded(decoder: Decoder, frames: Sequence[mkv.Frame]) -> Iterator[Frame]:
    """Every frame that can be decoded, in the order in which they are shown."""
    for frame in frames:
        try:
            yield from decoder.decode(frame.data, frame.time_ms)
        except MediaError:
            continue  # the others may be sound
    try:
        yield from decoder.flush()
    except MediaError:
        return
