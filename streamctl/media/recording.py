"""A video file, read as the Matroska that a camera would send, whatever the file is.

Matroska files are read in pure Python, as they are. Any other, and Matroska whose h.264 is not
length-prefixed with an avcC, goes through FFmpeg first (remux.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streamctl.errors import AskedWrongly, MediaError, NotAllowed, NotFound
from streamctl.media import mkv, remux

_MAGIC: Final = b"\x1a\x45\xdf\xa3"
_PIECE: Final = 256 * 1024
_AVCC_CODECS: Final = ("V_MPEG4/ISO/AVC", "V_MPEGH/ISO/HEVC")
_AVCC_VERSION: Final = b"\x01"
_HINT: Final = "give a video file, for example an .mkv or .mp4 with h.264"


class Recording:
    """A file's video. It can be read any number of times, each from the beginning.

    Raises NotFound, AskedWrongly (a directory, a device), NotAllowed or MediaError (empty) at once
    where there is nothing to read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.track: mkv.Track | None = None
        """The first video track; known once `events` or `frames` has given the first."""
        self.damage = ""
        """Once all is read: what kept it from reading on. Empty for a whole file."""
        _check(path)

    def frames(self) -> Iterator[mkv.Frame]:
        """The frames of the first video track, in decode order. Raises what `events` raises."""
        for event in self.events():
            if isinstance(event, mkv.Frame) and self.track and event.track == self.track.number:
                yield event

    def events(self) -> Iterator[mkv.Event]:
        """Fragments as they stand in the file, and their frames; the file is not held in memory.

        Raises MediaError where no frame can be read, and what remux.py raises. A file that breaks
        off, or is garbage from some place on, is read up to there; `damage` says so afterwards.
        """
        self.track, self.damage = None, ""
        started = False
        for event in self._events():
            started = started or isinstance(event, mkv.Frame)
            if isinstance(event, mkv.Opened) and self.track is None and event.tracks:
                self.track = event.tracks[0]
            yield event
        if not started:
            reason = self.damage or "no video track"
            raise MediaError(f"{self.path} holds no video: {reason}", _HINT)

    def _events(self) -> Iterator[mkv.Event]:
        reader = mkv.Reader()
        try:
            for piece in self._pieces():
                yield from reader.feed(piece)
        except MediaError as error:
            self.damage = str(error)
        except OSError as error:  # it was taken away, or its disk fails
            self.damage = f"it cannot be read on: {error.strerror or error}"
        else:
            yield from reader.close()
            self.damage = reader.cut

    def _pieces(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC and _is_ready(self.path):
                file.seek(0)
                yield from iter(lambda: file.read(_PIECE), b"")
                return
        yield from remux.matroska(self.path)


def _is_ready(path: Path) -> bool:
    """Whether a Matroska file's video can be sent as it stands. True also where none is found."""
    reader = mkv.Reader()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            for event in reader.feed(piece):
                if isinstance(event, mkv.Opened):
                    return all(map(_is_plain, event.tracks))
    return True


def _is_plain(track: mkv.Track) -> bool:
    if track.codec_id in _AVCC_CODECS and not track.codec_private.startswith(_AVCC_VERSION):
        return False
    return not track.encoded


def _check(path: Path) -> None:
    try:
        found = path.stat()
        if path.is_file():  # opening a pipe would wait for a writer
            path.open("rb").close()
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {path}") from error
    except PermissionError as error:
        raise NotAllowed(f"{path} may not be read") from error
    except OSError as error:
        raise MediaError(f"{path} cannot be opened: {error.strerror}") from error
    if path.is_dir():
        raise AskedWrongly(f"{path} is a directory, not a video file", _HINT)
    if not path.is_file():
        raise AskedWrongly(f"{path} is not a regular file", _HINT)
    if found.st_size == 0:
        raise MediaError(f"{path} is empty", _HINT)
