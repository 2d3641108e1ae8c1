"""What is printed on the terminal: messages, text in columns, progress."""

from __future__ import annotations

import csv
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._files import write_json
from platereader.cli.secrets import without_passwords

if TYPE_CHECKING:
    from tqdm import tqdm

    from platereader.lab.metrics.rates import Rate

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# Spreadsheets compute what begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """The text without passwords, and with what would steer a terminal as escapes.

    These are control characters, line ends, directions of writing.
    """
    text = without_passwords(text)
    return _STEERING.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def print_message(message: str, *, prefix: str = "platereader: ") -> None:
    """Print a line to stderr, apart from the results."""
    print(prefix + printable(message), file=sys.stderr)


def printable_json(text: str) -> str:
    """A JSON document that says the same as ``printable`` of its texts; its own line ends stay."""
    text = without_passwords(text)
    return _STEERING.sub(lambda found: found.group() if found.group() == "\n" else f"\\u{ord(found.group()):04x}", text)


class CsvTable:
    """CSV on stdout, each row printed at once; below the rows that are there where stdout is appended to a file."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
        if not _is_appended():
            self._writer.writeheader()

    def add(self, row: Mapping[str, object]) -> None:
        """Print those cells of a row that the table has; None is an empty one."""
        self._writer.writerow({name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
        sys.stdout.flush()


def _is_appended() -> bool:
    """Whether standard output is a file in which something stands already."""
    try:
        there = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):  # it is no file of the system's
        return False
    return stat.S_ISREG(there.st_mode) and there.st_size > 0


def csv_cell(text: str) -> str:
    """A text for a cell of CSV, which no spreadsheet takes for a formula and no terminal for a command."""
    return f"'{printable(text)}" if text.startswith(_FORMULA) else printable(text)


def table_row(cells: Sequence[str], *, widths: Sequence[int]) -> str:
    """One row: every cell but the last padded to its width in terminal cells, or shortened at its start."""
    *shown, last = map(printable, cells)
    padded = [_fit(cell, width) for cell, width in zip(shown, widths[:-1], strict=True)]
    return "  ".join([*padded, last]).rstrip()


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A whole table with as wide columns as its cells need."""
    table = [header, *rows]
    widths = [max(_width(printable(row[column])) for row in table) for column in range(len(header))]
    return "\n".join(table_row(row, widths=widths) for row in table)


def print_report(table: str, report: Any, path: Path | None) -> None:
    """Print the table of a report, and write the whole of it as JSON where a file is named."""
    print(table)
    if path is not None:
        write_json(path, report.to_dict())


def format_rate(rate: Rate) -> str:
    """Count, n, per cent and 95 % interval."""
    low, high = rate.interval
    return f"{rate.count}/{rate.n} {100 * (rate.value or 0):.2f} % ({100 * low:.2f}-{100 * high:.2f})"


def progress_bar(total: int, *, unit: str, scaled: bool = False) -> tqdm[Any]:
    """A progress bar with the time left, on stderr and only where that is a terminal; use it in a ``with`` statement.

    The ``total`` is of units, which are shown in k, M or G where they are ``scaled``.
    """
    from tqdm import tqdm

    columns, rows = _terminal_size()
    return tqdm(
        total=total, unit=unit, unit_scale=scaled, disable=None, leave=False, file=sys.stderr, ncols=columns, nrows=rows
    )


def _fit(cell: str, width: int) -> str:
    """Exactly ``width`` terminal cells; the end of a path says more than its start."""
    if _width(cell) <= width:
        return cell + " " * (width - _width(cell))
    while cell and _width(cell) >= width:
        cell = cell[1:]
    return "…" + cell


def _width(text: str) -> int:
    """Terminal cells that a text takes."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def _terminal_size() -> tuple[int | None, int | None]:
    """Columns and rows of stderr; a usual size where a terminal does not say, as tqdm would print nothing there."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return None, None
    return (columns or 80) - 1, rows or 24
