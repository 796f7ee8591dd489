"""Buckets: the one from which CloudFormation takes the functions' code, and that of pictures.

Every call names the account that must own the bucket: the first one's name can be guessed, so
somebody else may have taken it, and nothing of ours must be put into, or taken from, theirs.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from streamctl.aws.refusals import DELETING, translated
from streamctl.aws.session import Aws
from streamctl.errors import NotAllowed, NotFound, StreamctlError

_DELETED_AT_ONCE: Final = 1000  # DeleteObjects' most


@dataclass(frozen=True, slots=True)
class Stored:
    """Something in a bucket, and what is said beside it."""

    body: bytes = field(repr=False)
    metadata: Mapping[str, str]


def ensure_bucket(aws: Aws, bucket: str) -> None:
    """Make a private, encrypted bucket without versions, or make the one that stands private and
    encrypted. Raises NotAllowed if somebody else has taken the name.
    """
    if not exists(aws, bucket):
        _create(aws, bucket)
    owner = _owned(aws, bucket)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    with translated(f"securing bucket {bucket}"):
        client = aws.client("s3")
        client.put_public_access_block(
            **owner,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        client.put_bucket_encryption(**owner, ServerSideEncryptionConfiguration={"Rules": [rule]})


def exists(aws: Aws, bucket: str) -> bool:
    """Whether the account has that bucket. Raises NotAllowed if it belongs to somebody else."""
    try:
        with translated(f"looking for bucket {bucket}"):
            aws.client("s3").head_bucket(**_owned(aws, bucket))
    except NotFound:
        return False
    return True


def put_new(aws: Aws, bucket: str, key: str, body: bytes) -> bool:
    """Upload unless the key is there already (keys are named by content); whether it was sent."""
    if holds(aws, bucket, key):
        return False
    put(aws, bucket, key, body)
    return True


def holds(aws: Aws, bucket: str, key: str) -> bool:
    """Whether the bucket holds something of that key. Raises NotAllowed without ListBucket, too."""
    try:
        with translated(f"looking for {key} in bucket {bucket}"):
            aws.client("s3").head_object(**_owned(aws, bucket), Key=key)
    except NotFound:
        return False
    return True


def put(
    aws: Aws,
    bucket: str,
    key: str,
    body: bytes,
    kind: str = "application/octet-stream",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Upload, in the place of whatever has that key. `kind` is a media type: `image/jpeg`."""
    with translated(f"uploading {key} to bucket {bucket}"):
        aws.client("s3").put_object(
            **_owned(aws, bucket), Key=key, Body=body, ContentType=kind, Metadata=metadata or {}
        )


def get(aws: Aws, bucket: str, key: str) -> Stored:
    """What has that key. Raises NotFound, NotAllowed."""
    with translated(f"fetching {key} of bucket {bucket}"):
        answer = aws.client("s3").get_object(**_owned(aws, bucket), Key=key)
        return Stored(answer["Body"].read(), answer["Metadata"])


def delete_under(aws: Aws, bucket: str, prefix: str) -> int:
    """Delete everything whose key begins so, in all its versions; how many there were.

    Raises NotFound for no such bucket, StreamctlError for what cannot be deleted.
    """
    owner, deleted = _owned(aws, bucket), 0
    while things := _versions(aws, owner, prefix):
        _delete(aws, bucket, things)
        deleted += len(things)
    return deleted


def keys_under(aws: Aws, bucket: str, prefix: str) -> set[str]:
    """Every key that begins so, also of what only older versions are left of. Raises NotFound."""
    return {each["Key"] for page in _pages(aws, bucket, prefix) for each in page}


def delete_keys(aws: Aws, bucket: str, prefix: str, keys: Container[str]) -> None:
    """Delete what has one of these keys, all of which begin so, in all its versions.

    Raises NotFound for no such bucket, StreamctlError for what cannot be deleted.
    """
    # Listed to the end first: a page begins behind a version, which must not be gone by then.
    pages = _pages(aws, bucket, prefix)
    things = (each for page in list(pages) for each in page if each["Key"] in keys)
    while some := list(itertools.islice(things, _DELETED_AT_ONCE)):
        _delete(aws, bucket, some)


def delete_bucket(aws: Aws, bucket: str) -> None:
    """Delete a bucket with all that is in it. One that is not there is deleted already.

    Raises NotAllowed if it belongs to somebody else, StreamctlError for what cannot be deleted.
    """
    if not exists(aws, bucket):
        return
    with contextlib.suppress(NotFound):  # somebody else deletes it as well
        _empty_and_delete(aws, bucket)


def _empty_and_delete(aws: Aws, bucket: str) -> None:
    delete_under(aws, bucket, "")
    with translated(f"deleting bucket {bucket}"):
        aws.client("s3").delete_bucket(**_owned(aws, bucket))


def _owned(aws: Aws, bucket: str) -> dict[str, str]:
    return {"Bucket": bucket, "ExpectedBucketOwner": aws.account}


def _versions(aws: Aws, owner: Mapping[str, str], prefix: str) -> list[dict[str, str]]:
    """Up to 1000 of what begins so, as many as DeleteObjects takes: whoever switched versions on
    left older ones and marks of deletion.
    """
    with translated(f"listing bucket {owner['Bucket']}"):
        return _things(aws.client("s3").list_object_versions(**owner, Prefix=prefix))


def _pages(aws: Aws, bucket: str, prefix: str) -> Iterator[list[dict[str, str]]]:
    """All that begins so, up to 1000 at a time."""
    pages = aws.client("s3").get_paginator("list_object_versions")
    with translated(f"listing bucket {bucket}"):
        for page in pages.paginate(**_owned(aws, bucket), Prefix=prefix):
            yield _things(page)


def _things(page: Mapping[str, Any]) -> list[dict[str, str]]:
    things = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in things]


def _delete(aws: Aws, bucket: str, things: Sequence[Mapping[str, str]]) -> None:
    """Delete versions, as many as are deleted at once."""
    with translated(f"deleting from bucket {bucket}"):
        answer = aws.client("s3").delete_objects(
            **_owned(aws, bucket), Delete={"Objects": things, "Quiet": True}
        )
    for error in answer.get("Errors", []):
        what = f"deleting from bucket {bucket}: {error['Key']}: {error['Code']}"
        if error["Code"] == "AccessDenied":  # what may not be deleted is told key by key
            raise NotAllowed(what, hint=f"the caller needs permission for {DELETING}")
        raise StreamctlError(what)


def _create(aws: Aws, bucket: str) -> None:
    where: dict[str, Any] = {}
    if aws.region_name != "us-east-1":  # which S3 wants unsaid
        where = {"CreateBucketConfiguration": {"LocationConstraint": aws.region_name}}
    with translated(f"creating bucket {bucket}"):
        aws.client("s3").create_bucket(Bucket=bucket, **where)
