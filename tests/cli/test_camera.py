"""Cameras: made, listed, described, deleted; their video pushed and probed, in a local cloud."""

import re

import pytest

from streamctl.media import camera as player


def test_a_camera_is_a_video_stream_with_results_and_a_mapping(streamctl_, platform, client):
    """What `camera create` makes, any AWS client finds; deleting it leaves nothing."""
    made = streamctl_("camera create gate --retention 48h -o json")
    assert made.code == 0
    assert made.err == "camera gate is created\n"
    assert set(made.json) == {"name", "platform", "status", "arn", "results", "role_arn", "stack"}

    video = client("kinesisvideo").describe_stream(StreamName="gate")["StreamInfo"]
    assert (video["StreamARN"], video["DataRetentionInHours"]) == (made.json["arn"], 48)
    assert made.json["results"] == "AmazonRekognition-main-gate"
    results = client("kinesis").describe_stream(StreamName=made.json["results"])
    arn = results["StreamDescription"]["StreamARN"]
    mapping = client("lambda").list_event_source_mappings(EventSourceArn=arn)
    assert len(mapping["EventSourceMappings"]) == 1

    assert "gate" in [row["name"] for row in streamctl_("camera list -o json").json]
    gone = streamctl_("camera delete gate -o json")
    assert gone.json == {"name": "gate", "existed": True}
    names = [each["StreamName"] for each in streams(client)]
    assert "gate" not in names
    assert made.json["results"] not in client("kinesis").list_streams()["StreamNames"]
    assert streamctl_("camera delete gate -o json").json == {"name": "gate", "existed": False}


def streams(client):
    return client("kinesisvideo").list_streams()["StreamInfoList"]


def test_creating_twice_is_creating_once(streamctl_, platform):
    """The second time, it is up to date; what is not said stays as it is."""
    assert streamctl_("camera create twice --retention 36h").err == "camera twice is created\n"
    assert streamctl_("camera create twice").err == "camera twice is up to date\n"
    assert streamctl_("camera describe twice -o json").json["retention_s"] == 36 * 3600
    assert streamctl_("camera create twice --retention 48h").err == "camera twice is updated\n"
    assert streamctl_("camera describe twice -o json").json["retention_s"] == 48 * 3600
    streamctl_("camera delete twice")


def test_a_described_camera_says_how_long_it_keeps_video_and_who_uses_it(streamctl_, platform):
    """In full; nobody uses it yet."""
    found = streamctl_("camera describe door -o json").json
    assert found["media_type"] == "video/h264"
    assert found["retention_s"] == 86400
    assert found["processors"] == []
    assert "retention   1d" in streamctl_("camera describe door").out


@pytest.mark.parametrize("by", ["name", "arn"])
def test_an_existing_video_stream_can_be_used_and_survives(streamctl_, platform, client, by):
    """It is named or given by ARN; deleting the camera leaves it."""
    arn = client("kinesisvideo").create_stream(StreamName=f"old-{by}", DataRetentionInHours=2)
    arn = arn["StreamARN"]
    said = streamctl_(
        "camera", "create", f"cam-{by}", "--existing", {"name": f"old-{by}"}.get(by, arn)
    )
    assert said.code == 0
    assert streamctl_(f"camera create cam-{by}").err == f"camera cam-{by} is up to date\n"
    assert streamctl_(f"camera describe cam-{by} -o json").json["arn"] == arn
    streamctl_(f"camera delete cam-{by}")
    assert client("kinesisvideo").describe_stream(StreamARN=arn)
    client("kinesisvideo").delete_stream(StreamARN=arn)


@pytest.mark.parametrize("other", ["itself", "another"])
def test_a_cameras_own_video_is_never_given_up_for_an_existing_one(
    streamctl_, platform, client, other
):
    """CloudFormation would delete the video stream that it made, with everything in it."""
    own = streamctl_("camera create keeper -o json").json["arn"]
    another = client("kinesisvideo").create_stream(StreamName="another")["StreamARN"]
    given = {"itself": own, "another": another}[other]
    said = streamctl_("camera", "create", "keeper", "--existing", given)
    if other == "itself":
        assert (said.code, said.err) == (0, "camera keeper is up to date\n")
    else:
        assert said.code == 1
        assert f"camera keeper has a video stream already: {own}" in said.err
        assert "hint: streamctl camera delete keeper, then" in said.err
    assert own in [each["StreamARN"] for each in streams(client)]
    assert streamctl_("camera describe keeper -o json").json["arn"] == own
    streamctl_("camera delete keeper")
    client("kinesisvideo").delete_stream(StreamARN=another)


def test_one_video_stream_is_one_camera(streamctl_, platform):
    """AWS lets one processor analyse it, so a second camera would be of no use."""
    said = streamctl_("camera create second-door --existing door")
    assert said.code == 1
    assert "is camera door of platform main already" in said.err


@pytest.mark.parametrize(
    ("line", "code", "about"),
    [
        (["camera", "create", "front door"], 2, "'front door' cannot be the name of a camera"),
        (["camera", "create", "x" * 81], 2, "1 to 80 of letters"),
        (["camera", "create", "c", "--retention", "90m"], 2, "whole hours"),
        (["camera", "create", "c", "--retention", "0h"], 2, "more than nothing"),
        (["camera", "create", "c", "--existing", "door", "--retention", "2h"], 2, "leave --retent"),
        (["camera", "create", "c", "--existing", "nothing"], 4, "no Kinesis video stream nothing"),
        (
            ["camera", "create", "c", "--existing", "a b"],
            2,
            "'a b' cannot be the name of a Kinesis",
        ),
        (["camera", "create", "c", "--existing", "arn:aws:foo"], 2, "list-streams"),
        (["camera", "probe", "--camera", "arn:aws:foo"], 2, "'arn:aws:foo' is no ARN of a Kinesis"),
        (["camera", "create", "c", "--platform", "none"], 4, "platform none is not deployed"),
        (["camera", "describe", "nobody"], 4, "streamctl camera create nobody"),
        (["camera", "push", "nobody", __file__], 4, "streamctl camera create nobody"),
        (["camera", "probe"], 2, "a file or at a camera"),
        (["camera", "probe", __file__, "--camera", "door"], 2, "a file or at a camera"),
        (["camera", "probe", "--camera", "nobody"], 4, "streamctl camera create nobody"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_with_its_cure(streamctl_, platform, line, code, about):
    """And changes nothing: the same cameras stand before and after."""
    before = streamctl_("camera list -o json").json
    said = streamctl_(*line)
    assert said.code == code
    assert about in said.err
    assert len(said.err.splitlines()) <= 2
    assert streamctl_("camera list -o json").json == before


def test_a_name_that_a_video_stream_has_already_asks_whether_it_is_meant(
    streamctl_, platform, client
):
    """CloudFormation would fail after a while; we say it first, with the cure."""
    arn = client("kinesisvideo").create_stream(StreamName="taken")["StreamARN"]
    said = streamctl_("camera create taken")
    assert said.code == 1
    assert "hint: streamctl camera create taken --existing taken" in said.err
    client("kinesisvideo").delete_stream(StreamARN=arn)


def test_names_that_would_share_a_stack_are_refused(streamctl_, platform):
    """A stack's name has neither dot nor underscore."""
    assert streamctl_("camera create d.o_t").code == 0
    said = streamctl_("camera create d-o-t")
    assert said.code == 2
    assert "would share stack streamctl-main-camera-d-o-t with camera d.o_t" in said.err
    assert streamctl_("camera describe d-o-t").code == 4
    assert streamctl_("camera delete d-o-t -o json").json["existed"] is False
    assert streamctl_("camera delete d.o_t -o json").json["existed"] is True


def test_a_file_is_pushed_until_all_of_it_is_acknowledged(streamctl_, platform, clip):
    """And a live camera can then be probed."""
    said = streamctl_("camera", "push", "door", str(clip()), "--fast", "-o", "json")
    assert said.code == 0
    assert said.err == "sent 20 frames in 2 fragments, 2 acknowledged\n"
    assert said.json["frames_sent"] == 20
    assert said.json["fragments_acked"] == said.json["fragments_sent"] == 2
    assert said.json["damage"] is None
    seen = streamctl_("camera probe --camera door -o json").json
    assert (seen["codec"], seen["fps"], seen["width"], seen["height"]) == ("h264", 10, 320, 240)


def test_a_truncated_file_is_sent_as_far_as_it_goes(streamctl_, platform, clip, tmp_path):
    """Its whole fragments arrive, the count is said, and the exit code is 1."""
    whole = clip(seconds=4).read_bytes()
    path = tmp_path / "truncated.mkv"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    said = streamctl_("camera", "push", "door", str(path), "--fast", "-o", "json")
    assert said.code == 1
    assert 0 < said.json["fragments_acked"] == said.json["fragments_sent"] < 4
    assert said.json["damage"]
    assert "breaks off" in said.err
    assert f"{said.json['fragments_acked']} acknowledged" in said.err


def test_a_push_that_is_interrupted_tells_how_far_it_came(streamctl_, platform, clip, monkeypatch):
    """What was sent stays in the camera.

    What cuts a fragment into pieces is replaced, so that the interrupt comes at a known frame.
    """
    pieces = player.pieces

    def interrupted(shot, began_ms):
        if shot.index == 1:
            raise KeyboardInterrupt
        return pieces(shot, began_ms)

    monkeypatch.setattr(player, "pieces", interrupted)
    said = streamctl_("camera", "push", "door", str(clip()), "--fast", "-o", "json")
    assert (said.code, said.out) == (130, "")
    assert re.match(r"sent 1\d of 20 frames, [01] of 2 fragments acknowledged\n", said.err)


def test_a_lost_connection_is_said_and_that_it_is_back(streamctl_, platform, clip):
    """At no terminal too: a line each, and until when it is tried."""
    platform.fault("kinesis-video-media.PutMediaFragment", code="Dropped", times=1)
    said = streamctl_("camera", "push", "door", str(clip(seconds=3)), "--fast")
    assert said.code == 0
    lost, back, _ = said.err.splitlines()
    pattern = r"no connection to camera door, trying again until [-0-9]+ [0-9:]+Z: sending"
    assert re.match(pattern, lost)
    assert back == "camera door takes video again"


def test_a_text_file_is_no_video(streamctl_, platform):
    """One line says so, before anything is sent."""
    said = streamctl_("camera", "push", "door", __file__)
    assert said.code == 1
    assert "holds no video" in said.err
    assert said.out == ""


def test_a_camera_without_video_has_nothing_to_probe(streamctl_, platform):
    """The answer is no: exit code 3."""
    streamctl_("camera create silent")
    said = streamctl_("camera probe --camera silent")
    assert said.code == 3
    assert "no video flows into camera silent" in said.err
    streamctl_("camera delete silent")


@pytest.mark.parametrize(
    ("codec", "fps", "named", "refused"),
    [
        ("libx264", 10, "h264", []),
        ("libx265", 10, "hevc", ["the video is H.265 (HEVC); face search takes h.264 only"]),
        ("mjpeg", 10, "mjpeg", ["the video is MJPEG; face search takes h.264 only"]),
        ("libx264", 3, "h264", ["the video has 3 frames a second; face search needs at least 5"]),
        ("libx264", 60, "h264", ["the video has 60 frames a second; face search needs at most 30"]),
    ],
)
def test_a_file_is_probed_without_any_cloud(streamctl_, clip, codec, fps, named, refused):
    """What it is goes to stdout, what face search thinks of it to stderr and into the JSON."""
    said = streamctl_("camera", "probe", str(clip(codec, fps)), "-o", "json")
    assert said.code == 0
    assert (said.json["codec"], said.json["fps"]) == (named, fps)
    assert (said.json["width"], said.json["height"]) == (320, 240)
    findings = [f["what"] for f in said.json["findings"] if f["weight"] == "refusal"]
    assert findings == refused
    assert all(f"refusal: {what}" in said.err for what in refused)


def test_real_captures_are_probed_right(streamctl_, shared_data):
    """Fragments that are missing are no low frame rate; MJPEG is named."""
    captures = shared_data / "kvs-captures"
    sparse = captures / "output_get_media_sparse_fragments.mkv"
    assert streamctl_("camera", "probe", str(sparse), "-o", "json").json["fps"] == 30
    mixed = captures / "test_mixed_tags.mkv"
    assert streamctl_("camera", "probe", str(mixed), "-o", "json").json["codec"] == "mjpeg"
