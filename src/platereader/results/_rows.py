"""Results as a table: one row each, for CSV, pandas, polars or Arrow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check
from platereader.results._plates import PlateReading, TrackedPlate


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
