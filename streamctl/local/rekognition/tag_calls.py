"""Rekognition's calls on tags, for processors and collections alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from streamctl.local.rekognition.arns import PROCESSOR, Scope, merged_tags, not_found, read_arn
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.register import Register
from streamctl.local.service import Call, Operation

Change = Callable[[Mapping[str, str]], dict[str, str]]


class TagCalls:
    """Tags go by ARN; a resource that is not there is ResourceNotFoundException."""

    def __init__(self, register: Register, collections: CollectionStore) -> None:
        self._register = register
        self._collections = collections
        self.operations: Mapping[str, Operation] = {
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list,
        }

    async def _tag(self, call: Call) -> Mapping[str, Any]:
        self._change(call, lambda tags: merged_tags(tags, call.params["Tags"]))
        return {}

    async def _untag(self, call: Call) -> Mapping[str, Any]:
        gone = set(call.params["TagKeys"])
        self._change(call, lambda tags: {k: v for k, v in tags.items() if k not in gone})
        return {}

    async def _list(self, call: Call) -> Mapping[str, Any]:
        return {"Tags": self._change(call, dict)}

    def _change(self, call: Call, change: Change) -> dict[str, str]:
        arn = call.params["ResourceArn"]
        named = read_arn(call.scope, arn)
        tagged = self._tagged_processor if named.kind == PROCESSOR else self._tagged_collection
        tags = tagged(call.scope, named.name, change)
        if tags is None:
            raise not_found(arn)
        return tags

    def _tagged_processor(self, scope: Scope, name: str, change: Change) -> dict[str, str] | None:
        processor = self._register.find(scope, name)
        if processor is None:
            return None
        tags = change(processor.tags)
        if tags != processor.tags:
            self._register.save(replace(processor, tags=tags))
        return tags

    def _tagged_collection(self, scope: Scope, name: str, change: Change) -> dict[str, str] | None:
        collection = self._collections.find(scope, name)
        if collection is None:
            return None
        tags = change(collection.tags)
        if tags != collection.tags:
            collection.tags = tags
            self._collections.tagged(scope, collection)
        return tags
