"""How collections and processors are kept: names that disks do not like, and files that broke off."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.rekognition.collection import Collection, IndexedFace
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.paging import page
from streamctl.local.service import ServiceFault

HERE = ("000000000000", "us-east-1")


def face(number: int) -> IndexedFace:
    box = {"Height": 0.5, "Width": 0.5, "Left": 0.1, "Top": 0.1}
    return IndexedFace(f"face-{number}", "image", None, box, 99.5, (float(number),) * 128)


def reloaded(folder: Path) -> CollectionStore:
    store = CollectionStore(folder)
    store.load()
    return store


@pytest.mark.parametrize("name", ["..", ".", "a" * 255, "-", "..._"])
def test_names_that_are_no_file_names(tmp_path: Path, name: str) -> None:
    """AWS allows them; nothing is written outside the folder, and they come back."""
    folder = tmp_path / "collections"
    store = CollectionStore(folder)
    store.create(HERE, Collection(name, 1.0))
    assert [path.parent for path in tmp_path.rglob("*.jsonl")] == [folder / HERE[0] / HERE[1]]
    assert set(reloaded(folder).all(HERE)) == {name}


def test_what_broke_off_costs_one_line(tmp_path: Path) -> None:
    """A journal cut inside its last line gives the faces before it, and takes new ones."""
    store = CollectionStore(tmp_path)
    people = Collection("people", 1.0)
    store.create(HERE, people)
    store.add(HERE, people, [face(1), face(2)])
    (journal,) = tmp_path.rglob("*.jsonl")
    journal.write_bytes(journal.read_bytes()[:-40])

    store = reloaded(tmp_path)
    assert set(store.get(HERE, "people").faces) == {"face-1"}
    store.add(HERE, store.get(HERE, "people"), [face(3)])
    assert set(reloaded(tmp_path).get(HERE, "people").faces) == {"face-1", "face-3"}


def test_a_journal_of_rubbish_is_left_out(tmp_path: Path) -> None:
    """One bad file does not keep the server from starting."""
    (tmp_path / HERE[0] / HERE[1]).mkdir(parents=True)
    (tmp_path / HERE[0] / HERE[1] / "bad.jsonl").write_bytes(b"\xff\xfe\nnull\n[]\n{}\n")
    assert reloaded(tmp_path).all(HERE) == {}


def test_faces_come_back_as_they_were(tmp_path: Path) -> None:
    """Every number of the vector, the box, and what has no external id."""
    store = CollectionStore(tmp_path)
    people = Collection("people", 1.0)
    store.create(HERE, people)
    store.add(HERE, people, [face(n) for n in range(5)])
    store.remove(HERE, people, ["face-3", "never"])
    assert reloaded(tmp_path).get(HERE, "people").faces == {
        f"face-{n}": face(n) for n in (0, 1, 2, 4)
    }


def test_search_gives_the_nearest_first(tmp_path: Path) -> None:
    """Sorted by similarity, from the threshold on, and no more than asked for."""
    people = Collection("people", 1.0)
    people.add([face(n) for n in (3, 1, 2)])
    wanted = (1.1,) * 128
    assert [m.face.face_id for m in people.search(wanted, 0.0)] == ["face-1", "face-2", "face-3"]
    assert [m.face.face_id for m in people.search(wanted, 60.0)] == ["face-1"]
    assert len(people.search(wanted, 0.0, most=2)) == 2
    people.remove(["face-1"])
    assert people.search(wanted, 0.0)[0].face.face_id == "face-2"
    people.remove(["face-2", "face-3"])
    assert people.search(wanted, 0.0) == []


KEYS = st.text("abcXYZ019._-", min_size=1, max_size=255)


@given(st.sets(KEYS, max_size=30), st.integers(1, 10))
def test_pages_hold_every_item_once(keys: set[str], size: int) -> None:
    """Whatever the keys and the size of a page."""
    items = {key: key for key in keys}
    found: list[str] = []
    token: str | None = None
    while True:
        listed, more = page(items, token, size)
        found += listed
        token = more.get("NextToken")
        if token is None:
            break
        assert len(token) <= 255
    assert found == sorted(keys)


def test_deleting_what_each_page_lists_leaves_nothing() -> None:
    """A token survives the removal of the item that it names."""
    items = {f"key-{n:02}": n for n in range(25)}
    token: str | None = None
    while items:
        listed, more = page(items, token, 4)
        for number in listed:
            del items[f"key-{number:02}"]
        token = more.get("NextToken")
    assert token is None


@pytest.mark.parametrize("token", ["bogus", "0" * 8, "deadbeefkey", "x" * 255])
def test_tokens_that_are_not_ours(token: str) -> None:
    """InvalidPaginationTokenException."""
    with pytest.raises(ServiceFault) as refused:
        page({"key": 1}, token, 10)
    assert refused.value.code == "InvalidPaginationTokenException"
