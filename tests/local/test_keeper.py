"""What ministack knows, in the data folder: kept though it is killed, and never lost in silence."""

from __future__ import annotations

import json
import os
import signal

import pytest

from streamctl.errors import StreamctlError
from streamctl.local.admin_client import ask
from streamctl.local.launch import LocalCloud


@pytest.fixture(autouse=True)
def _own_state(monkeypatch, tmp_path):
    """Notes of these tests stay in their own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def made_table(world):
    name = world.unique("table")
    world.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def put(world, table, key):
    world.client("dynamodb").put_item(TableName=table, Item={"k": {"S": key}})


def is_kept(data, service, text):
    path = data / "ministack" / f"{service}.json"
    return path.exists() and text in path.read_text()


def test_what_was_done_is_kept_though_it_is_killed(start_local_cloud, world_of, data):
    """Soon after a change, without an end in order."""
    cloud = start_local_cloud(data=data)
    world = world_of(cloud)
    table, queue = made_table(world), world.queue()
    function = world.function({"app.py": "def handler(event, context):\n    return 7\n"})
    put(world, table, "first")
    world.until(lambda: is_kept(data, "dynamodb", "first") and is_kept(data, "sqs", queue.name))
    put(world, table, "second")
    world.until(lambda: is_kept(data, "dynamodb", "second"))
    world.until(lambda: is_kept(data, "lambda", function))
    os.kill(cloud.pid, signal.SIGKILL)
    cloud.stop()

    again = world_of(start_local_cloud(data=data))
    assert again.client("dynamodb").scan(TableName=table)["Count"] == 2
    assert again.client("sqs").get_queue_url(QueueName=queue.name)
    assert json.load(again.client("lambda").invoke(FunctionName=function)["Payload"]) == 7


def test_what_cannot_be_saved_is_said_at_the_end(start_local_cloud, world_of, data):
    """What, where, why; the others are saved, and the cloud has ended."""
    cloud = start_local_cloud(data=data)
    world = world_of(cloud)
    (data / "ministack" / "dynamodb.part").mkdir(parents=True)  # as good as a full disk
    made_table(world)
    queue = world.queue()
    with pytest.raises(
        StreamctlError, match=r"could not save dynamodb in .*: Is a directory"
    ) as error:
        cloud.stop()
    assert str(data) in str(error.value)
    assert "lost" in error.value.hint
    assert not cloud.is_alive()
    assert is_kept(data, "sqs", queue.name)
    cloud.stop()  # there is nothing left to say


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"__ministack_format__": 2, "payl', id="torn"),
        pytest.param("", id="empty"),
        pytest.param("[]", id="a list"),
        pytest.param('{"__ministack_format__": 99, "payload": {}}', id="newer"),
        pytest.param('{"__ministack_format__": 2, "payload": [5]}', id="no state"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_passed_over(shared_local_cloud, data, text):
    """Nothing starts without it, and it stays as it is; what to do is said."""
    del shared_local_cloud  # skips where the extra is missing
    path = data / "ministack" / "dynamodb.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(StreamctlError, match=f"cannot read {path}: ") as error:
        LocalCloud.start(port=0, data=data)
    assert "remove that file" in error.value.hint
    assert path.read_text() == text
    path.unlink()
    with LocalCloud.start(port=0, data=data) as cloud:  # the cure
        assert cloud.is_alive()


def test_a_cloud_is_not_stopped_in_the_name_of_another(start_local_cloud):
    """A port is given again: who asks says whom."""
    cloud = start_local_cloud()
    for whom in ({"pid": cloud.pid + 1}, {}, None):
        with pytest.raises(StreamctlError, match="no POST /_streamctl/stop"):
            ask(cloud.port, "POST", "stop", whom)
    assert cloud.is_alive()
    assert ask(cloud.port, "POST", "stop", {"pid": cloud.pid}) == {"unsaved": {}}
