"""What face search will not take is refused, what it takes badly is advised against, each with a cure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import video
from streamctl.core.video import Probe, Weight

GOOD = Probe(
    codec="h264",
    codec_id="V_MPEG4/ISO/AVC",
    fps=29.97,
    width=1280,
    height=720,
    frames=546,
    duration_s=18.2,
    keyframe_interval_s=8.34,
    fragments=(5.04, 8.34, 4.84),
    packaging="avcC",
)


def test_a_good_video_has_nothing_wrong():
    """The real recording that faces are found in."""
    assert video.findings(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "said", "cure"),
    [
        ({"codec": "hevc"}, "H.265 (HEVC)", "-c:v libx264"),
        ({"codec": "mjpeg"}, "MJPEG", "-c:v libx264"),
        ({"codec": "V_NEW/CODEC"}, "V_NEW/CODEC", "-c:v libx264"),
        ({"codec": ""}, "unknown codec", "-c:v libx264"),
        ({"fps": 3.0}, "3 frames a second; face search needs at least 5", "-r 5"),
        ({"fps": 4.899}, "at least 5", "-r 5"),
        ({"fps": 30.501}, "at most 30", "-r 30"),
        ({"fps": 60.0}, "60 frames a second; face search needs at most 30", "-r 30"),
        ({"keyframe_first": False}, "begins without a key frame", "camera push"),
        ({"fragments": (2.0, 20.1)}, "20.1 s long", "-force_key_frames"),
    ],
)
def test_what_does_not_work_is_refused(change, said, cure):
    """One refusal, which names what was found and what to do."""
    (found,) = video.refusals(replace(GOOD, **change))
    assert said in found.what
    assert cure in found.cure


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 640, "height": 480}, "640x480"),
        ({"width": 480, "height": 1280}, "480x1280"),
        ({"keyframe_interval_s": 12.5, "fragments": (12.5,)}, "12.5 s apart"),
        ({"packaging": "Annex-B"}, "Annex-B"),
    ],
)
def test_what_works_badly_is_advised_against(change, said):
    """It is no reason to refuse."""
    (found,) = video.findings(replace(GOOD, **change))
    assert found.weight is Weight.ADVICE
    assert said in found.what
    assert video.refusals(replace(GOOD, **change)) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"fps": 4.9},
        {"fps": 5.0},
        {"fps": 30.03},  # real cameras' clocks run a little fast
        {"fps": 30.5},
        {"fps": None},
        {"fragments": (20.0,)},
        {"keyframe_interval_s": 10.0},
        {"keyframe_interval_s": None},
        {"width": 720, "height": 1280},
        {"width": 0, "height": 0},
    ],
)
def test_what_is_just_good_enough_passes(change):
    """Limits are inclusive, and what could not be measured is not held against a video."""
    assert video.findings(replace(GOOD, **change)) == ()


def test_a_fragment_too_long_is_said_once():
    """Its key frames are too far apart as well, which is the same fault."""
    found = video.findings(replace(GOOD, fragments=(25.0,), keyframe_interval_s=25.0))
    assert [each.weight for each in found] == [Weight.REFUSAL]


@given(
    codec=st.sampled_from(["h264", "hevc", "mjpeg", ""]),
    fps=st.none() | st.floats(0.1, 240),
    size=st.tuples(st.integers(0, 8000), st.integers(0, 8000)),
    interval=st.none() | st.floats(0, 100),
    fragments=st.lists(st.floats(0, 100), max_size=5),
    first=st.booleans(),
)
def test_every_finding_is_whole_and_refusals_come_first(
    codec, fps, size, interval, fragments, first
):
    """One line and one cure each; refused is exactly what breaks one of the four rules."""
    probe = replace(
        GOOD,
        codec=codec,
        fps=fps,
        width=size[0],
        height=size[1],
        keyframe_interval_s=interval,
        fragments=tuple(fragments),
        keyframe_first=first,
    )
    found = video.findings(probe)
    weights = [each.weight for each in found]
    assert weights == sorted(weights, reverse=True)
    assert all(each.what and each.cure and "\n" not in each.what + each.cure for each in found)
    works = (
        codec == "h264"
        and (fps is None or 4.9 <= fps <= 30.5)
        and first
        and max(fragments, default=0) <= 20
    )
    assert (video.refusals(probe) == ()) is works
