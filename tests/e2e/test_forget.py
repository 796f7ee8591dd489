"""A person who was enrolled, watched for, seen, told of and pictured is forgotten: every store is
searched for them by boto3 alone, before and after.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any

import pytest

from streamctl.media import clip
from tests.e2e.pipeline import COMMAND, KNOWN, NAME, Pipeline

OTHER = clip.UNKNOWN
ALIAS = "commander"

SCENES = (((KNOWN,), 4), ((), 9), ((OTHER,), 4), ((), 9), *[((KNOWN,), 10)] * 12)

WATCH = f"""
cooldown = "1s"

[same]
{ALIAS} = "{KNOWN}"

[sighting]
gap = "4s"
lateness = "1s"

[[rule]]
attention = "allow"
person = "{KNOWN}"

[[rule]]
attention = "alert"
person = "{OTHER}"
"""

MARK = {"about", "id", "expires"}

PLATFORM_QUEUES = ("ClockQueue", "ClockFailures", "FailureQueue", "EventQueue", "EventFailures")


@dataclass(frozen=True)
class Stores:
    """Everything that holds anything, each as text. Nothing in it is ours but names."""

    pipeline: Pipeline

    def tables(self) -> str:
        """But for the marks where a forgotten event stood: they hold its place, and nothing else."""
        client = self.pipeline.client("dynamodb")
        names = client.list_tables()["TableNames"]
        items = [each for name in names for each in client.scan(TableName=name)["Items"]]
        return json.dumps([each for each in items if set(each) != MARK])

    def buckets(self) -> str:
        """Keys and metadata, of all versions."""
        client, found = self.pipeline.client("s3"), list[Any]()
        for bucket in client.list_buckets()["Buckets"]:
            listed = client.list_object_versions(Bucket=bucket["Name"])
            for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
                head = client.head_object(Bucket=bucket["Name"], Key=each["Key"])
                found.append((each["Key"], head["Metadata"]))
        return json.dumps(found)

    def collections(self) -> str:
        client = self.pipeline.client("rekognition")
        names = client.list_collections()["CollectionIds"]
        return json.dumps([client.list_faces(CollectionId=name)["Faces"] for name in names])

    def logs(self) -> str:
        client = self.pipeline.client("logs")
        groups = [each["logGroupName"] for each in client.describe_log_groups()["logGroups"]]
        return json.dumps([client.filter_log_events(logGroupName=name) for name in groups])

    def queue(self, url: str) -> str:
        """What can be received of it, which stays in it."""
        receive = self.pipeline.client("sqs").receive_message
        found: list[Any] = []
        for _ in range(5):
            answer = receive(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            found += answer.get("Messages", [])
        return json.dumps([message["Body"] for message in found])

    def queues(self) -> str:
        urls = self.pipeline.client("sqs").list_queues()["QueueUrls"]
        own = [url for url in urls if any(f"-{name}-" in url for name in PLATFORM_QUEUES)]
        assert len(own) == len(PLATFORM_QUEUES)
        return "".join(map(self.queue, own))

    def platform(self) -> dict[str, str]:
        """All that is the platform's, by store."""
        return {
            "tables": self.tables(),
            "buckets": self.buckets(),
            "collections": self.collections(),
            "queues": self.queues(),
            "logs": self.logs(),
        }

    def pictures_that_show(self, still: bytes) -> list[str]:
        """The pictures on which this face is found, by a collection made for it alone."""
        s3, rekognition = self.pipeline.client("s3"), self.pipeline.client("rekognition")
        (bucket,) = [
            each["Name"] for each in s3.list_buckets()["Buckets"] if "-pictures-" in each["Name"]
        ]
        rekognition.create_collection(CollectionId="judge")
        rekognition.index_faces(CollectionId="judge", Image={"Bytes": still})
        found = []
        for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            image = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            try:
                matched = rekognition.search_faces_by_image(
                    CollectionId="judge", Image={"Bytes": image}
                )
            except rekognition.exceptions.InvalidParameterException:
                continue  # it shows no face at all
            if matched["FaceMatches"]:
                found.append(each["Key"])
        rekognition.delete_collection(CollectionId="judge")
        return found


@pytest.fixture
def play():
    """Plays the clip to a running processor's camera, as long as the test lasts."""
    playing = list[subprocess.Popen[bytes]]()

    def play(pipeline):
        path = pipeline.folder / "forgotten.mkv"
        clip.render(path, SCENES)
        pipeline.start()
        command = [*COMMAND, "camera", "push", NAME, str(path)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        playing.append(subprocess.Popen(command, env=pipeline.environment(), **quiet))
        return playing[0]

    yield play
    for each in playing:
        each.kill()
        each.wait()


@pytest.mark.minutes
@pytest.mark.timeout(400)
def test_nothing_of_a_person_is_found_in_any_store(build_pipeline, play):
    """Forgotten in the middle of it: they stand before the camera. Who was told of, too, stays."""
    pipeline = build_pipeline("5s")
    stores, known, other = Stores(pipeline), clip.portrait(KNOWN), clip.portrait(OTHER)
    faces = enrolled(pipeline)
    playing = play(pipeline)
    pipeline.wait_for(lambda: len(of(pipeline, "Sighting Started", KNOWN)) == 2, 60, "back again")
    sightings = {each["sighting"] for each in of(pipeline, "Sighting Started", KNOWN)}
    pipeline.wait_for(lambda: found(sightings, stores.buckets()) == sightings, 60, "their pictures")
    needles = {KNOWN, ALIAS, *faces, *sightings}
    others = sightings_kept(pipeline, OTHER)
    pictured = stores.pictures_that_show(other)
    assert len(others) == 2
    assert pictured

    before = stores.platform()
    for store in ("tables", "buckets", "collections"):
        assert found(needles, before[store]), store
    told = before["tables"].replace('\\"', '"')
    assert f'"open":[{{"person":"{KNOWN}"' in told
    assert f'"rules":[{{"attention":"allow","camera":"","person":"{KNOWN}"' in told
    assert len(stores.pictures_that_show(known)) >= 2
    assert sightings <= found(needles, before["tables"]) & found(needles, before["buckets"])
    assert {KNOWN, ALIAS, *faces} == found(needles, before["collections"])
    assert KNOWN in stores.queue(pipeline.other_queue)
    assert_logs_can_be_searched(stores)

    said = json.loads(pipeline.run("face", "forget", KNOWN, "--yes", "-o", "json"))
    assert said["faces"] == 2
    assert said["sightings"] >= 2
    assert said["pictures"] >= 2
    settled(pipeline)
    assert_forgotten(stores, needles)
    assert stores.pictures_that_show(known) == []
    assert sightings_kept(pipeline, OTHER) == others
    assert stores.pictures_that_show(other) == pictured
    assert playing.poll() is None, "the video was to go on"
    assert_named_as_left(pipeline, said)

    playing.terminate()
    playing.wait(30)
    pipeline.run("processor", "wait", NAME, "--for", "gone", "--timeout", "80s")
    pipeline.wait_told("Processor Torn Down", 40)
    settled(pipeline)
    assert_forgotten(stores, needles)
    assert stores.pictures_that_show(known) == []
    assert [each["sighting"] for each in of(pipeline, "Sighting Ended", OTHER)] == [others[0][0]]
    pipeline.run("face", "forgotten", "--person", KNOWN)
    pipeline.run("face", "forgotten", "--person", ALIAS)


def enrolled(pipeline: Pipeline) -> set[str]:
    """Enrol both, one of them twice, watch for them; the ids of that one's faces."""
    pipeline.run("collection", "create", "archive")
    for collection, person, portrait in (
        ("archive", ALIAS, KNOWN),
        ("staff", OTHER, OTHER),
    ):
        still = pipeline.folder / f"{person}.jpg"
        still.write_bytes(clip.portrait(portrait))
        pipeline.run("face", "enrol", "--collection", collection, still)
    rules = pipeline.folder / "watch.toml"
    rules.write_text(WATCH)
    pipeline.run("watch", "apply", rules)
    rekognition = pipeline.client("rekognition")
    return {
        face["FaceId"]
        for name in ("staff", "archive")
        for face in rekognition.list_faces(CollectionId=name)["Faces"]
        if face["ExternalImageId"] in (KNOWN, ALIAS)
    }


def of(pipeline: Pipeline, kind: str, person: str) -> list[dict[str, Any]]:
    return [each for each in pipeline.told(kind) if each.get("person") == person]


def sightings_kept(pipeline: Pipeline, person: str) -> list[tuple[str, str]]:
    """The events that are kept of a person, as they are."""
    client = pipeline.client("dynamodb")
    (name,) = [each for each in client.list_tables()["TableNames"] if "-Kept-" in each]
    return sorted(
        (item["about"]["S"], item["message"]["S"])
        for item in client.scan(TableName=name)["Items"]
        if item.get("person", {}).get("S") == person
    )


def found(needles: set[str], text: str) -> set[str]:
    return {each for each in needles if each in text}


def assert_logs_can_be_searched(stores: Stores) -> None:
    """The control of a search that finds nothing in logs at any time."""
    client = stores.pipeline.client("logs")
    client.create_log_group(logGroupName="control")
    client.create_log_stream(logGroupName="control", logStreamName="control")
    event = {"timestamp": int(time.time() * 1000), "message": KNOWN}
    client.put_log_events(logGroupName="control", logStreamName="control", logEvents=[event])
    assert KNOWN in stores.logs()
    client.delete_log_group(logGroupName="control")
    assert KNOWN not in stores.logs()
    assert NAME in stores.logs()


def settled(pipeline: Pipeline) -> None:
    """No event is on its way to being kept, and no picture is asked for again."""
    sqs = pipeline.client("sqs")
    (url,) = [each for each in sqs.list_queues()["QueueUrls"] if "-EventQueue-" in each]
    kinds = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]

    def empty() -> bool:
        held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=kinds)["Attributes"]
        return not any(int(each) for each in held.values())

    pipeline.wait_for(empty, 90, "events on their way")


def assert_forgotten(stores: Stores, needles: set[str]) -> None:
    for store, text in stores.platform().items():
        assert found(needles, text) == set(), store


def assert_named_as_left(pipeline: Pipeline, said: dict[str, Any]) -> None:
    """What still holds them was said to, with its end where that is known."""
    left = {(each["what"], each["where"]): each for each in said["left"]}
    (results,) = pipeline.client("kinesis").list_streams()["StreamNames"]
    assert KNOWN in json.dumps(pipeline.records())
    assert left["records", results]["until"] > said["done"]
    assert left["video", NAME]["until"] > said["done"]
    assert left["events", "app"]["until"] is None
    assert KNOWN in json.dumps(pipeline.heard())
