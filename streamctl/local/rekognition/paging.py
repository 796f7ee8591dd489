"""Pages of a sorted list, by tokens that survive what happens to the list meanwhile."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final, TypeVar

from streamctl.local.service import ServiceFault

Item = TypeVar("Item")

_LONGEST_TOKEN: Final = 255  # botocore's model, PaginationToken


def page(
    items: Mapping[str, Item], token: str | None, size: int
) -> tuple[list[Item], dict[str, str]]:
    """The items after `token` in the order of their keys, and NextToken where there are more.

    A token names the last key given, so that a caller who deletes what each page lists misses
    nothing. Raises the fault InvalidPaginationTokenException for a token that is none of ours.
    """
    after = _key(token) if token else ""
    keys = sorted(key for key in items if key > after)
    listed = keys[: max(1, size)]
    more = {"NextToken": _token(listed[-1])} if len(keys) > len(listed) else {}
    return [items[key] for key in listed], more


def _token(key: str) -> str:
    # A collection's id may take the whole length by itself: then the page after it begins with
    # what shares the part that fits, and an item may be listed twice, but none is left out.
    kept = key[: _LONGEST_TOKEN - 8]
    return f"{zlib.crc32(kept.encode()):08x}{kept}"


def _key(token: str) -> str:
    kept = token[8:]
    if not kept or _token(kept) != token:
        raise ServiceFault("InvalidPaginationTokenException", "Invalid pagination token")
    return kept
