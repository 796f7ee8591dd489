"""Fragments on disk: whole ones survive a restart, expired ones go, numbers only grow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.kinesisvideo.storage import HOST_BUFFER_BYTES, State, Storage

HOUR = 3600.0


@pytest.fixture
def open_storage(tmp_path, clock):
    return lambda: Storage(tmp_path, clock)


def stored(storage, clock, *, kept=True, data=b"cluster", lasts_s=2):
    fragment = storage.begin(b"head", producer_ms=5000)
    clock.forward(lasts_s)
    storage.append(fragment, data, lasts_s * 1000)
    storage.finish(fragment, kept=kept)
    return fragment


def numbers(storage):
    return [fragment.number for fragment in storage.kept()]


def test_whole_fragment_survives_a_restart(open_storage, clock):
    """All that is listed of a fragment, and its bytes, are there for the next server."""
    before = stored(open_storage(), clock)
    after = open_storage().get(before.number)
    facts = (
        "number",
        "server_ms",
        "producer_ms",
        "length_ms",
        "size",
        "head_size",
        "state",
        "kept",
    )
    assert [getattr(after, name) for name in facts] == [getattr(before, name) for name in facts]
    assert after.path.read_bytes() == b"headcluster"


def test_what_was_not_whole_does_not_survive(open_storage, clock, tmp_path):
    """A fragment that was arriving when the server died leaves nothing behind."""
    storage = open_storage()
    storage.begin(b"head", producer_ms=0).close(State.ARRIVING)
    stored(storage, clock, kept=False)
    assert open_storage().kept() == []
    assert list(tmp_path.iterdir()) == []


def test_discarded_fragment_leaves_no_file(open_storage, tmp_path):
    """What will never be whole is gone at once, and is not the next of anything."""
    storage = open_storage()
    storage.discard(storage.begin(b"head", producer_ms=0))
    assert storage.after("") is None
    assert list(tmp_path.iterdir()) == []


def test_numbers_have_47_digits_and_grow_even_if_the_clock_goes_back(open_storage, clock):
    """Across a restart with a clock set back, a later fragment has a higher number."""
    first = stored(open_storage(), clock).number
    clock.forward(-1000)
    second = stored(open_storage(), clock).number
    assert len(first) == len(second) == 47
    assert first < second


def test_retention_removes_what_ended_before_it(open_storage, clock, tmp_path):
    """A fragment goes when its end is older than the retention, and its file with it."""
    storage = open_storage()
    old = stored(storage, clock).number
    clock.forward(1800)
    young = stored(storage, clock).number
    storage.trim(HOUR)
    assert numbers(storage) == [old, young]
    clock.forward(1801)
    storage.trim(HOUR)
    assert numbers(storage) == [young]
    assert len(list(tmp_path.iterdir())) == 1


def test_host_buffer_holds_five_minutes(open_storage, clock):
    """Without retention video stays for five minutes, for live viewers, and is never listed."""
    storage = open_storage()
    fragment = stored(storage, clock, kept=False)
    clock.forward(299)
    storage.trim(0)
    assert storage.kept() == []
    assert storage.get(fragment.number) is fragment
    clock.forward(2)
    storage.trim(0)
    assert storage.get(fragment.number) is None


def test_host_buffer_holds_200_mb_of_the_newest(open_storage, clock):
    """Above its size the oldest go first."""
    storage = open_storage()
    found = [stored(storage, clock, kept=False) for _ in range(3)]
    for fragment in found:
        fragment.size = HOST_BUFFER_BYTES // 2
    storage.trim(0)
    assert [storage.get(fragment.number) for fragment in found] == [None, *found[1:]]


def test_full_disk_discards_the_fragment(open_storage, monkeypatch):
    """A fragment that cannot be written on is given up, and the caller told."""
    storage = open_storage()
    fragment = storage.begin(b"head", producer_ms=0)
    fragment._file.close()
    fragment._file = FullDisk()
    with pytest.raises(OSError, match="no room"):
        storage.append(fragment, b"cluster", 0)
    assert storage.after("") is None


class FullDisk:
    """Takes one byte of many: what a raw file does on a full disk, which no test can fill."""

    def write(self, data):
        return 1

    def close(self):
        pass


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 11))
def test_after_walks_every_fragment_once(tmp_path_factory, fates, start):
    """From any number, `after` gives the later fragments in order, discarded ones left out."""
    storage = Storage(tmp_path_factory.mktemp("fragments"), lambda: 1_795_200_000.0)
    made = []
    for kept in fates:
        fragment = storage.begin(b"", producer_ms=0)
        made.append(fragment)
        if not kept:
            storage.discard(fragment)
    left = [f.number for f, kept in zip(made, fates, strict=True) if kept]
    cursor = made[start].number if start < len(made) else ""
    walked = []
    while (found := storage.after(walked[-1] if walked else cursor)) is not None:
        walked.append(found.number)
    assert walked == [number for number in left if number > cursor]
    for fragment in made:
        storage.discard(fragment)
