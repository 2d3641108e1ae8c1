"""``platereader train export``: trained weights as ONNX files for engines other than torch."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._files import read_bytes
from platereader.cli.parser import natural, points_lost, positive, refused
from platereader.cli.tables import format_table
from platereader.registry import Registry, WeightFile, write_sidecar
from platereader.registry._manifest import MANIFEST_NAME, MAX_WEIGHT_BYTES, entry_of, write_entry

if TYPE_CHECKING:
    from platereader._loading import DetectorFiles
    from platereader.lab.training.detector.quantize import Exported

    _Written = tuple[Path, WeightFile, Mapping[str, str]]
    """A file, what it is made of, and settings that name files beside it."""


def add_export_command(networks: Any) -> None:
    """Describe ``platereader train export``."""
    export: argparse.ArgumentParser = networks.add_parser(
        "export", help="write ONNX files", description="Write weights as ONNX files, for the engines onnx and openvino."
    )
    add = export.add_argument
    add("weights", nargs="+", metavar="WEIGHTS", help="names of weights, or files with their sidecar")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of everything that is written")
    add("--data", type=Path, metavar="DATA", help="labelled sets; with them a detector is written in int8, too")
    add("--scenes", type=positive, default=200, metavar="N", help="to calibrate int8 on (default: 200)")
    add("--seed", type=natural, default=0, help="of the choice of scenes (default: 0)")
    help_loss = "points of average precision that int8 may lose (default: 1)"
    add("--max-loss", type=points_lost, default=1.0, metavar="POINTS", help=help_loss)
    export.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> None:
    """Write the files and their description: in the folder's weights.json if it has one, in sidecars otherwise."""
    registry = Registry.default()
    for name in arguments.weights:
        weights = registry.resolve(name, file_format="safetensors", precision="fp32")
        if weights.kind == "refiner":
            raise refused("WEIGHTS", name, "the refiner of a detector: name the detector, and both are written.")
        written = _detector(name, arguments) if weights.kind == "detector" else _recognizer(weights, arguments)
        for path, made_of, beside in written:
            _describe(path, made_of, beside)
            print(path)


def _recognizer(weights: WeightFile, arguments: argparse.Namespace) -> Iterator[_Written]:
    from platereader.lab.training.recognizer.export import export_recognizer

    path = arguments.out / f"{weights.path.stem}.onnx"
    export_recognizer(weights, path)
    yield path, weights, {}


def float_detector(name: str) -> DetectorFiles:
    """The float weights of both networks of a detector."""
    from platereader._loading import resolve_detector

    return resolve_detector(name, registry=Registry.default(), file_format="safetensors", precision="fp32")


def _detector(name: str, arguments: argparse.Namespace) -> Iterator[_Written]:
    from platereader.lab.training.detector.comparison import table
    from platereader.lab.training.detector.material import load_sets
    from platereader.lab.training.detector.quantize import calibration_scenes, export_detector, quantize_detector

    files = float_detector(name)
    exported = export_detector(files, arguments.out)
    yield from _pair(exported, files)
    if arguments.data is None:
        return
    sets = load_sets(arguments.data)
    scenes = calibration_scenes(sets, count=arguments.scenes, seed=arguments.seed)
    forms = quantize_detector(exported, files=files, scenes=scenes, sets=sets, max_loss_points=arguments.max_loss)
    for engine, written, compared in forms:
        print(format_table(("PICTURES", "FIGURE", "FP32", f"INT8, {engine}"), table(compared)))
        yield from _pair(written, files)


def _pair(written: Exported, files: DetectorFiles) -> Iterator[_Written]:
    """Finder and refiner; beside each other, the one names the file of the other."""
    yield written.finder, files.finder, {"refiner": written.refiner.name}
    yield written.refiner, files.refiner, {}


def _describe(path: Path, made_of: WeightFile, beside: Mapping[str, str]) -> None:
    """Describe a file as the weights it is made of: in the precision that it was fitted for, a calibration holds on.

    The settings ``beside`` name files beside it, for a sidecar; a manifest has names of models.
    """
    entry, manifest = made_of.entry, path.with_name(MANIFEST_NAME)
    settings = {name: value for name, value in entry.settings.items() if name != "refiner_sha256"} | dict(beside)
    if manifest.is_file():
        settings |= {name: Path(entry.settings[name]).stem for name in beside}
    given: Any = {
        "kind": entry.kind,
        "settings": settings,
        "alphabet": entry.alphabet,
        "calibration": entry.calibration,
        "licence": entry.licence,
    }
    if not manifest.is_file():
        write_sidecar(path, **given)
        return
    data = read_bytes(path, limit_bytes=MAX_WEIGHT_BYTES, what="the weights")
    write_entry(manifest, replace(entry_of(path, data, **given), model=entry.model))
