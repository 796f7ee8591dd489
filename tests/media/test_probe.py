"""What a video is, measured: on real captures, and on videos made to differ in one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import MediaError
from streamctl.media import mkv, probe


@pytest.mark.parametrize(
    ("name", "codec", "fps", "size", "frames", "fragments"),
    [
        ("video/bezos_vogels.mkv", "h264", 29.97, (1280, 720), 546, 3),
        ("video/person_night.mp4", "h264", 10, (1280, 720), 97, 1),
        ("kvs-captures/output_get_media.mkv", "h264", 30, (640, 360), 300, 5),
        ("kvs-captures/output_get_media_sparse_fragments.mkv", "h264", 30, (640, 360), 180, 3),
        ("kvs-captures/test_mixed_tags.mkv", "mjpeg", 2, (640, 480), 100, 10),
        ("kvs-captures/putmedia_body_c_sdk.mkv", "h264", 25, (640, 480), 294, 7),
    ],
)
def test_real_captures_are_named(shared_data, name, codec, fps, size, frames, fragments):
    """Gaps between fragments are no low rate; MJPEG is named by its fourcc; 29.97 stays 29.97."""
    if name.endswith(".mp4"):
        pytest.importorskip("av", reason="needs the [media] extra")
    found = probe.of_file(shared_data / name)
    assert (found.codec, found.fps, (found.width, found.height)) == (codec, fps, size)
    assert (found.frames, len(found.fragments)) == (frames, fragments)
    assert found.keyframe_first
    assert found.damage == ""


def test_lengths_and_key_frames_of_a_real_file(shared_data):
    """As it would be pushed: one fragment from each key frame to the next."""
    found = probe.of_file(shared_data / "video/bezos_vogels.mkv")
    assert found.fragments == pytest.approx((5.04, 8.34, 4.84), abs=0.01)
    assert found.keyframe_interval_s == pytest.approx(8.34, abs=0.01)
    assert found.duration_s == pytest.approx(18.2, abs=0.05)
    assert found.packaging == "avcC"


def test_a_camera_is_probed_in_the_fragments_that_it_sends(matroska):
    """One that begins without a key frame must be noticed, and not be cut anew."""
    number = "9" * 47
    whole = matroska.get_media(number, 0, *range(0, 2000, 40))
    sent = whole + whole.replace(matroska.block(0, key=True), matroska.block(0))
    found = probe.of_fragments(mkv.fragments([sent]))
    assert found.fragments == (2.0, 2.0)
    assert not found.keyframe_first
    assert found.fps == 25


def test_a_saved_answer_of_getmedia_is_probed_like_the_camera(matroska, tmp_path):
    """The fragments in it are the producer's, as their numbers show."""
    path = tmp_path / "saved.mkv"
    number = "9" * 47
    path.write_bytes(matroska.get_media(number, 0, 0, 40) + matroska.get_media(number, 80, 0, 40))
    assert len(probe.of_file(path).fragments) == 2


@pytest.mark.parametrize(
    ("codec", "private", "named"),
    [
        ("V_MPEG4/ISO/AVC", b"", "h264"),
        ("V_MPEGH/ISO/HEVC", b"", "hevc"),
        ("V_MJPEG", b"", "mjpeg"),
        ("V_MS/VFW/FOURCC", b"\0" * 16 + b"MJPG" + b"\0" * 20, "mjpeg"),
        ("V_MS/VFW/FOURCC", b"\0" * 16 + b"H264" + b"\0" * 20, "h264"),
        ("V_MS/VFW/FOURCC", b"\0" * 16 + b"HEVC" + b"\0" * 20, "hevc"),
        ("V_MS/VFW/FOURCC", b"\0" * 16 + b"ZZZZ" + b"\0" * 20, "zzzz"),
        ("V_MS/VFW/FOURCC", b"short", "V_MS/VFW/FOURCC"),
        ("V_NEW/CODEC", b"", "V_NEW/CODEC"),
    ],
)
def test_codecs_are_named_by_id_or_fourcc(codec, private, named):
    """What we have no name for keeps Matroska's."""
    assert probe.codec_name(mkv.Track(1, codec, private, 640, 480)) == named


@pytest.mark.parametrize(
    ("private", "first", "packaging"),
    [
        (b"\x01\x64\x00\x1e", b"\0\0\0\x02\x09\x10", "avcC"),
        (b"\0\0\0\x01\x67", b"\0\0\0\x01\x65", "Annex-B"),
        (b"", b"\0\0\0\x01\x67\x64", "Annex-B"),
        (b"", b"\0\0\x01\x67\x64", "Annex-B"),
        (b"", b"\0\0\0\x20\x65", "avcC"),
    ],
)
def test_start_codes_are_noticed(matroska, private, first, packaging):
    """In the header, or where that is missing in the first frame."""
    sent = matroska.head(matroska.video(private=private)) + matroska.cluster(0, 0, 40, data=first)
    assert probe.of_fragments(mkv.fragments([sent])).packaging == packaging


@pytest.mark.parametrize("codec", ["libx265", "mjpeg"])
def test_other_codecs_in_real_files_are_named(encode, codec):
    """What the check at start must refuse by name."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    found = probe.of_file(encode("a.mkv", codec=codec, frames=10, **options))
    assert found.codec == {"libx265": "hevc", "mjpeg": "mjpeg"}[codec]
    assert found.frames == 10


@pytest.mark.parametrize("rate", [3, 5, 25, 30, 60])
def test_frame_rates_of_real_files_are_measured(encode, rate):
    """From a container with its own time base, by way of whole milliseconds."""
    assert probe.of_file(encode("a.mp4", rate=rate, frames=3 * rate)).fps == rate


@given(
    fps=st.sampled_from([5, 10, 15, 24_000 / 1001, 24, 25, 30_000 / 1001, 30, 60_000 / 1001, 60]),
    lengths=st.lists(st.integers(150, 600), min_size=1, max_size=10),
    start=st.floats(0, 1000),
)
def test_a_usual_rate_is_found_again_through_rounding(fps, lengths, start):
    """Times are rounded to milliseconds on the wire, which must not make 29.995 of 30."""
    spans = []
    for frames in lengths:
        begin, end = round(start), round(start + 1000 * (frames - 1) / fps)
        spans.append((frames, end - begin))
    assert probe.frame_rate(spans) == round(fps, 3)


@pytest.mark.parametrize(
    ("spans", "rate"),
    [
        ([(59, 1931)], 30.036),  # a real camera's clock, a little fast
        ([(60, 1967), (60, 1967)], 30),
        ([(1, 0)], None),
        ([(3, 0)], None),
        ([], None),
    ],
)
def test_rates_at_the_edge(spans, rate):
    """One frame has no rate, and an unusual one is not rounded away."""
    assert probe.frame_rate(spans) == rate


def test_the_longest_way_between_key_frames_counts(matroska):
    """Within a fragment, and to where the next one would begin."""
    cluster = matroska.cluster(0, 0, 500) + matroska.block(1000, key=True)
    cluster += b"".join(matroska.block(time) for time in (1500, 2000, 2500))
    cluster += matroska.block(3000, key=True)
    found = probe.of_fragments(mkv.fragments([matroska.head() + cluster]))
    assert found.keyframe_interval_s == 2.0
    assert found.fragments == (3.5,)
    cut = matroska.head() + cluster + b"".join(matroska.block(3000 + 500 * n) for n in range(1, 8))
    assert probe.of_fragments(mkv.fragments([cut])).keyframe_interval_s == 4.0


def test_fragments_without_a_key_frame_have_no_interval(matroska):
    """There is none to begin with."""
    sent = matroska.head() + matroska.cluster(0, 0, 40, key=False)
    found = probe.of_fragments(mkv.fragments([sent]))
    assert found.keyframe_interval_s is None
    assert not found.keyframe_first


def test_the_end_of_a_cut_file_is_told(shared_data, tmp_path):
    """What could be read is measured all the same."""
    path = tmp_path / "cut.mkv"
    path.write_bytes((shared_data / "video/bezos_vogels.mkv").read_bytes()[:1_500_000])
    found = probe.of_file(path)
    assert found.fps == 29.97
    assert "cut off" in found.damage


def test_no_video_is_a_media_error(matroska):
    """There is nothing to measure."""
    with pytest.raises(MediaError, match="no video"):
        probe.of_fragments([])
