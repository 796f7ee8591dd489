"""Stills: the frame nearest to a time, decoded out of a fragment that may be damaged."""

from __future__ import annotations

import dataclasses

import pytest

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import images, mkv, stills

BEGAN_MS = 1_000_000


def times(fragment, *asked):
    """The times of the frames nearest to these, from the fragment's own beginning."""
    found = stills.nearest(fragment, [BEGAN_MS + each for each in asked])
    return [frame and frame.time - BEGAN_MS for frame in found]


def damaged(fragment, *numbers, data=b"rubbish"):
    """The fragment with these frames' data replaced."""
    frames = [
        dataclasses.replace(frame, data=data) if number in numbers else frame
        for number, frame in enumerate(fragment.frames)
    ]
    return dataclasses.replace(fragment, frames=tuple(frames))


@pytest.fixture
def fragment(encode, fragments_of):
    """A second of 25 FPS whose frames grow lighter."""
    return fragments_of(encode("a.mkv"))[0]


def test_the_nearest_frame_is_given(fragment):
    """Before it, at it, between two (the earlier of two as near), and behind the last."""
    assert times(fragment, -5000, 0, 19, 20, 21, 480, 5000) == [0, 0, 0, 0, 40, 480, 960]


def test_the_picture_is_that_frames(fragment):
    """Light as it was encoded, and a file of its size."""
    (frame,) = stills.nearest(fragment, [BEGAN_MS + 800])
    assert abs(int(frame.rgb()[100, 300, 0]) - 20) <= 3
    assert images.size(frame.file("JPEG")) == (320, 240)
    assert images.size(frame.file("PNG", (64, 64))) == (64, 64)


def test_one_frame_may_be_asked_for_twice(fragment):
    """Times that rise may lie between the same two frames."""
    assert times(fragment, 81, 81, 82, 90) == [80, 80, 80, 80]


def test_reordered_frames_are_told_by_when_they_are_shown(encode, fragments_of):
    """B-frames come in another order than they are shown."""
    fragment = fragments_of(encode("a.mkv", bf="3"))[0]
    assert [frame.time_ms for frame in fragment.frames] != sorted(
        frame.time_ms for frame in fragment.frames
    )
    first = min(frame.time_ms for frame in fragment.frames) - BEGAN_MS
    asked = [first + 40 * number for number in range(25)]
    assert times(fragment, *asked) == asked


def test_a_frame_that_cannot_be_decoded_is_none_and_the_others_are_not_lost(fragment):
    """Those before it are sound, and the decoder goes on behind it."""
    found = times(damaged(fragment, 10), 360, 400, 960)
    assert found == [360, None, 960]


def test_a_fragment_that_cannot_be_decoded_has_no_still(fragment):
    """Neither one whose frames are rubbish nor one whose parameters are."""
    assert times(damaged(fragment, *range(25)), 0, 500) == [None, None]
    assert times(damaged(fragment, *range(25), data=b""), 0) == [None]
    (track,) = fragment.opened.tracks
    broken = dataclasses.replace(track, codec_private=b"\x01")
    opened = dataclasses.replace(fragment.opened, tracks=(broken,))
    assert times(dataclasses.replace(fragment, opened=opened), 0) == [None]


def test_what_is_no_video_is_refused(fragment, matroska):
    """Sound alone, a track without a frame, and a codec that is not read."""
    (silent,) = mkv.fragments([matroska.head(matroska.sound()) + matroska.cluster(0, 0)])
    for empty in (silent, dataclasses.replace(fragment, frames=())):
        with pytest.raises(MediaError, match="no video"):
            list(stills.nearest(empty, [0]))
    head = matroska.head(matroska.video(codec="V_THEORA"))
    (strange,) = mkv.fragments([head + matroska.cluster(0, 0)])
    with pytest.raises(Unsuitable, match="V_THEORA"):
        list(stills.nearest(strange, [0]))


def test_a_real_capture(shared_data):
    """Of every fragment of a real GetMedia answer, the first frame, the middle, and the last."""
    body = (shared_data / "kvs-captures" / "output_get_media.mkv").read_bytes()
    found = []
    for fragment in mkv.fragments([body]):
        shown = sorted(frame.time_ms for frame in fragment.frames)
        asked = [shown[0], shown[len(shown) // 2], shown[-1]]
        found.append([frame and frame.time for frame in stills.nearest(fragment, asked)] == asked)
    assert found == [True] * 5
