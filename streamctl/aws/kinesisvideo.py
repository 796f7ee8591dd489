"""Cameras: Kinesis video streams, and what they hold.

Making and deleting cameras is CloudFormation's work (ops/cameras.py). A camera is given by its
name or its ARN. Sending video is in putmedia.py, watching it in getmedia.py, stills and clips of
what is stored in archive.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import NotFound, StreamctlError, Throttled

Api = Literal["PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_IMAGES", "GET_CLIP"]

_PAGE: Final = 1000  # ListFragments' largest; a minute holds at most 300 (quota: 5 a second)
_T = TypeVar("_T")

# An endpoint is valid per camera and API, and may be kept until it fails (API reference,
# GetDataEndpoint). Kept by client, so that it lives as long as the settings it was asked with.
_endpoints: Final[WeakKeyDictionary[Any, dict[tuple[Api, str], str]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Camera:
    """A Kinesis video stream. `retention` is zero where nothing is kept; `version` is what changing
    it asks for; `media_type` is whatever its maker said, often nothing.
    """

    name: str
    arn: str
    status: str
    retention: timedelta
    created: datetime
    media_type: str
    version: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole fragment in a camera's store. `received` is the server's time, to be trusted;
    `produced` the producer's, not to be. `length` is zero where it was not given. `size` is bytes.
    """

    number: str
    received: datetime
    produced: datetime | None
    length: timedelta
    size: int


def describe(aws: Aws, camera: str) -> Camera:
    """What a camera is. Raises NotFound."""
    with translated(f"describing camera {short(camera)}"):
        found = aws.client("kinesisvideo").describe_stream(**named(camera))
    return _camera(found["StreamInfo"])


def exists(aws: Aws, camera: str) -> bool:
    """Whether there is a camera of that name or ARN."""
    try:
        describe(aws, camera)
    except NotFound:
        return False
    return True


def cameras(aws: Aws) -> Iterator[Camera]:
    """Every Kinesis video stream of the account in this region."""
    with translated("listing cameras"):
        for page in aws.client("kinesisvideo").get_paginator("list_streams").paginate():
            yield from map(_camera, page["StreamInfoList"])


def tags(aws: Aws, camera: str) -> dict[str, str]:
    """A camera's tags. Raises NotFound."""
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    with translated(f"reading the tags of camera {short(camera)}"):
        while True:
            page = aws.client("kinesisvideo").list_tags_for_stream(**named(camera), **more)
            found |= page.get("Tags", {})
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}


def data_endpoint(aws: Aws, api: Api, camera: str, *, fresh: bool = False) -> str:
    """The URL of a camera's video API, remembered unless `fresh`. Raises NotFound."""
    client = aws.client("kinesisvideo")
    known = _endpoints.setdefault(client, {})
    if fresh or (api, camera) not in known:
        with translated(f"finding where camera {short(camera)} is served"):
            found = client.get_data_endpoint(APIName=api, **named(camera))
        known[api, camera] = found["DataEndpoint"]
    return known[api, camera]


def fragments(aws: Aws, camera: str, since: datetime, until: datetime) -> list[Listed]:
    """The fragments that the camera stored between two server times, oldest first.

    A fragment is listed only when whole, usually within a second of its end. Raises NotFound, which
    may also mean that the camera keeps nothing (not documented for ListFragments).
    """
    listed = with_endpoint(
        aws, "LIST_FRAGMENTS", camera, lambda url: _listed(aws, url, camera, (since, until))
    )
    return sorted(listed, key=lambda each: (each.received, int(each.number)))


def newest_fragment(aws: Aws, camera: str, since: datetime, until: datetime) -> Listed | None:
    """The last fragment stored between two server times. Raises NotFound for no such camera."""
    return next(reversed(fragments(aws, camera, since, until)), None)


def short(camera: str) -> str:
    """A camera's name, from its name or its ARN (arn:...:stream/NAME/CREATED)."""
    return camera.split("/")[1] if camera.startswith("arn:") and "/" in camera else camera


def with_endpoint(aws: Aws, api: Api, camera: str, call: Callable[[str], _T]) -> _T:
    """Call at the remembered endpoint; where that fails, once more at one asked for anew."""
    remembered = (api, camera) in _endpoints.get(aws.client("kinesisvideo"), {})
    try:
        return call(data_endpoint(aws, api, camera))
    except Throttled:
        raise
    except StreamctlError:
        if not remembered:
            raise
        return call(data_endpoint(aws, api, camera, fresh=True))


def _listed(aws: Aws, url: str, camera: str, between: tuple[datetime, datetime]) -> list[Listed]:
    client = aws.client("kinesis-video-archived-media", endpoint=url)
    pages = client.get_paginator("list_fragments").paginate(
        **named(camera),
        FragmentSelector={
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": between[0], "EndTimestamp": between[1]},
        },
        PaginationConfig={"PageSize": _PAGE},
    )
    with translated(f"listing the fragments of camera {short(camera)}"):
        try:
            return [_fragment(each) for page in pages for each in page.get("Fragments", [])]
        except client.exceptions.InvalidArgumentException:
            # So AWS answers for a time that ended before what the camera keeps begins (observed in
            # 2024). Nothing is stored of it.
            if between[0] < between[1]:
                return []
            raise


def named(camera: str) -> dict[str, str]:
    """The member that names a camera in a request."""
    return {"StreamARN" if camera.startswith("arn:") else "StreamName": camera}


def _camera(info: dict[str, Any]) -> Camera:
    return Camera(
        name=info["StreamName"],
        arn=info["StreamARN"],
        status=info["Status"],
        retention=timedelta(hours=info.get("DataRetentionInHours", 0)),
        created=info["CreationTime"].astimezone(UTC),
        media_type=info.get("MediaType", ""),
        version=info.get("Version", ""),
    )


def _fragment(found: dict[str, Any]) -> Listed:
    produced = found.get("ProducerTimestamp")
    return Listed(
        number=found["FragmentNumber"],
        received=found["ServerTimestamp"].astimezone(UTC),
        produced=produced.astimezone(UTC) if produced else None,
        length=timedelta(milliseconds=found.get("FragmentLengthInMilliseconds", 0)),
        size=found.get("FragmentSizeInBytes", 0),
    )
