"""Options that choose the parts of the pipeline, and the pipeline they stand for."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from platereader.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platereader._geometry import Point
    from platereader.pipeline import Pipeline
    from platereader.protocols import Detector


def add_part_options(parser: argparse.ArgumentParser, *, reads: bool = True) -> None:
    """Add the options that name weights, an engine and a precision, and ``--tile`` and ``--region``.

    Args:
        parser: of a command.
        reads: whether the command reads plates; one that only finds them has no ``--recognizer`` and no ``--country``.
    """
    group = parser.add_argument_group("parts")
    group.add_argument(
        "--detector",
        metavar="WEIGHTS",
        help="name of weights, or a file: safetensors, ONNX or .pt (extra ultralytics, AGPL-3.0)",
    )
    if reads:
        group.add_argument("--recognizer", metavar="WEIGHTS", help="name of weights, or a file with its sidecar")
        group.add_argument(
            "--country",
            metavar="CODES",
            help="countries whose plates are read, the preferred first: RU,KZ or all; XX is any country that has no "
            "code of its own here, and not in all (default: those that the weights were made for)",
        )
    else:
        parser.set_defaults(recognizer=None, country=None)
    group.add_argument("--engine", default="auto", help="what runs the networks: torch, onnx, openvino (default: auto)")
    group.add_argument("--precision", default="auto", help="int8, fp32, bf16 (default: auto)")
    group.add_argument("--threads", type=int, metavar="N", help="threads of each network; not with torch")
    group.add_argument("--device", default="cpu", help="cpu, or with torch another one: cuda (default: cpu)")
    group.add_argument("--trust-pickle", action="store_true", help="allow a .pt file to run code while it is loaded")
    group.add_argument(
        "--tile", type=int, metavar="PX", help="look for small plates on overlapping tiles of this size, too: try 960"
    )
    group.add_argument(
        "--region",
        metavar='"X,Y X,Y X,Y ..."',
        help="report only plates whose middle is in this polygon, in pixels of the frame",
    )


def build_pipeline(arguments: argparse.Namespace) -> Pipeline:
    """The pipeline that the options of ``add_part_options`` ask for.

    Raises:
        UnknownNameError: no weights of that name, or no such country.
        WeightsError: weights are missing or altered.
        EngineError: engine and precision do not go together.
        InvalidArgumentError: weights of the wrong kind, weights that lack characters of a country's plates, a tile too
            small, or a region that is no polygon.
        UntrustedPickleError: a ``.pt`` file without ``--trust-pickle``.
    """
    from platereader.pipeline import Pipeline
    from platereader.plates import schemes_of
    from platereader.runtimes import RuntimeOptions

    schemes = None if arguments.country is None else schemes_of(arguments.country)
    region = None if arguments.region is None else _parse_region(arguments.region)
    options = RuntimeOptions(arguments.engine, arguments.precision, arguments.threads, arguments.device)
    detector: str | Detector | None = arguments.detector
    if isinstance(detector, str) and detector.lower().endswith(".pt"):
        from platereader.detection._ultralytics import UltralyticsDetector

        detector = UltralyticsDetector(detector, trust_pickle=arguments.trust_pickle)
    pipeline = Pipeline.build(detector=detector, recognizer=arguments.recognizer, schemes=schemes, runtime=options)
    return _wrapped(pipeline, tile_px=arguments.tile, region=region)


def _wrapped(pipeline: Pipeline, *, tile_px: int | None, region: Sequence[Point] | None) -> Pipeline:
    """The pipeline with its detector run on tiles and restricted to a region, where the options say so."""
    from platereader.detection._region import RegionDetector
    from platereader.detection._tiled import TiledDetector

    detector = pipeline.detector
    if tile_px is not None:
        detector = TiledDetector(detector, tile_px=tile_px, overlap_px=tile_px // 4)
    if region is not None:
        detector = RegionDetector(detector, region)
    return replace(pipeline, parts=replace(pipeline.parts, detector=detector))


def _parse_region(text: str) -> list[Point]:
    """The points of ``x,y x,y x,y ...``."""
    try:
        points = [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]
    except ValueError as error:
        raise InvalidArgumentError(
            f'--region is {text!r}, expected are points in pixels of the frame: "0,400 1280,400 1280,720 0,720".'
        ) from error
    return points


def reads_several_countries(pipeline: Pipeline) -> bool:
    """Whether a drawn plate needs the code of its country."""
    return len(pipeline.schemes.members) > 1
