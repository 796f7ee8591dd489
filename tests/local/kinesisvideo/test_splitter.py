"""What a PutMedia body is cut into, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.kinesisvideo.acknowledgements import ErrorId
from streamctl.local.kinesisvideo.splitter import Closed, Opened, Piece, Refused, Splitter
from streamctl.media import ebml


def cut(body, *, orderly=True, piece=65_536):
    """The timecodes of the whole fragments, and why it was refused."""
    splitter, opened, whole = Splitter(), [], []
    try:
        for at in range(0, len(body), piece):
            note(splitter.feed(body[at : at + piece]), opened, whole)
        note(splitter.end(orderly=orderly), opened, whole)
    except Refused as refused:
        return whole, refused.error
    return whole, None


def note(events, opened, whole):
    for event in events:
        if isinstance(event, Opened):
            opened.append(event.timecode_ms)
        elif isinstance(event, Closed):
            whole.append(opened[-1])


@pytest.mark.parametrize("piece", [1, 7, 4096, 65_536])
@pytest.mark.parametrize("sized", [False, True])
def test_each_cluster_is_a_fragment(mkv, sized, piece):
    """Clusters of known and unknown size are told apart however the bytes are cut."""
    body = mkv.head() + b"".join(mkv.cluster(t, sized=sized) for t in (0, 2000, 4000))
    assert cut(body, piece=piece) == ([0, 2000, 4000], None)


def test_frames_come_out_before_their_fragment_is_whole(mkv):
    """A frame is handed on as soon as its own bytes have arrived."""
    splitter = Splitter()
    events = list(splitter.feed(mkv.head() + mkv.cluster(0, [mkv.frame(0), mkv.frame(40)])))
    pieces = [event for event in events if isinstance(event, Piece)]
    assert pieces[-1] == Piece(mkv.frame(40), length_ms=40)
    assert Closed() not in events


def test_end_of_fragment_tag_closes_at_once(mkv):
    """The producer SDK's marker ends a fragment before the next cluster is there."""
    splitter = Splitter()
    events = list(splitter.feed(mkv.head() + mkv.cluster(0) + mkv.end_of_fragment()))
    assert events[-1] == Closed()
    assert list(splitter.end(orderly=False)) == []


def test_tags_are_kept_with_their_fragment_and_the_marker_is_not(mkv):
    """Other tags travel with the fragment; the marker is for the service alone."""
    splitter = Splitter()
    body = mkv.head() + mkv.cluster(0) + mkv.tags(room="hall") + mkv.end_of_fragment()
    pieces = [event.data for event in splitter.feed(body) if isinstance(event, Piece)]
    assert pieces[-1] == mkv.tags(room="hall")


def test_orderly_end_keeps_the_last_fragment(mkv):
    """A body that ends between two elements has ended its last fragment."""
    assert cut(mkv.head() + mkv.cluster(0) + mkv.cluster(2000)) == ([0, 2000], None)


def test_broken_connection_loses_the_fragment_whose_end_is_unknown(mkv):
    """Without an orderly end, a cluster of unknown size may lack frames."""
    assert cut(mkv.head() + mkv.cluster(0) + mkv.cluster(2000), orderly=False) == ([0], None)


def test_broken_connection_keeps_a_cluster_of_known_size_that_is_full(mkv):
    """A cluster that said how long it is, and is so long, is whole whatever comes after."""
    body = mkv.head() + mkv.cluster(0, sized=True) + mkv.cluster(2000, sized=True)
    assert cut(body, orderly=False) == ([0, 2000], None)
    assert cut(body[:-3], orderly=False) == ([0], None)


@pytest.mark.parametrize("sized", [False, True])
def test_body_that_ends_inside_a_frame_is_refused(mkv, sized):
    """Half a frame is no fragment, and the producer is told."""
    body = mkv.head() + mkv.cluster(0, sized=sized) + mkv.cluster(2000, sized=sized)
    assert cut(body[:-3]) == ([0], ErrorId.INVALID_MKV_DATA)


def test_file_of_known_sizes_with_its_index_behind(mkv):
    """A file's cues belong to no fragment and disturb none."""
    cues = ebml.write(0x1C53BB6B, b"\0" * 10)
    assert cut(mkv.head() + mkv.cluster(0, sized=True) + cues) == ([0], None)


@pytest.mark.parametrize(
    "body",
    [
        b"hello, this is no video at all\n" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        bytes(5000),
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe",
        b"\x1a\x45\xdf\xa3\x84abcd" * 3,
    ],
    ids=["text", "png", "zeros", "magic alone", "huge header", "headers only"],
)
def test_what_is_no_matroska_is_refused(body):
    """Garbage is named as invalid MKV, without waiting for bytes that it claims to have."""
    assert cut(body) == ([], ErrorId.INVALID_MKV_DATA)


def test_text_is_refused_by_its_first_byte():
    """A text claims no element that anybody should wait for."""
    with pytest.raises(Refused):
        list(Splitter().feed(b"h"))


def test_half_a_header_is_refused_at_the_end(mkv):
    """A producer that ends inside its header has sent nothing."""
    assert cut(mkv.head()[:30]) == ([], ErrorId.INVALID_MKV_DATA)


def test_empty_body_is_no_error():
    """A producer that had nothing to send did nothing wrong."""
    assert cut(b"") == ([], None)


def test_refusals_by_their_documented_ids(mkv):
    """Each constraint of the PutMedia page has its own error id."""
    head, cluster, frame = mkv.head(), mkv.cluster, mkv.frame
    many = {f"tag{n}": "x" for n in range(11)}
    wide = mkv.head(tracks=(1, 2))
    refused = {
        "timecode again": head + cluster(2000) + cluster(2000),
        "timecode back": head + cluster(2000) + cluster(1000),
        "too long": head + cluster(0, [frame(0), frame(20_001)]),
        "unknown track": head + cluster(0, [frame(0, track=7)]),
        "a track missing": wide + cluster(0, [frame(0)]) + cluster(2000),
        "no frame": head + cluster(0, []) + cluster(2000),
        "four tracks": mkv.head(tracks=(1, 2, 3, 4)),
        "eleven tags": head + cluster(0) + mkv.tags(**many),
        "second segment": head + cluster(0) + mkv.head(),
        "no timecode": head + ebml.write_open(ebml.CLUSTER) + mkv.tags(room="hall"),
        "no tracks": head[: head.index(b"\x16\x54\xae\x6b")] + cluster(0),
        "cluster of 60 MB": head + b"\x1f\x43\xb6\x75" + (60_000_000 | 1 << 56).to_bytes(8, "big"),
        "frame of 60 MB": head
        + cluster(0, [])
        + b"\xa3"
        + (60_000_000 | 1 << 56).to_bytes(8, "big"),
    }
    assert {what: cut(body)[1] for what, body in refused.items()} == {
        "timecode again": 4004,
        "timecode back": 4004,
        "too long": 4002,
        "unknown track": 4010,
        "a track missing": 4011,
        "no frame": 4011,
        "four tracks": 4012,
        "eleven tags": 4009,
        "second segment": 4006,
        "no timecode": 4006,
        "no tracks": 4006,
        "cluster of 60 MB": 4001,
        "frame of 60 MB": 4006,
    }


def test_fragment_above_50_mb_is_refused_frame_by_frame(mkv):
    """The size counts as it grows; nobody has to declare it."""
    frames = [mkv.frame(number, data=bytes(1_000_000)) for number in range(51)]
    assert cut(mkv.head() + mkv.cluster(0, frames)) == ([], ErrorId.MAX_FRAGMENT_SIZE_REACHED)


def test_timecode_scale_is_the_producers(mkv):
    """Timecodes are counted in units of the scale that the header names."""
    body = mkv.head(scale_ns=500_000) + mkv.cluster(4000)
    assert cut(body) == ([2000], None)


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(data):
    """No input makes anything but a refusal."""
    cut(data)


@given(data=st.binary(max_size=60), at=st.integers(0, 200), piece=st.integers(1, 64))
def test_any_damage_is_taken_or_refused(mkv_body, data, at, piece):
    """Matroska with a damaged place makes nothing but a refusal, however it is cut."""
    cut(mkv_body[:at] + data + mkv_body[at + len(data) :], piece=piece)


@pytest.fixture(scope="module")
def mkv_body():
    head = ebml.write(ebml.EBML, b"") + ebml.write_open(ebml.SEGMENT)
    track = ebml.write(ebml.TRACK_ENTRY, ebml.write_uint(ebml.TRACK_NUMBER, 1))
    block = ebml.write_simple_block(ebml.Block(1, 0, True, b"x"))
    clusters = [
        ebml.write_open(ebml.CLUSTER) + ebml.write_uint(ebml.TIMECODE, t) + block for t in range(5)
    ]
    return head + ebml.write(ebml.TRACKS, track) + b"".join(clusters)


def test_real_c_producer(shared_data):
    """The C producer's body is seven fragments; cut in its third, the first two are whole."""
    captures = shared_data / "kvs-captures"
    whole, error = cut((captures / "putmedia_body_c_sdk.mkv").read_bytes())
    assert (len(whole), whole[0], error) == (7, 1_795_200_966_543, None)
    dropped = (captures / "putmedia_body_c_sdk_dropped.mkv").read_bytes()
    assert cut(dropped, orderly=False) == (whole[:2], None)
