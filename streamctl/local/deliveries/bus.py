"""Every event that a rule has matched, until it is delivered or in the failure queue."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from streamctl.local.cloud import Cloud
from streamctl.local.deliveries.lanes import Again, Delivery, Lane
from streamctl.local.deliveries.retrying import (
    Exhausted,
    RetryPolicy,
    Undelivered,
    next_pause_s,
)
from streamctl.local.deliveries.targets import Targets
from streamctl.local.engine_room import EngineRoom
from streamctl.local.roles import Roles

_EVENTS: Final = "services.eventbridge"

_log = logging.getLogger(__name__)


class Deliveries:
    """Takes what rules match, in place of ministack. Each target of each rule has a lane of its own."""

    def __init__(self, cloud: Cloud, engine: EngineRoom, roles: Roles) -> None:
        self._cloud = cloud
        self._targets = Targets(engine, roles)
        self._account = engine.part("core.responses", "get_account_id")
        self._region = engine.part("core.responses", "get_region")
        self._view = engine.part(_EVENTS, "_pattern_event_view")
        self._transform = engine.part(_EVENTS, "_apply_input_transformer")
        self._instead = engine.part(_EVENTS, "_invoke_target")
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._lock = threading.Lock()
        self._ended = False
        engine.replace(_EVENTS, "_invoke_target", self.take)

    def take(
        self, target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        """Returns at once: whoever publishes waits for no subscriber."""
        is_ours = ":events:" in str(rule.get("Arn"))  # ministack's Scheduler comes by here too
        if not is_ours or not self._targets.takes(str(target.get("Arn", ""))):
            self._instead(target, event, rule, view)
            return
        view = view or self._view(event)
        whole = view.event_with_detail()
        delivery = Delivery(
            rule_arn=str(rule.get("Arn", "")),
            target=dict(target),
            payload=self._payload(target, rule, view, whole),
            event=json.dumps(whole),
            account=self._account(),
            region=self._region(),
            begun=time.monotonic(),
        )
        if not self._put(delivery):
            self._give_up(delivery, Undelivered("THROTTLING", "too many wait", again=False), None)

    def stop(self) -> None:
        """No try begins after this; what waits for one is lost."""
        with self._lock:
            self._ended = True
            waiting = sum(lane.end() for lane in self._lanes.values())
        if waiting:
            _log.warning("%d events were not delivered before the end", waiting)

    def _put(self, delivery: Delivery) -> bool:
        key = (delivery.rule_arn, str(delivery.target.get("Id", "")))
        with self._lock:
            if self._ended:
                return True
            if key not in self._lanes:  # rules come and go
                self._lanes = {key: lane for key, lane in self._lanes.items() if lane.is_busy}
                self._lanes[key] = Lane(f"delivery-{key[1]}", self._attempt)
            return self._lanes[key].put(delivery)

    def _payload(
        self, target: Mapping[str, Any], rule: dict[str, Any], view: Any, whole: dict[str, Any]
    ) -> str:
        if target.get("InputTransformer"):
            return str(self._transform(target["InputTransformer"], rule, view))
        if target.get("Input"):
            return str(target["Input"])
        return json.dumps(_part(whole, str(target.get("InputPath") or "$")))

    def _attempt(self, delivery: Delivery) -> Again | None:
        try:
            self._targets.deliver(delivery)
        except Undelivered as why:
            return self._after(delivery, why)
        except Exception as error:  # noqa: BLE001 - one odd target must not end its lane
            _log.exception("delivering to %s failed", delivery.target.get("Arn"))
            self._give_up(delivery, Undelivered("INTERNAL_ERROR", str(error), again=False), None)
        return None

    def _after(self, delivery: Delivery, why: Undelivered) -> Again | None:
        if not why.again:
            self._give_up(delivery, why, None)
            return None
        following = next_pause_s(
            RetryPolicy.of(delivery.target),
            delivery.retries,
            time.monotonic() - delivery.begun,
            self._cloud.timings.event_retry_s,
        )
        if isinstance(following, Exhausted):
            self._give_up(delivery, why, following)
            return None
        retried = dataclasses.replace(delivery, retries=delivery.retries + 1)
        return Again(retried, following)

    def _give_up(self, delivery: Delivery, why: Undelivered, exhausted: Exhausted | None) -> None:
        """Into the target's failure queue, with why; without one the event is dropped, as on AWS."""
        arn = str(delivery.target.get("Arn"))
        queue = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            _log.warning("event dropped, %s: %s: %s", arn, why.code, why)
            return
        attributes = {
            "RULE_ARN": delivery.rule_arn,
            "TARGET_ARN": arn,
            "ERROR_CODE": why.code,
            "ERROR_MESSAGE": str(why),
            "RETRY_ATTEMPTS": str(delivery.retries),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted.value} if exhausted else {}),
        }
        try:
            self._targets.fail(delivery, queue, attributes)
        except Exception as error:  # noqa: BLE001 - nothing is left to try
            _log.warning("event dropped, %s: %s; %s: %s", arn, why, queue, error)


def _part(whole: Any, path: str) -> Any:
    """What a path such as "$.detail.person" leads to; the whole where it leads nowhere."""
    found = whole
    for name in path.removeprefix("$").split("."):
        if not name:
            continue
        if not isinstance(found, dict) or name not in found:
            return whole
        found = found[name]
    return found
