"""``platereader train export``: trained weights as ONNX files for engines other than torch."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader.cli.exits import EXIT_OK
from platereader.cli.tables import format_table
from platereader.registry import write_sidecar
from platereader.registry._manifest import MANIFEST_NAME, sidecar_of, write_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platereader.registry import WeightFile


def add_export_command(networks: Any) -> None:
    """Describe ``platereader train export``."""
    export: argparse.ArgumentParser = networks.add_parser(
        "export", help="write ONNX files", description="Write weights as ONNX files, for the engines onnx and openvino."
    )
    export.add_argument("weights", nargs="+", metavar="WEIGHTS", help="names of weights, or files with their sidecar")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of everything that is written")
    export.add_argument(
        "--data", type=Path, metavar="DATA", help="labelled sets; with them a detector is written in int8, too"
    )
    export.add_argument("--scenes", type=int, default=200, metavar="N", help="to calibrate int8 on (default: 200)")
    export.add_argument("--seed", type=int, default=0, help="of the choice of scenes (default: 0)")
    export.add_argument(
        "--max-loss",
        type=float,
        default=1.0,
        metavar="POINTS",
        help="points of average precision that int8 may lose (default: 1)",
    )
    export.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write the files and their description: in the folder's weights.json if it has one, in sidecars otherwise."""
    from platereader.registry import Registry

    registry = Registry.default()
    for name in arguments.weights:
        weights = registry.resolve(name, file_format="safetensors")
        written = _detector(weights, arguments) if weights.kind == "detector" else _recognizer(weights, arguments)
        for path in written:
            _describe(path, weights)
            print(path)
    return EXIT_OK


def _recognizer(weights: WeightFile, arguments: argparse.Namespace) -> Iterator[Path]:
    from platereader.lab.training.recognizer.export import export_recognizer

    path = arguments.out / f"{weights.path.stem}.onnx"
    export_recognizer(weights.path, path, settings=weights.settings, alphabet=weights.entry.alphabet)
    yield path


def _detector(weights: WeightFile, arguments: argparse.Namespace) -> Iterator[Path]:
    from platereader.detection._plate_detector import PlateDetector
    from platereader.lab.training.detector.comparison import table
    from platereader.lab.training.detector.material import load_sets
    from platereader.lab.training.detector.quantize import (
        calibration_scenes,
        quantize_detector,
        quantize_torch_detector,
    )
    from platereader.lab.training.export import export_detector

    path, int8 = (arguments.out / f"{weights.path.stem}{suffix}.onnx" for suffix in ("", "-int8"))
    int8_torch = int8.with_suffix(weights.path.suffix)
    export_detector(weights.path, path)
    yield path
    if arguments.data is None:
        return
    sets = load_sets(arguments.data)
    scenes = calibration_scenes(sets, count=arguments.scenes, seed=arguments.seed)
    fp32 = PlateDetector.from_file(path, engine="onnx", settings=weights.settings)
    given: Any = {"scenes": scenes, "sets": sets, "max_loss_points": arguments.max_loss}
    compared = quantize_detector(fp32, path, int8, **given)
    print(format_table(("PICTURES", "FIGURE", "FP32", "INT8"), table(compared)))
    yield int8
    compared = quantize_torch_detector(fp32, weights.path, int8_torch, **given)
    print(format_table(("PICTURES", "FIGURE", "FP32", "INT8, torch"), table(compared)))
    yield int8_torch


def _describe(path: Path, made_of: WeightFile) -> None:
    """Say what a file is; in the precision that it was fitted for, a calibration goes on holding."""
    entry = made_of.entry
    sidecar = write_sidecar(
        path,
        kind=entry.kind,
        settings=entry.settings,
        alphabet=entry.alphabet,
        calibration=entry.calibration,
        licence=entry.licence,
    )
    manifest = path.with_name(MANIFEST_NAME)
    if manifest.is_file():
        sidecar_of(path).unlink()
        write_entry(manifest, replace(sidecar, model=entry.model))
