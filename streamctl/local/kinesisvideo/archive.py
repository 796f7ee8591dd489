"""The archive of a camera's whole fragments: ListFragments and GetMediaForFragmentList."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from streamctl.local.kinesisvideo import refusals, tokens
from streamctl.local.kinesisvideo.cameras import Camera, Cameras
from streamctl.local.kinesisvideo.getmedia import error_document, seconds
from streamctl.local.kinesisvideo.storage import Fragment
from streamctl.local.kinesisvideo.timerange import TimeRange, moment
from streamctl.local.service import Call, Operation
from streamctl.media import ebml

DEFAULT_MAX_RESULTS: Final = 100
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Page:
    """A range, and the place behind which its next page begins."""

    span: TimeRange
    after: str = ""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> _Page:
        """Raises ServiceFault for a request without selector, or with a token of others."""
        if "NextToken" in params:
            return cls._of_token(params["NextToken"])
        if "FragmentSelector" not in params:
            raise refusals.invalid("FragmentSelector is required where there is no NextToken")
        selector = params["FragmentSelector"]
        return cls(TimeRange.of(selector["FragmentSelectorType"], selector["TimestampRange"]))

    @classmethod
    def _of_token(cls, token: str) -> _Page:
        match tokens.read(token):
            case [bool(by_producer), int(start_ms), int(end_ms), str(after)]:
                return cls(TimeRange(by_producer, start_ms, end_ms), after)
        raise refusals.invalid("the NextToken is not one of ours")

    def token(self, after: str) -> str:
        return tokens.write(*astuple(self.span), after)

    def selects(self, fragment: Fragment) -> bool:
        return self.span.selects(fragment) and _place(fragment) > self.after


class Archive:
    """The operations of `kinesis-video-archived-media` that are emulated."""

    def __init__(self, cameras: Cameras, late_s: float, now: Callable[[], float]) -> None:
        """A fragment is listed `late_s` seconds after it was stored."""
        self._cameras = cameras
        self._late_s = late_s
        self._now = now
        self.operations: Mapping[str, Operation] = {"ListFragments": self.list_fragments}

    async def list_fragments(self, call: Call) -> Mapping[str, Any]:
        """In no order, as on AWS: who needs one must sort."""
        params = call.params
        camera = self._cameras.named(call.scope, params.get("StreamName"), params.get("StreamARN"))
        page = _Page.of(params)
        self._check_retention(camera, page)
        limit = params.get("MaxResults", DEFAULT_MAX_RESULTS)
        found = sorted(filter(page.selects, self.listed(camera)), key=_place)
        answer: dict[str, Any] = {"Fragments": [_described(f) for f in found[:limit]]}
        if len(found) > limit:
            answer["NextToken"] = page.token(_place(found[limit - 1]))
        return answer

    def listed(self, camera: Camera) -> Iterator[Fragment]:
        """Its whole and stored fragments, in the order of their numbers."""
        camera.trim()
        latest = self._now() - self._late_s
        return (f for f in camera.storage.kept() if f.whole_at <= latest)

    def _check_retention(self, camera: Camera, page: _Page) -> None:
        """A range that ended before the retention began was seen refused so, in 2024.

        What a camera without retention answers is not documented; ListFragments is modelled with
        ResourceNotFoundException, not with NoDataRetentionException.
        """
        name = camera.settings.name
        if not camera.retention_s:
            raise refusals.not_found(f"{name} (its data retention is 0)")
        end_ms, kept_from_s = page.span.end_ms, self._now() - camera.retention_s
        if not page.span.by_producer and end_ms < kept_from_s * 1000:
            raise refusals.invalid(
                f"End timestamp {end_ms} is outside of the stream retention period."
            )


async def media_of(camera: Camera, numbers: Sequence[str]) -> AsyncGenerator[bytes]:
    """GetMediaForFragmentList's body: the fragments as asked for, each a document.

    It ends at a number that is not there, with tags that say so: as documented and, beside them,
    as observed (aws-sdk-js issue 3217).
    """
    for number in numbers:
        fragment = camera.storage.get(number)
        if fragment is None or not fragment.kept or camera.deleted:
            yield error_document(_not_found_tags(number))
            return
        with fragment.path.open("rb") as file:
            yield file.read(fragment.head_size) + ebml.write_tags(_fragment_tags(fragment))
            while chunk := file.read(_CHUNK):
                yield chunk


def _fragment_tags(fragment: Fragment) -> dict[str, str]:
    return {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": fragment.number,
        "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP": seconds(fragment.server_ms),
        "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP": seconds(fragment.producer_ms),
    }


def _not_found_tags(number: str) -> dict[str, str]:
    return {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": number,
        "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE": "3000",
        "AWS_KINESISVIDEO_EXCEPTION_MESSAGE": "FRAGMENT_NOT_FOUND",
        "AWS_KINESISVIDEO_ERROR_CODE": "FRAGMENT_NOT_FOUND",
        "AWS_KINESISVIDEO_ERROR_ID": "3000",
    }


def _described(fragment: Fragment) -> dict[str, Any]:
    return {
        "FragmentNumber": fragment.number,
        "FragmentSizeInBytes": fragment.size,
        "ProducerTimestamp": moment(fragment.producer_ms),
        "ServerTimestamp": moment(fragment.server_ms),
        "FragmentLengthInMilliseconds": fragment.length_ms,
    }


def _place(fragment: Fragment) -> str:
    """Where a fragment stands in listings: fixed, and unlike the order of time."""
    return fragment.number[::-1]
