"""What was told is kept with its picture; one that is not there yet is asked for again, not for ever."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from streamctl.aws import archive, kept, s3
from streamctl.core import heard
from streamctl.media import images
from streamctl.ops import remember
from tests.core.frames_shown import arrival
from tests.ops import messages_told, remembering_world
from tests.ops.remembering_world import DAY, s

DEADLINE_S = 20
GET_IMAGES = "kinesis-video-archived-media.GetImages"


@pytest.fixture
def world(aws, encode):
    return remembering_world.make(aws, encode)


def again(message, tries):
    return json.dumps({"tries": tries, "told": message})


def test_what_is_told_is_kept_with_the_picture_of_its_best_frame(world):
    since = world.film()
    messages = world.told(since)
    assert world.take(*messages) == []
    events = [heard.read(message) for message in messages]
    assert world.kept() == sorted(event.id for event in events)
    (key,) = world.pictures()
    assert {event.best.picture.key for event in events} == {key}
    assert {event.best.picture.bucket for event in events} == {world.keeping.pictures}
    stored = s3.get(world.aws, world.keeping.pictures, key)
    assert images.size(stored.body) == (320, 240)
    assert abs(datetime.fromisoformat(stored.metadata["taken"]) - since) <= s(0.1)
    assert abs(int(stored.metadata["apart-ms"])) <= 100
    assert world.asked_again() == 0
    assert world.take(*messages) == []
    assert world.pictures() == [key]
    assert len(world.kept()) == 2


def test_a_picture_that_is_not_there_yet_is_asked_for_again(world):
    """The event is kept at once. Then the video is stored, and the message that was sent is handled."""
    soon = datetime.now(UTC)
    message = world.told(soon)[0]
    assert world.take(message) == []
    assert len(world.kept()) == 1
    assert world.pictures() == []
    assert world.asked_again() == 1
    deadline = time.monotonic() + DEADLINE_S
    sqs, found = world.aws.client("sqs"), []
    while not found and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=world.keeping.queue, WaitTimeSeconds=5)
        found = answer.get("Messages", [])
    (sent,) = found
    assert json.loads(sent["Body"]) == {"tries": 1, "told": message}
    since = world.film()
    later = world.told(since, "bob")[0]
    kept.put(world.aws, world.keeping.kept, heard.read(later), later, datetime.now(UTC) + DAY)
    assert world.pictures() == []
    assert world.take(again(later, 1)) == []
    assert len(world.pictures()) == 1


def test_it_is_not_asked_for_for_ever(world):
    message = world.told(datetime.now(UTC))[0]
    world.take(message)
    last = len(remember.ASKED_AGAIN_S)
    assert world.take(again(message, last - 1)) == []
    assert world.asked_again() == 2
    assert world.take(again(message, last)) == []
    assert world.asked_again() == 2


def test_the_last_try_takes_a_picture_that_is_further_off(world):
    """And says how far. None nearer was to be had, so the tries before take none."""
    since = world.film()
    ends = since + s(0.96)
    message = world.told(ends + s(0.9))[0]
    world.take(message)
    assert world.pictures() == []
    world.take(again(message, len(remember.ASKED_AGAIN_S)))
    (key,) = world.pictures()
    metadata = s3.get(world.aws, world.keeping.pictures, key).metadata
    assert -1000 < int(metadata["apart-ms"]) < -800


def test_a_picture_of_the_fragment_before_is_not_taken_while_its_own_may_come(world):
    """Which ends where the frame's own begins. In the end it is better than none."""
    ends = world.film() + s(0.96)
    world.fragment = "9" * 47
    message = world.told(ends + s(0.1))[0]
    assert world.take(message) == []
    assert (world.pictures(), world.asked_again()) == ([], 1)
    world.take(again(message, len(remember.ASKED_AGAIN_S)))
    assert len(world.pictures()) == 1


def test_what_was_forgotten_meanwhile_gets_no_picture(world):
    """The control is the test of a picture that is asked for again."""
    message = world.told(world.film())[0]
    assert world.take(again(message, 1)) == []
    assert world.pictures() == []
    assert world.kept() == []


def test_what_was_forgotten_meanwhile_is_not_asked_for_again(world):
    """The control is the test of one that is not asked for for ever."""
    message = world.told(datetime.now(UTC))[0]
    assert world.take(again(message, 1)) == []
    assert world.asked_again() == 0


def test_whose_picture_was_taken_back_gets_none_later(world):
    """Somebody who was there too was forgotten. The control is the test of one asked for again."""
    message = world.told(world.film())[0]
    event = heard.read(message)
    kept.put(world.aws, world.keeping.kept, event, message, datetime.now(UTC) + DAY)
    world.take_back_picture(event, message)
    assert world.take(again(message, 1)) == []
    assert world.pictures() == []
    assert world.kept() == [event.id]


@pytest.fixture
def refused(world, shared_local_cloud):
    """A message whose event is kept, and whose picture was refused: it is delivered again."""
    message = world.told(world.film())[0]
    shared_local_cloud.fault(GET_IMAGES, target=world.camera, code="ClientLimitExceededException")
    assert world.take(message) == ["0"]
    assert world.messages() == [message]
    return message


def test_what_was_refused_is_had_when_it_is_delivered_again(world, refused):
    assert world.take(refused) == []
    assert world.messages() == [refused]
    assert len(world.pictures()) == 1


def test_what_was_forgotten_is_not_kept_when_it_is_delivered_again(world, refused):
    """The control is what was refused."""
    world.forget(heard.read(refused))
    assert world.take(refused) == []
    assert world.messages() == []
    assert (world.pictures(), world.asked_again()) == ([], 0)


def test_whose_picture_was_taken_back_gets_none_when_it_is_delivered_again(world, refused):
    """Nor is its event kept as it was before. The control is what was refused."""
    world.take_back_picture(heard.read(refused), refused)
    before = world.messages()
    assert world.take(refused) == []
    assert world.messages() == before != [refused]
    assert (world.pictures(), world.asked_again()) == ([], 0)


def test_what_is_forgotten_while_its_picture_is_got_gets_none(world, monkeypatch):
    """Getting it takes seconds. The control is what was refused."""
    message, got = world.told(world.film())[0], archive.images

    def meanwhile(*given, **how):
        world.forget(heard.read(message))
        return got(*given, **how)

    monkeypatch.setattr(archive, "images", meanwhile)
    assert world.take(message) == []
    assert (world.messages(), world.pictures(), world.asked_again()) == ([], [], 0)


def test_no_picture_is_looked_for_where_none_was_promised(world):
    messages = world.told(world.film(), bucket="")
    assert world.take(*messages) == []
    assert len(world.kept()) == 2
    assert (world.pictures(), world.asked_again()) == ([], 0)


def test_a_camera_that_is_gone_or_keeps_nothing_has_no_picture(world):
    message = world.told(datetime.now(UTC))[0]
    client = world.aws.client("kinesisvideo")
    stream = client.describe_stream(StreamName=world.camera)["StreamInfo"]
    client.delete_stream(StreamARN=stream["StreamARN"])
    assert world.take(message) == []
    assert len(world.kept()) == 1
    assert (world.pictures(), world.asked_again()) == ([], 0)


def test_a_frame_from_before_what_the_camera_keeps_has_no_picture(world):
    """A late record, or one that was replayed. It is given up like any that does not come."""
    message = world.told(datetime.now(UTC) - s(2 * 3600))[0]
    assert world.take(message) == []
    assert len(world.kept()) == 1
    assert world.take(again(message, len(remember.ASKED_AGAIN_S))) == []
    assert (world.pictures(), world.asked_again()) == ([], 1)


def odd(best=None, **other):
    """What is told of somebody, but for these members."""
    (message, *_) = messages_told.told(arrival(0, "ada"), arrival(1, "ada"))
    envelope = json.loads(message)
    envelope["detail"] |= other
    envelope["detail"]["best"] |= best or {}
    return json.dumps(envelope)


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "{}",
        "7",
        '{"tries": 1}',
        '{"tries": "1", "told": "{}"}',
        '{"tries": 1, "told": 7}',
        '{"tries": true, "told": "{}"}',
        json.dumps({"source": "streamctl", "detail-type": "Sighting Started", "detail": {}}),
        json.dumps({"tries": -7, "told": odd()}),
        odd(time="0001-01-01T00:00:00+10:00"),
        odd(best={"offset_s": float("inf")}),
        odd(best={"offset_s": float("nan")}),
        odd(best={"offset_s": 1e300}),
        odd(best={"fragment": "\ud800"}),
        "[" * 100_000,
    ],
    ids=lambda body: body[:30],
)
def test_what_is_no_event_is_left_to_the_failure_queue_and_spares_the_others(world, body):
    good = world.told(datetime.now(UTC), bucket="")[0]
    assert world.take(body, good) == ["0"]
    assert world.kept() == [heard.read(good).id]


class Ended(BaseException):
    """Lambda ends a function where it stands, once its time is over."""


def test_a_picture_that_hangs_keeps_no_event_from_being_kept(world, monkeypatch):
    """It is the first that is looked for, and the last thing that the function does."""

    def hang(*_, **__):
        raise Ended

    monkeypatch.setattr(archive, "images", hang)
    people = ("ada", "bob", "cleo")
    messages = [each for who in people for each in world.told(datetime.now(UTC), who)]
    with pytest.raises(Ended):
        world.take(*messages)
    assert world.kept() == sorted(heard.read(each).id for each in messages)


def test_a_picture_that_is_refused_spares_the_others(world, shared_local_cloud):
    """It alone is delivered again, and is had then."""
    since = world.film()
    ada, bob = (world.told(since, who)[0] for who in ("ada", "bob"))
    shared_local_cloud.fault(GET_IMAGES, target=world.camera, code="ClientLimitExceededException")
    assert world.take(ada, bob) == ["0"]
    assert len(world.pictures()) == 1
    assert world.take(ada) == []
    assert len(world.pictures()) == 2


def test_other_events_on_the_bus_are_passed_over(world):
    other = json.dumps({"source": "aws.ec2", "detail-type": "anything", "detail": {}})
    assert world.take(other) == []
    assert world.kept() == []


def test_what_aws_refuses_is_delivered_again(world, shared_local_cloud):
    good = world.told(datetime.now(UTC), bucket="")[0]
    shared_local_cloud.fault("dynamodb.PutItem", code="InternalServerError", times=None)
    assert world.take(good) == ["0"]
    shared_local_cloud.faults_clear()
    assert world.take(good) == []
    assert len(world.kept()) == 1


def test_events_expire(world):
    world.take(world.told(datetime.now(UTC), bucket="")[0])
    (item,) = world.aws.client("dynamodb").scan(TableName=world.keeping.kept)["Items"]
    left = float(item["expires"]["N"]) - time.time()
    assert DAY.total_seconds() - 60 < left <= DAY.total_seconds()


def test_what_is_kept_can_be_read_again(world):
    messages = world.told(datetime.now(UTC), bucket="")
    world.take(*messages)
    first = heard.read(messages[0])
    found = kept.about(world.aws, world.keeping.kept, first.sighting)
    assert {heard.read(each).id for each in found} == set(world.kept())


def test_no_line_of_the_log_names_anybody(world, capsys):
    """Whatever goes wrong: AWS refuses, no picture is to be had, the camera is gone."""
    somebody = world.told(datetime.now(UTC), "somebody")[0]
    away = replace(world.keeping, kept="no-such-table")
    assert remember.take(world.aws, away, [{"messageId": "0", "body": somebody}]) == ["0"]
    world.take(somebody)
    world.take(again(somebody, len(remember.ASKED_AGAIN_S)))
    client = world.aws.client("kinesisvideo")
    stream = client.describe_stream(StreamName=world.camera)["StreamInfo"]
    client.delete_stream(StreamARN=stream["StreamARN"])
    world.take(somebody)
    logged = capsys.readouterr().out
    assert [json.loads(line)["what"] for line in logged.splitlines()] == [
        "event to be delivered again",
        "no picture",
        "no picture",
    ]
    assert "somebody" not in logged
