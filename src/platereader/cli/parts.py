"""Options that choose the parts of the pipeline, and the pipeline they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from platereader._geometry import Point
from platereader.cli.language import Language, language_of
from platereader.cli.parser import points, share, thread_count
from platereader.cli.tables import print_message
from platereader.errors import InvalidArgumentError
from platereader.pipeline import Pipeline
from platereader.plates import schemes_of
from platereader.protocols import Detector
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._options import ENGINES


def add_part_options(parser: argparse.ArgumentParser, *, reads: bool = True) -> None:
    """Add the options of what is looked for and where, and those that choose networks and how they run.

    A command that only finds plates, and does not read them, has no ``--recognizer`` and ``--country``, and its own
    ``--min-score``.
    """
    if reads:
        parser.add_argument("--country", metavar="CODES", help="whose plates, preferred first: RU,KZ or all")
        parser.add_argument("--min-score", type=share, metavar="S", help="lowest score of a detection, 0 to 1")
    else:
        parser.set_defaults(recognizer=None, country=None)
    others = "" if reads else "; those outside stay open"
    area_help = f"only plates in this polygon, in pixels{others}"
    parser.add_argument("--area", type=points, metavar='"X,Y ..."', help=area_help)
    parser.add_argument("--tile", type=int, metavar="PX", help="small plates in big frames, on tiles: try 960")
    group = parser.add_argument_group("networks")
    group.add_argument("--detector", metavar="WEIGHTS", help="a name, or a file: safetensors, ONNX, .pt")
    if reads:
        group.add_argument("--recognizer", metavar="WEIGHTS", help="a name, or a file with its sidecar")
    precisions = dict.fromkeys(precision for offered in ENGINES.values() for precision in offered)
    for option, known in (("--engine", ("auto", *ENGINES)), ("--precision", ("auto", *precisions))):
        group.add_argument(option, choices=known, metavar="NAME", default="auto", help=", ".join(known))
    group.add_argument("--threads", type=thread_count, metavar="N", help="of each network; not with torch")
    group.add_argument("--device", default="cpu", help="cpu, or with torch another: cuda")
    group.add_argument("--trust-pickle", action="store_true", help="let a .pt file run code as it is loaded")


def build_pipeline(arguments: argparse.Namespace) -> Pipeline:
    """The pipeline that the options of ``add_part_options`` ask for; says where ``--threads`` decides on an engine."""
    if arguments.engine == "torch" and arguments.threads is not None:
        raise InvalidArgumentError(
            f"--threads is {arguments.threads}, and --engine torch has one number for the whole process: leave it out "
            "and set the variable OMP_NUM_THREADS, or choose another engine."
        )
    schemes = None if arguments.country is None else schemes_of(arguments.country)
    options = RuntimeOptions(arguments.engine, arguments.precision, arguments.threads, arguments.device)
    detector: str | Detector | None = arguments.detector
    if isinstance(detector, str) and detector.lower().endswith(".pt"):
        from platereader.detection._ultralytics import UltralyticsDetector

        detector = UltralyticsDetector(detector, trust_pickle=arguments.trust_pickle)
    pipeline = Pipeline.build(
        detector=detector,
        recognizer=arguments.recognizer,
        schemes=schemes,
        min_score=arguments.min_score,
        runtime=options,
    )
    if arguments.threads is not None:
        _say_which_engine(pipeline, language_of(arguments))
    return _wrapped(pipeline, tile_px=arguments.tile, area=arguments.area)


def _say_which_engine(pipeline: Pipeline, language: Language) -> None:
    """Say on stderr which networks run with another engine because of ``--threads``."""
    for part in pipeline.describe():
        if part.note is not None and "threads is" in part.note:
            told = (
                f"--threads: the {part.part} runs with {part.engine} {part.precision}, as torch, which is faster here, "
                "takes no number of threads."
            )
            print_message(language(told))


def _wrapped(pipeline: Pipeline, *, tile_px: int | None, area: Sequence[Point] | None) -> Pipeline:
    """The pipeline with its detector run on tiles and restricted to an area, where the options say so."""
    from platereader.detection._region import RegionDetector
    from platereader.detection._tiled import TiledDetector

    detector = pipeline.detector
    if tile_px is not None:
        detector = TiledDetector(detector, tile_px=tile_px, overlap_px=tile_px // 4)
    if area is not None:
        detector = RegionDetector(detector, area)
    return replace(pipeline, parts=replace(pipeline.parts, detector=detector))


def reads_several_countries(pipeline: Pipeline) -> bool:
    """Whether a drawn plate needs the code of its country."""
    return len(pipeline.schemes.members) > 1
