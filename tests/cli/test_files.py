"""Files that commands write: where none can be written, that is asked wrongly, with the cure."""

import os

import pytest

from streamctl.cli import files
from streamctl.errors import AskedWrongly


@pytest.mark.parametrize(
    "command",
    ["event report", "event picture some-id", "event clip some-id", "record save --camera door"],
)
def test_a_folder_that_is_not_there_is_to_be_created(streamctl_, tmp_path, command):
    """Before anything is asked of AWS."""
    said = streamctl_(f"{command} {tmp_path}/nowhere/x")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"error: there is no folder {tmp_path}/nowhere\n"
        "hint: create the folder, or choose another\n"
    )


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "plain").touch()
    with pytest.raises(AskedWrongly, match="there is no folder"), files.new(tmp_path / "plain/x"):
        pass


def test_a_folder_of_others_is_refused(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with (
        pytest.raises(AskedWrongly, match="no file may be written into"),
        files.new(tmp_path / "x"),
    ):
        pass
