"""A report holds what a page can, says what it leaves out, and is made also where pictures fail."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

import streamctl.media
from streamctl.aws import kept, s3
from streamctl.aws.session import Aws
from streamctl.core import heard
from streamctl.core.events import iso
from streamctl.errors import NotFound
from streamctl.media import images
from streamctl.ops import keeping, reporting
from streamctl.ops.inventory import Platform
from tests.core.scene import at
from tests.core.told_events import frame, processor_message, sighting_message

BUCKET = "pictures-of-main"
LATER = datetime.now(UTC) + timedelta(days=1)
BOX = {"left": 0.4, "top": 0.25, "width": 0.2, "height": 0.4}
JPEG = Path(streamctl.media.__path__[0]) / "portraits" / "eileen-collins.jpg"


@pytest.fixture
def aws():
    return Aws(region="us-east-1")


@pytest.fixture
def keep(aws, kept_table, monkeypatch):
    """Keeps messages in the table of a platform. Its stack alone is made up: moto's own would need
    the functions' code.
    """
    outputs = {"KeptName": kept_table, "PicturesName": BUCKET, "KeepDays": "3650"}
    base = Platform("main", "streamctl-main", "CREATE_COMPLETE", outputs)
    monkeypatch.setattr(keeping, "keeper", lambda _aws, _platform: base)
    boto3.client("s3", "us-east-1").create_bucket(Bucket=BUCKET)

    def kept_all(*messages):
        for message in messages:
            kept.put(aws, kept_table, heard.read(message), message, LATER)

    return kept_all


@pytest.fixture
def jpeg():
    return JPEG.read_bytes()


def seen(number, **other):
    """A sighting that says where its picture will be."""
    best = {
        **frame(number * 10),
        "similarity": 90,
        "box": BOX,
        "picture": {"bucket": BUCKET, "key": f"pictures/{number}/best.jpg"},
    }
    return sighting_message("ended", str(number), number * 10, number * 10 + 5, best=best, **other)


def picture(aws, number, jpeg, apart_ms=40):
    about = {"taken": iso(at(number * 10)), "apart-ms": str(apart_ms)}
    s3.put(aws, BUCKET, f"pictures/{number}/best.jpg", jpeg, "image/jpeg", about)


def gathered(aws, since=-100, until=10_000, note=lambda _: None, **of):
    return reporting.gather(
        aws, "main", at(since), at(until), of.get("camera"), of.get("person"), note
    )


def test_what_is_kept_of_a_time_is_gathered_with_pictures(aws, keep, jpeg):
    keep(seen(1), seen(2), sighting_message("ended", "3", 30, 35), processor_message("Started", 0))
    picture(aws, 1, jpeg)
    noted = []
    found = gathered(aws, note=noted.append)
    assert [each.id for each in found.sightings] == ["1", "2", "3"]
    assert [each.what for each in found.turns] == ["started"]
    assert [(run.began, run.over) for run in found.runs] == [(at(0), None)]
    assert list(found.pictures) == ["1"]
    assert found.pictures["1"].apart == timedelta(milliseconds=40)
    assert found.left_out == ()
    assert noted == ["reading what platform main told", "picture 1 of 2", "picture 2 of 2"]


def test_pictures_are_scaled_down_to_what_a_page_can_hold(aws, keep, jpeg, monkeypatch):
    monkeypatch.setattr(reporting, "LONGEST_SIDE", 64)
    keep(seen(1))
    picture(aws, 1, jpeg)
    shown = gathered(aws).pictures["1"]
    assert max(shown.width, shown.height) == 64
    assert images.size(shown.jpeg) == (shown.width, shown.height)
    assert len(shown.jpeg) < len(jpeg)


def test_of_too_many_the_newest_are_shown_and_the_rest_is_said(aws, keep, jpeg, monkeypatch):
    """The totals are of everything all the same."""
    monkeypatch.setattr(reporting, "MOST_SIGHTINGS", 4)
    monkeypatch.setattr(reporting, "MOST_TURNS", 1)
    monkeypatch.setattr(reporting, "MOST_PICTURES", 2)
    keep(*map(seen, range(6)))
    keep(processor_message("Started", 0), processor_message("Ended", 90, reason="ended"))
    for number in range(6):
        picture(aws, number, jpeg)
    found = gathered(aws)
    assert [each.id for each in found.sightings] == ["2", "3", "4", "5"]
    assert [each.what for each in found.turns] == ["ended"]
    assert set(found.pictures) == {"4", "5"}
    assert found.totals.sightings == 6
    assert found.left_out == (
        "2 older sightings: a page holds 4.",
        "1 older lines about processors: a page holds 1.",
        "2 pictures: a page holds 2.",
    )


def test_alerts_are_shown_before_others(aws, keep, jpeg, monkeypatch):
    monkeypatch.setattr(reporting, "MOST_PICTURES", 1)
    keep(seen(1), seen(2, attention="allow"))
    for number in (1, 2):
        picture(aws, number, jpeg)
    assert set(gathered(aws).pictures) == {"1"}


def test_a_picture_that_cannot_be_read_costs_only_itself(aws, keep, jpeg):
    keep(seen(1), seen(2))
    picture(aws, 1, b"no picture")
    picture(aws, 2, jpeg)
    assert set(gathered(aws).pictures) == {"2"}


def test_without_pyav_a_report_has_no_pictures_and_says_so(aws, keep, jpeg, monkeypatch):
    monkeypatch.delattr(streamctl.media, "drawing", raising=False)
    monkeypatch.setitem(sys.modules, "streamctl.media.drawing", None)
    keep(seen(1))
    picture(aws, 1, jpeg)
    found = gathered(aws)
    assert (len(found.sightings), found.pictures) == (1, {})
    (left_out,) = found.left_out
    assert left_out.endswith("PyAV, which is not installed: pip install 'streamctl[media]'.")


def test_of_one_camera_or_person_only_that_is_counted(aws, keep):
    keep(seen(1), seen(2, person="bob"), seen(3, camera="gate"), processor_message("Started", 0))
    assert [each.id for each in gathered(aws, person="bob").sightings] == ["2"]
    found = gathered(aws, camera="door")
    assert [each.id for each in found.sightings] == ["1", "2"]
    assert (len(found.turns), found.totals.cameras) == (1, 1)


def test_where_nothing_is_kept_the_report_is_empty(aws, keep):
    found = gathered(aws)
    assert (found.sightings, found.turns, found.pictures) == ((), (), {})


def test_other_errors_are_errors(aws, keep, monkeypatch):
    """Only what is wrong with one picture is passed over."""
    gone = Platform("main", "s", "s", {"KeptName": "no-such-table", "KeepDays": "3650"})
    monkeypatch.setattr(keeping, "keeper", lambda _aws, _platform: gone)
    with pytest.raises(NotFound):
        gathered(aws)
