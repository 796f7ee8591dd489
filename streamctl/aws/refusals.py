"""What AWS refuses becomes an error of ours: the only place where that is decided.

Error codes are matched, never texts: AWS changes the texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from streamctl import errors

# Face search on streaming video (General Reference, Rekognition endpoints and quotas, 2026).
FACE_SEARCH_REGIONS: Final = (
    "us-east-1",
    "us-west-2",
    "ap-northeast-1",
    "eu-central-1",
    "eu-west-1",
)

DELETING: Final = "s3:DeleteObject and s3:DeleteObjectVersion"
"""DeleteObjects takes the first always, the second where it names versions (S3 API reference)."""

_LEAVE: Final = {
    "DeleteObjects": DELETING,
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListObjectVersions": "s3:ListBucketVersions",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""What IAM calls the permission for an operation of S3, where it is another word (S3 user guide,
Required permissions for S3 API operations)."""

_NOT_FOUND: Final = frozenset(
    {
        "ResourceNotFoundException",
        "ResourceNotFound",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchEntity",
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "StreamNotFound",
    }
)
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "KMSAccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorizedException",
    }
)
_STRANGER: Final = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "InvalidToken",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "MissingAuthenticationToken",
        "IncompleteSignature",
    }
)
"""AWS does not accept who is calling, whatever the call."""
_THROTTLED: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "ClientLimitExceededException",
        "ConnectionLimitExceededException",
        "KMSThrottlingException",
        "KmsThrottled",
        "SlowDown",
    }
)
_BUSY: Final = frozenset(
    {
        "ResourceInUseException",
        "ResourceInUse",
        "ConflictException",
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
    }
)
_LOST: Final = frozenset({"ConditionalCheckFailedException", "VersionMismatchException"})
_FULL: Final = frozenset({"LimitExceededException", "ServiceQuotaExceededException"})
_WRONG: Final = frozenset(
    {
        "InvalidParameterException",
        "InvalidParameterValueException",
        "InvalidParameterValue",
        "InvalidArgumentException",
        "InvalidImageFormatException",
        "ImageTooLargeException",
        "ValidationException",
        "ValidationError",
    }
)
_UNFIT: Final = frozenset(
    {
        "UnsupportedStreamMediaTypeException",
        "MissingCodecPrivateDataException",
        "InvalidCodecPrivateDataException",
    }
)
"""Video that is stored as it came, and that no clip can be made of."""
_KINDS: Final[tuple[tuple[frozenset[str], type[errors.StreamctlError], str], ...]] = (
    (_THROTTLED, errors.Throttled, "wait a moment and try again"),
    (_LOST, errors.Lost, ""),
    (_BUSY, errors.Busy, ""),
    (_NOT_FOUND, errors.NotFound, ""),
    (_WRONG, errors.AskedWrongly, ""),
    (_FULL, errors.StreamctlError, "stop or delete what you need no more, or ask AWS for a quota"),
    (
        frozenset({"NoDataRetentionException"}),
        errors.Unsuitable,
        "let the camera keep its video: aws kinesisvideo update-data-retention",
    ),
    (_UNFIT, errors.Unsuitable, "send h.264 with an avcC that stays the same, or ask for less"),
    (frozenset({"InvalidMediaFrameException"}), errors.MediaError, "ask for another time"),
    (_STRANGER, errors.NotAllowed, "check AWS_PROFILE and the credentials, or sign in again"),
)
_ASKED_WRONGLY: Final = {
    boto.NoRegionError: "pass --region, or set AWS_REGION",
    boto.InvalidRegionError: "a region is written like us-east-1: look at --region and AWS_REGION",
    boto.ProfileNotFound: "look at --profile and AWS_PROFILE; aws configure list-profiles",
    boto.ParamValidationError: "",
}
"""With the hint that each is given."""
_NO_ANSWER: Final = (
    boto.HTTPClientError,
    boto.ConnectionError,
    boto.IncompleteReadError,  # of an answer that breaks off
    HTTPError,  # of a broken error answer, where the right one would be a stream
)
_UNUSABLE_CREDENTIALS: Final = (
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
NO_CREDENTIALS: Final = (
    "no AWS credentials found",
    'set AWS_PROFILE, or for the local cloud: eval "$(streamctl local env)"',
)
"""Message and hint of the NotAllowed that stands for it."""
_PAGES: Final = (b"<!doctype html", b"<html")
_NO_ANSWER_OF_AWS: Final = (
    "what answers there is not AWS, nor a local cloud",
    "look at --endpoint-url and AWS_ENDPOINT_URL; is the local cloud on another port?",
)


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn botocore's errors inside the block into ours; `doing` begins the message.

    `doing` says what was attempted: "starting processor door". Errors of ours pass as they are.
    """
    try:
        yield
    except boto.ClientError as error:
        raise translate(error, doing) from error
    except boto.NoCredentialsError as error:
        what, hint = NO_CREDENTIALS
        raise errors.NotAllowed(f"{doing}: {what}", hint) from error
    except tuple(_ASKED_WRONGLY) as error:
        hint = next(hint for kind, hint in _ASKED_WRONGLY.items() if isinstance(error, kind))
        raise errors.AskedWrongly(f"{doing}: {one_line(error)}", hint) from error
    except ResponseParserError as error:  # of AWS it may be an answer that was cut off
        what, hint = _NO_ANSWER_OF_AWS
        raise errors.Transient(f"{doing}: {what}", hint) from error
    except _UNUSABLE_CREDENTIALS as error:
        raise errors.NotAllowed(
            f"{doing}: {one_line(error)}",
            hint="sign in again (aws sso login), or check the profile's credentials",
        ) from error
    except _NO_ANSWER as error:
        raise errors.Unreachable(
            f"{doing}: {one_line(error)}",
            hint="check the region and the endpoint; is the local cloud running?"
            " (streamctl local status)",
        ) from error
    except boto.BotoCoreError as error:
        raise errors.StreamctlError(f"{doing}: {one_line(error)}") from error


def translate(error: boto.ClientError, doing: str) -> errors.StreamctlError:
    """The error of ours that stands for an AWS error, by its code and HTTP status."""
    code = error.response.get("Error", {}).get("Code", "")
    said = error.response.get("Error", {}).get("Message", "") or code
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if _is_of_another(error, code, said):
        what, hint = _NO_ANSWER_OF_AWS
        kind = errors.Transient if status >= 500 else errors.StreamctlError
        return kind(f"{doing}: {what} (HTTP {status})", hint)
    message = f"{doing}: {one_line(said)} ({code})"
    for codes, kind, hint in _KINDS:
        if code in codes:
            return kind(message, hint)
    # HEAD requests (HeadBucket) answer a bare status: there is no body to hold a code.
    if code in _DENIED or status in (401, 403):
        return errors.NotAllowed(message, _denied_hint(error))
    if status == 404:
        return errors.NotFound(message)
    if status >= 500:
        return errors.Transient(message, "AWS failed on its side; try again")
    return errors.StreamctlError(message)


def _is_of_another(error: boto.ClientError, code: str, said: str) -> bool:
    """Whether it is some other web server that answered: a page, or a 404 that names no error.

    Botocore reads a page of AWS's own load balancers ("<html>", 5xx) as a bare status. AWS leaves the
    error unnamed only where there is no body to name it in, which is HEAD.
    """
    unnamed = code == "404" and not error.operation_name.startswith("Head")
    return unnamed or said.lstrip().startswith("<")


def refuse_page(response_dict: Mapping[str, Any], **_: Any) -> None:
    """A handler of botocore's before-parse: botocore takes a web page for an answer without members.

    Raises ResponseParserError, for `translated`.
    """
    body = response_dict["body"]
    is_page = isinstance(body, bytes) and body.lstrip()[:14].lower().startswith(_PAGES)
    if is_page and response_dict["status_code"] < 300:
        raise ResponseParserError("a web page")


def _denied_hint(error: boto.ClientError) -> str:
    if error.operation_name.endswith(("StreamProcessor", "StreamProcessors")):
        # A region or an account without the feature answers exactly like a missing permission
        # (developer guide, issue 18).
        return (
            f"either the caller lacks rekognition:{error.operation_name}, or the region has no face"
            f" search on video (it is in {', '.join(FACE_SEARCH_REGIONS)}), or the account never"
            " used it: closed to new customers since 2026-04-30"
        )
    operation = error.operation_name
    return f"the caller needs permission for {_LEAVE.get(operation, operation)}"


def one_line(what: object) -> str:
    """A text, or an error's, with its lines joined."""
    return " ".join(str(what).split())
