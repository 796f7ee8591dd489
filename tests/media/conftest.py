"""Small Matroska, written by hand, and what a camera makes of a file."""

from __future__ import annotations

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


@pytest.fixture
def fragments_of():
    """A file's fragments, as a camera that plays it would send them from second 1000 on."""

    def fragments(path):
        recording = Recording(path)
        shots = list(camera.play(recording))
        pieces = (piece.data for shot in shots for piece in camera.pieces(shot, 1_000_000))
        return list(mkv.fragments([camera.opening(recording.track), *pieces]))

    return fragments
