"""What a processor needs of the other services: cameras, roles, and the data streams of results."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from streamctl.local.cloud import Cloud
from streamctl.local.rekognition.arns import Scope

Answer = TypeVar("Answer")

_THREADS: Final = 16  # ten processors, and images from S3


class Cameras(Protocol):
    """Kinesis Video, as far as a processor sees it."""

    def find(self, scope: Scope, arn_or_name: str) -> object | None: ...

    def follow(self, scope: Scope, arn: str) -> AsyncIterator[bytes]: ...


class Roles(Protocol):
    """IAM, asked on behalf of a service that wants to use a role."""

    def trusts(self, role_arn: str, service: str, source_arn: str) -> bool:
        """Whether the service may assume the role, acting for `source_arn`."""
        ...

    def grants(self, role_arn: str, action: str, resource: str) -> bool: ...


class CallFailed(Exception):
    """A call to another service of the local cloud was refused, or had no answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Loopback:
    """Calls to our own endpoint, as root of an account.

    They have threads of their own: with those of the event loop, calls that wait for the endpoint
    could take the threads that the endpoint needs to answer them.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rekognition")

    async def call(self, service: str, scope: Scope, operation: str, **params: Any) -> Any:
        """Call a botocore client's method. Raises CallFailed with AWS's code, or "" without one."""
        return await self.aside(functools.partial(self._call, service, scope, operation, params))

    async def aside(self, work: Callable[[], Answer]) -> Answer:
        """Do what blocks in one of these threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, service: str, scope: Scope, operation: str, params: dict[str, Any]) -> Any:
        account, region = scope
        try:
            client = self._cloud.client(service, region, account)
            return getattr(client, operation)(**params)
        except ClientError as error:
            raise CallFailed(error.response["Error"].get("Code", ""), str(error)) from error
        except BotoCoreError as error:
            raise CallFailed("", str(error)) from error
