"""A clock went off, or somebody asked for a look: advance the run of one camera."""

import json
from typing import Any

from streamctl.aws.session import Aws
from streamctl.ops import advance
from streamctl.ops.setting import Setting

_AWS = Aws()


def handler(event: dict[str, Any], _context: object) -> None:
    """SQS event in, of one message; raising makes the queue deliver it again, and then bury it."""
    for record in event["Records"]:
        advance.on_message(_AWS, Setting.from_environment(), json.loads(record["body"]))
