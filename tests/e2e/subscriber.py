"""Somebody else's security app: boto3, the published schemas, and nothing of ours.

    streamctl event schema -o json | python subscriber.py QUEUE_URL

It receives all that is in the queue, and prints for each message a line of JSON: the detail type, the
detail's id, and what the schemas say against it. AWS is where the environment says.
"""

import json
import sys

import boto3
from jsonschema import Draft202012Validator


def received(queue):
    """The bodies of all messages, until none comes for a second."""
    sqs = boto3.client("sqs")
    how = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    while messages := sqs.receive_message(**how).get("Messages"):
        for message in messages:
            yield json.loads(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def problems(event, schemas):
    """What the schema of a message says against it, and that of its detail type against its detail."""
    found = [*schemas[None].iter_errors(event)]
    if event.get("detail-type") not in schemas:
        return ["a detail type without a schema", *(error.message for error in found)]
    found += schemas[event["detail-type"]].iter_errors(event.get("detail"))
    return [f"{error.json_path}: {error.message}" for error in found]


def main():
    published = json.load(sys.stdin)
    schemas = {each["detail_type"]: Draft202012Validator(each["schema"]) for each in published}
    for event in received(sys.argv[1]):
        verdict = {
            "detail-type": event.get("detail-type"),
            "id": event.get("detail", {}).get("id"),
            "problems": problems(event, schemas),
        }
        print(json.dumps(verdict), flush=True)
    assert "streamctl" not in sys.modules


if __name__ == "__main__":
    main()
