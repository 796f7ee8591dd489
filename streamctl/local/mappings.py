"""Kinesis event source mappings, in place of ministack's.

ministack runs every mapping of a cloud on one thread and ignores ReportBatchItemFailures, retry
and age limits, bisecting and OnFailure. Here each shard of each mapping has a worker of its own,
so none holds up another; what to do next is decided in batches.py, and the function is invoked
through our own endpoint, so that an invocation counts, logs and fails like any other.

How far a mapping has come is kept where ministack keeps it, and so survives with its state.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from streamctl.local.batches import (
    Batch,
    Failed,
    GivenUp,
    Policy,
    after_failure,
    delay_s,
    failure_in,
    first_batch,
    is_due,
    without_expired,
)
from streamctl.local.cloud import Cloud
from streamctl.local.failure_notes import note
from streamctl.local.shards import Mapping, Shards

_OK: Final = "OK"
_PROBLEM: Final = "PROBLEM: Function call failed"

_log = logging.getLogger(__name__)


class Mappings:
    """Keeps a worker for each shard that an enabled mapping reads."""

    def __init__(self, cloud: Cloud, shards: Shards) -> None:
        self._cloud = cloud
        self._shards = shards
        self._workers: dict[tuple[str, str], _Worker] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="mappings", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No new invocation begins after this; those under way end with their functions."""
        self._ended.set()
        self._thread.join()
        for worker in self._workers.values():
            worker.ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._cloud.timings.mapping_poll_s):
            try:
                self._hire()
            except Exception:  # noqa: BLE001 - one odd mapping must not end all
                _log.exception("looking for mappings failed")

    def _hire(self) -> None:
        wanted = {
            (mapping.uuid, shard): mapping
            for mapping in self._shards.mappings()
            for shard in self._shards.of(mapping)
        }
        for key in [key for key in self._workers if key not in wanted]:
            self._workers.pop(key).ended.set()
        for key, mapping in wanted.items():
            if key not in self._workers or not self._workers[key].is_alive():
                self._workers[key] = _Worker(self._cloud, self._shards, mapping, key[1])
                self._workers[key].start()


@dataclass(frozen=True, slots=True)
class Tried:
    """One invocation's end. `failed` is None where the function handled everything."""

    failed: Failed | None = None
    invoked: bool = True
    function_error: str = ""


class _Worker(threading.Thread):
    """Takes one shard's records to one mapping's function, in order."""

    def __init__(self, cloud: Cloud, shards: Shards, mapping: Mapping, shard: str) -> None:
        super().__init__(name=f"mapping-{shard}", daemon=True)
        self.ended = threading.Event()
        self._cloud = cloud
        self._shards = shards
        self._mapping = mapping
        self._shard = shard
        self._pending: deque[Batch] = deque()
        self._failures = 0
        self._gathering_since: float | None = None

    def run(self) -> None:
        pause = 0.0
        while not self.ended.wait(pause):
            try:
                pause = self._step()
            except Exception:  # noqa: BLE001 - a worker goes on, as AWS's does
                _log.exception("the mapping %s failed", self._mapping.uuid)
                self._pending.clear()  # read again from the checkpoint: later ones must not pass
                pause = self._cloud.timings.mapping_retry_s

    def _step(self) -> float:
        """Do the next thing there is to do; say how long to wait after it, in seconds."""
        policy = Policy.of(self._mapping.settings)
        if not self._pending:
            gathered = self._gather(policy)
            if gathered is None:
                return self._cloud.timings.mapping_poll_s
            self._pending.append(gathered)
        # Asked after reading: what was written after the mapping's end does not reach its function.
        if not self._shards.is_live(self._mapping):
            self.ended.set()  # what is pending is not handled: read again from the checkpoint
            return 0.0
        self._try(self._pending.popleft(), policy)
        return delay_s(self._failures, self._cloud.timings.mapping_retry_s)

    def _gather(self, policy: Policy) -> Batch | None:
        """The next batch from the shard, once it is full or has waited long enough."""
        found = self._shards.after(self._mapping, self._shard, policy.batch_size)
        batch = first_batch(found, policy)
        if batch is None:
            return None
        if self._gathering_since is None:
            self._gathering_since = time.monotonic()
        if not is_due(batch, policy, time.monotonic() - self._gathering_since):
            return None
        self._gathering_since = None
        return batch

    def _try(self, batch: Batch, policy: Policy) -> None:
        fresh = without_expired(batch, policy, time.time())
        if fresh.given_up is not None:
            self._give_up(fresh.given_up, Tried())
        for young in fresh.pending:
            tried = self._invoke(young, policy)
            if self.ended.is_set() and tried.failed is not None:
                return  # cut off in the middle: whoever reads on begins at the checkpoint
            self._settle(young, tried, policy)

    def _settle(self, batch: Batch, tried: Tried, policy: Policy) -> None:
        if tried.failed is None:
            self._failures = 0
            self._shards.advance(self._mapping, self._shard, batch.records[-1].sequence)
            self._mapping.settings["LastProcessingResult"] = _OK  # last: who reads it may go on
            return
        self._mapping.settings["LastProcessingResult"] = _PROBLEM
        self._failures += 1
        if not tried.invoked:  # throttled, or no function: until the records expire
            self._pending.appendleft(batch)
            return
        if tried.failed.at:
            handled = batch.records[tried.failed.at - 1]
            self._shards.advance(self._mapping, self._shard, handled.sequence)
        following = after_failure(batch, tried.failed, policy)
        self._pending.extendleft(reversed(following.pending))
        if following.given_up is not None:
            self._failures = 0
            self._give_up(following.given_up, tried)

    def _invoke(self, batch: Batch, policy: Policy) -> Tried:
        records = self._shards.events(self._mapping, self._shard, batch)
        if not records:  # all filtered out: handled, and never seen again
            return Tried()
        client = self._cloud.client("lambda", self._mapping.region, self._mapping.account)
        try:
            answer = client.invoke(
                FunctionName=self._mapping.settings["FunctionArn"],
                Payload=json.dumps({"Records": records}),
            )
            payload = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            _log.info("mapping %s: %s", self._mapping.uuid, error)
            return Tried(Failed(), invoked=False)
        if answer.get("FunctionError"):
            return Tried(Failed(), function_error=answer["FunctionError"])
        return Tried(_reported(payload, batch) if policy.reports_failures else None)

    def _give_up(self, given_up: GivenUp, tried: Tried) -> None:
        """Go on behind records that are lost; tell OnFailure's destination, if there is one."""
        last = given_up.batch.records[-1]
        self._shards.advance(self._mapping, self._shard, last.sequence)
        target = self._mapping.on_failure
        if not target:
            return
        text = note(self._mapping, self._shard, given_up, tried.function_error)
        try:
            self._send(target, text)
        except (ClientError, BotoCoreError) as error:
            _log.warning("OnFailure of mapping %s: %s", self._mapping.uuid, error)

    def _send(self, target: str, text: str) -> None:
        _, _, service, region, account, name = target.split(":", 5)
        client = self._cloud.client(service, region, account)
        if service == "sns":
            client.publish(TopicArn=target, Message=text)
        else:
            url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            client.send_message(QueueUrl=url, MessageBody=text)


def _reported(payload: bytes, batch: Batch) -> Failed | None:
    try:
        return failure_in(json.loads(payload or b"null"), batch)
    except ValueError:
        return Failed()
