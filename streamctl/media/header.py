"""What a producer's Matroska begins with, before its first fragment."""

from __future__ import annotations

from typing import Final

from streamctl.media import ebml, mkv

_DOC_TYPE: Final = 0x4282
_DOC_TYPE_VERSION: Final = 0x4287
_DOC_TYPE_READ_VERSION: Final = 0x4285
_MUXING_APP: Final = 0x4D80
_WRITING_APP: Final = 0x5741
_TRACK_UID: Final = 0x73C5
_MILLISECOND: Final = 1_000_000  # in nanoseconds, which TimecodeScale counts


def opening(track: mkv.Track) -> bytes:
    """What every connection begins with: a Matroska header for a segment without an end."""
    header = ebml.write_string(_DOC_TYPE, "matroska")
    header += ebml.write_uint(_DOC_TYPE_VERSION, 2) + ebml.write_uint(_DOC_TYPE_READ_VERSION, 2)
    info = ebml.write_uint(ebml.TIMECODE_SCALE, _MILLISECOND)
    info += ebml.write_string(_MUXING_APP, "streamctl")
    info += ebml.write_string(_WRITING_APP, "streamctl")
    return (
        ebml.write(ebml.EBML, header)
        + ebml.write_open(ebml.SEGMENT)
        + ebml.write(ebml.INFO, info)
        + ebml.write(ebml.TRACKS, ebml.write(ebml.TRACK_ENTRY, _track_entry(track)))
    )


def _track_entry(track: mkv.Track) -> bytes:
    size = ebml.write_uint(ebml.PIXEL_WIDTH, track.width)
    size += ebml.write_uint(ebml.PIXEL_HEIGHT, track.height)
    entry = ebml.write_uint(ebml.TRACK_NUMBER, track.number)
    entry += ebml.write_uint(_TRACK_UID, track.number)
    entry += ebml.write_uint(ebml.TRACK_TYPE, 1)
    entry += ebml.write_string(ebml.CODEC_ID, track.codec_id)
    if track.codec_private:
        entry += ebml.write(ebml.CODEC_PRIVATE, track.codec_private)
    return entry + ebml.write(ebml.VIDEO, size)
