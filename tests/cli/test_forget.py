"""Forgetting a person, in a local cloud: everything of theirs goes, whatever cuts it off."""

import json
import re
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

from streamctl.aws import kept, table
from streamctl.aws.session import Aws
from streamctl.core import folding, forgetting
from streamctl.core.telling import RunRef
from streamctl.core.watch import Attention, Rule, Watch
from streamctl.ops import forgetting as op
from streamctl.ops import stories
from streamctl.ops.setting import WATCH_KEY
from tests.cli.forgetting_world import forget

NUMBERS = count()


def assert_forgotten(world):
    """Nothing of ada, in any form; all of bob, but for the one picture."""
    items = world.items()
    assert world.ada not in items
    assert world.ada not in world.faces()
    assert f"{world.ada}-2019" not in world.faces()
    assert world.bob in world.faces()
    assert world.pictures() & {world.with_ada.best.picture.key} == set()
    assert world.alone.best.picture.key in world.pictures()
    for event in (world.with_ada, world.alone):
        assert kept.get(world.aws, world.outputs["KeptName"], kept.key_of(event)) is not None
    assert [each.person for each in world.saved().thing.open] == [world.bob]
    watch = table.load_one(world.aws, world.outputs["TableName"], WATCH_KEY, Watch).thing
    assert watch == Watch((Rule(Attention.ALLOW, person=world.bob),))


def test_everything_of_a_person_goes_and_nothing_of_anybody_else(streamctl_, world, everywhere):
    """The control: it is all there before."""
    assert world.items().count(world.ada) > 8
    assert world.faces().count(world.ada) == 1
    before = world.pictures()
    said = forget(streamctl_, world)
    assert said.code == 0, said.err
    assert_forgotten(world)
    assert [said.json[each] for each in ("faces", "sightings", "events", "watched")] == [2] * 4
    assert (said.json["pictures"], said.json["others_pictures"]) == (1, 1)
    assert len(before - world.pictures()) >= 2
    assert said.json["names"] == [world.ada, f"{world.ada}-2019"]
    assert said.json["again"] == f"streamctl face forget {world.ada} --also {world.ada}-2019"


def test_again_there_is_nothing_to_do(streamctl_, world, everywhere):
    """Though events of theirs were delivered again meanwhile, for as long as that may be."""
    forget(streamctl_, world)
    world.kept(world.ada, 1000, picture=False)
    assert all(timedelta(days=14.9) < left < timedelta(days=15) for left in world.marks())
    before, pictures = world.items().count(world.bob), world.pictures()
    said = forget(streamctl_, world)
    assert said.code == 0
    assert {said.json[each] for each in ("faces", "sightings", "events", "pictures")} == {0}
    assert (world.items().count(world.bob), world.pictures()) == (before, pictures)


def test_of_a_name_that_nobody_has_it_is_said(streamctl_, world, everywhere):
    """Names are told apart by case. Of one that somebody has nothing of it is said."""
    said = streamctl_("face", "forget", world.ada.upper(), "--yes")
    assert said.code == 0
    assert said.err == (
        f"warning: nothing was known of {world.ada.upper()};"
        " names are told apart by upper and lower case\n"
    )
    assert world.ada in world.items()
    assert forget(streamctl_, world).err == ""


def test_any_of_their_names_means_them(streamctl_, world, everywhere):
    said = streamctl_("face", "forget", f"{world.ada}-2019", "--yes")
    assert said.code == 0
    assert_forgotten(world)


@pytest.mark.parametrize("refused", ["s3.DeleteObjects", "dynamodb.BatchWriteItem"])
def test_what_was_cut_off_is_finished_by_the_same_again(
    streamctl_, world, everywhere, platform, refused
):
    """Wherever it was cut off. The trail says that it was begun."""
    platform.fault(refused, code="AccessDeniedException", times=1)
    said = forget(streamctl_, world)
    platform.faults_clear()
    assert said.code == 6, said.err
    assert "not all of it was removed; this goes on from there: streamctl face forget" in said.err
    assert world.ada in world.items()
    (begun,) = [each for each in world.trail() if not each["done"]][-1:]
    assert begun["removed"] is None
    again = forget(streamctl_, world)
    assert again.code == 0, again.err
    assert_forgotten(world)


@pytest.mark.parametrize("after", range(1, 6))
def test_it_may_end_between_any_two_steps(streamctl_, world, everywhere, monkeypatch, after):
    """As if it were killed: each of the steps that remove something is the last one in turn. The
    trail tells of each thing once.
    """
    steps = count(1)

    def ending(step):
        def stepped(*given):
            done = step(*given)
            if next(steps) == after:
                raise KeyboardInterrupt
            return done

        return stepped

    for owner, name in (
        (op.faces, "remove"),
        (op.kept, "rewrite"),
        (op.s3, "delete_keys"),
        (op.stories, "save"),
        (op.kept, "forget"),
    ):
        monkeypatch.setattr(owner, name, ending(getattr(owner, name)))
    assert forget(streamctl_, world).code == 130
    assert world.ada in world.items()
    assert forget(streamctl_, world, "--also", f"{world.ada}-2019").code == 0
    assert_forgotten(world)
    begun, done = world.trail()
    assert (bool(begun["done"]), bool(done["done"])) == (False, True)
    sums = {what: count + done["removed"][what] for what, count in begun["removed"].items()}
    assert sums == {
        **dict.fromkeys(("faces", "sightings", "events", "watched"), 2),
        **dict.fromkeys(("pictures", "others_pictures"), 1),
    }


def test_what_was_on_its_way_is_found_by_the_second_look(
    streamctl_, world, everywhere, monkeypatch
):
    """Told and kept of the person and of another beside them, seen again, a picture put late."""
    late = []

    def meanwhile(_):
        key = next(key for key in before if key not in world.pictures())
        world.put_picture(key)
        world.kept(world.ada, 1002)
        late.append(world.kept(world.bob, 1003))
        world.story(world.ada, world.bob)

    before = world.pictures()
    monkeypatch.setattr(op, "time", SimpleNamespace(sleep=meanwhile))
    said = forget(streamctl_, world)
    assert said.code == 0
    assert_forgotten(world)
    (event,) = late
    assert event.best.picture.key not in world.pictures()
    assert said.json["events"] == 4
    assert said.json["others_pictures"] == 2


def test_who_was_there_too_and_still_is_gets_no_picture_of_then(streamctl_, world, everywhere):
    """Their end is told later, with the best frame: the control is the end as it was before."""

    def end():
        told = folding.close_all(world.saved().thing, RunRef(pictures="pictures-of-main")).outbox
        return [event.detail for event in told if event.detail["person"] == world.bob][-1]

    assert "picture" in end()["best"]
    assert forget(streamctl_, world).code == 0
    assert "picture" not in end()["best"]


def test_a_story_that_others_save_meanwhile_keeps_what_they_saved(
    streamctl_, world, everywhere, monkeypatch
):
    """Whoever saves first wins; the person is taken out of what they saved."""
    save, others = stories.save, iter([world.story])

    def first_somebody_else(aws, name, story, against):
        for other in others:
            other(world.ada, world.bob)
        return save(aws, name, story, against)

    monkeypatch.setattr(stories, "save", first_somebody_else)
    assert forget(streamctl_, world).code == 0
    assert_forgotten(world)


def test_it_asks_and_says_what_would_go(streamctl_, world, everywhere):
    """Where nobody can be asked nothing is done."""
    before = world.items()
    said = streamctl_("face", "forget", world.ada)
    assert said.code == 2
    assert said.err == (
        f"error: forgetting {world.ada}, {world.ada}-2019 removes for good: faces: 2,"
        " sightings: 2, kept events: 2, pictures: 1, pictures of others: 1,"
        " rules and other names: 2\nhint: if you mean it: --yes\n"
    )
    assert world.items() == before


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 3)])
def test_at_a_terminal_it_asks(streamctl_, world, monkeypatch, answer, code):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: answer)
    world.kept(world.ada, 0)
    assert streamctl_("face", "forget", world.ada).code == code
    assert (world.ada in world.items()) == (not answer)


def test_a_face_without_a_name_is_forgotten_under_its_id(streamctl_, world, portraits):
    """Such a face is told under it."""
    collection, client = f"forget-{next(NUMBERS)}", boto3.client("rekognition")
    client.create_collection(CollectionId=collection)
    image = (portraits / "grace-hopper.jpg").read_bytes()
    indexed = client.index_faces(CollectionId=collection, Image={"Bytes": image})
    face = indexed["FaceRecords"][0]["Face"]["FaceId"]
    world.kept(face, 0)
    assert face in world.items()
    said = streamctl_("face", "forget", face, "--yes", "--collection", collection, "-o", "json")
    assert said.code == 0
    assert (said.json["faces"], said.json["events"]) == (1, 2)
    assert face not in world.items()
    assert client.list_faces(CollectionId=collection)["Faces"] == []
    client.delete_collection(CollectionId=collection)


def test_collections_that_are_not_named_are_left_and_said(streamctl_, world, everywhere):
    said = forget(streamctl_, world, "--collection", "staff")
    assert said.code == 0
    assert world.faces().count(world.ada) == 1
    assert world.ada not in world.items()
    left = [each["where"] for each in said.json["left"] if each["what"] == "collection"]
    assert everywhere in left
    assert "staff" not in left


# -- what is left ---------------------------------------------------------------------------------


def test_what_cannot_be_reached_is_said_and_until_when(streamctl_, world, camera):
    """Records and video of a camera; who listens, and whose rule names the person; a failure."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    pattern = json.dumps({"source": ["streamctl"], "detail": {"person": [world.ada]}})
    events.put_rule(Name=f"of-{world.ada}", EventBusName="streamctl-main", EventPattern=pattern)
    sqs.send_message(QueueUrl=world.outputs["EventFailuresUrl"], MessageBody="{}")
    try:
        said = forget(streamctl_, world)
    finally:
        events.delete_rule(Name=f"of-{world.ada}", EventBusName="streamctl-main")
        sqs.purge_queue(QueueUrl=world.outputs["EventFailuresUrl"])
    done = datetime.fromisoformat(said.json["done"])
    left = {(each["what"], each["where"]): each for each in said.json["left"]}

    def days(what, where):
        return (datetime.fromisoformat(left[what, where]["until"]) - done) / timedelta(days=1)

    assert days("records", f"AmazonRekognition-main-{camera}") == 1
    assert days("video", camera) == 1
    failures = world.outputs["EventFailuresUrl"].rpartition("/")[2]
    assert days("messages", failures) == 14
    assert "its pattern names the person" in left["events", f"of-{world.ada}"]["why"]
    assert ("files", "anybody's") in left
    own = world.outputs["EventQueueUrl"].rpartition("/")[2]
    assert not any(own in where for _, where in left)
    again_after = datetime.fromisoformat(said.json["again_after"])
    assert again_after - done == forgetting.TRIED_FOR


def test_as_a_table_it_is_words(streamctl_, world, camera):
    said = streamctl_("face", "forget", world.ada, "--yes")
    assert said.code == 0
    assert "Not reached:" in said.out
    assert f"AmazonRekognition-main-{camera}" in said.out
    assert said.out.endswith(f"streamctl face forget {world.ada}\n")


ACTIONS = {
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "s3:DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "kinesis-video:DescribeStream": {"kinesisvideo:DescribeStream"},
    "eventbridge:ListRules": {"events:ListRules"},
    "eventbridge:ListTargetsByRule": {"events:ListTargetsByRule"},
}


def test_it_calls_what_the_page_says_that_it_takes(
    streamctl_, world, everywhere, camera, monkeypatch
):
    """Neither more, which would fail for want of leave, nor less."""
    called, made = set(), Aws._made

    def noting(aws, *settings):
        client = made(aws, *settings)
        client.meta.events.register("provide-client-params", note)
        return client

    def note(model, **_):
        operation = f"{model.service_model.service_id.hyphenize()}:{model.name}"
        called.update(ACTIONS.get(operation, {operation}))

    monkeypatch.setattr(Aws, "_made", noting)
    assert forget(streamctl_, world).code == 0
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("### What it takes\n")[2].partition("\n#")[0]
    assert called == set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", section))


# -- asked wrongly --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("face forget ada --yes --collection none", 4, "there is no collection none"),
        ("face forget ? --yes", 2, "'?' cannot be the name of a person"),
        ("face forget ada --yes --also a$b", 2, "'a$b' cannot be the name of a person"),
        ("face forget ada --yes --platform night", 4, "platform night is not deployed"),
        ("face forgotten --platform night", 4, "platform night is not deployed"),
        ("face forgotten --person ?", 2, "'?' cannot be the name of a person"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    streamctl_, world, line, code, said
):
    before = len(world.trail())
    refused = streamctl_(line)
    assert refused.code == code
    assert refused.err.startswith(f"error: {said}")
    assert "Traceback" not in refused.err
    assert len(world.trail()) == before
