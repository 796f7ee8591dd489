"""What an IAM role lets a service do, asked of ministack's IAM: whatever AUTH is.

A started processor is only as good as its role, and a mapping's function must be able to read its
stream; AWS finds both out by trying, so the local cloud asks here.
"""

from __future__ import annotations

import json
from typing import Any

from streamctl.local.engine_room import EngineRoom


class Roles:
    """Answers for role ARNs. `service` is a principal such as "rekognition.amazonaws.com"."""

    def __init__(self, engine: EngineRoom) -> None:
        evaluator = "core.iam_evaluator"
        self._roles = engine.part("services.iam", "_roles")
        self._policies = engine.part(evaluator, "_gather_role_policies")
        self._boundary = engine.part(evaluator, "_permissions_boundary")
        self._conditions_met = engine.part(evaluator, "_conditions_met")
        self._evaluate = engine.part(evaluator, "evaluate")
        self._context_of = engine.part(evaluator, "EvalContext")

    def trusts(self, role_arn: str, service: str, source_arn: str = "") -> bool:
        """Whether the service may assume the role, acting for `source_arn` of the same account.

        False for a role that there is not. The guard against confused deputies (conditions on
        aws:SourceAccount and aws:SourceArn) is evaluated.
        """
        role = self._role(role_arn)
        if role is None:
            return False
        try:
            document = json.loads(role.get("AssumeRolePolicyDocument") or "{}")
        except ValueError:
            return False
        statements = document.get("Statement", []) if isinstance(document, dict) else []
        statements = [statements] if isinstance(statements, dict) else statements
        context = self._context(role_arn, "sts:AssumeRole", role_arn)
        context.service_context = {
            "aws:sourceaccount": _account(role_arn),
            **({"aws:sourcearn": source_arn} if source_arn else {}),
        }
        effects = {s.get("Effect") for s in statements if self._applies(s, service, context)}
        return "Allow" in effects and "Deny" not in effects

    def allows(self, role_arn: str, service: str, action: str, resource: str) -> bool:
        """Whether the service, in this role, may do `action` on `resource`."""
        return self.trusts(role_arn, service) and self.grants(role_arn, action, resource)

    def knows(self, role_arn: str) -> bool:
        """Whether there is such a role."""
        return self._role(role_arn) is not None

    def grants(self, role_arn: str, action: str, resource: str) -> bool:
        """Whether the role's own policies allow `action`, whoever assumes it."""
        if self._role(role_arn) is None:
            return False
        name, account = _name(role_arn), _account(role_arn)
        limits = self._boundary(self._roles, name, account)
        context = self._context(role_arn, action, resource)
        found = self._evaluate(context, self._policies(name, account), *limits)
        return bool(found.decision == "Allow")

    def _applies(self, statement: Any, service: str, context: Any) -> bool:
        if not isinstance(statement, dict):
            return False
        actions = statement.get("Action", [])
        actions = [actions] if isinstance(actions, str) else actions
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        named = services == service or (isinstance(services, list) and service in services)
        return (
            (principal == "*" or named)
            and bool({"sts:AssumeRole", "sts:*", "*"} & set(actions))
            and bool(self._conditions_met(statement.get("Condition", {}), context))
        )

    def _role(self, role_arn: str) -> Any:
        if ":role/" not in role_arn:
            return None
        return self._roles.get_scoped(_account(role_arn), None, _name(role_arn))

    def _context(self, role_arn: str, action: str, resource: str) -> Any:
        account = _account(role_arn)
        return self._context_of(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{_name(role_arn)}/streamctl-local",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=resource.split(":")[3] if resource.count(":") > 3 else "",
        )


def _account(role_arn: str) -> str:
    parts = role_arn.split(":")
    return parts[4] if len(parts) > 4 else ""


def _name(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]  # whatever its path
