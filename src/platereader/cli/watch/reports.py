"""How passages are printed as they come: lines of JSON, CSV or a table."""

from __future__ import annotations

import json
import math

from platereader.cli.language import Language
from platereader.cli.report import verdict_cells
from platereader.cli.tables import CsvTable, printable, printable_json, table_row
from platereader.cli.watch.events import Ended, PlateEvent, Started

_HEADER = ("FROM", "TO", "PLATE", "LOCAL", "COUNTRY", "CONFIDENCE", "STATUS", "READINGS", "REGION OR REASON")
_WIDTHS = (8, 8, 10, 10, 7, 11, 12, 8, 0)
_CSV_HEADER = (
    "passage_id", "text", "text_local", "confidence", "status", "reason", "settled", "country", "format", "region_code",
    "readings", "first_seen_s", "last_seen_s", "first_seen_at", "best_frame_index", "crop", "last_seen_at", "source",
    "number",
)  # fmt: skip


class Report:
    """Takes events one by one; every line is flushed, so that a program behind a pipe gets it at once."""

    def start(self, event: Started) -> None:
        """Before the first frame of each source."""

    def add(self, event: PlateEvent) -> None:
        """Print what there is to print of an event."""

    def end(self, event: Ended) -> None:
        """After the last event of each source."""


class JsonReport(Report):
    """One line of JSON for each event, from ``started`` to ``ended`` of each source."""

    def start(self, event: Started) -> None:
        """Print the line."""
        _print_line(event)

    def add(self, event: PlateEvent) -> None:
        """Print the line."""
        _print_line(event)

    def end(self, event: Ended) -> None:
        """Print the line."""
        _print_line(event)


def _print_line(event: Started | PlateEvent | Ended) -> None:
    print(printable_json(json.dumps(event.to_dict(), ensure_ascii=False)), flush=True)


class CsvReport(Report):
    """CSV with one row for each finished passage."""

    def __init__(self) -> None:
        self._table: CsvTable | None = None

    def start(self, event: Started) -> None:
        """The header, once, if it is not there yet."""
        del event
        self._table = self._table or CsvTable(_CSV_HEADER)

    def add(self, event: PlateEvent) -> None:
        """A row when the passage has finished."""
        if event.kind != "finished" or self._table is None:
            return
        plate, started = event.plate, event.started
        row = {
            "confidence": round(plate.confidence, 4),
            "first_seen_s": round(plate.first_seen_s, 3),
            "last_seen_s": round(plate.last_seen_s, 3),
            "first_seen_at": started.iso_at(plate.first_seen_s),
            "last_seen_at": started.iso_at(plate.last_seen_s),
            "crop": event.crop,
            "source": started.source,
        }
        self._table.add({**plate.to_row(), **row})


class TableReport(Report):
    """A table with one row for each finished passage, with ``name_sources`` below the name of its source."""

    def __init__(self, *, name_sources: bool, language: Language) -> None:
        self._name_sources = name_sources
        self._language = language
        self._started: Started | None = None

    def start(self, event: Started) -> None:
        """The header, once, and the name of the source where there are several."""
        if self._started is None:
            self._print(tuple(map(self._language, _HEADER)))
        self._started = event
        if self._name_sources:
            print(printable(event.source), flush=True)

    def add(self, event: PlateEvent) -> None:
        """A row when the passage has finished."""
        if event.kind != "finished":
            return
        plate = event.plate
        times = (_time(event.started, plate.first_seen_s), _time(event.started, plate.last_seen_s))
        *cells, note = verdict_cells(plate, self._language)
        self._print((*times, *cells, str(plate.readings), note))

    def _print(self, cells: tuple[str, ...]) -> None:
        print(table_row(cells, widths=_WIDTHS), flush=True)


def _time(started: Started, timestamp_s: float) -> str:
    """The time of day where it is known, else minutes and seconds from the start of the video."""
    time = started.at(timestamp_s)
    minutes, seconds = divmod(math.floor(10 * timestamp_s) / 10, 60)
    return f"{minutes:.0f}:{seconds:04.1f}" if time is None else f"{time:%H:%M:%S}"
