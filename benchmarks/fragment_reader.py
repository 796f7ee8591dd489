"""Fragment reader: pure Python on real captures, against PyAV's bare demuxing of the same bytes.

Promise: every fragment delivered, at 0.5 of PyAV's speed or more. Both read from
memory and hand over every frame's bytes; runs alternate, so that a busy machine slows both. PyAV is
timed twice: as anybody would use it, opening included (where FFmpeg looks into the frames to learn
what they are), and its demuxing alone.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import inputs, report
from benchmarks.report import Table
from streamctl.media import mkv

CAPTURES: Final = (
    "kvs-captures/output_get_media.mkv",
    "kvs-captures/output_get_media_sparse_fragments.mkv",
    "kvs-captures/putmedia_body_c_sdk.mkv",
    "kvs-captures/test_mixed_tags.mkv",
    "video/bezos_vogels.mkv",
)
RUNS: Final = 40
PIECE: Final = 64 * 1024  # about what a network read gives
_COLUMNS: Final = (
    *("capture", "MB", "fragments", "frames"),
    *("ours", "p95", "PyAV", "p95", "demuxing", "p95"),
    *("ratio", "aim", "alone"),
)


def measure() -> Iterator[Table]:
    title = f"fragment reader: medians of {RUNS} runs in ms, against PyAV"
    if not inputs.DATA.is_dir():
        yield Table(title, _COLUMNS, [], [f"skipped: needs the real captures in {inputs.DATA}"])
        return
    rows = [_measured(name) for name in CAPTURES]
    ours, whole, alone = (sum(times) for times in zip(*(row.medians for row in rows), strict=True))
    yield Table(
        title,
        _COLUMNS,
        [
            *(row.cells for row in rows),
            ("all together", *[""] * 9, f"{whole / ours:.2f}", ">= 0.5", f"{alone / ours:.2f}"),
        ],
        [
            "ratio: PyAV's time, opening included, over ours; alone: its demuxing's over ours",
            "every frame that PyAV found was delivered",
        ],
    )


@dataclass(frozen=True)
class Row:
    """One capture; seconds of each run."""

    name: str
    size: int
    fragments: int
    frames: int
    ours: list[float]
    whole: list[float]
    alone: list[float]

    @property
    def medians(self) -> tuple[float, float, float]:
        ours, whole, alone = map(statistics.median, (self.ours, self.whole, self.alone))
        return ours, whole, alone

    @property
    def cells(self) -> tuple[str, ...]:
        ours, whole, alone = self.medians
        return (
            self.name,
            f"{self.size / 1e6:.2f}",
            str(self.fragments),
            str(self.frames),
            *report.milliseconds(self.ours),
            *report.milliseconds(self.whole),
            *report.milliseconds(self.alone),
            f"{whole / ours:.2f}",
            ">= 0.5",
            f"{alone / ours:.2f}",
        )


def _measured(name: str) -> Row:
    sent = (inputs.DATA / name).read_bytes()
    fragments = list(mkv.fragments(_pieces(sent)))
    frames = sum(len(fragment.frames) for fragment in fragments)
    row = Row(Path(name).name, len(sent), len(fragments), frames, [], [], [])
    for _ in range(RUNS):
        row.ours.append(_timed(lambda: list(mkv.fragments(_pieces(sent)))))
        opened_and_read, read = _pyav(sent, frames)
        row.whole.append(opened_and_read)
        row.alone.append(read)
    return row


def _pieces(sent: bytes) -> Iterator[bytes]:
    return (sent[at : at + PIECE] for at in range(0, len(sent), PIECE))


def _pyav(sent: bytes, frames: int) -> tuple[float, float]:
    """Seconds with opening, and of the demuxing alone."""
    import av  # noqa: PLC0415  (not to be timed, and not needed to say that data is missing)

    began = time.perf_counter()
    with av.open(io.BytesIO(sent), mode="r") as file:
        opened = time.perf_counter()
        found = [bytes(packet) for packet in file.demux(video=0) if packet.size]
        done = time.perf_counter()
    assert len(found) == frames, f"PyAV found {len(found)} frames, we {frames}"
    return done - began, done - opened


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
