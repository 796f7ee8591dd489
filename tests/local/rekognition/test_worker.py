"""The worker process: who is seen when, and that it ends with its server."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamctl.local.rekognition.collection import Collection, IndexedFace, similarity
from streamctl.local.rekognition.faces import FaceEngine
from streamctl.local.rekognition.seen import AnalysedFrame
from streamctl.local.rekognition.worker import analysed
from streamctl.media import clip, images

AsGetMedia = Callable[[Path], Iterator[tuple[int, bytes]]]
WORKER = [sys.executable, "-m", "streamctl.local.rekognition.worker"]


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return FaceEngine()


def collection_of(person: str, vector: tuple[float, ...]) -> Collection:
    collection = Collection("people", 0.0)
    box = {"Height": 0.5, "Width": 0.5, "Left": 0.1, "Top": 0.1}
    collection.add([IndexedFace("f" * 8, "i" * 8, person, box, 99.9, vector)])
    return collection


def who(collection: Collection, frame: AnalysedFrame) -> list[str | None]:
    """Per face in a frame: the person, or None for one who is unknown."""
    best = [collection.search(face.vector, 80.0, 1) for face in frame.faces]
    return [matches[0].face.external_image_id if matches else None for matches in best]


def test_two_real_men_are_told_apart(
    shared_data: Path, as_getmedia: AsGetMedia, engine: FaceEngine
) -> None:
    """The second man, known from a still at 16 s, is found from 10.8 s on; the first never is."""
    path = shared_data / "video" / "bezos_vogels.mkv"
    frames = list(analysed((data for _, data in as_getmedia(path)), engine))
    seconds = [f.at.producer_s - 1_600_000_000 + f.at.offset_s for f in frames]
    still = min(range(len(frames)), key=lambda n: abs(seconds[n] - 16.2))
    second = collection_of("second", frames[still].faces[0].vector)

    seen = {s: who(second, frame) for s, frame in zip(seconds, frames, strict=True)}
    assert all(person == ["second"] for s, person in seen.items() if s > 10.8)
    assert all("second" not in person for s, person in seen.items() if s < 10.0)
    assert sum(person == [None] for s, person in seen.items() if s < 10.0) >= 5


def test_the_rendered_clip(rendered_getmedia: bytes, engine: FaceEngine) -> None:
    """Without any real footage: the known person, nobody, the unknown one, nobody."""
    portrait = FaceEngine(upsample=1).see(images.read(clip.portrait(clip.KNOWN)))
    known = collection_of(clip.KNOWN, portrait[0].vector)
    seen = [who(known, frame) for frame in analysed(iter([rendered_getmedia]), engine)]
    assert seen == [*[[clip.KNOWN]] * 4, *[[]] * 3, *[[None]] * 4, []]


def test_models_are_not_loaded_for_an_empty_room(rendered: Path, as_getmedia: AsGetMedia) -> None:
    """The detector alone looks at frames without faces: nothing is read from disk for them."""
    engine, room = FaceEngine(), []
    for now_ms, data in as_getmedia(rendered):
        room += [data] if 4_000 <= now_ms < 7_000 else []
    assert [frame.faces for frame in analysed(iter(room), engine)] == [(), (), ()]
    assert "_landmarks" not in vars(engine)
    assert "_embedding" not in vars(engine)


def test_a_line_is_a_frame_again(rendered_getmedia: bytes, engine: FaceEngine) -> None:
    """What travels as JSON arrives as it was."""
    frame = next(analysed(iter([rendered_getmedia]), engine))
    assert AnalysedFrame.of(frame.line()) == frame
    assert frame.line().count(b"\n") == 1
    assert len(frame.faces[0].vector) == 128


def test_the_process_ends_with_its_input(rendered_getmedia: bytes) -> None:
    """Every sample is analysed before it ends: a lagging worker leaves nothing out."""
    done = subprocess.run(WORKER, input=rendered_getmedia, capture_output=True, check=True)
    frames = [AnalysedFrame.of(line) for line in done.stdout.splitlines()]
    assert [len(frame.faces) for frame in frames] == [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0]


def test_the_process_ends_when_nobody_listens(rendered_getmedia: bytes) -> None:
    """With its reader gone it ends quietly, in the middle of its work."""
    with subprocess.Popen(
        WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # it may end before it has read all
            process.stdin.write(rendered_getmedia)
            process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_rubbish_is_one_line_and_an_exit_code() -> None:
    """No traceback reaches the server's log."""
    done = subprocess.run(WORKER, input=b"\x00" * 100, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"not a Matroska stream" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("distance", "expected"), [(0.0, 100.0), (0.6, 80.0), (0.3, 90.0), (3.0, 0.0), (9.0, 0.0)]
)
def test_similarity_is_a_straight_line(distance: float, expected: float) -> None:
    """100 at distance 0, 80 at 0.6, never below 0."""
    assert math.isclose(similarity(distance), expected, abs_tol=1e-9)
