"""What OnFailure's destination is told of given-up records: which, not the records themselves."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

from streamctl.local.batches import GivenUp
from streamctl.local.shards import Mapping


def note(mapping: Mapping, shard: str, given_up: GivenUp, function_error: str) -> str:
    """The message as the Lambda developer guide shows it (with-kinesis), as JSON."""
    records = given_up.batch.records
    message = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping.settings["FunctionArn"],
            "condition": given_up.condition.value,
            "approximateInvokeCount": given_up.batch.tries,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": function_error or None,
        },
        "version": "1.0",
        "timestamp": _stamp(time.time()),
        "KinesisBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": records[0].sequence,
            "endSequenceNumber": records[-1].sequence,
            "approximateArrivalOfFirstRecord": _stamp(records[0].arrived),
            "approximateArrivalOfLastRecord": _stamp(records[-1].arrived),
            "batchSize": len(records),
            "streamArn": mapping.stream_arn,
        },
    }
    return json.dumps(message)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
