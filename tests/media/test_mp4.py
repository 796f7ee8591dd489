"""MP4s of fragments: every frame at its time, whatever the fragments' own times are."""

from __future__ import annotations

import dataclasses
import io
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import mp4


class Written:
    """An MP4, and how it was given."""

    def __init__(self, fragments, at=None):
        """`at`: the fragments' times; without, their own."""
        at = at or [fragment.opened.timecode_ms for fragment in fragments]
        self.pieces = []
        (track,) = fragments[0].opened.tracks
        mp4.write(track, zip(at, fragments, strict=True), self.pieces.append)

    @property
    def data(self):
        return b"".join(self.pieces)

    def boxes(self):
        """The names of its boxes, front to back."""
        at, names = 0, []
        while at < len(self.data):
            names.append(self.data[at + 4 : at + 8].decode())
            at += int.from_bytes(self.data[at : at + 4], "big")
        return names

    def stored_ms(self):
        """When its frames are to be decoded, undecoded."""
        import av

        with av.open(io.BytesIO(self.data)) as file:
            packets = [packet for packet in file.demux(video=0) if packet.size]
            return [packet.dts * packet.time_base * 1000 for packet in packets]

    def times_ms(self):
        """When its frames are shown, as FFmpeg decodes them."""
        import av

        with av.open(io.BytesIO(self.data)) as file:
            shown = [frame.time for frame in file.decode(video=0)]
        return [round(1000 * time) for time in shown]


def every_40_ms(first, count=25):
    return [first + 40 * number for number in range(count)]


@pytest.fixture
def three(encode, fragments_of):
    """Three fragments of a second each, 25 FPS."""
    return fragments_of(encode("a.mkv"))


def test_every_frame_is_there_at_its_time(three):
    """From 0 on."""
    assert Written(three).times_ms() == every_40_ms(0, 75)


def test_it_is_fragmented(three):
    """Each fragment's index stands right before it, so nothing has to be written twice."""
    assert Written(three).boxes() == ["ftyp", "moov", *["moof", "mdat"] * 3, "mfra"]


def test_no_more_than_a_fragment_is_held(three):
    """Each is given away once the next one has come: that is how memory stays bounded."""
    (track,) = three[0].opened.tracks
    pieces, given = [], []

    def coming():
        for number, fragment in enumerate(three):
            given.append(sum(map(len, pieces)))
            yield 1000 * number, fragment

    mp4.write(track, coming(), pieces.append)
    sizes = [sum(len(frame.data) for frame in fragment.frames) for fragment in three]
    assert given[2] > sizes[0]
    assert sum(map(len, pieces)) > sum(sizes)


def test_the_frames_are_the_cameras_own(three):
    """Bit for bit: nothing was encoded again."""
    data = Written(three).data
    assert all(frame.data in data for fragment in three for frame in fragment.frames)


def test_gaps_stay(three):
    """Where a fragment is missing, the next one is as late as it was."""
    assert Written([three[0], three[2]]).times_ms() == [*every_40_ms(0), *every_40_ms(2000)]


def test_fragments_that_would_overlap_follow_each_other(three):
    """A producer that sent faster than it recorded has server times close to each other."""
    assert Written(three, [5000, 5010, 4000]).times_ms() == every_40_ms(0, 75)


def test_a_fragment_that_begins_behind_its_own_time(three):
    """A cluster's time may lie before its first frame: the clip begins with the frame."""
    opened = dataclasses.replace(three[0].opened, timecode_ms=three[0].opened.timecode_ms - 300)
    late = dataclasses.replace(three[0], opened=opened)
    assert Written([late, three[1]], [5000, 6300]).times_ms() == every_40_ms(0, 50)


def test_reordered_frames_keep_their_distances(encode, fragments_of):
    """B-frames are shown when they were; the MP4 may begin later by what reordering takes."""
    fragments = fragments_of(encode("a.mkv", bf="3"))
    found = Written(fragments).times_ms()
    assert len(found) == sum(len(fragment.frames) for fragment in fragments) == 75
    steps = [after - before for before, after in itertools.pairwise(found)]
    assert set(steps) <= set(range(39, 42))


def test_one_frame_and_frames_of_one_time(three):
    """The shortest fragment there is; and clocks that stand still, which frames must not."""
    alone = dataclasses.replace(three[0], frames=three[0].frames[:1])
    assert Written([alone]).times_ms() == [0]
    still = [dataclasses.replace(frame, time_ms=1_000_000) for frame in three[0].frames]
    found = Written([dataclasses.replace(three[0], frames=tuple(still))]).times_ms()
    assert found == sorted(set(found))
    assert len(found) == 25


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    times=st.lists(
        st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=8), min_size=1, max_size=4
    ),
    at=st.lists(st.integers(0, 2**42), min_size=4, max_size=4),
)
def test_whatever_the_times_every_frame_is_in_it(three, times, at):
    """Clocks that jump, stand still or run backwards; no frame is lost, and none comes twice."""
    fragments = [
        dataclasses.replace(
            three[0],
            frames=tuple(
                dataclasses.replace(frame, time_ms=1_000_000 + time)
                for frame, time in zip(three[0].frames, own, strict=False)
            ),
        )
        for own in times
    ]
    found = Written(fragments, at[: len(fragments)]).stored_ms()
    assert len(found) == len(set(found)) == sum(map(len, times))


def test_h265_is_taken_too(encode, fragments_of):
    """As GetClip does."""
    path = encode("a.mkv", codec="libx265", **{"x265-params": "log-level=none:bframes=0"})
    assert len(Written(fragments_of(path)).times_ms()) == 75


def test_what_an_mp4_cannot_hold_is_refused_by_name(three):
    """Before anything is written."""
    assert codec_refused(three, codec_id="V_MJPEG", error=Unsuitable) == "'V_MJPEG'"
    for private in (b"", b"\x00\x00\x00\x01g", b"\x01\x64\x00\x1e\xff\xe1", b"\x01" * 8):
        assert codec_refused(three, codec_private=private, error=MediaError) == "the"
    hevc = {"codec_id": "V_MPEGH/ISO/HEVC", "codec_private": b"\x01" * 22}
    assert codec_refused(three, **hevc, error=MediaError) == "the"
    assert codec_refused(three, width=0, error=MediaError) == "it"


def codec_refused(fragments, *, error, **changed):
    """The first word of the refusal."""
    (track,) = fragments[0].opened.tracks
    pieces = []
    with pytest.raises(error) as refused:
        mp4.write(dataclasses.replace(track, **changed), [(0, fragments[0])], pieces.append)
    assert pieces == []
    return str(refused.value).split()[0]


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\0\0\0", b"\0\0\0\1g\0\0\0\0", b"\0\0\0\x09g", b"rubbish" * 9]
)
def test_a_frame_that_is_none_is_refused(three, data):
    """Its parts must fill it, each behind its length."""
    broken = dataclasses.replace(three[0].frames[5], data=data)
    frames = (*three[0].frames[:5], broken)
    with pytest.raises(MediaError, match="a frame of"):
        Written([dataclasses.replace(three[0], frames=frames)])


def test_a_real_recording(shared_data, fragments_of):
    """All 546 frames, each at the millisecond at which it was sent."""
    fragments = fragments_of(shared_data / "video" / "bezos_vogels.mkv")
    found = Written(fragments).times_ms()
    sent = [frame.time_ms - 1_000_000 for fragment in fragments for frame in fragment.frames]
    assert found == sent
