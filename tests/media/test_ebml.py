"""What is written is read again, in pieces of any size; what is not EBML is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import MediaError
from streamctl.media import ebml

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
BLOCKS = st.builds(
    ebml.Block,
    track=st.integers(1, 20_000),
    relative=st.integers(-0x8000, 0x7FFF),
    keyframe=st.booleans(),
    data=st.binary(max_size=300),
)


def events(sent):
    walker = ebml.Walker()
    return walker.feed(sent) + walker.close()


@given(st.integers(0, 2**64 - 1))
def test_integers_are_read_as_written(value):
    """Up to the eight bytes that EBML allows."""
    (element,) = events(ebml.write_uint(ebml.TIMECODE, value))
    assert (element.id, ebml.uint(element.payload)) == (ebml.TIMECODE, value)


@given(st.dictionaries(NAMES, NAMES, max_size=8))
def test_tags_are_read_as_written(values):
    """Names and values are any text."""
    (element,) = events(ebml.write_tags(values))
    assert ebml.tags(element.payload) == values


@given(BLOCKS)
def test_blocks_are_read_as_written(block):
    """Track, time, key frame and data."""
    (element,) = events(ebml.write_simple_block(block))
    assert ebml.block_of(element) == block


@pytest.mark.parametrize("size", [0, 126, 127, 128, 16_382, 16_383, 2_097_151])
def test_sizes_at_the_edges_are_not_taken_for_unknown(size):
    """A size of all ones means unknown, so it must be written longer."""
    (element,) = events(ebml.write(ebml.TAGS, b"\0" * size))
    assert len(element.payload) == size


def test_containers_of_unknown_size_end_where_they_must(matroska):
    """A cluster before what stands beside it, a segment before the next document."""
    sent = matroska.head() + matroska.cluster(0, 0) + ebml.write_tags({}) + matroska.head()
    kinds = [(type(e), e.id) for e in events(sent) if not isinstance(e, ebml.Element)]
    segment, cluster = ebml.SEGMENT, ebml.CLUSTER
    assert kinds == [
        (ebml.Begin, segment),
        (ebml.Begin, cluster),
        (ebml.End, cluster),
        (ebml.End, segment),
        (ebml.Begin, segment),
        (ebml.End, segment),
    ]


def test_containers_of_known_size_end_with_their_last_byte(matroska):
    """Whatever follows, and before it is there."""
    walker = ebml.Walker()
    found = walker.feed(matroska.cluster(0, 0, sized=True))
    found += walker.feed(ebml.write_tags({}))
    assert [type(event) for event in found] == [
        ebml.Begin,
        ebml.Element,
        ebml.Element,
        ebml.End,
        ebml.Element,
    ]


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_pieces_change_nothing(matroska, sizes):
    """Each element is given as soon as its last byte is there, and once."""
    sent = matroska.get_media("9" * 47, 0, 0, 40) + matroska.cluster(0, 0, sized=True)
    walker, found, at = ebml.Walker(), [], 0
    for size in sizes:
        found += walker.feed(sent[at : at + size])
        at += size
    found += walker.feed(sent[at:]) + walker.close()
    assert found == events(sent)


@given(st.binary(max_size=200))
def test_garbage_is_a_media_error_or_elements(garbage):
    """Never another error, and never more than was sent."""
    walker = ebml.Walker()
    try:
        found = walker.feed(garbage)
        for event in found:
            if isinstance(event, ebml.Element):
                ebml.block_of(event)
                ebml.tags(event.payload)
    except MediaError:
        return
    assert walker.offset <= len(garbage)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\0", "begins no element"),
        (b"\xec\0", "size is malformed"),
        (b"\xec\xff", "unknown size"),
        (b"\xec\x08\xff\xff\xff\xff", "claims"),
    ],
)
def test_what_no_camera_sends_is_refused(sent, said):
    """Elements without an identifier, without a size, and beyond all measure."""
    with pytest.raises(MediaError, match=said):
        ebml.Walker(max_element=1000).feed(sent)


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("container", [ebml.SEGMENT, ebml.CLUSTER])
def test_a_container_in_itself_is_refused(container, sized):
    """Whoever sends nothing else would fill our memory with what is open."""
    walker = ebml.Walker()
    inner = ebml.write(container, b"") if sized else ebml.write_open(container)
    outer = ebml.write(container, inner + b"\xec\x80")
    with pytest.raises(MediaError, match="in itself"):
        walker.feed(outer)


def test_what_is_open_is_no_more_than_a_segment_and_a_cluster(matroska):
    """However many of them come one after the other."""
    walker = ebml.Walker()
    for _ in range(50):
        walker.feed(matroska.head() + matroska.cluster(0, 0) + matroska.cluster(40, 0, sized=True))
    assert len(walker._open) <= 2


def test_the_end_in_the_middle_of_something_is_told(matroska):
    """Of an element, and of a container that promised more."""
    for sent in (matroska.cluster(0, 0)[:-1], matroska.cluster(0, 0, 40, sized=True)[:-15]):
        walker = ebml.Walker()
        walker.feed(sent)
        with pytest.raises(MediaError, match="cut off"):
            walker.close()


@pytest.mark.parametrize("payload", [b"", b"\0", b"\x81\0\0", b"\x81\0\0\x06lace"])
def test_a_malformed_or_laced_block_is_refused(payload):
    """No camera sends more than one frame in a block."""
    with pytest.raises(MediaError):
        ebml.simple_block(payload)


def test_a_block_group_needs_a_block():
    """Else there is nothing to show."""
    with pytest.raises(MediaError, match="without a block"):
        ebml.block_of(ebml.Element(ebml.BLOCK_GROUP, b""))
