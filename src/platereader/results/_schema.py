"""The JSON Schema of what ``to_dict`` gives, for whoever reads it without this library."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from platereader.errors import InvalidArgumentError
from platereader.results._plates import PlateReading, StreamUpdate, TrackedPlate

_KINDS = (PlateReading, TrackedPlate, StreamUpdate)


def json_schema(kind: type[PlateReading | TrackedPlate | StreamUpdate]) -> dict[str, Any]:
    """JSON Schema (2020-12) of ``to_dict()`` of a kind of result.

    The file is ``platereader/results/_schema.json``. A later version may add properties, and takes none away.

    Args:
        kind: ``PlateReading``, ``TrackedPlate`` or ``StreamUpdate``.

    Raises:
        InvalidArgumentError: another kind.
    """
    if kind not in _KINDS:
        names = ", ".join(one.__name__ for one in _KINDS)
        raise InvalidArgumentError(f"kind is {kind!r}, allowed are the classes {names}.")
    text = resources.files("platereader.results").joinpath("_schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    shapes = document["$defs"]
    return {"$schema": document["$schema"], "title": kind.__name__, **shapes[kind.__name__], "$defs": shapes}
