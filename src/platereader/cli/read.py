"""``platereader read``: plates on picture files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import platereader
from platereader.cli.document import PictureResult, ReadDocument
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.parts import add_part_options, build_pipeline, reads_several_countries
from platereader.cli.progress import Progress
from platereader.cli.report import CsvReport, Report, SilentReport, TableReport
from platereader.cli.sources import Source, find_sources
from platereader.cli.tables import printable, printable_json
from platereader.errors import PlateReaderError
from platereader.results import PlateReading

if TYPE_CHECKING:
    from platereader.cli.saving import AnnotatedCopies, Crops
    from platereader.pipeline import Pipeline

EXAMPLES = """examples:
  platereader read photo.jpg                        a table of the plates on one photograph
  platereader read photos/ --json > plates.json     a whole folder as one JSON document
  platereader read photos/ --save marked/           copies with the plates outlined and labelled
  platereader read photo.jpg --tile 960             small plates in a big picture, too
  platereader read photos/ --country RU,KZ          Russian and Kazakh plates, with weights that know their letters
  platereader read photo.jpg --explain              what became of every candidate, and why

exit status: 0 all pictures were read (with or without plates), 1 some could not be read, 2 wrong options,
3 weights or an optional package are missing or damaged.
"""


def add_read_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader read``."""
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="picture files and folders of them")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    form.add_argument("--csv", action="store_true", help="print CSV instead of a table: one row per plate")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write copies with the readings drawn on them")
    parser.add_argument(
        "--save-crops", type=Path, metavar="DIR", help="write the plates as a labelled set that fine-tuning takes"
    )
    parser.add_argument(
        "--explain", action="store_true", help="say of every candidate scored 0.05 or more where it stopped and why"
    )
    add_part_options(parser)
    parser.set_defaults(run=run_read)


def run_read(arguments: argparse.Namespace) -> int:
    """Read all pictures; one that cannot be read is reported and does not stop the others."""
    results_in = [folder for folder in (arguments.save, arguments.save_crops) if folder is not None]
    sources = find_sources(arguments.sources, without=results_in)
    reader = _Reader(build_pipeline(arguments), arguments, sources)
    report = _report(arguments, sources)
    results: list[PictureResult] = []
    for result in _with_progress(reader, sources):
        if result.error is not None:
            _print_message(f"platereader: {result.error}")
        report.add(result)
        results.append(result)
    if arguments.json:
        document = ReadDocument(tuple(results), platereader.__version__)
        print(printable_json(json.dumps(document.to_dict(), ensure_ascii=False, indent=2)))
    _print_message(_summary(results))
    return EXIT_FAILED_INPUTS if any(result.error is not None for result in results) else EXIT_OK


class _Reader:
    """Everything that is done to one picture."""

    def __init__(self, pipeline: Pipeline, arguments: argparse.Namespace, sources: list[Source]) -> None:
        from platereader.cli.explain import Explainer
        from platereader.cli.saving import AnnotatedCopies, Crops

        self.pipeline = pipeline
        self.explainer = Explainer(pipeline) if arguments.explain else None
        self.savers: list[AnnotatedCopies | Crops] = []
        if arguments.save is not None:
            several = reads_several_countries(pipeline)
            self.savers.append(AnnotatedCopies(arguments.save, sources, show_country=several))
        if arguments.save_crops is not None:
            self.savers.append(Crops(arguments.save_crops, sources))

    def read(self, source: Source) -> PictureResult:
        """Read one picture and save what was requested."""
        if source.error is not None:
            return PictureResult(str(source.path), error=source.error)
        try:
            return self._read(source)
        except MemoryError:
            return PictureResult(str(source.path), error=f"{source.path} does not fit into memory: shrink or cut it.")
        except (PlateReaderError, OSError) as error:
            return PictureResult(str(source.path), error=f"{source.path}: {error}")

    def _read(self, source: Source) -> PictureResult:
        from platereader.media._images import read_image

        frame = read_image(source.path)
        readings = self.pipeline.read(frame)
        explanations = None if self.explainer is None else self.explainer.explain(frame, readings)
        for saver in self.savers:
            saver.save(source, frame, readings)
        height, width = frame.shape[:2]
        without_pixels = tuple(_without_pixels(reading) for reading in readings)
        return PictureResult(str(source.path), width, height, without_pixels, explanations=explanations)


def _without_pixels(reading: PlateReading) -> PlateReading:
    """The same reading without pixels and posteriors, which would fill the memory over a large folder."""
    return PlateReading.from_dict(reading.to_dict())


def _with_progress(reader: _Reader, sources: list[Source]) -> Iterator[PictureResult]:
    """Results in order, with a bar on a terminal's stderr."""
    with Progress(len(sources), unit="picture") as progress:
        for source in sources:
            result = reader.read(source)
            progress.clear()
            yield result
            progress.advance()


def _report(arguments: argparse.Namespace, sources: list[Source]) -> Report:
    if arguments.json:
        return SilentReport()
    return CsvReport() if arguments.csv else TableReport([str(source.path) for source in sources])


def _summary(results: list[PictureResult]) -> str:
    """What was found in all, in numbers only."""
    statuses = [reading.status for result in results for reading in result.readings]
    counts = ", ".join(f"{statuses.count(status)} {status}" for status in ("read", "uncertain", "unreadable"))
    failed = sum(result.error is not None for result in results)
    return f"pictures read: {len(results) - failed}, failed: {failed}; plates: {len(statuses)} ({counts})"


def _print_message(message: str) -> None:
    """Print a line to stderr, apart from the results."""
    print(printable(message), file=sys.stderr)
