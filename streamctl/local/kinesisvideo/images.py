"""GetImages: pictures of a camera's stored video at regular times, in pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

from streamctl.local.kinesisvideo import refusals, tokens
from streamctl.local.kinesisvideo.archive import Archive
from streamctl.local.kinesisvideo.cameras import Cameras
from streamctl.local.kinesisvideo.extractor import Extractor
from streamctl.local.kinesisvideo.storage import Fragment
from streamctl.local.kinesisvideo.timerange import TimeRange, moment
from streamctl.local.service import Call, Operation

PAGE: Final = 25  # images; more may be asked for, and none gets them (API model, MaxResults)
LONGEST_MS: Final = 300_000
SHORTEST_INTERVAL_MS: Final = 200
DEFAULT_INTERVAL_MS: Final = 3000
DEFAULT_QUALITY: Final = 80
PAGE_CHARACTERS: Final = 8 * 1024 * 1024
"""A page ends with the image that brings it to this size, in base64: it is held in memory."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """When images are wanted: every `interval_ms` of a span, from the `first`-th time on."""

    span: TimeRange
    interval_ms: int
    first: int = 0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Sampling:
        """Raises ServiceFault for a range or an interval that AWS refuses, or another's token."""
        wanted = TimeRange.of(params["ImageSelectorType"], params)
        interval_ms = params.get("SamplingInterval", DEFAULT_INTERVAL_MS)
        if wanted.length_ms > LONGEST_MS:
            raise refusals.invalid(f"the time range is longer than {LONGEST_MS // 1000} seconds")
        if interval_ms < SHORTEST_INTERVAL_MS:
            raise refusals.invalid(f"SamplingInterval is less than {SHORTEST_INTERVAL_MS} ms")
        whole = cls(wanted, interval_ms)
        return whole if "NextToken" not in params else whole._of_token(params["NextToken"])

    def _of_token(self, token: str) -> Sampling:
        match tokens.read(token):
            case [bool(by_producer), int(start_ms), int(end_ms), int(interval_ms), int(first)]:
                found = Sampling(TimeRange(by_producer, start_ms, end_ms), interval_ms, first)
                if found == self.later(first) and first > 0 and found.times_ms:
                    return found
        raise refusals.invalid("the NextToken is not one of this request")

    @property
    def token(self) -> str:
        return tokens.write(*astuple(self.span), self.interval_ms, self.first)

    @property
    def times_ms(self) -> range:
        begin = self.span.start_ms + self.first * self.interval_ms
        return range(begin, self.span.end_ms + 1, self.interval_ms)

    def later(self, first: int) -> Sampling:
        return replace(self, first=first)

    def wanted(
        self, fragments: Iterable[Fragment], times_ms: Sequence[int]
    ) -> list[tuple[str | None, int]]:
        """For each time the file of the fragment that holds it, if any, and where in that it lies.

        A fragment that began before the start is not looked at, whatever it holds: GetImages looks
        for fragments that begin in the range (boto3 issue 3712). Of several the oldest counts.
        """
        starts = [(self.span.begins_ms(f), f) for f in filter(self.span.selects, fragments)]
        near = [
            (begins, f)
            for begins, f in starts
            if times_ms[0] - f.length_ms <= begins <= times_ms[-1]
        ]
        found: list[tuple[str | None, int]] = []
        for time_ms in times_ms:
            held = ((b, f) for b, f in near if b <= time_ms <= b + f.length_ms)
            begins, fragment = next(held, (time_ms, None))
            found.append((str(fragment.path) if fragment else None, time_ms - begins))
        return found


class Images:
    """The operation of `kinesis-video-archived-media` that gives images."""

    def __init__(self, cameras: Cameras, archive: Archive, extractor: Extractor) -> None:
        self._cameras = cameras
        self._archive = archive
        self._extractor = extractor
        self.operations: Mapping[str, Operation] = {"GetImages": self.get_images}

    async def get_images(self, call: Call) -> Mapping[str, Any]:
        params = call.params
        camera = self._cameras.named(call.scope, params.get("StreamName"), params.get("StreamARN"))
        sampling = Sampling.of(params)
        looks = _looks(params)
        if not camera.retention_s:
            raise refusals.no_retention(camera.settings.name)
        times_ms = sampling.times_ms[: min(PAGE, params.get("MaxResults", PAGE))]
        wanted = sampling.wanted(self._archive.listed(camera), times_ms)
        images = await self._images({**looks, "wanted": wanted})
        answer: dict[str, Any] = {
            "Images": [
                {"TimeStamp": moment(time_ms), **image}
                for time_ms, image in zip(times_ms, images, strict=False)
            ]
        }
        rest = sampling.later(sampling.first + len(images))
        if rest.times_ms:
            answer["NextToken"] = rest.token
        return answer

    async def _images(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        """What there is for the first of the wanted: for all, unless they grow too large."""
        async with self._extractor.result({**request, "most": PAGE_CHARACTERS}) as file:
            return [json.loads(line) for line in file]


def _looks(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the images are to be. Raises ServiceFault for a size or a quality that none has."""
    width, height = params.get("WidthPixels"), params.get("HeightPixels")
    if (width is None) != (height is None):
        # As observed (boto3 issue 3900). The API model says that a height alone would do, too.
        raise refusals.invalid("Height and width for the images need to be provided or none.")
    quality = params.get("FormatConfig", {}).get("JPEGQuality", str(DEFAULT_QUALITY))
    if not (quality.isascii() and quality.isdigit() and 1 <= int(quality) <= 100):
        raise refusals.invalid("JPEGQuality must be a number from 1 to 100")
    return {
        "kind": params["Format"],
        "size": None if width is None else (width, height),
        "quality": int(quality),
    }
