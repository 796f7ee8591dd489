"""Takes images and clips out of stored fragments: `python -m streamctl.local.kinesisvideo.extract`.

One line of JSON in, the result out, to a file: a line of JSON for each image, or an MP4. What AWS
refuses ends with REFUSED as exit code, and a line of JSON instead of the result. A process of its
own, so that the server holds no video in memory, and whatever a fragment does to a decoder, it does
not do it to the server.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import mkv, mp4, stills
from streamctl.media.frames import Frame

NO_MEDIA: Final = "NO_MEDIA"
MEDIA_ERROR: Final = "MEDIA_ERROR"
MOST_CHARACTERS: Final = 6_291_456  # of an image in base64 (API model, ImageContent)

REFUSED: Final = 3
NO_FRAGMENTS: Final = "No fragments found in the stream for the clip request."
"""GetClip's words for it (seen in the sample logs of AWS's own clip downloader)."""

_PIECE: Final = 65_536


class Refused(Exception):
    """AWS would refuse this, with `code`, an exception of the API model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def images(request: Mapping[str, Any], result: IO[bytes]) -> None:
    """Write the answer to each of the `wanted`, until there are `most` characters of images.

    Wanted is a fragment's file, or null where there is none, and a time in milliseconds from its
    timecode; of one file, times rise. An answer is a member of AWS's `Images`, without its time.
    `kind`, `size` and `quality` are those of streamctl.media.images.write.
    """
    how = (request["kind"], request["size"], request["quality"])
    room = request["most"]
    for image in _images(request["wanted"], how):
        result.write(json.dumps(image).encode() + b"\n")
        room -= len(image.get("ImageContent", ""))
        if room <= 0:
            return


def _images(
    wanted: Iterable[tuple[str | None, int]], how: tuple[Any, Any, int]
) -> Iterator[dict[str, str]]:
    for file, group in itertools.groupby(wanted, key=lambda each: each[0]):
        offsets_ms = [offset_ms for _, offset_ms in group]
        told = 0
        error = NO_MEDIA
        try:
            for frame in _frames(file, offsets_ms):
                yield _image(frame, how)
                told += 1
        except (MediaError, Unsuitable):
            error = MEDIA_ERROR
        for _ in offsets_ms[told:]:
            yield {"Error": error}


def _frames(file: str | None, offsets_ms: Sequence[int]) -> Iterator[Frame | None]:
    """None at all where there is no fragment, or no more: it may have expired meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        if file is not None:
            fragment = read(Path(file))
            if not any(track.codec_id in mp4.CODECS for track in fragment.opened.tracks[:1]):
                raise Unsuitable("neither h.264 nor h.265")  # guide, GetImages requirements
            begins_ms = fragment.opened.timecode_ms
            yield from stills.nearest(fragment, [begins_ms + each for each in offsets_ms])


def _image(frame: Frame | None, how: tuple[Any, Any, int]) -> dict[str, str]:
    try:
        image = "" if frame is None else base64.b64encode(frame.file(*how)).decode()
    except MediaError:
        image = ""
    if not 0 < len(image) <= MOST_CHARACTERS:
        return {"Error": MEDIA_ERROR}
    return {"ImageContent": image}


def clip(fragments: Iterable[tuple[str, int]], result: IO[bytes]) -> None:
    """Write fragments, each with its time in milliseconds, as one MP4 of their first video track.

    Those that are no more, for they may expire meanwhile, are left out. Raises Refused.
    """
    found = _stored(fragments)
    begins_ms, first = next(found, (0, None))
    if first is None:
        raise Refused("ResourceNotFoundException", NO_FRAGMENTS)
    track = _clip_track(first)
    whole = itertools.chain([(begins_ms, first)], _unchanged(track, found))
    try:
        mp4.write(track, whole, result.write)
    except MediaError as error:
        raise Refused("InvalidMediaFrameException", str(error)) from error


def _stored(fragments: Iterable[tuple[str, int]]) -> Iterator[tuple[int, mkv.Fragment]]:
    for file, time_ms in fragments:
        with contextlib.suppress(FileNotFoundError):
            try:
                fragment = read(Path(file))
            except MediaError as error:
                raise Refused("InvalidMediaFrameException", str(error)) from error
            yield time_ms, fragment


def _unchanged(
    track: mkv.Track, fragments: Iterable[tuple[int, mkv.Fragment]]
) -> Iterator[tuple[int, mkv.Fragment]]:
    """The fragments, as long as they are of this track (guide, GetClip requirements)."""
    for time_ms, fragment in fragments:
        if _clip_track(fragment) != track:
            raise Refused(
                "InvalidCodecPrivateDataException",
                f"the codec private data or the track changes at {time_ms}",
            )
        yield time_ms, fragment


def _clip_track(fragment: mkv.Fragment) -> mkv.Track:
    """The fragment's first video track. Raises Refused for one that GetClip does not take."""
    track = next(iter(fragment.opened.tracks), None)
    if track is None or track.codec_id not in mp4.CODECS:
        codec = "no video" if track is None else track.codec_id
        raise Refused("UnsupportedStreamMediaTypeException", f"the first track is {codec}")
    if not track.codec_private:
        raise Refused("MissingCodecPrivateDataException", "a track has no codec private data")
    try:
        mp4.length_size(track)
    except MediaError as error:
        raise Refused("InvalidCodecPrivateDataException", str(error)) from error
    return track


def read(file: Path) -> mkv.Fragment:
    """A stored fragment. Raises MediaError for one that is no video, FileNotFoundError."""
    with file.open("rb") as opened:
        for fragment in mkv.fragments(iter(lambda: opened.read(_PIECE), b"")):
            return fragment
    raise MediaError("no fragment")


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides; it kills
    request, result = json.loads(sys.stdin.buffer.readline()), sys.stdout.buffer
    try:
        if "clip" in request:
            clip(request["clip"], result)
        else:
            images(request, result)
    except Refused as refused:
        result.seek(0)
        result.truncate()
        result.write(json.dumps({"code": refused.code, "message": str(refused)}).encode())
        result.flush()
        return REFUSED
    result.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
