"""What things may be called, and what we call what belongs to them.

The rules are AWS's for the thing that bears the name, made narrower where a name becomes part of
another; they are checked before anything is asked of AWS, which would say less.
"""

from __future__ import annotations

import re
from typing import Final

from streamctl.errors import AskedWrongly

_LETTERS: Final = "letters, digits, '_', '.' and '-'"
_PLATFORM: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")
_NAME: Final = re.compile(r"[a-zA-Z0-9_.\-]+")
_VIDEO_ARN: Final = re.compile(
    r"arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:stream/[a-zA-Z0-9_.-]{1,256}/[0-9]+"
)
_PERSON: Final = re.compile(r"[a-zA-Z0-9_.\-:]{1,255}")

CAMERA_AT_MOST: Final = 80
"""Its name ends the stack's (128 characters) and, behind a prefix, that of results (128)."""


def platform(name: str) -> str:
    """A platform's name, as given. Raises AskedWrongly with the rule if it cannot be one."""
    if not _PLATFORM.fullmatch(name) or "-camera-" in name:  # that would be a camera's stack
        rule = "1 to 20 of small letters, digits and '-', beginning with a letter, no '-camera-'"
        raise _refused("platform", name, rule)
    return name


def camera(name: str) -> str:
    return _name("camera", name, CAMERA_AT_MOST)


def processor(name: str) -> str:
    return _name("processor", name, 128)


def collection(name: str) -> str:
    return _name("collection", name, 255)


def person(name: str) -> str:
    """A person's name becomes an ExternalImageId, which takes no space and no letter like é."""
    if not _PERSON.fullmatch(name):
        raise _refused("person", name, f"1 to 255 of {_LETTERS}, and ':'")
    return name


def video_stream(name: str) -> str:
    """The name or the ARN of a Kinesis video stream, which need not be ours."""
    if not name.startswith("arn:"):
        return _name("Kinesis video stream", name, 256)
    if not _VIDEO_ARN.fullmatch(name):
        raise AskedWrongly(
            f"'{name}' is no ARN of a Kinesis video stream",
            hint="one is written arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/NUMBER;"
            " aws kinesisvideo list-streams",
        )
    return name


def platform_stack(platform: str) -> str:
    return f"streamctl-{platform}"


def camera_stack(platform: str, camera: str) -> str:
    """A stack's name takes neither '.' nor '_', so two cameras can share one: its tag tells."""
    return f"streamctl-{platform}-camera-{re.sub(r'[._]', '-', camera)}"


def results(platform: str, camera: str) -> str:
    """AWS's managed role for processors writes only to names that begin so (developer guide, managed policies)."""
    return f"AmazonRekognition-{platform}-{camera}"


def of_camera(arn: str) -> str:
    """The name in a camera's ARN: `arn:...:stream/NAME/CREATED`."""
    return arn.partition(":stream/")[2].partition("/")[0]


def artifact_bucket(account: str, region: str, platform: str) -> str:
    return f"streamctl-{account}-{region}-{platform}"


def _name(what: str, name: str, at_most: int) -> str:
    if not _NAME.fullmatch(name) or len(name) > at_most:
        raise _refused(what, name, f"1 to {at_most} of {_LETTERS}")
    return name


def _refused(what: str, name: str, rule: str) -> AskedWrongly:
    return AskedWrongly(f"'{name}' cannot be the name of a {what}", hint=f"a name is {rule}")
