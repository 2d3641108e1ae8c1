"""A progress bar with the time left, on stderr and only where that is a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(total: int, *, unit: str, scaled: bool = False) -> tqdm[Any]:
    """A bar for ``total`` units, in k, M or G where they are ``scaled``; use it in a ``with`` statement."""
    from tqdm import tqdm

    columns, rows = _terminal_size()
    return tqdm(
        total=total, unit=unit, unit_scale=scaled, disable=None, leave=False, file=sys.stderr, ncols=columns, nrows=rows
    )


def _terminal_size() -> tuple[int | None, int | None]:
    """Columns and rows of stderr; a usual size where a terminal does not say, as tqdm would print nothing there."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return None, None
    return (columns or 80) - 1, rows or 24
