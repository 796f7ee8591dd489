"""The trail of forgetting: who asked for it, how much went; not whose it was."""

import json

import boto3

from tests.cli.forgetting_world import forget


def test_the_trail_says_who_asked_and_not_for_whom(streamctl_, world):
    world.kept(world.ada, 0)
    said = forget(streamctl_, world)
    me = boto3.client("sts").get_caller_identity()["Arn"]
    (entry,) = [each for each in world.trail() if each["salt"][:8] in said.json["trail"]]
    assert (entry["by"], entry["removed"]["events"]) == (me, 2)
    assert world.ada not in json.dumps(world.trail())
    listed = streamctl_("face forgotten -o json")
    (mine,) = [each for each in listed.json if each["trail"] == said.json["trail"]]
    shared = set(mine) & set(said.json)
    assert {each: said.json[each] for each in shared} == mine
    client = boto3.client("dynamodb")
    (item,) = [
        each
        for each in client.scan(TableName=world.outputs["TableName"])["Items"]
        if each["key"]["S"] == f"forgotten#{mine['trail']}"
    ]
    assert "expires" not in item


def test_whether_a_name_was_forgotten_can_be_asked(streamctl_, world, platform):
    asked = f"face forgotten --person {world.ada}"
    said = streamctl_(asked)
    assert said.code == 3
    assert f"was not asked to forget {world.ada}" in said.err
    world.kept(world.ada, 0)
    platform.fault("dynamodb.BatchWriteItem", code="AccessDeniedException", times=1)
    assert forget(streamctl_, world).code == 6
    platform.faults_clear()
    said = streamctl_(asked)
    assert said.code == 3
    assert "was begun, and not finished" in said.err
    assert forget(streamctl_, world).code == 0
    assert streamctl_(asked).code == 0
    assert streamctl_(f"face forgotten --person {world.bob}").code == 3


def test_what_was_cut_off_is_told_by_what_looked_for_all_of_it(
    streamctl_, world, everywhere, platform
):
    """Not by what looked for less, whoever asked for it; and once, however often it was cut off."""

    def cut_off(*options):
        platform.fault("dynamodb.BatchWriteItem", code="AccessDeniedException", times=1)
        assert forget(streamctl_, world, *options).code == 6
        platform.faults_clear()

    def faces():
        return [each["removed"] and each["removed"]["faces"] for each in world.trail()]

    cut_off()
    cut_off("--collection", everywhere)
    assert faces() == [None, None]
    cut_off()
    assert faces() == [2, 0, None]
    assert forget(streamctl_, world).code == 0
    assert faces() == [2, 0, 0, 0]
    assert [each["removed"]["events"] for each in world.trail()] == [0, 0, 0, 2]
