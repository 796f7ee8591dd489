"""Where and when most tests of the core play: at one camera, from the beginning of a year."""

from datetime import UTC, datetime, timedelta

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def at(second):
    return ZERO + timedelta(seconds=second)
