"""Local clouds as processes: how they start, refuse, remember, and end without leaving a trace."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamctl.errors import AskedWrongly, Missing, NotFound, StreamctlError, Unreachable
from streamctl.local import launch
from streamctl.local.launch import LocalCloud
from streamctl.local.notes import born

HUNG = {
    "app.py": "import time\ndef handler(event, context):\n    print('in')\n    time.sleep(60)\n"
}
SLOW = "import time\ntime.sleep(0.3)\ndef handler(event, context):\n    return None\n"
LARGE = {"app.py": SLOW, **{f"more{number}.py": "x = 1\n" * 50 for number in range(400)}}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """State files of these tests stay in their own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, as the clouds of this test know it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def processes_of(session):
    """The living processes of a session: a server and everything that it started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def with_a_running_function(cloud, world_of):
    """A cloud with a function's process in the middle of an invocation."""
    world = world_of(cloud)
    name = world.function(HUNG, timeout=60)
    world.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    world.until(lambda: len(processes_of(cloud.pid)) > 1)


def test_it_listens_on_this_machine_alone(start_local_cloud):
    """Both ports are bound to 127.0.0.1, and no other is open."""
    cloud = start_local_cloud()
    sockets = subprocess.run(
        ["cat", f"/proc/{cloud.pid}/net/tcp", f"/proc/{cloud.pid}/net/tcp6"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    links = [str(link.readlink()) for link in Path(f"/proc/{cloud.pid}/fd").iterdir()]
    own = {link[8:-1] for link in links if link.startswith("socket:")}
    listening = [line.split() for line in sockets.splitlines() if line.split()[3] == "0A"]
    places = {line[1] for line in listening if line[9] in own}
    assert places == {f"0100007F:{port:04X}" for port in (cloud.port, cloud.media_port)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_all_it_started(start_local_cloud, world_of, temporary, number):
    """A function in the middle of an invocation does not stay behind, nor does any file."""
    cloud = start_local_cloud()
    with_a_running_function(cloud, world_of)
    assert [str(folder) for folder in temporary.iterdir()] == [cloud.status()["data"]]
    os.kill(cloud.pid, number)
    world_of(cloud).until(lambda: not processes_of(cloud.pid))
    assert not listens(cloud.port)
    assert not listens(cloud.media_port)
    assert list(temporary.iterdir()) == []


def test_functions_that_begin_while_it_ends_leave_nothing(start_local_cloud, world_of, temporary):
    """Pollers go on to its end, and a zip takes a while to unpack."""
    cloud = start_local_cloud()
    world = world_of(cloud)
    function, queue, functions = world.function(LARGE), world.queue(), world.client("lambda")
    functions.create_event_source_mapping(
        FunctionName=function, EventSourceArn=queue.arn, BatchSize=1
    )
    messages = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
    world.client("sqs").send_message_batch(QueueUrl=queue.url, Entries=messages)
    for _ in range(8):
        functions.invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
    world.until(lambda: len(list(temporary.rglob("app.py"))) > 2)
    cloud.stop()
    assert list(temporary.iterdir()) == []


def test_stopping_twice_is_stopping_once(start_local_cloud):
    """The second time there is nothing to do."""
    cloud = start_local_cloud()
    cloud.stop()
    cloud.stop()
    assert not processes_of(cloud.pid)
    with pytest.raises(Unreachable):
        cloud.status()


def test_it_ends_with_the_process_that_owns_it(world_of, temporary):
    """Even where that is killed, and cannot say goodbye."""
    pytest.importorskip("ministack")
    script = (
        "import time\n"
        "from streamctl.local.launch import LocalCloud\n"
        "cloud = LocalCloud.start(port=0)\n"
        "print(cloud.port, cloud.media_port, cloud.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        with owner.stdout as stdout:
            port, media_port, pid = (int(text) for text in stdout.readline().split())
        cloud = LocalCloud(port, media_port, pid)
        with_a_running_function(cloud, world_of)
    finally:
        owner.kill()
        owner.wait()
    world_of(cloud).until(lambda: not processes_of(pid), why=lambda: "the cloud outlived its owner")
    assert list(temporary.iterdir()) == []


def test_a_taken_port_is_refused(start_local_cloud):
    """With what to do about it, and without harm to the one that has the port."""
    cloud = start_local_cloud()
    with pytest.raises(StreamctlError, match=f"port {cloud.port} .*in use") as error:
        LocalCloud.start(port=cloud.port)
    assert "--port" in error.value.hint
    assert cloud.is_alive()


@pytest.mark.parametrize(
    "options",
    [
        {"switches": {"no_such": 1}},
        {"timings": {"starting_s": -1}},
        {"switches": {"x=y": "z"}},
        {"port": 70_000},
        {"port": -1},
    ],
)
def test_what_cannot_be_meant_is_refused(shared_local_cloud, temporary, options):
    """A switch or port that there is not ends the server at once, with the reason."""
    del shared_local_cloud  # skips where the extra is missing
    with pytest.raises(AskedWrongly, match=r"no switch|number of seconds|is no port") as error:
        LocalCloud.start(**{"port": 0, **options})
    assert error.value.exit_code == 2
    assert list(temporary.iterdir()) == []


def test_a_log_that_cannot_be_written_is_refused(shared_local_cloud, tmp_path):
    """Before anything is started."""
    del shared_local_cloud
    with pytest.raises(StreamctlError, match="cannot write the log") as error:
        LocalCloud.start(port=0, log=tmp_path / "no-such-folder" / "log")
    assert error.value.hint


def test_a_cloud_that_nobody_would_find_again_is_ended(shared_local_cloud, state, temporary):
    """A detached one whose state file cannot be written."""
    del shared_local_cloud
    (state / "streamctl").write_text("not a folder")
    with pytest.raises(StreamctlError, match="cannot note where") as error:
        LocalCloud.start(port=0, detached=True)
    assert "XDG_STATE_HOME" in error.value.hint
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", b"SSH-2.0-x\r\n", b""]
)
def test_a_stranger_on_the_port_is_no_cloud(state, says):
    """Another web server, another protocol, or one that says nothing."""
    with stranger(says) as port:
        path = state / "streamctl" / f"local-{port}.json"
        path.parent.mkdir()
        path.write_text('{"pid": 1, "media_port": 2, "data": null}')
        with pytest.raises(NotFound):
            LocalCloud.attach(port)


@contextlib.contextmanager
def stranger(says):
    """A server that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(says)

        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()[1]
        serving.join()


def test_a_folder_that_is_none_is_refused(shared_local_cloud, tmp_path):
    """State cannot be kept in a file."""
    del shared_local_cloud
    place = tmp_path / "data"
    place.write_text("not a folder")
    with pytest.raises(StreamctlError, match="cannot keep state in"):
        LocalCloud.start(port=0, data=place)


def test_a_folder_in_which_nothing_can_be_written_is_refused(shared_local_cloud):
    """By name and with the reason; /proc takes no files, whoever asks."""
    del shared_local_cloud
    with pytest.raises(StreamctlError, match=r"cannot keep state in /proc: .+") as error:
        LocalCloud.start(port=0, data=Path("/proc"))
    assert "--data" in error.value.hint


def test_a_folder_that_takes_no_more_folders_is_refused(shared_local_cloud, tmp_path):
    """Though its lock can be taken: a file stands where a folder must be."""
    del shared_local_cloud
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "runtime").write_text("not a folder")
    with pytest.raises(StreamctlError, match=rf"cannot keep state in {tmp_path / 'data'}: .+"):
        LocalCloud.start(port=0, data=tmp_path / "data")


def test_one_folder_is_one_clouds(start_local_cloud, tmp_path):
    """Until that one has gone, even where it was killed."""
    first = start_local_cloud(data=tmp_path / "data")
    with pytest.raises(StreamctlError, match=f"in use by .* port {first.port}") as error:
        LocalCloud.start(port=0, data=tmp_path / "data")
    assert f"local stop --port {first.port}" in error.value.hint
    assert first.is_alive()
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    assert start_local_cloud(data=tmp_path / "data").is_alive()


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """The command line needs none of it, and says so when it does."""
    monkeypatch.setattr(launch, "_NEEDED", ("no_such_package_anywhere",))
    with pytest.raises(Missing) as error:
        LocalCloud.start(port=0)
    assert error.value.hint == "pip install 'streamctl[local]'"


def test_a_detached_cloud_is_found_again(shared_local_cloud):
    """By its port, by another process, until it is stopped."""
    del shared_local_cloud
    started = LocalCloud.start(port=0, detached=True)
    try:
        found = LocalCloud.attach(started.port)
        assert (found.pid, found.media_port) == (started.pid, started.media_port)
        found.stop()
        assert not listens(started.port)
        with pytest.raises(NotFound):
            LocalCloud.attach(started.port)
    finally:
        started.stop()


def test_a_stale_state_file_is_no_cloud(start_local_cloud, state):
    """A file whose process is gone, or whose port another has, is not believed."""
    cloud = start_local_cloud()
    path = state / "streamctl" / f"local-{cloud.port}.json"
    path.parent.mkdir()
    for text in ('{"pid": 1, "media_port": 2, "data": null}', "{", "[]"):
        path.write_text(text)
        with pytest.raises(NotFound):
            LocalCloud.attach(cloud.port)


@pytest.fixture
def halted(shared_local_cloud):
    """A detached cloud that lives, and does nothing."""
    del shared_local_cloud
    cloud = LocalCloud.start(port=0, detached=True)
    os.kill(cloud.pid, signal.SIGSTOP)
    yield cloud
    cloud.stop()


def test_a_cloud_that_does_not_answer_is_not_forgotten(halted, monkeypatch):
    """It is said to live, and found again once it answers."""
    monkeypatch.setattr("streamctl.local.admin_client._PATIENCE_S", 0.2)
    with pytest.raises(Unreachable, match=f"{halted.port} .*does not answer") as error:
        LocalCloud.attach(halted.port)
    assert f"local stop --port {halted.port}" in error.value.hint
    monkeypatch.setattr("streamctl.local.admin_client._PATIENCE_S", 10)
    os.kill(halted.pid, signal.SIGCONT)
    assert LocalCloud.attach(halted.port).pid == halted.pid


def test_a_cloud_that_does_not_answer_is_stopped(temporary, halted):
    """In order: it takes its folder away."""
    assert list(temporary.iterdir()) != []
    LocalCloud.noted(halted.port).stop()
    assert not processes_of(halted.pid)
    assert list(temporary.iterdir()) == []
    with pytest.raises(NotFound):
        LocalCloud.noted(halted.port)


def test_another_process_of_the_same_number_is_no_cloud(state):
    """Numbers are given again: it is left alone, and the note is not believed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    path = state / "streamctl" / f"local-{port}.json"
    path.parent.mkdir()
    other = subprocess.Popen(["sleep", "60"])
    note = {"pid": other.pid, "media_port": 2, "data": None, "born": "1"}
    try:
        path.write_text(json.dumps(note))
        with pytest.raises(NotFound):
            LocalCloud.noted(port)
        assert other.poll() is None
        assert not path.exists()
        path.write_text(json.dumps({**note, "born": born(other.pid)}))
        assert LocalCloud.noted(port).pid == other.pid  # the control
    finally:
        other.kill()
        other.wait()


def test_data_outlives_a_restart(start_local_cloud, world_of, tmp_path):
    """Buckets, tables, streams, functions with their mappings' positions, cameras, collections."""
    first = start_local_cloud(data=tmp_path / "data")
    world = world_of(first)
    stream, camera = world.stream(), world.unique("camera")
    world.client("kinesisvideo").create_stream(StreamName=camera, DataRetentionInHours=1)
    world.client("rekognition").create_collection(CollectionId=camera)
    world.client("s3").create_bucket(Bucket=camera)
    world.client("s3").put_object(Bucket=camera, Key="a/b", Body=b"kept")
    mapped = world.mapped("return None", stream)
    world.put(stream, "before")
    world.wait_for(mapped.told, 1)
    world.until(lambda: "OK" in _result(world, mapped))
    first.stop()

    again = world_of(start_local_cloud(data=tmp_path / "data"))
    assert again.client("s3").get_object(Bucket=camera, Key="a/b")["Body"].read() == b"kept"
    assert again.client("kinesisvideo").describe_stream(StreamName=camera)
    assert camera in again.client("rekognition").list_collections()["CollectionIds"]
    again.put(stream, "after")
    told = again.client("sqs").get_queue_url(QueueName=mapped.told.name)["QueueUrl"]
    mapped.told.url = told
    assert [message["found"] for message in again.wait_for(mapped.told, 1)] == [["after"]]


def _result(world, mapped):
    told = world.client("lambda").get_event_source_mapping(UUID=mapped.uuid)
    return told["LastProcessingResult"]
