"""One running processor's own process: `python -m streamctl.local.rekognition.worker`.

Takes on stdin the bytes that GetMedia would send for the camera, from now on, and writes on stdout
one line of JSON for each analysed frame. Every sample is analysed, in order: when the processor
cannot keep up, records come late, as with Rekognition, but none is left out.
Ends when stdin is closed, so it cannot outlive the server.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import Final

from streamctl.errors import StreamctlError
from streamctl.local.rekognition.faces import FaceEngine
from streamctl.local.rekognition.sampler import Sampler
from streamctl.local.rekognition.seen import AnalysedFrame

_PIECE: Final = 65_536

_log = logging.getLogger(__name__)


def analysed(pieces: Iterator[bytes], engine: FaceEngine) -> Iterator[AnalysedFrame]:
    """Every sampled frame of a live camera, analysed. Raises MediaError for rubbish."""
    sampler = Sampler()
    for piece in pieces:
        for sample in sampler.feed(piece):
            yield AnalysedFrame(sample.at, tuple(engine.see(sample.frame.rgb())))


def _pieces(stdin: int) -> Iterator[bytes]:
    while piece := os.read(stdin, _PIECE):
        yield piece


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides; it closes stdin
    try:
        for frame in analysed(_pieces(sys.stdin.fileno()), FaceEngine()):
            sys.stdout.buffer.write(frame.line())
            sys.stdout.buffer.flush()
    except StreamctlError as error:
        _log.warning("%s", error)
        return error.exit_code
    except BrokenPipeError:  # the server went first
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
