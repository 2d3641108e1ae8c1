"""``platereader read``: plates on picture files."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from platereader._arrays import BgrImage
from platereader._files import MADE_HERE
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.language import Language, add_language_option, language_of
from platereader.cli.parser import with_options
from platereader.cli.parts import add_part_options, build_pipeline, reads_several_countries
from platereader.cli.report import CsvReport, JsonLinesReport, JsonReport, PictureResult, Report, TableReport
from platereader.cli.saving import AnnotatedCopies, Crops
from platereader.cli.sources import (
    LEFT_OUT,
    NO_FILES,
    STDIN,
    VIDEO_SUFFIXES,
    Source,
    all_refused,
    find_sources,
    source_path,
)
from platereader.cli.tables import print_message, progress_bar
from platereader.errors import PlateReaderError
from platereader.pipeline import Pipeline
from platereader.results import PlateReading

_OTHER_KIND = "is not a picture of a known kind"

EXAMPLES = """examples:
  platereader read photo.jpg                    a table of its plates
  platereader read photos/ --jsonl > out.jsonl  a line of JSON as each picture is read
  platereader read 'in/**/*.jpg' --csv > a.csv  a pattern; - reads from a pipe
  platereader read photos/ --save marked/       copies with the plates drawn on
  platereader read photo.jpg --explain          what became of every candidate

exit status: 0 all pictures were read, 1 some failed or a copy could not be
written, 2 wrong options, 3 weights or a package missing or damaged.
"""


def add_read_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader read``."""
    add = parser.add_argument
    add("sources", nargs="+", type=source_path, metavar="SOURCE", help="pictures, folders, patterns, or -")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document in place of a table")
    form.add_argument("--jsonl", action="store_true", help="a line of JSON for each picture, at once")
    form.add_argument("--csv", action="store_true", help="CSV: a row for each plate, at once")
    add("--save", type=Path, metavar="DIR", help="write copies with the readings drawn on")
    add("--save-crops", type=Path, metavar="DIR", help="write the plates as a set to train on")
    add("--explain", action="store_true", help="say where every candidate stopped, and why")
    add_language_option(parser)
    add_part_options(parser)
    parser.set_defaults(run=run_read)


def run_read(arguments: argparse.Namespace) -> int:
    """Read all pictures; one that cannot be read is reported and does not stop the others."""
    from platereader.cli.explain import check_explainable

    language = language_of(arguments)
    results_in = [folder for folder in (arguments.save, arguments.save_crops) if folder is not None]
    skipped = Counter[str]()
    sources = find_sources(arguments.sources, without=results_in, skipped=skipped)
    # Before networks are loaded: these may refuse their folders.
    copies = arguments.save and AnnotatedCopies(
        arguments.save, sources, area=arguments.area, unreadable=language("unreadable")
    )
    crops = None if arguments.save_crops is None else Crops(arguments.save_crops, sources)
    pipeline = cache(partial(build_pipeline, arguments))
    if not all_refused(sources):
        if copies is not None:
            copies.show_country = reads_several_countries(pipeline())
        if arguments.explain:
            check_explainable(pipeline())
        pipeline()  # what is wrong with it is said before the first picture
    savers = [saver for saver in (copies, crops) if saver is not None]
    reader = _Reader(pipeline, savers, arguments.explain, arguments.options)
    report = _report(arguments, sources, language)
    counts = Counter[str]()
    with progress_bar(len(sources), unit="picture") as progress:
        for source in sources:
            for result in reader.read(source):
                progress.clear()
                if result.error is not None:
                    problem = result.error.removeprefix(f"{result.source}: ")
                    print_message(result.error.removesuffix(problem) + language(problem))
                report.add(result)
                counts["failed" if result.error is not None else "done"] += 1
                counts.update(reading.status for reading in result.readings)
            progress.clear()
            for option, problem in reader.problems:
                print_message(f"{option}: {language(problem)}")
            counts["not written"] += len(reader.problems)
            reader.problems.clear()
            progress.update()
    report.end()
    _print_summary(counts, skipped, language)
    return EXIT_FAILED_INPUTS if counts["failed"] or counts["not written"] else EXIT_OK


@dataclass
class _Reader:
    """Everything that is done to one picture; ``problems`` says what could not be written, by the option for it."""

    pipeline: Callable[[], Pipeline]
    savers: Sequence[AnnotatedCopies | Crops]
    explains: bool
    options: Mapping[str, str]
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def read(self, source: Source) -> Iterator[PictureResult]:
        """Read a picture, or every frame of an animated one, and save what was requested."""
        path = "stdin" if source.path == STDIN else str(source.path)
        if source.error is not None:
            yield PictureResult(path, error=source.error)
            return
        try:
            yield from self._read(source, path)
        except MemoryError:
            yield PictureResult(path, error=f"{path} does not fit into memory: shrink or cut it.")
        except (PlateReaderError, OSError) as error:
            problem = with_options(str(error).removeprefix("path "), self.options)
            if source.path.suffix.lower() in VIDEO_SUFFIXES and _OTHER_KIND in problem:
                problem = f"{path!r} is not a picture, and has the name of a video: `platereader watch` takes those."
            yield PictureResult(path, error=problem if repr(path) in problem else f"{path}: {problem}")

    def _read(self, source: Source, path: str) -> Iterator[PictureResult]:
        from platereader.cli.explain import explained
        from platereader.media._images import MAX_IMAGE_BYTES, decode_frames, file_bytes

        stdin = source.path == STDIN
        data = sys.stdin.buffer.read(MAX_IMAGE_BYTES + 1) if stdin else file_bytes(source.path)
        for index, frame in decode_frames(data, path=path):
            pipeline = self.pipeline()
            readings = pipeline.read(frame)
            explanations = explained(pipeline, frame, readings) if self.explains else None
            self._save(source, frame, readings, index)
            height, width = frame.shape[:2]
            yield PictureResult(path, width, height, tuple(readings), explanations=explanations, frame=index)

    def _save(self, source: Source, frame: BgrImage, readings: list[PlateReading], index: int | None) -> None:
        """Save what was requested; what cannot be written is no fault of the picture."""
        for saver in self.savers:
            try:
                saver.save(source, frame, readings, index=index)
            except OSError as error:  # noqa: PERF203
                self.problems.append((saver.option, str(error)))


def _report(arguments: argparse.Namespace, sources: list[Source], language: Language) -> Report:
    if arguments.json:
        return JsonReport()
    if arguments.jsonl:
        return JsonLinesReport()
    return CsvReport() if arguments.csv else TableReport([str(source.path) for source in sources], language)


def _print_summary(counts: Counter[str], skipped: Counter[str], language: Language) -> None:
    """What was found in all, in numbers only, and what was left out."""
    lines: list[str] = []
    if written := skipped.pop(MADE_HERE, 0):
        lines.append(LEFT_OUT.format(count=written))
    no_files = {kind: count for kind in NO_FILES.values() if (count := skipped.pop(kind, 0))}
    if no_files:
        kinds = ", ".join(f"{count} {language(kind)}" for kind, count in no_files.items())
        lines.append(f"no regular files, left out: {kinds}")
    if skipped:
        files = ", ".join(f"{count} {language(ending)}" for ending, count in skipped.most_common())
        lines.append(f"not pictures by their names: {files}")
        if not VIDEO_SUFFIXES.isdisjoint(skipped):
            lines.append("`platereader watch` takes the videos")
    if counts["not written"]:
        lines.append(f"copies and crops not written: {counts['not written']}")
    total = counts["read"] + counts["uncertain"] + counts["unreadable"]
    lines.append(
        f"pictures read: {counts['done']}, failed: {counts['failed']}; plates: {total} ({counts['read']} read, "
        f"{counts['uncertain']} uncertain, {counts['unreadable']} unreadable)"
    )
    for line in lines:
        print_message(language(line), prefix="")
