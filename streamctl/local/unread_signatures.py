"""With AUTH=true, an Authorization that is no signature of AWS's is refused, as by AWS.

ministack takes such a caller ("Bearer x") for one without a key, and that one for root.
"""

from __future__ import annotations

from typing import Any, Final

from streamctl.local.engine_room import EngineRoom

_EVALUATOR: Final = "core.iam_evaluator"
# These may be called by anybody, and have authorizers of their own.
_OPEN: Final = frozenset({"execute-api:Invoke", "lambda:InvokeFunctionUrl"})
_REASON: Final = (
    "Authorization header requires 'Credential' parameter. Authorization header requires"
    " 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."
)


def refuse_unread_signatures(engine: EngineRoom) -> None:
    """Put the question before ministack's own, wherever it asks who may do what."""
    enforce = engine.part(_EVALUATOR, "enforce")
    served_unsigned = engine.part(_EVALUATOR, "_served_unsigned")
    anonymous = engine.part(_EVALUATOR, "_anonymous")
    pinned = engine.part(_EVALUATOR, "_signed_request")
    auth_error = engine.part(_EVALUATOR, "AuthError")

    def unread(access_key: str) -> bool:
        """It says something of who asks, but names no key, and there is nothing to check."""
        return not access_key and not anonymous.get() and pinned.get() is None

    def enforced(access_key: str, action: str, service: str, *more: Any, **named: Any) -> Any:
        if action not in _OPEN and not served_unsigned(service, action) and unread(access_key):
            return auth_error("IncompleteSignature", _REASON)
        return enforce(access_key, action, service, *more, **named)

    engine.replace(_EVALUATOR, "enforce", enforced)
