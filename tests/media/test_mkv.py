"""Every whole fragment is delivered, with its times and tags, however the bytes arrive."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import MediaError
from streamctl.media import ebml, mkv

FIRST = "91343852333181432392682062607743920146159169392"
SECOND = "91343852333181432397633822764885441725874549018"


def read(sent, size=None):
    """All events, and the reader that found them."""
    reader, found = mkv.Reader(), []
    step = size or len(sent) or 1
    for at in range(0, len(sent), step):
        found += reader.feed(sent[at : at + step])
    return found + reader.close(), reader


def whole(events):
    return [event for event in events if isinstance(event, mkv.Fragment)]


@pytest.mark.parametrize(
    ("name", "fragments", "frames"),
    [
        ("kvs-captures/output_get_media.mkv", 5, 300),
        ("kvs-captures/output_get_media_sparse_fragments.mkv", 3, 180),
        ("kvs-captures/test_mixed_tags.mkv", 10, 100),
        ("kvs-captures/putmedia_body_c_sdk.mkv", 7, 294),
        ("kvs-captures/putmedia_body_c_sdk_dropped.mkv", 3, 127),
        ("video/bezos_vogels.mkv", 5, 546),
    ],
)
def test_real_captures_are_read_to_the_last_fragment(shared_data, name, fragments, frames):
    """Counts as they were established with FFmpeg, in pieces and at once."""
    sent = (shared_data / name).read_bytes()
    for size in (4093, len(sent)):
        events, reader = read(sent, size)
        assert len(whole(events)) == fragments
        assert sum(len(fragment.frames) for fragment in whole(events)) == frames
        assert reader.cut == reader.error == ""


def test_a_real_answer_of_getmedia_has_awss_tags_on_every_fragment(shared_data):
    """Number, both times, distance from now; and the producer's own tags among them."""
    sent = (shared_data / "kvs-captures/test_mixed_tags.mkv").read_bytes()
    fragments = list(mkv.fragments([sent]))
    assert [fragment.opened.producer_time.timestamp() for fragment in fragments] == [
        float(second) for second in range(0, 50, 5)
    ]
    for fragment in fragments:
        assert fragment.number is not None
        assert len(fragment.number) == 47
        assert fragment.tags["testTag_4"] == "testTag_4_Value"
        assert fragment.tags[mkv.CONTINUATION_TOKEN] == fragment.number
        assert fragment.opened.server_time.year == 2018
        assert 0 < fragment.behind_now_ms < 1000


def test_a_real_producers_tags_belong_to_the_fragment_before_them(shared_data):
    """AWS's C producer writes several Tags elements behind each cluster."""
    sent = (shared_data / "kvs-captures/putmedia_body_c_sdk.mkv").read_bytes()
    numbered = [fragment.tags.get("TEST_KEY_9") for fragment in mkv.fragments([sent])]
    assert numbered == [f"TEST_VALUE_{9 + 45 * index}" for index in range(6)] + ["TEST_VALUE_279"]


def test_a_fragment_says_what_it_is(matroska):
    """Everything that a reader of GetMedia wants to know of a fragment."""
    sent = matroska.get_media(FIRST, 5000, 0, 40, 80, producer="1511852108.513", mood="calm")
    (fragment,) = mkv.fragments([sent])
    assert fragment.number == FIRST
    assert fragment.opened.server_time == datetime(2017, 11, 28, 6, 55, 9, 126000, tzinfo=UTC)
    assert fragment.opened.producer_time == datetime(2017, 11, 28, 6, 55, 8, 513000, tzinfo=UTC)
    assert fragment.opened.timecode_ms == 5000
    assert fragment.opened.tracks == (
        mkv.Track(1, "V_MPEG4/ISO/AVC", matroska.AVCC, width=1280, height=720),
    )
    assert [frame.time_ms for frame in fragment.frames] == [5000, 5040, 5080]
    assert [frame.keyframe for frame in fragment.frames] == [True, False, False]
    assert fragment.tags["mood"] == "calm"
    assert fragment.behind_now_ms == 15858
    assert fragment.length_ms == 120


def test_frames_are_there_before_their_fragment_is_whole(matroska):
    """A live reader must not wait for a fragment's end: that may be 20 s away."""
    reader = mkv.Reader()
    opened, first = reader.feed(matroska.head() + matroska.cluster(700, 0))
    assert isinstance(opened, mkv.Opened)
    assert isinstance(first, mkv.Frame)
    assert first.time_ms == opened.timecode_ms == 700
    (second,) = reader.feed(matroska.block(40))
    assert second == mkv.Frame(1, 740, keyframe=False, data=b"picture")


def test_a_fragment_of_getmedia_is_whole_with_its_continuation_token(matroska):
    """It need not wait for the next document, which may never come."""
    reader = mkv.Reader()
    assert whole(reader.feed(matroska.get_media(FIRST, 0, 0, 40)))
    assert whole(reader.close()) == []


def test_times_may_start_again_in_a_later_document(matroska):
    """A producer that restarts counts from zero; each document has its own time line."""
    sent = matroska.get_media(FIRST, 9000, 0, 40) + matroska.get_media(SECOND, 0, 0, 40)
    assert [fragment.opened.timecode_ms for fragment in mkv.fragments([sent])] == [9000, 0]


def test_a_later_documents_tags_do_not_reach_back(matroska):
    """Tags before a cluster are that cluster's, also where the earlier document had no token."""
    plain = matroska.head() + matroska.cluster(0, 0, 40)
    sent = plain + matroska.get_media(SECOND, 0, 0, 40)
    assert [fragment.number for fragment in mkv.fragments([sent])] == [None, SECOND]


def test_sound_is_passed_by(matroska):
    """Its blocks may be laced, which no video block is."""
    laced = ebml.write(ebml.SIMPLE_BLOCK, b"\x82\x00\x00\x06rest")
    sent = matroska.head(matroska.video(1), matroska.sound(2)) + matroska.cluster(0, 0) + laced
    sent += matroska.block(40)
    (fragment,) = mkv.fragments([sent])
    assert [track.number for track in fragment.opened.tracks] == [1]
    assert [frame.time_ms for frame in fragment.frames] == [0, 40]


def test_a_block_group_is_a_key_frame_where_it_refers_to_none(matroska):
    """Some muxers write a file's last frame that way (RFC 9559, 10.3)."""
    simple = matroska.block(80)
    inside = ebml.write(ebml.BLOCK, next(iter(ebml.children(simple))).payload)
    alone = ebml.write(ebml.BLOCK_GROUP, inside)
    refers = ebml.write(ebml.BLOCK_GROUP, inside + ebml.write_uint(ebml.REFERENCE_BLOCK, 1))
    sent = matroska.head() + matroska.cluster(0, 0, 40) + alone + refers
    (fragment,) = mkv.fragments([sent])
    assert [frame.keyframe for frame in fragment.frames] == [True, False, True, False]


def test_a_time_scale_other_than_milliseconds_is_converted(matroska):
    """Times are handed over in milliseconds, whatever the document counts in."""
    sent = matroska.head(scale_ns=100_000) + matroska.cluster(20_000, 0, 400)
    (fragment,) = mkv.fragments([sent])
    assert [frame.time_ms for frame in fragment.frames] == [2000, 2040]


def test_an_error_of_getmedia_is_told_and_takes_nothing_away(matroska):
    """The fragments before it were delivered all the same."""
    error = {"AWS_KINESISVIDEO_ERROR_CODE": "InternalError", "AWS_KINESISVIDEO_ERROR_ID": "5000"}
    sent = matroska.get_media(FIRST, 0, 0, 40) + ebml.write_tags(error)
    events, reader = read(sent)
    assert [fragment.number for fragment in whole(events)] == [FIRST]
    assert reader.error == "InternalError (5000)"


def test_an_error_of_getmedia_ends_the_fragments_with_it(matroska):
    """Whoever only wants fragments must not take a failure for silence."""
    error = {"AWS_KINESISVIDEO_ERROR_CODE": "KMSKeyDisabled", "AWS_KINESISVIDEO_ERROR_ID": "4502"}
    found = mkv.fragments([matroska.get_media(FIRST, 0, 0, 40), ebml.write_tags(error)])
    assert next(found).number == FIRST
    with pytest.raises(MediaError, match=r"KMSKeyDisabled \(4502\)"):
        next(found)


@pytest.mark.parametrize("said", ["soon", "-1", "9" * 5000, ""])
def test_a_distance_that_is_no_number_is_none(matroska, said):
    """A file may say anything in AWS's tags."""
    tags = ebml.write_tags({mkv.MILLIS_BEHIND_NOW: said, mkv.FRAGMENT_NUMBER: FIRST})
    (fragment,) = mkv.fragments([matroska.head() + tags + matroska.cluster(0, 0, 40, sized=True)])
    assert fragment.behind_now_ms is None


@pytest.mark.parametrize("said", ["soon", "nan", "inf", "-inf", "1e400", "1e20", ""])
def test_a_time_that_is_none_is_none(matroska, said):
    """Also a producer's, which may be anything."""
    (fragment,) = mkv.fragments([matroska.get_media(FIRST, 0, 0, 40, producer=said)])
    assert fragment.opened.producer_time is None


def test_a_cluster_has_one_timecode(matroska):
    """Its frames' times would be in doubt, and one fragment would open twice."""
    sent = matroska.head() + matroska.cluster(0, 0) + ebml.write_uint(ebml.TIMECODE, 5)
    with pytest.raises(MediaError, match="two timecodes"):
        read(sent)


def test_a_frame_before_its_clusters_timecode_is_refused(matroska):
    """Nobody knows when it is to be shown."""
    sent = matroska.head() + ebml.write_open(ebml.CLUSTER) + matroska.block(0)
    with pytest.raises(MediaError, match="without a timecode"):
        read(sent)


def test_a_fragment_beyond_all_measure_is_refused(matroska):
    """It would be held in memory until it ended."""
    reader = mkv.Reader(max_fragment=1000)
    reader.feed(matroska.head() + matroska.cluster(0, 0, data=b"\0" * 900))
    with pytest.raises(MediaError, match="beyond 1000 bytes"):
        reader.feed(matroska.block(40, data=b"\0" * 100))


def test_small_things_in_large_numbers_are_refused(matroska, monkeypatch):
    """An empty frame or a tag costs a sender a few bytes, and us a hundred times that."""
    monkeypatch.setattr(mkv, "_FRAMES", 3)
    monkeypatch.setattr(mkv, "_TAGS", 3)
    tags = [ebml.write_tags({f"tag {number}": ""}) for number in range(4)]
    for fine, one_more, said in [
        (matroska.cluster(0, 0, 0, 0), matroska.block(0, data=b""), "3 frames"),
        (b"".join(tags[:3]), tags[3], "3 tags"),
        (matroska.cluster(0, 0) + b"".join(tags[:3]), tags[3], "3 tags"),
    ]:
        reader = mkv.Reader()
        reader.feed(matroska.head() + fine)
        with pytest.raises(MediaError, match=said):
            reader.feed(one_more)


@pytest.mark.parametrize("element", [ebml.INFO, ebml.TRACKS, ebml.TAGS])
def test_a_head_beyond_all_measure_is_refused(matroska, element):
    """What it would be unfolded into is larger still."""
    reader = mkv.Reader()
    with pytest.raises(MediaError, match="an element 0x"):
        reader.feed(matroska.head() + ebml.write(element, b"\xec\x80" * 600_000))


def test_a_fragment_of_getmedia_that_breaks_off_is_not_delivered(matroska):
    """Even between two frames: AWS always says something behind a whole one."""
    first, second = matroska.get_media(FIRST, 0, 0, 40), matroska.get_media(SECOND, 2000, 0, 40)
    cut = second[: second.rindex(ebml.TAGS.to_bytes(4, "big"))]
    events, reader = read(first + cut)
    assert [fragment.number for fragment in whole(events)] == [FIRST]
    assert SECOND in reader.cut


def test_a_producers_last_fragment_ends_with_its_body(matroska):
    """A producer says nothing behind it; it just stops between two elements."""
    events, reader = read(matroska.head() + matroska.cluster(0, 0, 40))
    assert len(whole(events)) == 1
    assert reader.cut == ""


@pytest.mark.parametrize("sized", [True, False])
def test_a_producers_fragment_that_breaks_off_is_not_delivered(matroska, sized):
    """In the middle of a frame, whether or not the cluster said how long it would be."""
    sent = matroska.head() + matroska.cluster(0, 0, 40, sized=sized)
    events, reader = read(sent + matroska.cluster(2000, 0, 40, sized=sized)[:-3])
    assert len(whole(events)) == 1
    assert "cut off" in reader.cut


def test_a_fragment_without_an_end_is_refused(matroska):
    """A hostile sender must not fill the memory."""
    reader = mkv.Reader(max_fragment=1000)
    reader.feed(matroska.head() + matroska.cluster(0, 0))
    with pytest.raises(MediaError, match="beyond 1000 bytes"):
        reader.feed(b"".join(map(matroska.block, range(1000))))


@pytest.mark.parametrize("text", ["", "soon", "1e999", "nan", "-1e20"])
def test_a_time_that_is_none_is_left_out(matroska, text):
    """Tags are text from elsewhere; a bad one costs the time, not the fragment."""
    (fragment,) = mkv.fragments([matroska.get_media(FIRST, 0, 0, 40, producer=text)])
    assert fragment.opened.producer_time is None


@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_how_the_bytes_are_cut_into_pieces_changes_nothing(matroska, sizes):
    """Network pieces end anywhere."""
    sent = matroska.get_media(FIRST, 0, 0, 40, mood="calm") + matroska.get_media(
        SECOND, 2000, 0, 40
    )
    expected, _ = read(sent)
    reader, found, at = mkv.Reader(), [], 0
    for size in itertools.cycle(sizes):
        found += reader.feed(sent[at : at + size])
        at += size
        if at >= len(sent):
            break
    assert found + reader.close() == expected


@given(st.data())
def test_what_is_whole_in_a_cut_answer_is_delivered(matroska, data):
    """Cut anywhere, an answer gives the fragments before the cut, and never part of one."""
    documents = [matroska.get_media(number, 0, 0, 40, 80) for number in (FIRST, SECOND)]
    sent = b"".join(documents)
    at = data.draw(st.integers(0, len(sent)))
    events, reader = read(sent[:at])
    found = [fragment.number for fragment in whole(events)]
    assert found == [FIRST, SECOND][: len(found)]
    assert all(len(fragment.frames) == 3 for fragment in whole(events))
    assert len(found) >= (at >= len(documents[0])) + (at == len(sent))
    assert len(found) == 2 or at < len(sent) or reader.cut


@given(st.binary(max_size=300))
def test_garbage_is_a_media_error_or_nothing(matroska, garbage):
    """Whatever is sent, behind a good head or without: one kind of error, and no fragment of it."""
    for sent in (garbage, matroska.head() + garbage):
        try:
            events, _ = read(sent)
        except MediaError:
            continue
        assert all(isinstance(event, mkv.Opened | mkv.Frame | mkv.Fragment) for event in events)
