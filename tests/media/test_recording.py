"""A file's video comes out as Matroska, whatever the file is; what is no video is refused in a line."""

from __future__ import annotations

import os
import sys

import pytest

from streamctl.errors import AskedWrongly, MediaError, Missing, NotFound, Unsuitable
from streamctl.media import mkv
from streamctl.media.recording import Recording


def frames(path):
    recording = Recording(path)
    return list(recording.frames()), recording


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.ts", "a.flv", "a.h264", "a.avi", "a.mkv"])
def test_every_container_gives_the_same_frames(encode, name):
    """h.264 comes length-prefixed with an avcC; key frames and times are kept."""
    found, recording = frames(encode(name))
    assert len(found) == 75
    assert [frame.keyframe for frame in found] == [index % 25 == 0 for index in range(75)]
    first = found[0].time_ms
    assert [frame.time_ms - first for frame in found] == [index * 40 for index in range(75)]
    assert recording.track.codec_id == "V_MPEG4/ISO/AVC"
    assert recording.track.codec_private[0] == 1
    assert all(int.from_bytes(frame.data[:4], "big") < len(frame.data) for frame in found)
    assert recording.damage == ""


def test_reordered_frames_keep_decode_order_and_their_times(encode):
    """B-frames: a picture is sent before those that it is shown behind."""
    found, _ = frames(encode("a.mp4", bf="3", preset="veryfast"))
    times = [frame.time_ms for frame in found]
    assert times != sorted(times)
    assert sorted(times) == [index * 40 for index in range(75)]


@pytest.mark.parametrize("name", ["a.h264", "a.avi"])
def test_reordered_frames_without_times_are_refused(encode, name):
    """These formats do not say when a frame is shown, so nobody can know."""
    with pytest.raises(Unsuitable, match="B-frames") as refused:
        frames(encode(name, bf="3", preset="veryfast"))
    assert "-bf 0" in refused.value.hint


def test_matroska_whose_frames_have_start_codes_is_converted(encode, tmp_path, matroska):
    """Annex-B in Matroska (some cameras' recordings) becomes what AWS's cameras send."""
    found, _ = frames(encode("a.h264", frames=3))
    start_code = b"\0\0\0\1"
    annex_b = start_code + found[0].data[4:]
    track = matroska.video(private=encode("b.h264", frames=1).read_bytes()[:45])
    path = tmp_path / "annexb.mkv"
    path.write_bytes(matroska.head(track) + matroska.cluster(0, 0, 40, data=annex_b))
    _, recording = frames(path)
    assert recording.track.codec_private[0] == 1


def test_a_matroska_file_needs_no_pyav(tmp_path, matroska, monkeypatch):
    """The base installation can probe and push what is Matroska already."""
    monkeypatch.setitem(sys.modules, "av", None)  # import fails, as where it is not installed
    path = tmp_path / "a.mkv"
    path.write_bytes(matroska.head() + matroska.cluster(0, 0, 40))
    assert len(frames(path)[0]) == 2


def test_another_file_without_pyav_says_what_to_install(tmp_path, monkeypatch):
    """One line with the command, no traceback."""
    monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0\0\0\x20ftypisom")
    with pytest.raises(Missing) as missing:
        frames(path)
    assert missing.value.hint == "pip install 'streamctl[media]'"


@pytest.mark.parametrize("name", ["cut.mkv", "cut.mp4", "cut.flv"])
def test_a_file_that_breaks_off_is_read_up_to_there(encode, name):
    """The caller learns of it, once all is read."""
    path = encode(name, container={"movflags": "frag_keyframe+empty_moov"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 7 // 10])
    found, recording = frames(path)
    assert 25 <= len(found) < 75
    assert recording.damage


@pytest.mark.parametrize("fourcc", [b"zzzz", b"rle "], ids=["unknown", "not in Matroska"])
def test_a_codec_that_cannot_be_sent_is_refused(encode, fourcc):
    """Neither has FFmpeg a name for every codec, nor Matroska (QuickTime Animation, say)."""
    path = encode("a.mov", frames=3)
    path.write_bytes(path.read_bytes().replace(b"avc1", fourcc))
    with pytest.raises(Unsuitable, match="cannot be put into Matroska") as refused:
        frames(path)
    assert "ffmpeg -i INPUT" in refused.value.hint


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_file_that_was_taken_away_meanwhile_is_told(encode, name):
    """Between the look at it and the reading."""
    path = encode(name, frames=3)
    recording = Recording(path)
    path.unlink()
    with pytest.raises(MediaError, match="No such file") as refused:
        list(recording.frames())
    assert "\n" not in str(refused.value)


def test_a_file_that_turns_to_garbage_is_read_up_to_there(tmp_path, matroska):
    """A disk's fault in the middle of a recording."""
    path = tmp_path / "a.mkv"
    path.write_bytes(
        matroska.head() + matroska.cluster(0, 0, 40) + b" " * 400_000 + b"\0" * 400_000
    )
    found, recording = frames(path)
    assert len(found) == 2
    assert "not a Matroska stream" in recording.damage


TEXT = b"Once upon a time there was a camera.\n" * 100
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hosts\n"
SCRIPT = b"ffconcat version 1.0\nfile /etc/hosts\n"
SPOILED = b"\x1a\x45\xdf\xa3" + b"\0" * 200


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("story.txt", TEXT),
        ("story.mkv", TEXT),
        ("story.mp4", TEXT),
        ("list.m3u8", PLAYLIST),
        ("list.mkv", SCRIPT),
        ("spoiled.mkv", SPOILED),
        ("random.mkv", bytes(range(256)) * 20),
    ],
)
def test_what_is_no_video_is_a_media_error_of_one_line(tmp_path, name, content):
    """FFmpeg alone would take a text for ANSI art, and a playlist for leave to read other files."""
    pytest.importorskip("av", reason="needs the [media] extra")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match="holds no video") as refused:
        frames(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_picture_is_no_video(shared_data):
    """FFmpeg alone would take it for a video of one frame."""
    pytest.importorskip("av", reason="needs the [media] extra")
    with pytest.raises(MediaError, match="no video format"):
        frames(shared_data / "faces/obama.jpg")


def test_a_file_with_sound_alone_is_no_video(tmp_path, matroska):
    """Its blocks are passed by, and nothing is left."""
    path = tmp_path / "song.mkv"
    path.write_bytes(matroska.head(matroska.sound(1)) + matroska.cluster(0, 0, 40))
    with pytest.raises(MediaError, match="no video track"):
        frames(path)


def test_nothing_there_a_directory_a_pipe_and_an_empty_file_are_told_apart(tmp_path):
    """Each says at once what it is; the pipe is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.mkv").touch()
    for name, kind, said in [
        ("missing.mkv", NotFound, "no such file"),
        (".", AskedWrongly, "directory"),
        ("pipe", AskedWrongly, "not a regular file"),
        ("empty.mkv", MediaError, "empty"),
    ]:
        with pytest.raises(kind, match=said):
            Recording(tmp_path / name)


def test_a_recording_can_be_read_again(tmp_path, matroska):
    """A producer that lost its connection plays it from the beginning once more."""
    path = tmp_path / "a.mkv"
    path.write_bytes(matroska.head() + matroska.cluster(0, 0, 40))
    recording = Recording(path)
    assert list(recording.frames()) == list(recording.frames())


def test_fragments_of_a_file_are_those_of_the_reader(tmp_path, matroska):
    """Events are handed over as they stand in the file."""
    path = tmp_path / "a.mkv"
    path.write_bytes(matroska.head() + matroska.cluster(0, 0, 40) + matroska.cluster(80, 0))
    kinds = [type(event) for event in Recording(path).events()]
    assert kinds.count(mkv.Fragment) == 2
    assert kinds.count(mkv.Frame) == 3
