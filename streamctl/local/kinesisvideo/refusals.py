"""The error answers of Kinesis Video, with the codes and HTTP statuses of botocore's models."""

from __future__ import annotations

from streamctl.local.service import ServiceFault


def not_found(name: str) -> ServiceFault:
    return ServiceFault(
        "ResourceNotFoundException",
        f"The requested stream is not found or not active: {name}",
        404,
    )


def invalid(why: str) -> ServiceFault:
    return ServiceFault("InvalidArgumentException", why)


def no_retention(name: str) -> ServiceFault:
    return ServiceFault(
        "NoDataRetentionException", f"The stream {name} retains no data (its data retention is 0)."
    )


def too_many_connections(why: str) -> ServiceFault:
    return ServiceFault("ConnectionLimitExceededException", why)


def stale_version(given: str) -> ServiceFault:
    return ServiceFault(
        "VersionMismatchException", f"The version {given} is not the stream's current version."
    )


def in_use(name: str) -> ServiceFault:
    return ServiceFault("ResourceInUseException", f"The stream {name} already exists.")


def too_many_tags() -> ServiceFault:
    return ServiceFault(
        "TagsPerResourceExceededLimitException", "A stream can have at most 50 tags."
    )
