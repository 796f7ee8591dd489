"""Publishes again what a subscriber's failure queue holds, once its cause is gone.

Run: python replay.py FAILURE_QUEUE_URL BUS. Needs boto3, sqs:ReceiveMessage, sqs:DeleteMessage and
sqs:GetQueueAttributes on the queue, and events:PutEvents on the bus. Every subscriber is told again,
under the same `detail.id`. What fails again meanwhile stays for the next time.
"""

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

WAITING = "ApproximateNumberOfMessages"


def replay(queue_url: str, bus: str) -> int:
    """How many were published. One that the bus refuses ends it, and is left in the queue."""
    sqs, events = boto3.client("sqs"), boto3.client("events")
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[WAITING])
    at_most, done = int(found["Attributes"][WAITING]), 0
    while done < at_most:
        answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=2)
        for message in answer.get("Messages", []):
            publish(events, bus, json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
        if "Messages" not in answer:
            break
    return done


def publish(events: Any, bus: str, event: dict[str, Any]) -> None:
    entry = {
        "EventBusName": bus,
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        sys.exit(f"{event['detail']['id']} was refused: {answer['Entries'][0]['ErrorMessage']}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: replay.py FAILURE_QUEUE_URL BUS")
    try:
        print(replay(*sys.argv[1:]), "published")
    except (BotoCoreError, ClientError) as error:
        sys.exit(str(error))
