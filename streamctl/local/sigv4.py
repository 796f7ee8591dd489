"""Whether a request is signed as AWS demands, for the credentials that this cloud hands out.

Only signatures that claim our own access key are judged here: so our clients' signing is tested.
Other credentials are ministack's business, which judges them when IAM is enforced (AUTH=true).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from ministack.core import sigv4

from streamctl.local.http import Request
from streamctl.local.service import ServiceFault

_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided."
    " Check your AWS Secret Access Key and signing method."
)
# Of several the first counts: it is the one by which ministack knows a caller.
_CREDENTIAL: Final = re.compile(r"Credential=([^,\s]*)")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a request says it is from, and what it was signed for; empty where it says nothing."""

    access_key: str = ""
    region: str = ""
    service: str = ""


def claim_of(request: Request) -> Claim:
    """Read the credential of a header or query signature, without judging it.

    The key counts also where nothing else of the signature can be read: else whoever garbles one
    would be nobody, and nobody is root.
    """
    key, _, scope = _credential(request).partition("/")
    _, region, service, *_ = [*scope.split("/"), "", ""]
    return Claim(key, region, service)


def _credential(request: Request) -> str:
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS4-"):
        found = _CREDENTIAL.search(authorization)
        if found:
            return found[1]
    elif authorization.startswith("AWS "):  # signature version 2: AWS key:signature
        return authorization.removeprefix("AWS ").partition(":")[0]
    given = request.parameters
    return (given.get("X-Amz-Credential") or given.get("x-amz-credential") or [""])[0]


def verify(request: Request, secret: str) -> None:
    """Check a request that claims our access key.

    The body that counts is `request.body`; for PutMedia, whose body is never whole, AWS signs
    the hash of the empty string. Raises ServiceFault: the common codes for a wrong signature,
    and for one made too long ago.
    """
    signature = _signature(request)
    if not isinstance(signature, sigv4.HeaderSignature):
        code, reason = signature
        raise ServiceFault(code, reason, 403)
    if signature.access_key_id != claim_of(request).access_key:
        raise ServiceFault("IncompleteSignature", "the request names several credentials", 403)
    presigned = _is_presigned(request)
    stale = _stale(request, signature, presigned=presigned)
    if stale:
        raise ServiceFault(*stale, 403)
    wrong = sigv4.header_signature_failure(
        signature,
        secret,
        request.method,
        request.path,
        request.parameters,
        request.headers,
        request.body,
        presigned=presigned,
    )
    if wrong or not _body_is_the_signed_one(request, presigned=presigned):
        raise ServiceFault("SignatureDoesNotMatch", _MISMATCH, 403)


def _signature(request: Request) -> sigv4.HeaderSignature | tuple[str, str]:
    if _is_presigned(request):
        return sigv4.parse_query_signature(request.parameters)
    return sigv4.parse_header_signature(request.headers)


def _is_presigned(request: Request) -> bool:
    return "authorization" not in request.headers and "X-Amz-Signature" in request.parameters


def _stale(
    request: Request, signature: sigv4.HeaderSignature, *, presigned: bool
) -> tuple[str, str] | None:
    if not presigned:
        stale: tuple[str, str] | None = sigv4.request_time_failure(signature)
        return stale
    expires = request.parameters.get("X-Amz-Expires", ["900"])[0]
    try:
        expired = sigv4.presigned_request_is_expired(signature.amz_date, expires)
    except ValueError:
        expired = True
    return ("RequestExpired", "Request has expired") if expired else None


def _body_is_the_signed_one(request: Request, *, presigned: bool) -> bool:
    named = request.headers.get("x-amz-content-sha256", "")
    if presigned or len(named) != hashlib.sha256().digest_size * 2:
        return True  # no hash is named, or a marker such as UNSIGNED-PAYLOAD
    return named == hashlib.sha256(request.body).hexdigest()
