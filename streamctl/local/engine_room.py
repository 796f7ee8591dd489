"""ministack, configured and mended: the one place that reaches into it.

ministack 1.5.33 answers for Lambda, SQS, DynamoDB, EventBridge, S3, Kinesis, IAM, CloudFormation
and the rest. It reads its settings from the environment when it is imported, so it is imported
here, after they are set. What it gets wrong is replaced part by part (repairs.py); the exact
version is demanded because those parts are not its public interface.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from streamctl.errors import Missing
from streamctl.local.cloud import Cloud
from streamctl.local.function_runtime import FunctionProcesses
from streamctl.local.http import Answer, App, Request
from streamctl.local.identity import REGION
from streamctl.local.service import Call, ServiceFault

VERSION: Final = "1.5.33"

# What the server may inherit from whoever started it; functions get less (function_runtime.py), our
# own child processes as much, and in a checkout they are found by PYTHONPATH.
_INHERITED: Final = frozenset({"HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "PYTHONPATH", "TZ"})


def environment(cloud: Cloud, *, persistent: bool) -> dict[str, str]:
    """The whole environment that ministack is imported in."""
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED}
    return {
        **inherited,
        "AWS_ACCESS_KEY_ID": cloud.access_key,  # makes it root of the default account
        "AWS_SECRET_ACCESS_KEY": cloud.secret_key,
        "AWS_CONFIG_FILE": os.devnull,  # the user's own profiles are nobody's business here
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TMPDIR": str(_fresh(cloud.data / "tmp")),  # unpacked functions go with the server
        "MINISTACK_ACCOUNT_ID": cloud.account,
        "MINISTACK_REGION": REGION,
        "MINISTACK_HOST": cloud.host,  # its default, "localhost", ends up in queue URLs
        "GATEWAY_PORT": str(cloud.port),
        "BIND_HOST": cloud.host,
        "AUTH": "true" if cloud.auth else "false",
        "LOG_LEVEL": "WARNING",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{cloud.data / 'no-docker.sock'}",  # never look for a daemon
        "SFTP_ENABLED": "0",  # listeners of services that nobody here uses
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "1" if persistent else "0",
        "STATE_DIR": str(cloud.data / "ministack"),
        "S3_PERSIST": "1" if persistent else "0",
        "S3_DATA_DIR": str(cloud.data / "s3"),
    }


class EngineRoom:
    """The imported ministack. Built once a process, after its environment is set."""

    def __init__(self, cloud: Cloud, *, persistent: bool) -> None:
        _demand_version()
        self.cloud = cloud
        os.environ.clear()
        os.environ.update(environment(cloud, persistent=persistent))
        tempfile.tempdir = None  # forget the folder of the old environment
        self.app: App = self.module("app").app
        self.functions = FunctionProcesses(cloud.data / "runtime")

    def stop(self) -> None:
        """End the functions' processes: ministack leaves them to the end of its own.

        Its pollers go on until then, and would start others over what is being cleared away.
        """
        self.functions.end()
        self.module("core.lambda_runtime").reset()

    def module(self, name: str) -> Any:
        """A module of ministack: "app", "core.iam_evaluator", "services.kinesis", ..."""
        return importlib.import_module(f"ministack.{name}")

    def part(self, module: str, name: str) -> Any:
        """A part that a module of ministack does not publish.

        Asked for when our own parts are built: a ministack without it fails then, by name.
        """
        return getattr(self.module(module), name)

    def replace(self, module: str, name: str, new: Any) -> None:
        """Put ours in the place of a part that is there."""
        self.part(module, name)
        setattr(self.module(module), name, new)

    def account_of(self, access_key: str) -> str:
        """The account that a key belongs to: twelve digits are an account, others are looked up."""
        responses = self.module("core.responses")
        responses.set_request_account_id(access_key)
        return str(responses.get_account_id())

    def denial(
        self, request: Request, call: Call, action: str, resource: str
    ) -> tuple[str, str] | None:
        """Why IAM refuses a call (code, message), signature and all; None if it does not.

        Asks for the policies of the caller as ministack does for its own services with AUTH=true.
        """
        iam, responses = self.module("core.iam_evaluator"), self.module("core.responses")
        responses.set_request_account_id(call.access_key)
        responses.set_request_region(call.region)
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        iam.pin_signed_request(request.method, request.path, dict(request.parameters), headers)
        iam.pin_signed_body(request.body)
        denied = iam.enforce(call.access_key, action, call.service, call.region, resource)
        if denied is None:
            return None
        if isinstance(denied, iam.AuthError):
            return denied.code, denied.message
        return "AccessDeniedException", (
            f"User: {denied.principal_arn} is not authorized to perform: {action}"
            f" on resource: {resource}"
        )

    def error(self, request: Request, service: str, fault: ServiceFault, request_id: str) -> Answer:
        """An error in the protocol of a service that ministack answers for."""
        actions = self.module("core.iam_actions")
        status, headers, body = actions.access_denied_response(
            service,
            "",
            "",
            request_id,
            error_code=fault.code,
            message=fault.message,
            headers=dict(request.headers),
        )
        # For credentials ministack knows the status that each protocol uses; else it is ours.
        is_credential = fault.code in actions._AUTH_FAILURES  # noqa: SLF001 - no public name
        headers = {**headers, "x-amzn-requestid": request_id}
        status = status if is_credential else fault.status
        return Answer(status, headers, b"" if request.method == "HEAD" else body)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)  # what a killed server has left
    folder.mkdir(parents=True)
    return folder


def _demand_version() -> None:
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        raise Missing(
            f"the local cloud needs ministack {VERSION}, found {found}",
            hint="pip install 'streamctl[local]'",
        )
