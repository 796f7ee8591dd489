"""Frames come out of blocks early, in order, and bad blocks do no lasting harm."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import ebml
from streamctl.media.frames import Decoder

AVC = "V_MPEG4/ISO/AVC"


def clip(frames: int, width: int = 160, **options: str) -> tuple[bytes, list[tuple[int, bytes]]]:
    """An h.264 clip: codec private data, and (time in ms, block) of each frame as stored."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=25, options={"g": "25", **options})
        stream.width, stream.height, stream.pix_fmt = width, 128, "yuv420p"
        for number in range(frames):
            pixels = np.full((128, width, 3), number * 2, dtype=np.uint8)
            pixels[:, number % 150 : number % 150 + 8] = 255
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    with av.open(io.BytesIO(file.getvalue())) as made:
        private = made.streams.video[0].codec_context.extradata or b""
        packets = [(int(packet.pts), bytes(packet)) for packet in made.demux() if packet.size]
    return private, packets


def blocks_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(time in ms, block) of a Matroska file, as stored, without any demuxer of FFmpeg's."""
    cluster = 0
    for event in ebml.Walker().feed(path.read_bytes()):
        if isinstance(event, ebml.Element):
            if event.id == ebml.TIMECODE:
                cluster = ebml.uint(event.payload)
            elif block := ebml.block_of(event):
                yield cluster + block.relative, block.data


def private_of(path: Path) -> bytes:
    with av.open(str(path)) as file:
        return file.streams.video[0].codec_context.extradata or b""


def test_a_frame_comes_out_with_its_own_block() -> None:
    """Without reordering nothing is held back: one block in, its frame out."""
    private, packets = clip(30, bf="0", tune="zerolatency")
    decoder = Decoder(AVC, private)
    for time, block in packets:
        assert [frame.time for frame in decoder.decode(block, time)] == [time]
    assert decoder.flush() == []


def test_reordered_frames_keep_their_times_and_come_in_order() -> None:
    """With B-frames, times are those of the blocks, rising, and flush gives the rest."""
    private, packets = clip(50, bf="3")
    assert [time for time, _ in packets] != sorted(time for time, _ in packets)
    decoder = Decoder(AVC, private)
    frames = [frame for time, block in packets for frame in decoder.decode(block, time)]
    assert len(packets) - len(frames) <= 3
    times = [frame.time for frame in (*frames, *decoder.flush())]
    assert times == sorted(time for time, _ in packets)


def test_pixels_are_rgb() -> None:
    """A frame is height x width x 3 and shows what was encoded."""
    private, packets = clip(10, bf="0")
    decoder = Decoder(AVC, private)
    pixels = [frame.rgb() for time, block in packets for frame in decoder.decode(block, time)]
    assert pixels[9].shape == (128, 160, 3)
    assert abs(int(pixels[9][64, 100, 0]) - 18) <= 3
    assert pixels[9][64, 12].min() > 200


def test_pixels_have_no_gaps_whatever_the_width() -> None:
    """Rows of 150 pixels follow each other: what reads the memory directly sees no padding."""
    private, packets = clip(1, width=150)
    decoder = Decoder(AVC, private)
    (frame,) = [*decoder.decode(packets[0][1], 0), *decoder.flush()]
    assert frame.rgb().shape == (128, 150, 3)
    assert frame.rgb().flags.c_contiguous


def test_decoding_goes_on_after_a_flush() -> None:
    """A fragment's end is flushed; the next fragment, from its key frame, decodes as before."""
    private, packets = clip(50, bf="2", keyint_min="25", sc_threshold="0")
    decoder = Decoder(AVC, private)
    for start in (0, 25):
        frames = [f for t, b in packets[start : start + 25] for f in decoder.decode(b, t)]
        assert len([*frames, *decoder.flush()]) == 25


def test_a_bad_block_is_an_error_and_the_next_one_is_not() -> None:
    """Rubbish raises MediaError; the decoder goes on with the next key frame."""
    private, packets = clip(30, bf="0")
    decoder = Decoder(AVC, private)
    with pytest.raises(MediaError, match="cannot be decoded"):
        decoder.decode(b"\xff" * 50, 0)
    assert [frame.time for frame in decoder.decode(packets[0][1], 40)] == [40]


def test_an_empty_block_is_an_error_and_the_next_one_is_not() -> None:
    """FFmpeg takes it for the end of the video, behind which nothing would be decoded any more."""
    private, packets = clip(30, bf="0")
    decoder = Decoder(AVC, private)
    with pytest.raises(MediaError, match="empty"):
        decoder.decode(b"", 0)
    assert [frame.time for frame in decoder.decode(packets[0][1], 40)] == [40]
    assert decoder.flush() == []


def test_pictures_beyond_all_measure_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes may claim a picture of gigabytes."""
    private, packets = clip(1)
    monkeypatch.setattr("streamctl.media.frames.MOST_PIXELS", 160 * 128 - 1)
    with pytest.raises(MediaError):
        Decoder(AVC, private).decode(packets[0][1], 0)


@pytest.mark.parametrize("private", [b"\x01", b"\xff" * 40, b"\x01\x64\x00\x1e\xff\xe1\xff\xff"])
def test_malformed_parameters_are_an_error_with_the_first_block(private: bytes) -> None:
    """And never another one; there is nothing to flush either."""
    decoder = Decoder(AVC, private)
    with pytest.raises(MediaError):
        decoder.decode(clip(1)[1][0][1], 0)
    assert decoder.flush() == []


def test_without_a_key_frame_nothing_is_shown() -> None:
    """Blocks that refer to frames never seen give no grey pictures."""
    private, packets = clip(40, bf="0", keyint_min="25", sc_threshold="0")
    decoder = Decoder(AVC, private)
    frames = [frame.time for time, block in packets[5:] for frame in decoder.decode(block, time)]
    assert frames == [time for time, _ in packets[25:]]


def test_a_codec_that_is_no_video_is_named() -> None:
    """What cannot be decoded is refused with its name and the cure."""
    with pytest.raises(Unsuitable, match="A_AAC") as refused:
        Decoder("A_AAC")
    assert "h.264" in refused.value.hint


def test_every_frame_of_a_real_recording(shared_data: Path) -> None:
    """546 blocks in, 546 frames out, none late, from a producer's own file."""
    path = shared_data / "video" / "bezos_vogels.mkv"
    decoder = Decoder(AVC, private_of(path))
    late = 0
    for time, block in blocks_of(path):
        late += [frame.time for frame in decoder.decode(block, time)] != [time]
    assert late == 0
