"""A batch of results goes in; sightings, poison and what is to come again go out."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws import table
from streamctl.aws.session import Aws
from streamctl.core import events, folding
from streamctl.core.folding import Story
from streamctl.core.policy import Policy
from streamctl.core.runs import Phase, Run
from streamctl.core.sightings import MEASURES, Measures
from streamctl.core.watch import Watch
from streamctl.errors import Lost, Throttled
from streamctl.ops import intake
from streamctl.ops.setting import WATCH_KEY, run_key, story_key
from tests.fuzz import mutations

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"


def record(second, person=None, sequence=1, data=None):
    """A Lambda record; `data` overrides the frame that it would carry."""
    matches = [{"Similarity": 95.0, "Face": {"FaceId": "f", "ExternalImageId": person}}]
    frame = {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": CAMERA,
                "FragmentNumber": f"{second:047d}",
                "ServerTimestamp": 1.7e9 + second,
                "ProducerTimestamp": 1.7e9 + second,
                "FrameOffsetInSeconds": 0,
            }
        },
        "FaceSearchResponse": [
            {
                "DetectedFace": {
                    "BoundingBox": {"Height": 0.2, "Width": 0.1, "Left": 0.5, "Top": 0.1},
                    "Confidence": 99.0,
                },
                "MatchedFaces": matches if person else [],
            }
        ],
    }
    raw = json.dumps(frame).encode() if data is None else data
    return {
        "kinesis": {
            "sequenceNumber": str(sequence),
            "data": base64.b64encode(raw).decode(),
            "approximateArrivalTimestamp": 1.7e9 + second + 1,
        },
        "eventID": f"shardId-000000000000:{sequence}",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/AmazonRekognition-x",
    }


def met(person, second=1):
    """As many frames as it takes to be told of."""
    return [record(second + each, person, second + each) for each in range(MEASURES.min_frames)]


@pytest.fixture
def aws(platform):
    return Aws(region="us-east-1")


@pytest.fixture
def known(aws, platform):
    """A run that is known, so that no look is asked for."""
    since = datetime.fromtimestamp(1.7e9, UTC)
    run = Run("door@1", CAMERA, "door", since, since, Policy())
    table.save(aws, platform.setting.table, run_key(CAMERA), run, 0)


def story(aws, platform):
    return table.load_one(aws, platform.setting.table, story_key(CAMERA), Story).thing


def test_a_match_becomes_a_sighting_and_is_told(aws, platform, known):
    assert intake.take(aws, platform.setting, met("ada")) == []
    (told,) = platform.told()
    assert told["detail-type"] == events.SIGHTING_STARTED
    assert told["source"] == "streamctl"
    assert told["resources"] == [CAMERA]
    assert (told["detail"]["person"], told["detail"]["run"]) == ("ada", "door@1")
    assert story(aws, platform).outbox == ()


def test_the_same_batch_again_changes_and_tells_nothing(aws, platform, known):
    batch = [*met("ada"), record(5, None, 5)]
    intake.take(aws, platform.setting, batch)
    before = story(aws, platform)
    platform.told()
    assert intake.take(aws, platform.setting, batch) == []
    assert story(aws, platform) == before
    assert platform.told() == []


def test_what_was_saved_and_perhaps_not_told_is_told_again_under_the_same_id(
    aws, platform, known, monkeypatch
):
    """Killed between saving and publishing: the batch comes again."""
    publish = intake.stories.bus.publish

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(intake.stories.bus, "publish", killed)
    with pytest.raises(KeyboardInterrupt):
        intake.take(aws, platform.setting, met("ada"))
    monkeypatch.setattr(intake.stories.bus, "publish", publish)
    pending = story(aws, platform).outbox
    assert pending
    intake.take(aws, platform.setting, met("ada"))
    assert [told["detail"]["id"] for told in platform.told()] == [event.id for event in pending]


def test_a_record_that_is_none_goes_to_the_failure_queue_and_counts_as_handled(
    aws, platform, known
):
    batch = [record(1, data=b"\x00poison", sequence=5), *met("ada", 6)]
    assert intake.take(aws, platform.setting, batch) == []
    (poison,) = platform.failures()
    assert base64.b64decode(poison["data"]) == b"\x00poison"
    assert (poison["shard"], poison["sequence_number"]) == ("shardId-000000000000", "5")
    assert poison["truncated"] is False
    assert "not JSON" in poison["reason"]
    assert len(platform.told()) == 1


def test_a_large_one_is_cut_and_says_so(aws, platform, known):
    big = b"x" * (intake.POISON_BYTES + 1)
    assert intake.take(aws, platform.setting, [record(1, data=big)]) == []
    (poison,) = platform.failures()
    assert len(base64.b64decode(poison["data"])) == intake.POISON_BYTES
    assert poison["truncated"] is True


def test_a_name_that_no_text_can_hold_is_poison_and_spares_its_neighbours(aws, platform, known):
    """Half of a surrogate pair is JSON, and no UTF-8: the table would take nothing with it."""
    assert intake.take(aws, platform.setting, [record(1, "\ud800", 1), *met("ada", 2)]) == []
    assert len(platform.failures()) == 1
    assert [told["detail"]["person"] for told in platform.told()] == ["ada"]


def test_a_frame_of_a_time_to_come_is_poison_and_makes_nobody_late(aws, platform, known):
    ahead = record(10_000, "bob", 1)
    ahead["kinesis"]["approximateArrivalTimestamp"] = 1.7e9
    assert intake.take(aws, platform.setting, [ahead, *met("ada", 2)]) == []
    assert len(platform.failures()) == 1
    assert [told["detail-type"] for told in platform.told()] == [events.SIGHTING_STARTED]


@pytest.mark.parametrize(("bad", "reported"), [(100, 100), (101, 1)])
def test_an_aggregate_of_very_many_bad_records_is_reported_as_one(
    aws, platform, known, bad, reported
):
    """Each report is a call, and an empty record costs an aggregate two bytes."""
    good = base64.b64decode(record(1, "ada")["kinesis"]["data"])
    whole = mutations.aggregate([*[b""] * bad, good])
    assert intake.take(aws, platform.setting, [record(1, data=whole)]) == []
    failures = platform.failures()
    assert len(failures) == reported
    expected = b"" if reported == bad else whole
    assert {base64.b64decode(each["data"]) for each in failures} == {expected}
    assert [each.person for each in story(aws, platform).open] == ["ada"]


def test_data_that_is_not_base64_is_poison_too(aws, platform, known):
    broken = record(1)
    broken["kinesis"]["data"] = "%%%"
    assert intake.take(aws, platform.setting, [broken]) == []
    assert len(platform.failures()) == 1


def test_where_no_run_is_known_a_look_is_asked_for_once(aws, platform, monkeypatch):
    monkeypatch.setattr(intake, "_asked", {})
    intake.take(aws, platform.setting, [record(1, "ada")])
    intake.take(aws, platform.setting, [record(2, "ada", 2)])
    assert platform.clocks() == [{"camera": CAMERA}]


def test_cameras_that_were_asked_about_are_forgotten_in_time(aws, platform, monkeypatch):
    """Their names come from records, so that there may be any number of them."""
    asked = {}
    monkeypatch.setattr(intake, "_asked", asked)
    monkeypatch.setattr(intake, "_ASK_AGAIN_S", 0.0)
    for number in range(5):
        frame = base64.b64decode(record(1)["kinesis"]["data"]).replace(b"door", b"gate%d" % number)
        intake.take(aws, platform.setting, [record(1, data=frame)])
    assert len(platform.clocks()) == 5
    assert len(asked) == 1


@pytest.mark.parametrize(("phase", "asked"), [(Phase.LIVE, 0), (Phase.DONE, 1)])
def test_records_that_come_after_their_run_wake_a_clock_that_ends_what_they_begin(
    aws, platform, known, monkeypatch, phase, asked
):
    """No clock is on its way any more; the sweep would be minutes late."""
    monkeypatch.setattr(intake, "_asked", {})
    saved = table.load_one(aws, platform.setting.table, run_key(CAMERA), Run)
    run = replace(saved.thing, phase=phase)
    table.save(aws, platform.setting.table, run_key(CAMERA), run, saved.version)
    intake.take(aws, platform.setting, [record(1, "ada")])
    assert platform.clocks() == [{"camera": CAMERA}] * asked
    assert [each.person for each in story(aws, platform).open] == ["ada"]


def test_transient_trouble_asks_for_the_batch_from_its_first_record(
    aws, platform, known, monkeypatch
):
    def throttled(*_, **__):
        raise Throttled("the table is busy")

    monkeypatch.setattr(intake.table, "save", throttled)
    batch = [record(1, data=b"poison", sequence=7), record(2, "ada", 8), record(3, "ada", 9)]
    assert intake.take(aws, platform.setting, batch) == ["8"]


def test_losing_a_race_folds_again_on_what_the_winner_saved(aws, platform, known, monkeypatch):
    save, lost = table.save, []

    def loses_once(*args, **kwargs):
        if not lost:
            lost.append(args)
            intake.take(aws, platform.setting, [record(5, "bob", 50)])
            raise Lost("somebody was first")
        return save(*args, **kwargs)

    monkeypatch.setattr(intake.table, "save", loses_once)
    assert intake.take(aws, platform.setting, [record(1, "ada")]) == []
    assert {each.person for each in story(aws, platform).open} == {"ada", "bob"}


def test_a_person_who_is_gone_by_the_next_batch_is_told_as_gone(aws, platform, known):
    intake.take(aws, platform.setting, met("ada"))
    later = 4 + int((MEASURES.gap + MEASURES.lateness).total_seconds())
    intake.take(aws, platform.setting, met("bob", later))
    told = [(each["detail-type"], each["detail"]["person"]) for each in platform.told()]
    assert told == [
        (events.SIGHTING_STARTED, "ada"),
        (events.SIGHTING_STARTED, "bob"),
        (events.SIGHTING_ENDED, "ada"),
    ]


def test_an_open_sighting_stands_in_the_index_of_what_is_due(aws, platform, known):
    intake.take(aws, platform.setting, [record(1, "ada")])
    ((key, _),) = table.open_items(aws, platform.setting.table)
    assert key == story_key(CAMERA)


def test_a_story_in_which_nobody_is_any_more_expires(aws, platform, known):
    """It may still hold a name, of whom no more is told for a while."""
    table.save(aws, platform.setting.table, WATCH_KEY, Watch(cooldown=timedelta(hours=1)), 0)
    intake.take(aws, platform.setting, met("ada"))
    assert "expires" not in kept(aws, platform)
    intake.stories.close(aws, platform.setting, CAMERA, None, everything=True)
    item = kept(aws, platform)
    assert "ada" in item["doc"]["S"]
    left = timedelta(seconds=float(item["expires"]["N"]) - time.time())
    assert timedelta(days=29) < left <= timedelta(days=30)


def kept(aws, platform):
    """The item of the camera's story, as it lies in the table."""
    key = {"key": {"S": story_key(CAMERA)}}
    found = aws.client("dynamodb").get_item(TableName=platform.setting.table, Key=key)
    return found["Item"]


def batches(capsys):
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if line["what"] == "batch"]


def test_a_batch_is_noted_under_the_run_of_its_camera(aws, platform, known, capsys):
    """So that a run can be followed by its id through all three functions."""
    intake.take(aws, platform.setting, [record(1, "ada"), record(2, data=b"poison")])
    (line,) = batches(capsys)
    assert (line["run"], line["camera"]) == ("door@1", CAMERA)
    assert (line["records"], line["undecodable"]) == (2, 1)


def test_a_batch_of_no_known_run_is_noted_all_the_same(aws, platform, capsys):
    """Its camera is; and of one that holds no frame at all, its results are."""
    intake.take(aws, platform.setting, [record(1)])
    intake.take(aws, platform.setting, [record(1, data=b"poison")])
    unknown, poison = batches(capsys)
    assert (unknown["run"], unknown["camera"]) == ("", CAMERA)
    assert (poison.get("run"), poison["undecodable"]) == (None, 1)
    assert poison["results"].endswith(":stream/AmazonRekognition-x")


def test_a_batch_that_fails_says_of_which_camera(aws, platform, known, capsys, monkeypatch):
    """And is not noted as handled. The refusal is made up: moto never throttles."""

    def throttled(*_):
        raise Throttled("busy")

    monkeypatch.setattr(table, "load", throttled)
    assert intake.take(aws, platform.setting, [record(1)]) == ["1"]
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["what"], line["camera"]) == ("record to be delivered again", CAMERA)
    assert line["why"] == "busy"


def test_no_line_of_the_log_names_anybody(aws, platform, known, capsys, monkeypatch):
    """A batch that is handled, poison that holds a name, and a bus that takes nothing."""
    poison = json.dumps({"FaceSearchResponse": "somebody"}).encode()
    intake.take(aws, platform.setting, [*met("somebody"), record(9, sequence=9, data=poison)])

    def busy(*_):
        raise Throttled("publishing on bus bus: too many")

    monkeypatch.setattr(intake.stories.bus, "publish", busy)
    assert intake.take(aws, platform.setting, met("somebody", 900)) == ["900"]
    logged = capsys.readouterr().out
    assert [json.loads(line)["what"] for line in logged.splitlines()] == [
        "batch",
        "record to be delivered again",
    ]
    assert "somebody" not in logged


@pytest.fixture
def outboxes(monkeypatch):
    """How much was to be told in each story that was saved: what is published is gone from it."""
    saved, save = [], intake.stories.save

    def noted(aws, name, story, against):
        saved.append(len(story.outbox))
        return save(aws, name, story, against)

    monkeypatch.setattr(intake.stories, "save", noted)
    return saved


def test_a_crowd_is_folded_in_parts_and_told_of_whole(aws, platform, known, outboxes):
    """A hundred and twenty people in one batch, each in two frames: so many are not told of at once."""
    people = [f"somebody-with-a-long-name-{number:03}" for number in range(120)]
    batch = [
        record(2 * number + frame, person, sequence=2 * number + frame)
        for number, person in enumerate(people)
        for frame in range(MEASURES.min_frames)
    ]
    assert intake.take(aws, platform.setting, batch) == []
    started = [each for each in platform.told() if each["detail-type"] == events.SIGHTING_STARTED]
    assert sorted(each["detail"]["person"] for each in started) == people
    assert 0 < max(outboxes) <= folding.TOLD_AT_ONCE


def test_one_frame_that_ends_a_crowd_and_shows_another_is_told_in_two_steps(
    aws, platform, known, outboxes
):
    """All of the first are long gone by the frame that shows the others."""
    watch = Watch(measures=Measures(min_frames=1))
    table.save(aws, platform.setting.table, WATCH_KEY, watch, 0)
    gone = [f"gone-{number:02}" for number in range(60)]
    intake.take(aws, platform.setting, [crowd(0, gone)])
    here = [f"here-{number:02}" for number in range(60)]
    assert intake.take(aws, platform.setting, [crowd(200, here)]) == []
    told = [(each["detail-type"], each["detail"]["person"]) for each in platform.told()]
    assert {who for kind, who in told if kind == events.SIGHTING_ENDED} == set(gone)
    assert {who for kind, who in told if kind == events.SIGHTING_STARTED} == {*gone, *here}
    assert max(outboxes) == len(gone)


def crowd(second, people):
    """A record of one frame with all of these."""
    frames = [frame_of(record(second, person)) for person in people]
    faces = [face for frame in frames for face in frame["FaceSearchResponse"]]
    whole = {**frames[0], "FaceSearchResponse": faces}
    return record(second, sequence=second + 1, data=json.dumps(whole).encode())


def frame_of(one):
    return json.loads(base64.b64decode(one["kinesis"]["data"]))
