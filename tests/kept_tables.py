"""The table of what was told, as platform.yaml makes it."""

from typing import Any


def create(dynamodb: Any, name: str) -> str:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in ("about", "id", "hour", "at", "person")
        ],
        KeySchema=_keys("about", "id"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-hour",
                "KeySchema": _keys("hour", "at"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by-person",
                "KeySchema": _keys("person", "at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )
    return name


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
