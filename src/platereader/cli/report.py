"""What ``platereader read`` finds on a picture, and how that is printed while pictures are read."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import platereader
from platereader.cli.language import Language
from platereader.cli.tables import CsvTable, printable, printable_json, table_row
from platereader.results import Detection, HasVerdict, PlateReading

SCHEMA = 2
"""Version of the form of results in JSON; grows when a field changes its meaning or goes."""

Stage: TypeAlias = Literal["detector", "decoder", "trust", "passed"]
"""Where a candidate stopped, or that it did not."""

_HEADER = ("PICTURE", "PLATE", "LOCAL", "COUNTRY", "CONFIDENCE", "STATUS", "REGION OR REASON")
_MAX_PICTURE_CELLS = 48
_CSV_HEADER = (
    "source", "text", "text_local", "confidence", "status", "reason", "country", "format", "region_code",
    "x1", "y1", "x2", "y2", "error", "frame", "number",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far one candidate of the detector came, and why not further.

    Attributes:
        stage: ``detector``, ``decoder``, ``trust``, or ``passed`` when its reading has the status ``read``.
        why: one sentence.
        text: what was read, if it came that far.
    """

    detection: Detection
    stage: Stage
    why: str
    text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"detection": self.detection.to_dict(), "stage": self.stage, "why": self.why, "text": self.text}


@dataclass(frozen=True, slots=True)
class PictureResult:
    """One picture file: what was read on it, or why it could not be read.

    Attributes:
        source: path as given, or as found below the folder that was given.
        readings: best detection first.
        error: what went wrong; None when nothing did.
        explanations: best score first; None when they were not requested.
        frame: index of it in an animated picture, from 0; None for any other.
    """

    source: str
    width: int | None = None
    height: int | None = None
    readings: tuple[PlateReading, ...] = ()
    error: str | None = None
    explanations: tuple[Explanation, ...] | None = None
    frame: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        explanations = None if self.explanations is None else [item.to_dict() for item in self.explanations]
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "error": self.error,
            "readings": [reading.to_dict() for reading in self.readings],
            "explanations": explanations,
            "frame": self.frame,
        }


class Report:
    """Takes results one by one, and prints them."""

    def add(self, result: PictureResult) -> None:
        """Print what there is to print of one picture."""

    def end(self) -> None:
        """Print what is left, after the last picture."""


class JsonReport(Report):
    """One JSON document, printed at the end; kept as dictionaries, as pictures would fill the memory."""

    def __init__(self) -> None:
        self._pictures: list[dict[str, Any]] = []

    def add(self, result: PictureResult) -> None:
        """Keep it for the document."""
        self._pictures.append(result.to_dict())

    def end(self) -> None:
        """Print the document."""
        document = {"schema": SCHEMA, "version": platereader.__version__, "pictures": self._pictures}
        print(printable_json(json.dumps(document, ensure_ascii=False, indent=2)))


class JsonLinesReport(Report):
    """One line of JSON for each picture, with the schema of the document."""

    def add(self, result: PictureResult) -> None:
        """Print the line."""
        line = {"schema": SCHEMA, **result.to_dict()}
        print(printable_json(json.dumps(line, ensure_ascii=False)), flush=True)


class TableReport(Report):
    """A table with one row per plate; all ``sources`` that will come say how wide the first column is."""

    def __init__(self, sources: Sequence[str], language: Language) -> None:
        longest = max((len(source) for source in sources), default=0)
        self._language = language
        self._header = tuple(map(language, _HEADER))
        picture_cells = min(max(longest, len(self._header[0])), _MAX_PICTURE_CELLS)
        self._widths = (picture_cells, 10, 10, 7, 11, 12, 0)
        self._started = False

    def add(self, result: PictureResult) -> None:
        """Print the plates of one picture, and the explanations if there are any."""
        if result.error is not None:
            return
        if not self._started:
            self._print(self._header)
            self._started = True
        name = result.source if result.frame is None else f"{result.source}#{result.frame}"
        for reading in result.readings:
            self._print((name, *_cells(reading, self._language)))
        if not result.readings:
            self._print((name, "-", "", "", "", "", self._language("no plate found")))
        for explanation in result.explanations or ():
            print(printable(_explained(explanation, self._language)))

    def _print(self, cells: Sequence[str]) -> None:
        print(table_row(cells, widths=self._widths), flush=True)


class CsvReport(Report):
    """CSV with one row per plate; a picture without plates has one row without text."""

    def __init__(self) -> None:
        self._table = CsvTable(_CSV_HEADER)

    def add(self, result: PictureResult) -> None:
        """Print the rows of one picture."""
        for row in [_csv_row(reading) for reading in result.readings] or [{}]:
            self._table.add({"source": result.source, "error": result.error, "frame": result.frame, **row})


def verdict_cells(seen: HasVerdict, language: Language) -> tuple[str, ...]:
    """Text, local spelling, country, confidence, status, and the region of a sure text or the reason of any other.

    A confidence is rounded down, so that only certainty is 100 %.
    """
    percent = f"{math.floor(100 * seen.confidence)} %" if seen.text else ""
    sure = seen.reason is None
    note = language.region(seen.region, country=seen.country) if sure else language(str(seen.reason).replace("_", " "))
    return seen.text or "-", seen.text_local or "", seen.country or "", percent, language(seen.status), note


def _cells(reading: PlateReading, language: Language) -> tuple[str, ...]:
    """All cells but the picture; which characters are in doubt stands behind the reason."""
    *cells, note = verdict_cells(reading, language)
    doubtful = reading.reason is not None and reading.masked_text not in {None, reading.text}
    return *cells, f"{note}: {reading.masked_text}" if doubtful else note


def _csv_row(reading: PlateReading) -> dict[str, Any]:
    row = reading.to_row()
    edges = {name: round(row[name], 1) for name in ("x1", "y1", "x2", "y2") if row[name] is not None}
    return {**row, **edges, "confidence": round(reading.confidence, 4)}


def _explained(explanation: Explanation, language: Language) -> str:
    box = explanation.detection.box
    place = f"{box.x1:.0f},{box.y1:.0f} {box.width:.0f}x{box.height:.0f} px"
    candidate = language(f"candidate {explanation.detection.score:.2f} at {place}")
    return f"    {candidate}: {language(explanation.stage)}: {language(explanation.why)}"
