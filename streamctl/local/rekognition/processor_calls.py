"""Rekognition's seven calls on stream processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from streamctl.local.cloud import Cloud
from streamctl.local.rekognition.lives import Lives
from streamctl.local.rekognition.paging import page
from streamctl.local.rekognition.processor import Processor, invalid
from streamctl.local.rekognition.quotas import STREAM_PROCESSORS
from streamctl.local.rekognition.register import Register
from streamctl.local.rekognition.states import GONE, PROCESSING, Request, Status, after
from streamctl.local.service import Call, Operation, ServiceFault

_PAGE: Final = 1000  # the documented default of MaxResults
_LABELS_ONLY: Final = (
    "SettingsForUpdate",
    "RegionsOfInterestForUpdate",
    "ParametersToDelete",
)


class ProcessorCalls:
    """Each call decides at once; what takes time is left to the processor's life."""

    def __init__(
        self, cloud: Cloud, register: Register, lives: Lives, clock: Callable[[], float]
    ) -> None:
        self._switches = cloud.switches
        self._at_once = cloud.processors_at_once
        self._register = register
        self._lives = lives
        self._clock = clock
        self.operations: Mapping[str, Operation] = {
            "CreateStreamProcessor": self._create,
            "DescribeStreamProcessor": self._describe,
            "ListStreamProcessors": self._list,
            "StartStreamProcessor": self._start,
            "StopStreamProcessor": self._stop,
            "DeleteStreamProcessor": self._delete,
            "UpdateStreamProcessor": self._update,
        }

    async def _create(self, call: Call) -> Mapping[str, Any]:
        processor = Processor.of(call, self._clock())
        self._demand_name(processor)
        others = self._register.all(call.scope)
        if len(others) >= STREAM_PROCESSORS:
            raise ServiceFault("LimitExceededException", _limit(STREAM_PROCESSORS))
        for other in others.values():
            if processor.camera_arn == other.camera_arn:
                raise _in_use("Specified resource is in use: the Kinesis video stream")
            if processor.results_arn == other.results_arn:
                raise _in_use("Specified resource is in use: the Kinesis data stream")
        self._register.save(processor)
        return {"StreamProcessorArn": processor.arn}

    async def _describe(self, call: Call) -> Mapping[str, Any]:
        return self._register.seen(call.scope, call.params["Name"], call.stale_s).described()

    async def _list(self, call: Call) -> Mapping[str, Any]:
        size, token = call.params.get("MaxResults", _PAGE), call.params.get("NextToken")
        listed, more = page(self._register.all_seen(call.scope, call.stale_s), token, size)
        names = [{"Name": each.name, "Status": str(each.status)} for each in listed]
        return {"StreamProcessors": names, **more}

    async def _start(self, call: Call) -> Mapping[str, Any]:
        if call.params.get("StartSelector") or call.params.get("StopSelector"):
            raise invalid("StartSelector and StopSelector are not for a face-search processor")
        processor, _ = self._after(call, Request.START)
        busy = [other for other in self._others(processor) if other.status in PROCESSING]
        if len(busy) < self._at_once:
            self._lives.start(processor)
        elif self._switches.eleventh_start == "refused":
            raise ServiceFault("LimitExceededException", _limit(self._at_once))
        else:
            self._lives.start_in_vain(processor, _limit(self._at_once))
        return {}  # SessionId is documented for label detection only

    async def _stop(self, call: Call) -> Mapping[str, Any]:
        processor, status = self._after(call, Request.STOP)
        if status is not processor.status:
            self._lives.stop(processor)
        return {}

    async def _delete(self, call: Call) -> Mapping[str, Any]:
        processor, status = self._after(call, Request.DELETE)
        assert status is GONE
        self._lives.delete(processor)
        return {}

    async def _update(self, call: Call) -> Mapping[str, Any]:
        for name in _LABELS_ONLY:
            if call.params.get(name):
                raise invalid(f"{name} is not for a face-search processor; delete and recreate it")
        processor, status = self._after(call, Request.UPDATE)
        assert status is Status.UPDATING
        if sharing := call.params.get("DataSharingPreferenceForUpdate"):
            processor = replace(processor, data_sharing=sharing["OptIn"])
            self._register.save(processor)
        self._lives.update(processor)
        return {}

    def _after(self, call: Call, request: Request) -> tuple[Processor, Status | None]:
        processor = self._register.get(call.scope, call.params["Name"])
        strict = self._switches.stop_of_stopped_is_error
        return processor, after(processor.status, request, stop_of_stopped_is_error=strict)

    def _others(self, processor: Processor) -> list[Processor]:
        everyone = self._register.all(processor.scope)
        return [other for name, other in everyone.items() if name != processor.name]

    def _demand_name(self, processor: Processor) -> None:
        if self._register.holds(processor.scope, processor.name):
            raise _in_use("Stream processor name already in use.")


def _in_use(message: str) -> ServiceFault:
    return ServiceFault("ResourceInUseException", message)


def _limit(most: int) -> str:
    return f"Stream processor limit exceeded for account, limit - {most}."
