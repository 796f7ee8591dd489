"""The face engine for still images, as a process: `python -m streamctl.local.rekognition.engine`.

One line of JSON in for each image, one line out. A process of its own, because dlib holds Python's
lock while it embeds (84 ms) and while it loads its models (0.7 s): in the server, every camera
would stand still for that long. Also, whatever an image does to a decoder, it does not do it to
the server. Ends when stdin is closed.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import signal
import sys
from typing import Any, Final

from streamctl.errors import MediaError, Unsuitable
from streamctl.local.rekognition.faces import FaceEngine
from streamctl.media import images

LONGEST_SIDE: Final = 1920
"""Larger images are scaled down to this before the search; the smallest face that is then found
has 40 pixels, which is what AWS documents for 1920x1080 (developer guide, quotas)."""
_SHORTEST_SIDE: Final = 80  # AWS's limit (developer guide, quotas)
_MOST_FACES: Final = 100


def answer(engine: FaceEngine, request: dict[str, Any]) -> dict[str, Any]:
    """`faces` of the image, or `fault` and `message` for an image that AWS would refuse."""
    data = base64.b64decode(request["image"])
    try:
        if min(images.size(data)) < _SHORTEST_SIDE:
            return _fault("InvalidParameterException", f"an image below {_SHORTEST_SIDE} pixels")
        picture = images.read(data, LONGEST_SIDE)
    except MediaError as error:
        return _fault("InvalidImageFormatException", f"Request has invalid image format: {error}")
    except Unsuitable as error:
        return _fault("ImageTooLargeException", f"Image is too large: {error}")
    faces = engine.see(picture, embed=request["embed"])[:_MOST_FACES]
    return {"faces": [dataclasses.asdict(face) for face in faces]}


def _fault(code: str, message: str) -> dict[str, Any]:
    return {"fault": code, "message": message}


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides; it closes stdin
    engine = FaceEngine(upsample=1)
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(engine, json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
