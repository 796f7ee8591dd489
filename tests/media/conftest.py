"""Small Matroska, written by hand, and small real videos, encoded when a test asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from streamctl.media import camera, ebml, mkv
from streamctl.media.recording import Recording


class Matroska:
    """Bytes as producers, GetMedia and files have them. Times are in milliseconds."""

    AVCC = b"\x01\x64\x00\x1e\xff\xe1"

    @classmethod
    def video(cls, number=1, codec="V_MPEG4/ISO/AVC", private=AVCC, size=(1280, 720)):
        width, height = size
        picture = ebml.write_uint(ebml.PIXEL_WIDTH, width)
        picture += ebml.write_uint(ebml.PIXEL_HEIGHT, height)
        return cls._track(number, 1, codec, private) + ebml.write(ebml.VIDEO, picture)

    @classmethod
    def sound(cls, number=2):
        return cls._track(number, 2, "A_AAC", b"")

    @staticmethod
    def _track(number, kind, codec, private):
        return (
            ebml.write_uint(ebml.TRACK_NUMBER, number)
            + ebml.write_uint(ebml.TRACK_TYPE, kind)
            + ebml.write_string(ebml.CODEC_ID, codec)
            + (ebml.write(ebml.CODEC_PRIVATE, private) if private else b"")
        )

    @classmethod
    def head(cls, *tracks, scale_ns=1_000_000):
        """A document up to its first cluster."""
        entries = (ebml.write(ebml.TRACK_ENTRY, track) for track in tracks or [cls.video()])
        return (
            ebml.write(ebml.EBML, ebml.write_string(0x4282, "matroska"))
            + ebml.write_open(ebml.SEGMENT)
            + ebml.write(ebml.INFO, ebml.write_uint(ebml.TIMECODE_SCALE, scale_ns))
            + ebml.write(ebml.TRACKS, b"".join(entries))
        )

    @staticmethod
    def block(relative, *, key=False, track=1, data=b"picture"):
        return ebml.write_simple_block(ebml.Block(track, relative, key, data))

    @classmethod
    def cluster(cls, timecode, *relatives, key=True, sized=False, data=b"picture"):
        """Frames at these times from the cluster's own; the first a key frame, if `key`."""
        inside = ebml.write_uint(ebml.TIMECODE, timecode)
        for index, relative in enumerate(relatives):
            inside += cls.block(relative, key=key and index == 0, data=data)
        if sized:
            return ebml.write(ebml.CLUSTER, inside)
        return ebml.write_open(ebml.CLUSTER) + inside

    @classmethod
    def get_media(cls, number, timecode, *relatives, producer="0.000", **tags):
        """One document as GetMedia sends it: AWS's tags before the cluster, and behind all."""
        before = {
            "AWS_KINESISVIDEO_FRAGMENT_NUMBER": number,
            "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "1511852109.126",
            "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": producer,
        }
        behind = {
            "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "15858",
            "AWS_KINESISVIDEO_CONTINUATION_TOKEN": number,
        }
        sent = cls.head() + ebml.write_tags(before) + cls.cluster(timecode, *relatives)
        return sent + (ebml.write_tags(tags) if tags else b"") + ebml.write_tags(behind)


@pytest.fixture(scope="session")
def matroska():
    return Matroska


@dataclass(frozen=True)
class Encoder:
    """Encodes moving pictures into a file of any container that FFmpeg can write."""

    folder: Path

    def __call__(
        self,
        name,
        *,
        codec="libx264",
        frames=75,
        rate=25,
        size=(320, 240),
        container=None,
        **options,
    ):
        import av
        import numpy as np

        path, (width, height) = self.folder / name, size
        settings = {"g": "25", "bf": "0", "sc_threshold": "0", "preset": "ultrafast", **options}
        with av.open(str(path), "w", options=container or {}) as out:
            stream = out.add_stream(codec, rate=rate, options=settings)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for number in range(frames):
                pixels = np.full((height, width, 3), number % 200, dtype=np.uint8)
                pixels[:, number % (width - 20) : number % (width - 20) + 20] = 255
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                picture.pts = number
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
        return path


@pytest.fixture
def encode(tmp_path):
    pytest.importorskip("av", reason="needs the [media] extra")
    return Encoder(tmp_path)


@pytest.fixture
def fragments_of():
    """A file's fragments, as a camera that plays it would send them from second 1000 on."""

    def fragments(path):
        recording = Recording(path)
        shots = list(camera.play(recording))
        pieces = (piece.data for shot in shots for piece in camera.pieces(shot, 1_000_000))
        return list(mkv.fragments([camera.opening(recording.track), *pieces]))

    return fragments
