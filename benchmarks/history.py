"""Accuracy and speed of every release side by side: the tables of their READMEs, kept in ``benchmarks/history.csv``.

``python -m benchmarks.history`` prints each figure of the README beside that of the releases before it, where it was
measured; ``python -m benchmarks.history 0.1.0 README`` those of two alone, in this order. ``--release 0.3.0`` adds the
README's table to the file as that of a release; it is the last step of one.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from platereader._files import write_text
from platereader.cli.tables import format_table

HERE = Path(__file__).resolve().parent
README, HISTORY = HERE.parent / "README.md", HERE / "history.csv"
HEADER = "| what | value | interval | n | split |"
NOW = "README"


class Figure(NamedTuple):
    """A row of a release's table, as it is printed there."""

    release: str
    date: str
    what: str
    value: str
    interval: str
    n: str
    split: str


def readme_figures(text: str, *, release: str, day: str) -> list[Figure]:
    """The rows of the table of figures of a README.

    Raises:
        ValueError: it has no such table.
    """
    lines = text.splitlines()
    if HEADER not in lines:
        raise ValueError(f"README.md has no table that begins with {HEADER!r}.")
    rows: list[Figure] = []
    for line in lines[lines.index(HEADER) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(Figure(release, day, *(cell.strip() for cell in line.strip("|").split("|"))))
    return rows


def kept_figures(text: str) -> list[Figure]:
    """The rows of the history file."""
    return [Figure(*row) for row in csv.reader(text.splitlines()[1:])]


def as_csv(figures: Sequence[Figure]) -> str:
    """The history file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([Figure._fields, *figures])
    return text.getvalue()


def beside(figures: Sequence[Figure]) -> str:
    """A table of what each release has, one row a figure, in the order of the last release."""
    releases = list(dict.fromkeys(one.release for one in figures))
    by_key = {(_key(one.what), one.release): f"{one.value} ({one.interval}), n {one.n}" for one in figures}
    names = {_key(one.what): one.what for one in figures}
    last = [_key(one.what) for one in figures if one.release == releases[-1]]
    order = list(dict.fromkeys([*last, *names]))
    rows = [(names[key], *(by_key.get((key, release), "-") for release in releases)) for key in order]
    return format_table(("what", *releases), rows)


def _key(what: str) -> str:
    """What makes two rows the same figure: the text without what stands in brackets."""
    return what.partition(" (")[0] + what.partition(")")[2]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shown", nargs="*", metavar="VERSION", help=f"releases to print, or {NOW}; all by default")
    parser.add_argument("--release", metavar="VERSION", help="add the README's figures as those of a release")
    given = parser.parse_args(arguments)
    kept = kept_figures(HISTORY.read_text(encoding="utf-8"))
    today = f"{datetime.now(timezone.utc).date()}"
    current = readme_figures(README.read_text(encoding="utf-8"), release=given.release or NOW, day=today)
    if given.release in {one.release for one in kept}:
        parser.error(f"{HISTORY.name} has {given.release} already: give the version of a new release.")
    known = list(dict.fromkeys(one.release for one in [*kept, *current]))
    unknown = [version for version in given.shown if version not in known]
    if unknown:
        parser.error(f"no figures of {', '.join(unknown)}: there are those of {', '.join(known)}.")
    chosen = list(dict.fromkeys(given.shown)) or known
    print(beside([one for version in chosen for one in [*kept, *current] if one.release == version]))
    if given.release is not None:
        write_text(HISTORY, as_csv([*kept, *current]))


if __name__ == "__main__":
    main()
