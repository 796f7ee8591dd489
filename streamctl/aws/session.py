"""One boto3 session for the whole client side: where, and as whom, we call AWS."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from streamctl import errors
from streamctl.aws.refusals import NO_CREDENTIALS, one_line, refuse_page, translated


@dataclass(frozen=True)
class Aws:
    """Where and as whom we call AWS. Clients are made once each, when first asked for.

    `profile`, `region` and `endpoint_url` override boto3's own settings where given.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None

    @functools.cached_property
    def session(self) -> boto3.Session:
        # boto3 reads AWS_DEFAULT_REGION alone; AWS's other tools read AWS_REGION before it.
        region = self.region or os.environ.get("AWS_REGION")
        with translated("reading AWS settings"):
            return boto3.Session(profile_name=self.profile, region_name=region)

    @functools.cached_property
    def region_name(self) -> str:
        """The region in use. Raises AskedWrongly where none is set."""
        if not self.session.region_name:
            raise errors.AskedWrongly(
                "no AWS region is set", hint="pass --region, or set AWS_REGION"
            )
        return str(self.session.region_name)

    def client(self, service: str, *, retries: bool = True, endpoint: str | None = None) -> Any:
        """A boto3 client, made when first asked for.

        `retries=False` for calls whose throttling we pace ourselves. `endpoint` is for the video
        data plane, whose address GetDataEndpoint gives. Raises AskedWrongly for settings that
        cannot be meant: no region or one that is none, an endpoint that is no URL.
        """
        key = (service, retries, endpoint)
        if key not in self._clients:
            with translated(f"reaching {service}"):
                self._clients[key] = self._made(*key)
        return self._clients[key]

    @functools.cached_property
    def _clients(self) -> dict[tuple[str, bool, str | None], Any]:
        return {}

    def _made(self, service: str, retries: bool, endpoint: str | None) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4 if retries else 1},
            connect_timeout=5,
            read_timeout=75,  # the slowest answer is a function's, which may take 60 s
            user_agent_extra="streamctl",
        )
        url = endpoint or self.endpoint_url
        try:
            client = self.session.client(
                service, region_name=self.region_name, endpoint_url=url, config=config
            )
            _demand_url(client.meta.endpoint_url)
            client.meta.events.register("before-parse", refuse_page)
        except boto.BotoCoreError:
            raise
        except ValueError as error:  # botocore has no class for "Invalid endpoint: ..."
            raise errors.AskedWrongly(
                f"reaching {service}: {one_line(error)}",
                hint="an endpoint is a URL: pass --endpoint-url http://..., or unset"
                " AWS_ENDPOINT_URL",
            ) from error
        return client

    @property
    def account(self) -> str:
        """The account that the credentials belong to (STS GetCallerIdentity)."""
        return self._identity["Account"]

    @property
    def caller(self) -> str:
        """Whose credentials they are: the ARN of a user, or of a role that somebody has taken on."""
        return self._identity["Arn"]

    @functools.cached_property
    def _identity(self) -> dict[str, str]:
        with translated("asking whose credentials these are"):
            found: dict[str, str] = self.client("sts").get_caller_identity()
        return found

    def credentials(self) -> ReadOnlyCredentials:
        """What to sign a request with, fetched anew where they are about to expire.

        boto3's clients ask for themselves; this is for requests that boto3 cannot send (wire.py).
        Raises NotAllowed where there are none, or they cannot be fetched.
        """
        with translated("reading AWS credentials"):
            found = self.session.get_credentials()
            if found is None:
                raise errors.NotAllowed(*NO_CREDENTIALS)
            return found.get_frozen_credentials()


def _demand_url(endpoint: str) -> None:
    """Raises ValueError for what botocore takes for an endpoint, and only a call would find wrong."""
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        usable = False
    if not usable:
        raise ValueError(f"Invalid endpoint: {endpoint}")
