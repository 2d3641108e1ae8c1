"""How passages are printed as they come: lines of JSON, CSV or a table."""

from __future__ import annotations

import csv
import json
import math
import sys
from typing import Any, Protocol

from platereader.cli.tables import table_row
from platereader.cli.watch.events import Ended, PlateEvent, Started
from platereader.results import TrackedPlate

_HEADER = ("FROM", "TO", "PLATE", "LOCAL", "COUNTRY", "CONFIDENCE", "STATUS", "READINGS", "REGION OR REASON")
_WIDTHS = (8, 8, 10, 10, 7, 10, 10, 8, 0)
_CSV_HEADER = (
    "passage_id",
    "text",
    "text_local",
    "confidence",
    "status",
    "reason",
    "settled",
    "country",
    "format",
    "region_code",
    "readings",
    "first_seen_s",
    "last_seen_s",
    "first_seen_at",
    "best_frame_index",
    "crop",
)


class Report(Protocol):
    """Takes events one by one; every line is flushed, so that a program behind a pipe gets it at once."""

    def start(self, started: Started) -> None:
        """Before the first frame."""
        ...

    def add(self, event: PlateEvent) -> None:
        """Print what there is to print of an event."""
        ...

    def end(self, ended: Ended) -> None:
        """After the last event."""
        ...


class JsonReport:
    """One line of JSON for each event, from ``started`` to ``ended``."""

    def start(self, started: Started) -> None:
        """The first line."""
        self._print(started.to_dict())

    def add(self, event: PlateEvent) -> None:
        """A line."""
        self._print(event.to_dict())

    def end(self, ended: Ended) -> None:
        """The last line."""
        self._print(ended.to_dict())

    def _print(self, line: dict[str, Any]) -> None:
        print(json.dumps(line, ensure_ascii=False), flush=True)


class CsvReport:
    """CSV with a header, and one row for each finished passage."""

    def start(self, started: Started) -> None:
        """The header."""
        self._started = started
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._row(_CSV_HEADER)

    def add(self, event: PlateEvent) -> None:
        """A row when the passage has finished."""
        if event.kind != "finished":
            return
        plate = event.plate
        seen_at = self._started.at(plate.first_seen_s)
        self._row(
            (
                plate.passage_id,
                plate.text or "",
                plate.text_local or "",
                round(plate.confidence, 4),
                plate.status,
                plate.reason or "",
                plate.settled,
                plate.country or "",
                plate.format or "",
                "" if plate.region is None else plate.region.code,
                plate.readings,
                round(plate.first_seen_s, 3),
                round(plate.last_seen_s, 3),
                "" if seen_at is None else seen_at.isoformat(timespec="milliseconds"),
                plate.best_frame_index,
                event.crop or "",
            )
        )

    def end(self, ended: Ended) -> None:
        """Nothing: the rows are the document."""

    def _row(self, cells: tuple[object, ...]) -> None:
        self._writer.writerow(cells)
        sys.stdout.flush()


class TableReport:
    """A table with one row for each finished passage."""

    def start(self, started: Started) -> None:
        """The header."""
        self._started = started
        self._print(_HEADER)

    def add(self, event: PlateEvent) -> None:
        """A row when the passage has finished."""
        if event.kind != "finished":
            return
        plate = event.plate
        percent = f"{math.floor(100 * plate.confidence)} %" if plate.text else ""
        times = (self._time(plate.first_seen_s), self._time(plate.last_seen_s))
        spelt = (plate.text or "-", plate.text_local or "", plate.country or "")
        self._print((*times, *spelt, percent, plate.status, str(plate.readings), _note(plate)))

    def end(self, ended: Ended) -> None:
        """Nothing: the summary is not for whoever reads the results."""

    def _time(self, timestamp_s: float) -> str:
        """The time of day before a camera, minutes and seconds in a video."""
        time = self._started.at(timestamp_s)
        minutes, seconds = divmod(math.floor(10 * timestamp_s) / 10, 60)
        return f"{minutes:.0f}:{seconds:04.1f}" if time is None else f"{time:%H:%M:%S}"

    def _print(self, cells: tuple[str, ...]) -> None:
        print(table_row(cells, widths=_WIDTHS), flush=True)


def _note(plate: TrackedPlate) -> str:
    """The region of a sure text, the reason of any other."""
    if plate.reason is not None:
        return plate.reason.replace("_", " ")
    return "" if plate.region is None else plate.region.name
