"""The demo, as a newcomer runs it: one object on stdout, and nothing left over."""

import json
import subprocess
import sys
from fractions import Fraction

import av
import pytest


def demo(*arguments):
    """Run it to its end: exit code, standard output, standard error."""
    ran = subprocess.run(
        [sys.executable, "-m", "streamctl", "demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_the_rendered_clip(shared_local_cloud):
    """It has a cloud of its own: another one on this machine is no matter."""
    code, out, err = demo("-o", "json")
    assert code == 0, err
    found = json.loads(out)
    (seen,) = found["sightings"]
    assert seen["person"] == "eileen-collins"
    assert 0 <= seen["started_s"] < seen["ended_s"] <= 4
    assert found["frames_sent"] == 180
    assert found["fragments_sent"] == found["fragments_acked"] == 12
    assert found["frames_analysed"] == found["records"] == 12
    assert found["unknown_frames"] == 4
    assert found["left_over"] == []
    assert found["idle_after_s"] == 5
    assert found["stream_ended_at"] < found["processor_deleted_at"]
    assert found["latency_ms"].keys() == {"frame_to_record", "frame_to_event"}


def test_a_real_video_with_two_men(shared_data, tmp_path):
    """The second man alone is enrolled, from a still at 16 s; he comes in at about 10.8 s."""
    video = shared_data / "video" / "bezos_vogels.mkv"
    still = tmp_path / "second.png"
    with av.open(str(video)) as container:
        frame = next(f for f in container.decode(video=0) if f.time >= 16)
        still.write_bytes(png(frame))
    code, out, err = demo(
        "--video", video, "--face", f"second={still}", "--idle-after", "20s", "-o", "json"
    )
    assert code == 0, err
    found = json.loads(out)
    (seen,) = found["sightings"]
    assert seen["person"] == "second"
    assert 10.5 <= seen["started_s"] <= 13.0
    assert seen["ended_s"] >= 17
    assert found["unknown_frames"] >= 5
    assert found["frames_sent"] == 546
    assert found["fragments_acked"] == found["fragments_sent"]
    assert found["left_over"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "about"),
    [
        (("--video", "/no/such/file.mkv"), 4, "no such file"),
        (("--video", __file__), 1, "holds no video"),
        (("--face", "ada"), 2, "NAME=IMAGE"),
        (("--face", "ada=/no/such/image.jpg"), 4, "no such file"),
        (("--face", f"ada={__file__}"), 1, "neither a JPEG nor a PNG"),
        (("--face", f"a b={__file__}"), 2, "cannot be the name"),
        (("--idle-after", "soon"), 2, "not a length of time"),
    ],
)
def test_what_it_cannot_play_is_refused_before_anything_is_built(arguments, code, about):
    ended, out, err = demo(*arguments)
    assert (ended, out) == (code, "")
    assert about in err
    assert "starting a local cloud" not in err


def png(frame):
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "rgb24"
    encoder.time_base = Fraction(1)
    (packet,) = encoder.encode(frame.reformat(format="rgb24"))
    return bytes(packet)
