"""Frames out of Matroska blocks, one at a time, as early as the codec allows.

A live reader holds the blocks of a fragment that is still arriving: it cannot hand a whole file to
a demuxer. So the decoder is fed with blocks directly, and gives each frame as soon as it is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import av
import numpy as np
from av.codec.context import Flags
from av.error import FFmpegError

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import images
from streamctl.media.images import MOST_PIXELS

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

_CODECS: Final = {
    "V_MPEG4/ISO/AVC": "h264",
    "V_MPEGH/ISO/HEVC": "hevc",
    "V_MJPEG": "mjpeg",
    "V_VP8": "vp8",
    "V_VP9": "vp9",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture. `time` is what its block was fed with."""

    time: int
    _picture: av.VideoFrame

    def rgb(self) -> Rgb:
        """The pixels: height x width x 3, 8 bits each, without gaps. Converted anew on each call."""
        return np.ascontiguousarray(self._picture.to_ndarray(format="rgb24"))

    def file(
        self, kind: images.Kind, size: tuple[int, int] | None = None, quality: int = 80
    ) -> bytes:
        """The picture as a file: see images.write, whose arguments these are, and whose errors."""
        return images.write(self._picture, kind, size, quality)


class Decoder:
    """Decodes the blocks of one video track, in the order they come.

    `codec_id` and `codec_private` are the track's, as in Matroska; without the latter the stream
    must carry its parameters in band. Pictures of more than MOST_PIXELS are not decoded. Raises
    Unsuitable for a codec that is not video we read.
    """

    def __init__(self, codec_id: str, codec_private: bytes = b"") -> None:
        name = _CODECS.get(codec_id)
        if name is None:
            raise Unsuitable(
                f"cannot decode video of codec {codec_id!r}",
                hint="send h.264 (V_MPEG4/ISO/AVC); it is what Rekognition takes",
            )
        self._context = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
        self._context.flags |= Flags.low_delay
        # Threads of the frame kind would each hold a frame back.
        self._context.thread_count = 1
        self._context.options = {"max_pixels": str(MOST_PIXELS)}
        if codec_private:
            self._context.extradata = codec_private

    def decode(self, block: bytes, time: int) -> list[Frame]:
        """Feed one block; return the frames that are whole now, oldest first.

        `time` is any integer; a frame carries that of its own block, even where the codec reorders.
        Raises MediaError for a block that is no frame; the decoder can be fed on.
        """
        if not block:  # which FFmpeg would take for the end of the video
            raise MediaError("a block is empty")
        packet = av.Packet(block)
        packet.pts = time
        try:
            return _frames(self._context.decode(packet))
        except FFmpegError as error:
            raise MediaError(
                f"a block of {len(block)} bytes cannot be decoded: {error.strerror}"
            ) from error

    def flush(self) -> list[Frame]:
        """The frames that were held back for reordering. The next block must be a key frame.

        Raises MediaError where they cannot be decoded.
        """
        try:
            return _frames(self._context.decode(None))
        except FFmpegError as error:
            raise MediaError(f"the last frames cannot be decoded: {error.strerror}") from error
        finally:
            self._context.flush_buffers()


def _frames(pictures: list[av.VideoFrame]) -> list[Frame]:
    return [Frame(picture.pts or 0, picture) for picture in pictures]
