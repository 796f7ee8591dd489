"""Looking back at what was told, in a local cloud that keeps it: lists, pages, pictures, clips."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from xml.etree import ElementTree as ET

import av
import boto3
import pytest

import streamctl.media
from streamctl.aws import archive
from streamctl.cli import event_looking
from streamctl.core import chronicle, events
from streamctl.core.events import iso
from streamctl.media import images
from streamctl.ops import looking
from tests.core import told_events
from tests.core.scene import at

NUMBERS = count()
BOX = {"left": 0.25, "top": 0.25, "width": 0.25, "height": 0.5}
BEGAN = datetime.now(UTC) - timedelta(minutes=10)


@pytest.fixture
def person():
    """Somebody whom no other test tells of."""
    return f"looked-{next(NUMBERS)}"


def frame(time, fragment="0" * 47):
    return {"fragment": fragment, "offset_s": 0.0, "time": iso(time), "producer_time": iso(time)}


def sighting(what, person, seconds, camera="arn:aws:kinesisvideo:r:1:stream/attic/1", **other):
    """The detail of an event of one sighting; the best frame is its first."""
    last = BEGAN + timedelta(seconds=seconds)
    return {
        "schema": "1",
        "id": f"{person}-id/sighting-{what}",
        "camera": camera,
        "processor": "attic",
        "run": "attic@1",
        "time": iso(last),
        "producer_time": iso(last),
        "sighting": f"{person}-id",
        "person": person,
        "attention": "alert",
        "started": frame(BEGAN),
        "frames": seconds + 1,
        "best": {**frame(BEGAN), "similarity": 97.5, "box": BOX},
        **({"ended": frame(last), "late": False} if what == "ended" else {}),
        **other,
    }


def until(condition, deadline_s=60):
    deadline = time.monotonic() + deadline_s
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@pytest.fixture
def tell(platform, client, streamctl_):
    """Put events on the bus, as the functions do, and wait until they are kept."""

    def told(person, *details):
        entries = [
            {
                "EventBusName": "streamctl-main",
                "Source": events.SOURCE,
                "DetailType": f"Sighting {detail['id'].rpartition('-')[2].capitalize()}",
                "Detail": json.dumps(detail),
            }
            for detail in details
        ]
        assert client("events").put_events(Entries=entries)["FailedEntryCount"] == 0
        frames = max(detail["frames"] for detail in details)
        until(lambda: [frames] == [each["frames"] for each in listed(streamctl_, person)])

    return told


def listed(streamctl_, person, *options):
    said = streamctl_("event", "list", "--person", person, "-o", "json", *options)
    assert said.code == 0, said.err
    return said.json


def shown_time(time):
    """As the list shows it, in its words."""
    day, clock = f"{time:%Y-%m-%d %H:%M:%SZ}".split()
    now = datetime.now(UTC)
    if time.date() == now.date():
        return [clock]
    return [day if time.year != now.year else day[5:], clock]


def test_what_was_told_is_listed_a_sighting_a_line(streamctl_, tell, person):
    """With all that is known of it by its last event."""
    tell(person, sighting("started", person, 1), sighting("ended", person, 75))
    (found,) = listed(streamctl_, person)
    assert found["best"].pop("box") == BOX
    assert found == {
        "kind": "sighting",
        "id": f"{person}-id",
        "time": iso(BEGAN),
        "camera": "attic",
        "camera_arn": "arn:aws:kinesisvideo:r:1:stream/attic/1",
        "processor": "attic",
        "run": "attic@1",
        "person": person,
        "at_once": 1,
        "attention": "alert",
        "last": iso(BEGAN + timedelta(seconds=75)),
        "over": True,
        "late": False,
        "frames": 76,
        "best": {**frame(BEGAN), "similarity": 97.5, "quality": None, "picture": None},
        "parts": [],
    }
    table = streamctl_("event", "list", "--person", person).out.splitlines()
    assert [line.split() for line in table] == [
        ["TIME", "CAMERA", "WHO", "WHAT", "ID"],
        [*shown_time(BEGAN), "attic", person, "alert,", "1m15s,", "97.5", "%", f"{person}-id"],
    ]


DAY = 24 * 3600


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        ((60, 60), ["00:00:00Z", "00:00:00Z"]),
        ((59, 59), ["03-01 00:00:00Z", "03-01 00:00:00Z"]),
        ((59, 60), ["03-01 00:00:00Z", "03-02 00:00:00Z"]),
        ((-30, 60), ["2025-12-02 00:00:00Z", "2026-03-02 00:00:00Z"]),
        ((-30, -30), ["2025-12-02 00:00:00Z", "2025-12-02 00:00:00Z"]),
    ],
)
def test_the_day_is_shown_unless_it_is_today(streamctl_, monkeypatch, days, shown):
    """And the year unless it is this one: a time alone would be taken for one of today."""

    class Then(datetime):
        @classmethod
        def now(cls, _zone):
            return at(60.5 * DAY)

    told = [
        told_events.sighting("ended", f"a{number}", day * DAY, day * DAY)
        for number, day in enumerate(days)
    ]
    monkeypatch.setattr(event_looking, "datetime", Then)
    monkeypatch.setattr(looking, "back", lambda *_: chronicle.of(told))
    lines = streamctl_("event", "list", "--since", "1d ago").out.splitlines()[1:]
    assert [line.partition("  ")[0] for line in lines] == shown


def test_the_time_and_the_camera_can_be_chosen(streamctl_, tell, person):
    """A time is exact, or so long ago."""
    tell(person, sighting("started", person, 1))
    after = iso(BEGAN + timedelta(seconds=2))
    before = f"{(datetime.now(UTC) - BEGAN).total_seconds() + 60:.0f}s ago"
    assert len(listed(streamctl_, person, "--since", before, "--camera", "attic")) == 1
    assert listed(streamctl_, person, "--since", "8m ago") == []
    assert listed(streamctl_, person, "--since", after) == []
    assert len(listed(streamctl_, person, "--until", after)) == 1
    assert listed(streamctl_, person, "--until", before) == []
    assert listed(streamctl_, person, "--camera", "door") == []
    said = streamctl_("event", "list", "--person", person, "--camera", "door")
    assert (said.code, said.out) == (0, "")
    assert said.err == "nothing that platform main told of that time is kept\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--since", "2 ago"), "'2' is not a length of time"),
        (("--since", "ago"), "'' is not a length of time"),
        (("--since", "2026-01-01T00:00:00"), "is no time"),
        (("--until", "9999-12-31T23:59:59-10:00"), "'9999-12-31T23:59:59-10:00' is no time"),
        (("--since", "0001-01-01T00:00:00+10:00"), "is no time"),
        (("--since", "1h ago", "--until", "2h ago"), "nothing is between"),
        (("--since", "2999-01-01T00:00:00Z"), "nothing is between"),
        (("--camera", "é"), "cannot be the name of a camera"),
        (("--person", "é"), "cannot be the name of a person"),
    ],
)
def test_what_cannot_be_meant_is_asked_wrongly(streamctl_, platform, options, said):
    found = streamctl_("event", "list", *options)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert "hint: " in found.err


@pytest.mark.parametrize(
    "command", ["list", "report r.html", "picture some-id p.jpg", "clip some-id c.mp4"]
)
def test_without_a_platform_nothing_is_kept(streamctl_, platform, tmp_path, monkeypatch, command):
    """And no file is begun."""
    monkeypatch.chdir(tmp_path)
    assert streamctl_(f"--platform night event {command}").code == 4
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def seen(streamctl_, camera, client, clip, tell, person, platform):
    """A sighting of three seconds that a camera stored; its id. Its picture, of the first frame, is
    there.
    """
    assert streamctl_("camera", "push", camera, str(clip(seconds=3))).code == 0
    made = streamctl_(f"camera describe {camera} -o json").json
    outputs = client("cloudformation").describe_stacks(StackName="streamctl-main")["Stacks"][0]
    bucket = {each["OutputKey"]: each["OutputValue"] for each in outputs["Outputs"]}["PicturesName"]
    fragment = first_fragment(client, made["arn"])
    shown = frame(fragment["ServerTimestamp"].astimezone(UTC), fragment["FragmentNumber"])
    key = f"pictures/{person}-id/{fragment['FragmentNumber']}-0.jpg"
    best = {
        **shown,
        "similarity": 97.5,
        "box": BOX,
        "picture": {"bucket": bucket, "key": key},
    }
    detail = sighting("ended", person, 3, camera=made["arn"])
    last = frame(fragment["ServerTimestamp"].astimezone(UTC) + timedelta(seconds=2.9))
    tell(person, {**detail, "time": last["time"], "started": shown, "best": best, "ended": last})
    until(lambda: client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"))
    return f"{person}-id"


def first_fragment(client, arn):
    video = client("kinesisvideo")
    where = video.get_data_endpoint(StreamARN=arn, APIName="LIST_FRAGMENTS")["DataEndpoint"]
    archived = boto3.client("kinesis-video-archived-media", endpoint_url=where)
    stored = archived.list_fragments(
        StreamARN=arn,
        FragmentSelector={
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": BEGAN, "EndTimestamp": datetime.now(UTC)},
        },
    )
    return min(stored["Fragments"], key=lambda each: each["ServerTimestamp"])


def test_a_sightings_picture_page_and_clip_are_fetched(
    streamctl_, seen, person, camera, tmp_path, monkeypatch
):
    """Each into a new file for nobody else's eyes."""
    sizes = {}
    for cut in ("whole", "box", "crop"):
        file = tmp_path / f"{cut}.jpg"
        said = streamctl_("event", "picture", seen, str(file), f"--{cut}", "-o", "json")
        assert said.code == 0, said.err
        assert said.err.startswith(f"{file} shows {person} at camera {camera}: the picture is ")
        assert (said.json["sighting"], said.json["person"]) == (seen, person)
        assert abs(said.json["apart_s"]) <= 0.1
        assert file.stat().st_mode & 0o777 == 0o600
        sizes[cut] = images.size(file.read_bytes())
    assert sizes == {"whole": (320, 240), "box": (320, 240), "crop": (160, 240)}
    of_event = tmp_path / "event.jpg"
    said = streamctl_("event", "picture", f"{seen}/sighting-ended", str(of_event))
    assert said.code == 0
    assert of_event.read_bytes() == (tmp_path / "whole.jpg").read_bytes()

    video = tmp_path / "seen.mp4"
    said = streamctl_("event", "clip", seen, str(video), "--around", "30s", "-o", "json")
    assert said.code == 0, said.err
    assert said.json["bytes"] == video.stat().st_size
    with av.open(str(video)) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == 30

    monkeypatch.setattr(archive, "MOST_FRAGMENTS", 1)
    said = streamctl_("event", "clip", seen, str(tmp_path / "short.mp4"))
    assert said.code == 0, said.err
    assert "; the last 2s of the sighting are more than AWS gives at once" in said.err

    file = tmp_path / "page.html"
    said = streamctl_("event", "report", str(file), "--person", person)
    assert (said.code, said.err) == (0, f"{file} shows 1 sighting, 1 with a picture\n")
    page = ET.fromstring(file.read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>"))
    assert person in ["".join(each.itertext()) for each in page.iter("strong")]
    assert len(list(page.iter("img"))) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    for command in (("report",), ("picture", seen), ("clip", seen)):
        again = streamctl_("event", *command, str(file))
        assert (again.code, "exists already" in again.err) == (2, True)


def test_of_what_was_not_stored_there_is_neither_picture_nor_clip(
    streamctl_, tell, person, camera, tmp_path
):
    """Each says what to do instead, and leaves no file."""
    made = streamctl_(f"camera describe {camera} -o json").json
    tell(person, sighting("started", person, 1, camera=made["arn"]))
    file = tmp_path / "none"
    said = streamctl_("event", "picture", f"{person}-id", str(file))
    assert said.code == 4
    assert f"event clip {person}-id" in said.err
    said = streamctl_("event", "clip", f"{person}-id", str(file))
    assert said.code == 4
    assert (
        f"hint: a camera keeps video as long as its retention says: streamctl camera describe {camera}"
        in said.err
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ident", "code", "said"),
    [
        ("nobody-s", 4, "keeps no sighting nobody-s"),
        ("nobody-s/sighting-ended", 4, "keeps no sighting nobody-s"),
        ("door/processor-failed", 2, "is not the id of a sighting"),
        ("/sighting-ended", 2, "is not the id of a sighting"),
    ],
)
@pytest.mark.parametrize("verb", ["picture", "clip"])
def test_an_id_that_is_none_is_refused(streamctl_, platform, tmp_path, verb, ident, code, said):
    found = streamctl_("event", verb, ident, str(tmp_path / "none"))
    assert (found.code, said in found.err, "hint: " in found.err) == (code, True, True)
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_a_picture_is_fetched_as_it_is(streamctl_, seen, tmp_path, monkeypatch):
    """And only what must be drawn is refused, with the cure."""
    monkeypatch.delattr(streamctl.media, "drawing", raising=False)
    monkeypatch.setitem(sys.modules, "streamctl.media.drawing", None)
    assert streamctl_("event", "picture", seen, str(tmp_path / "whole.jpg")).code == 0
    said = streamctl_("event", "picture", seen, str(tmp_path / "crop.jpg"), "--crop")
    assert (said.code, "pip install 'streamctl[media]'" in said.err) == (1, True)
    assert [each.name for each in tmp_path.iterdir()] == ["whole.jpg"]
    said = streamctl_("event", "report", str(tmp_path / "page.html"))
    assert said.code == 0
    assert said.err.startswith("warning: left out of the page: Pictures: ")
    assert said.err.count("pip install 'streamctl[media]'") == 1


def test_an_event_that_its_sighting_has_not_is_not_found(streamctl_, tell, person, tmp_path):
    tell(person, sighting("started", person, 1))
    file = str(tmp_path / "none")
    said = streamctl_("event", "picture", f"{person}-id/sighting-ended", file)
    assert (said.code, f"ask for the sighting: {person}-id" in said.err) == (4, True)
