"""Results arrived: fold them into sightings and say what changed."""

from typing import Any

from streamctl.aws.session import Aws
from streamctl.ops import intake
from streamctl.ops.setting import Setting

_AWS = Aws()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Kinesis event in, `batchItemFailures` out: the first record to be delivered again, if any."""
    failed = intake.take(_AWS, Setting.from_environment(), event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
