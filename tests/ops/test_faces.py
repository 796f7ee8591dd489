"""Whose face a file shows, by where it lies."""

from pathlib import Path

import pytest

from streamctl.errors import AskedWrongly
from streamctl.ops.faces import Still, stills


@pytest.fixture
def folder(tmp_path):
    """A folder as people keep portraits."""
    for name in ("ann/1.jpg", "ann/2.JPEG", "bob/me.png", "cy.jpg", "notes.txt", "ann/deep/x.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def people(found, folder):
    return [(still.path.relative_to(folder).as_posix(), still.person) for still in found]


def test_in_a_folder_a_subfolder_is_a_person_and_so_is_a_file(folder):
    """Deeper folders, and files that are no images, are left out."""
    assert people(stills([folder], None), folder) == [
        ("ann/1.jpg", "ann"),
        ("ann/2.JPEG", "ann"),
        ("bob/me.png", "bob"),
        ("cy.jpg", "cy"),
    ]


def test_a_named_person_is_in_every_still(folder):
    """Whatever folders and files are called."""
    assert {still.person for still in stills([folder], "dee")} == {"dee"}


def test_files_go_by_their_names_in_the_order_given(folder):
    """Also a file whose ending says nothing: its content will tell."""
    given = [folder / "cy.jpg", folder / "notes.txt"]
    assert stills(given, None) == [Still(given[0], "cy"), Still(given[1], "notes")]


@pytest.mark.parametrize("name", ["ann lee.jpg", "jürgen.png", "ann lee/1.jpg"])
def test_a_name_that_no_person_can_have_is_refused_where_there_is_no_other(tmp_path, name):
    """A folder's, too, and before anything is done."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(AskedWrongly, match="cannot be the name of a person"):
        stills([tmp_path], None)


def test_a_name_that_no_person_can_have_spares_the_others(folder):
    """The still is among them, so that it is told of."""
    (folder / "ann lee.jpg").touch()
    assert len(people(stills([folder], None), folder)) == 5


def test_nothing_to_enrol_is_asked_wrongly(tmp_path):
    """With what counts as an image."""
    with pytest.raises(AskedWrongly, match="no image in") as refused:
        stills([tmp_path], None)
    assert ".jpeg" in refused.value.hint


def test_an_empty_list_is_asked_wrongly():
    """Nothing at all."""
    with pytest.raises(AskedWrongly):
        stills([Path()][:0], None)
