"""Collections, in a local cloud."""

import pytest


def test_a_collection_comes_and_goes(streamctl_, in_cloud, client):
    """Created once however often it is asked for; deleted likewise."""
    made = streamctl_("collection create visitors -o json")
    assert (made.code, made.err) == (0, "collection visitors is created\n")
    assert set(made.json) == {"name", "faces", "model", "created_at", "arn"}
    again = streamctl_("collection create visitors -o json")
    assert again.err == "collection visitors is there already\n"
    assert again.json == made.json
    assert "visitors" in client("rekognition").list_collections()["CollectionIds"]
    assert made.json in streamctl_("collection list -o json").json
    assert streamctl_("collection describe visitors -o json").json == made.json
    assert streamctl_("collection delete visitors -o json").json["existed"] is True
    assert "visitors" not in client("rekognition").list_collections()["CollectionIds"]
    said = streamctl_("collection delete visitors")
    assert (said.code, said.err) == (0, "there was no collection visitors\n")


@pytest.mark.parametrize("verb", ["create", "describe", "delete"])
def test_a_name_with_a_space_is_refused_with_the_rule(streamctl_, in_cloud, verb):
    """Before AWS is asked."""
    said = streamctl_("collection", verb, "the staff")
    assert said.code == 2
    assert "hint: a name is 1 to 255 of letters" in said.err


def test_a_collection_that_is_not_there_is_not_found(streamctl_, in_cloud):
    """With the command that makes it."""
    said = streamctl_("collection describe nobody")
    assert said.code == 4
    assert "hint: streamctl collection create nobody" in said.err
