"""Results for others: a table of one row each, for CSV, pandas, polars or Arrow, and the JSON Schema of ``to_dict``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check
from platereader.results._plates import PlateReading, StreamUpdate, TrackedPlate

_KINDS = (PlateReading, TrackedPlate, StreamUpdate)


def json_schema(kind: type[PlateReading | TrackedPlate | StreamUpdate]) -> dict[str, Any]:
    """JSON Schema (2020-12) of ``to_dict()`` of a ``PlateReading``, a ``TrackedPlate`` or a ``StreamUpdate``.

    The file is ``platereader/results/_schema.json``. A later version may add properties, and takes none away.

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


def to_rows(
    plates: Iterable[PlateReading | TrackedPlate], **columns: str | float | bool | None
) -> list[dict[str, Any]]:
    """The ``to_row()`` of each plate, which is what data frames are made of.

    ``pandas.DataFrame(to_rows(readings, file="gate.jpg"))``, ``polars.DataFrame(...)`` and
    ``pyarrow.Table.from_pylist(...)`` take it as it is.

    Args:
        plates: readings, or plates of a stream.
        columns: columns of your own, which come first and are the same in every row.

    Raises:
        InvalidArgumentError: something else than plates, or a column that the rows already have.
    """
    rows: list[dict[str, Any]] = []
    for index, plate in enumerate(plates):
        check.instance(plate, (PlateReading, TrackedPlate), name=f"plates[{index}]")
        row = plate.to_row()
        taken = sorted(row.keys() & columns.keys())
        if taken:
            raise InvalidArgumentError(f"columns has {', '.join(taken)}, which the rows have already: rename it.")
        rows.append({**columns, **row})
    return rows
