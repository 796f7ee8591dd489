"""Open the one door in a function: for a message of the clock queue, or for a camera by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamctl.aws.session import Aws
from streamctl.core import door
from streamctl.core.asking import Rules
from streamctl.ops import answers
from streamctl.ops.setting import Setting


def on_message(aws: Aws, setting: Setting, message: Mapping[str, Any]) -> None:
    """Handle one message of the clock queue. Raises AskedWrongly for one that is none of ours."""
    steps = door.answer(message, rules(setting), answers.GIVEN)
    answers.follow(aws, setting, steps)


def rules(setting: Setting) -> Rules:
    return Rules(setting.platform, setting.min_idle_after)
