"""KPL aggregates: many records of a producer inside one Kinesis record.

Layout: magic F3 89 9A C2, a protobuf AggregatedRecord, the MD5 of its bytes
(awslabs/amazon-kinesis-producer, aggregation-format.md). Rekognition was never seen to aggregate;
somebody else's producer may.

The protobuf message is aws-kinesis-agg's, loaded only when the first aggregate comes. The loop is
ours: the package's own stops at the first bad record inside an aggregate and says nothing.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any, Final

from streamctl.errors import RecordError

MAGIC: Final = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES: Final = 16
_RECORDS_AT_MOST: Final = 10_000


def records(data: bytes) -> Iterator[bytes]:
    """The records inside an aggregate, in order; any other data is handed back as it is.

    Where magic or digest do not fit, it is no aggregate (that is the format's own rule). Raises
    RecordError for an aggregate that fits both and still cannot be read.
    """
    if not is_aggregate(data):
        yield data
        return
    message = _message()
    try:
        aggregate = message.FromString(data[len(MAGIC) : -_DIGEST_BYTES])
    except Exception as error:  # protobuf's DecodeError, which only importing protobuf names
        raise RecordError(f"the aggregate cannot be read: {error}") from error
    if len(aggregate.records) > _RECORDS_AT_MOST:
        raise RecordError(f"the aggregate claims {len(aggregate.records)} records")
    for record in aggregate.records:
        yield bytes(record.data)


def is_aggregate(data: bytes) -> bool:
    """Whether magic and digest say that this is an aggregate."""
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + _DIGEST_BYTES:
        return False
    body, digest = data[len(MAGIC) : -_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    return hashlib.md5(body, usedforsecurity=False).digest() == digest


@functools.cache
def _message() -> Any:
    """aws-kinesis-agg's AggregatedRecord.

    Its generated module imports its neighbour by a bare name, and the package makes that work by
    putting itself on sys.path. We lend it the name instead.
    """
    sys.modules.setdefault("config_pb2", importlib.import_module("aws_kinesis_agg.config_pb2"))
    return importlib.import_module("aws_kinesis_agg.messages_pb2").AggregatedRecord
