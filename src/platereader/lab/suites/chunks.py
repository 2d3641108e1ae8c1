"""A stream of pictures in lists of a fixed length: few enough for the memory, enough for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")


def chunks(items: Iterable[_Item], *, size: int) -> Iterator[list[_Item]]:
    """Lists of ``size`` items in order; the last one may be shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
