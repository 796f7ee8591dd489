"""Where a local cloud answers, and the credentials it hands out. Imports nothing: the CLI reads it."""

from __future__ import annotations

from typing import Final

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 4566
REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"

# What `streamctl local env` prints. Signatures made with this pair are checked (sigv4.py).
ACCESS_KEY: Final = "streamctl"
SECRET_KEY: Final = "streamctl-local-cloud"  # noqa: S105 - printed by design, opens nothing else
