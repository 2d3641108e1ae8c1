"""A progress bar with the time left, on stderr and only where that is a terminal."""

from __future__ import annotations

import os
import sys

from typing_extensions import Self


class Progress:
    """A bar for ``total`` units, in k, M or G where they are ``scaled``; use it in a ``with`` statement."""

    def __init__(self, total: int, *, unit: str, scaled: bool = False) -> None:
        from tqdm import tqdm

        columns, rows = _terminal_size()
        self._bar = tqdm(
            total=total,
            unit=unit,
            unit_scale=scaled,
            disable=None,
            leave=False,
            file=sys.stderr,
            ncols=columns,
            nrows=rows,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """``count`` more units are done."""
        self._bar.update(count)

    def clear(self) -> None:
        """Remove the bar from the screen before something is printed."""
        self._bar.clear()


def _terminal_size() -> tuple[int | None, int | None]:
    """Columns and rows of stderr; a usual size where a terminal does not say, as tqdm would print nothing there."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return None, None
    return (columns or 80) - 1, rows or 24
