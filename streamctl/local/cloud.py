"""What every part of the local cloud shares: where it lives, its times, its own clients."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config

from streamctl.errors import AskedWrongly
from streamctl.local.faults import Faults
from streamctl.local.identity import ACCESS_KEY, ACCOUNT, HOST, SECRET_KEY
from streamctl.local.switches import Switches

PROCESSING_AT_ONCE: Final = 10
"""Face-search processors that may process at once in an account and region, unless AWS was asked
for more (General Reference, "Amazon Rekognition endpoints and quotas")."""


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things take here, in seconds. The defaults are near what was seen on AWS."""

    starting_s: float = 2.0
    stopping_s: float = 1.5
    name_held_s: float = 2.0
    """A deleted processor's name cannot be used again for this long."""
    failing_s: float = 2.0
    """From a start with an unusable role, camera or collection until FAILED."""
    stop_interval_s: float = 1.0
    """StopStreamProcessor is throttled to one call in this time; 0 is no limit."""
    put_media_idle_s: float = 30.0
    """PutMedia closes a connection on which nothing has arrived for this long."""
    get_media_idle_s: float = 30.0
    """GetMedia ends when no video has come for this long."""
    fragments_per_s: float = 5.0
    """PutMedia takes no more fragments in a second, but for a first few; 0 is no limit."""
    media_connection_s: float = 45 * 60.0
    """PutMedia and GetMedia end every connection after this long."""
    mapping_poll_s: float = 0.25
    """How often a mapping asks its shard for records."""
    mapping_retry_s: float = 0.5
    """A mapping's first pause after a failed invocation; it doubles up to 15 s."""
    event_retry_s: float = 1.0
    """A rule's first pause after a target that failed; it doubles up to 60 s."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Timings:
        """Timings from names and numbers (or their text). Raises AskedWrongly for others."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        times: dict[str, float] = {}
        for name, value in given.items():
            if name not in known:
                raise AskedWrongly(f"no timing is called {name!r}", hint=", ".join(sorted(known)))
            times[name] = _seconds(name, value)
        return cls(**times)


@dataclass(slots=True)
class Cloud:
    """One running local cloud, as its parts see it.

    `client` may be called from any thread; everything else is fixed when the server starts.
    """

    data: Path
    port: int
    media_port: int
    host: str = HOST
    switches: Switches = field(default_factory=Switches)
    timings: Timings = field(default_factory=Timings)
    faults: Faults = field(default_factory=Faults)
    processors_at_once: int = PROCESSING_AT_ONCE
    account: str = ACCOUNT
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    auth: bool = False
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def endpoint_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def media_endpoint_url(self) -> str:
        return f"http://{self.host}:{self.media_port}"

    def client(self, service: str, region: str, account: str) -> Any:
        """A botocore client to our own main endpoint, as root of `account`. It never retries.

        It blocks: call it in a thread, never on the event loop that serves the endpoint.
        """
        key = (service, region, account)
        with self._lock:  # botocore's sessions are not made for several threads, its clients are
            if key not in self._clients:
                self._clients[key] = botocore.session.Session().create_client(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=account,  # ministack: twelve digits are that account's root
                    aws_secret_access_key=self.secret_key,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        connect_timeout=5,
                        read_timeout=920,  # a function may run for 15 minutes
                        max_pool_connections=64,
                    ),
                )
            return self._clients[key]


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise AskedWrongly(f"timing {name} is a number of seconds, not {value!r}")
    return seconds
