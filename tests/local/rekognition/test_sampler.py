"""Which frames are analysed: the first of each fragment and one a second, as early as can be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamctl.errors import MediaError
from streamctl.local.rekognition.sampler import Sample, Sampler
from streamctl.media import ebml, mkv

AsGetMedia = Callable[[Path], Iterator[tuple[int, bytes]]]


def samples(pieces: list[bytes]) -> list[Sample]:
    sampler = Sampler()
    return [sample for piece in pieces for sample in sampler.feed(piece)]


def test_each_fragment_begins_anew(rendered_getmedia: bytes) -> None:
    """Twelve fragments of one second give twelve samples, each at its fragment's beginning."""
    found = samples([rendered_getmedia])
    assert [sample.at.offset_s for sample in found] == [0.0] * 12
    assert len({sample.at.fragment for sample in found}) == 12
    times = [sample.at.producer_s for sample in found]
    assert times == sorted(times)


def test_steps_of_a_second_inside_a_fragment(shared_data: Path, as_getmedia: AsGetMedia) -> None:
    """bezos_vogels.mkv has fragments of 5, 8.3 and 4.8 s: 6 + 9 + 5 samples, near whole seconds."""
    path = shared_data / "video" / "bezos_vogels.mkv"
    found = samples([data for _, data in as_getmedia(path)])
    offsets = [round(sample.at.offset_s, 1) for sample in found]
    assert offsets == [*map(float, range(6)), *map(float, range(9)), *map(float, range(5))]
    assert all(sample.at.offset_s >= round(sample.at.offset_s) for sample in found)


def test_a_sample_comes_with_its_own_frame(shared_data: Path, as_getmedia: AsGetMedia) -> None:
    """No frame waits for its fragment's end: feeding a sampled frame's bytes gives the sample."""
    path, sampler = shared_data / "video" / "bezos_vogels.mkv", Sampler()
    for now_ms, data in as_getmedia(path):
        for sample in sampler.feed(data):
            at = sample.at
            assert round((at.producer_s - 1_600_000_000 + at.offset_s) * 1000) == now_ms


@pytest.mark.parametrize("size", [1, 1_000, 65_536])
def test_pieces_of_any_size(rendered_getmedia: bytes, size: int) -> None:
    """However the bytes are cut, the samples are the same."""
    data = rendered_getmedia[:200_000]
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [s.at for s in samples(pieces)] == [s.at for s in samples([data])] != []


def test_what_getmedia_says_is_kept(rendered_getmedia: bytes) -> None:
    """Fragment number and both times come from AWS's tags."""
    at = samples([rendered_getmedia])[0].at
    assert at.fragment == str(10**46 + 1)
    assert (at.server_s, at.producer_s) == (1_600_000_000.0, 1_600_000_000.0)


def test_a_real_capture(shared_data: Path) -> None:
    """What AWS itself sent: five fragments of two seconds; the sixth header in it has no tags."""
    data = (shared_data / "kvs-captures" / "output_get_media.mkv").read_bytes()
    found = samples([data])
    assert len(found) >= 10
    assert all(len(sample.at.fragment) == 47 for sample in found)
    assert found[0].frame.rgb().shape == (360, 640, 3)


def test_video_that_is_not_h264_gives_nothing(
    shared_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A real MJPEG capture runs through without a sample; the log names the codec, once a track."""
    data = (shared_data / "kvs-captures" / "test_mixed_tags.mkv").read_bytes()
    assert samples([data]) == []
    assert "V_MS/VFW/FOURCC" in caplog.text


def test_broken_frames_are_passed_over(rendered: Path, as_getmedia: AsGetMedia) -> None:
    """Blocks of rubbish cost their own samples; the next fragment is as good as ever."""
    pieces = []
    for number, (_, data) in enumerate(as_getmedia(rendered)):
        pieces.append(_spoiled(data) if 5 <= number < 15 else data)
    assert len({sample.at.fragment for sample in samples(pieces)}) == 12


def _spoiled(data: bytes) -> bytes:
    (element,) = (e for e in ebml.Walker().feed(data) if isinstance(e, ebml.Element))
    block = ebml.simple_block(element.payload)
    return ebml.write_simple_block(dataclasses.replace(block, data=b"\xff" * len(block.data)))


def test_bytes_that_are_not_matroska_are_an_error() -> None:
    """The worker cannot go on with them."""
    with pytest.raises(MediaError):
        samples([b"\x00" * 100])


def test_sound_is_not_looked_at(rendered: Path, as_getmedia: AsGetMedia) -> None:
    """Blocks of another track are passed by."""
    pieces: list[bytes] = []
    for _, data in as_getmedia(rendered):
        pieces += [data, ebml.write_simple_block(ebml.Block(2, 0, keyframe=True, data=b"sound"))]
    assert len(samples(pieces[:-2])) == 12


def test_a_camera_that_changes_its_picture(rendered: Path, as_getmedia: AsGetMedia) -> None:
    """A track without a decoder between two with one: the samples go on after it."""
    data = b"".join(piece for _, piece in as_getmedia(rendered))
    other = data.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/ASP")
    assert other != data
    assert len(samples([data, other, data])) == 24


def test_tags_of_a_producer_do_no_harm(rendered_getmedia: bytes) -> None:
    """A producer's own tags stand between AWS's; they are not ours to read."""
    own = ebml.write_tags({"door": "open"})
    marked = rendered_getmedia.replace(
        ebml.write_tags({mkv.MILLIS_BEHIND_NOW: "0", mkv.CONTINUATION_TOKEN: str(10**46 + 3)}), own
    )
    assert own in marked
    assert len(samples([marked])) == 12
