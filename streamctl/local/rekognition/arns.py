"""The ARNs of processors and collections, and AWS's rules for their tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from streamctl.local.service import ServiceFault

Scope = tuple[str, str]
"""Account and region, as in `Call.scope`."""

PROCESSOR: Final = "streamprocessor"
COLLECTION: Final = "collection"

_MOST_TAGS: Final = 200


def arn_of(scope: Scope, kind: str, name: str) -> str:
    account, region = scope
    return f"arn:aws:rekognition:{region}:{account}:{kind}/{name}"


class Named(NamedTuple):
    """What an ARN of ours names."""

    kind: str
    name: str


def read_arn(scope: Scope, arn: str) -> Named:
    """Raises the fault ResourceNotFoundException for what cannot be a resource of `scope`."""
    for kind in (PROCESSOR, COLLECTION):
        prefix = arn_of(scope, kind, "")
        if arn.startswith(prefix):
            return Named(kind, arn.removeprefix(prefix))
    raise not_found(arn)


def not_found(arn: str) -> ServiceFault:
    return ServiceFault("ResourceNotFoundException", f"The resource {arn} does not exist")


def merged_tags(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Tags after `new` were set. Raises the faults of AWS for reserved keys and too many."""
    reserved = [key for key in new if key.lower().startswith("aws:")]
    if reserved:
        raise ServiceFault(
            "InvalidParameterException",
            f"Tag keys that begin with aws: are reserved: {reserved[0]}",
        )
    tags = {**old, **new}
    if len(tags) > _MOST_TAGS:
        raise ServiceFault(
            "ServiceQuotaExceededException", f"A resource has at most {_MOST_TAGS} tags"
        )
    return tags
