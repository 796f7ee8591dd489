"""Something was told: keep it, and the picture that belongs to it."""

from typing import Any

from streamctl.aws.session import Aws
from streamctl.ops import remember
from streamctl.ops.setting import Keeping

_AWS = Aws()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """SQS event in, `batchItemFailures` out: the messages to be delivered again, if any."""
    failed = remember.take(_AWS, Keeping.from_environment(), event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
