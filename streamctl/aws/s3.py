"""The bucket from which CloudFormation takes the functions' code.

Every call names the account that must own the bucket: its name can be guessed, so somebody else may
have taken it, and our code must not be put into, or taken from, theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import NotFound, StreamctlError


def ensure_bucket(aws: Aws, bucket: str) -> None:
    """Make a private, encrypted bucket without versions, or make the one that stands private and
    encrypted. Raises NotAllowed if somebody else has taken the name.
    """
    if not exists(aws, bucket):
        _create(aws, bucket)
    owner = {"Bucket": bucket, "ExpectedBucketOwner": aws.account}
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
            aws.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=aws.account)
    except NotFound:
        return False
    return True


def put_new(aws: Aws, bucket: str, key: str, body: bytes) -> bool:
    """Upload unless the key is there already (keys are named by content); whether it was sent."""
    owner = {"Bucket": bucket, "ExpectedBucketOwner": aws.account}
    try:
        with translated(f"looking for {key} in bucket {bucket}"):
            aws.client("s3").head_object(**owner, Key=key)
    except NotFound:
        with translated(f"uploading {key} to bucket {bucket}"):
            aws.client("s3").put_object(**owner, Key=key, Body=body)
        return True
    return False


def delete_bucket(aws: Aws, bucket: str) -> None:
    """Delete a bucket with all that is in it. One that is not there is deleted already.

    Raises NotAllowed if it belongs to somebody else, StreamctlError for what cannot be deleted.
    """
    if not exists(aws, bucket):
        return
    with contextlib.suppress(NotFound):  # somebody else deletes it as well
        _empty_and_delete(aws, bucket)


def _empty_and_delete(aws: Aws, bucket: str) -> None:
    owner = {"Bucket": bucket, "ExpectedBucketOwner": aws.account}
    while things := _versions(aws, owner):
        with translated(f"emptying bucket {bucket}"):
            answer = aws.client("s3").delete_objects(
                **owner, Delete={"Objects": things, "Quiet": True}
            )
        for error in answer.get("Errors", []):
            raise StreamctlError(f"emptying bucket {bucket}: {error['Key']}: {error['Code']}")
    with translated(f"deleting bucket {bucket}"):
        aws.client("s3").delete_bucket(**owner)


def _versions(aws: Aws, owner: Mapping[str, str]) -> list[dict[str, str]]:
    """Up to 1000 of what the bucket holds, as many as DeleteObjects takes: whoever switched
    versions on left older ones and marks of deletion.
    """
    with translated(f"listing bucket {owner['Bucket']}"):
        page = aws.client("s3").list_object_versions(**owner)
    things = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in things]


def _create(aws: Aws, bucket: str) -> None:
    where: dict[str, Any] = {}
    if aws.region_name != "us-east-1":  # which S3 wants unsaid
        where = {"CreateBucketConfiguration": {"LocationConstraint": aws.region_name}}
    with translated(f"creating bucket {bucket}"):
        aws.client("s3").create_bucket(Bucket=bucket, **where)
