"""``platereader train calibrate``: what the confidence of a reader is worth, of one picture and of many frames."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader import _defaults as defaults
from platereader._dependencies import check_installed
from platereader._files import make_folder, write_json
from platereader.cli.parser import natural
from platereader.cli.tables import format_rate, format_table
from platereader.cli.weights import recognizer_weights
from platereader.protocols import CTCDecoder, Recognizer
from platereader.registry import write_sidecar
from platereader.registry._manifest import sidecar_of
from platereader.trust import Calibration, TrustPolicy

if TYPE_CHECKING:
    from platereader.lab.metrics.rates import Rate

_TRACKS = 3600

OPTIONS = (
    ("count", natural, "plates to calibrate on; 0 keeps the calibration of single readings that the weights have"),
    ("tracks", natural, f"tracks of plates to calibrate fusion on; 0 leaves it out (default: {_TRACKS})"),
    ("negatives", Path, "labelled set whose pictures without plates are backgrounds"),
)
"""Options of the command: name, type and meaning of each."""


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Fit the confidence of a reader with the default decoder, say how well it holds, and keep it."""
    from platereader._loading import load_recognizer

    check_installed("torch", "safetensors", extra="train")  # before weights are loaded
    weights = recognizer_weights(arguments.weights)
    recognizer = load_recognizer(weights)
    decoder = defaults.default_decoder(recognizer.alphabet)
    options = given_options(arguments)
    tracks = options.pop("tracks", _TRACKS)
    report: dict[str, Any] = {"sha256": weights.sha256}
    if recognizer.calibration is not None and options.get("count") == 0:
        known = Calibration.from_dict(recognizer.calibration)
    else:
        parts = (recognizer, decoder, recognizer.runtime.precision)
        known, report["single"] = _calibrate_single(*parts, data=arguments.data, options=options)
    fitted, report["fusion"] = _calibrate_fusion(recognizer, decoder, known, data=arguments.data, tracks=tracks)
    report["calibration"] = fitted.to_dict()
    make_folder(arguments.out)
    write_json(arguments.out / "calibration.json", report)
    if sidecar_of(weights.path).exists():
        write_sidecar(
            weights.path,
            kind="recognizer",
            settings=weights.settings,
            alphabet=weights.entry.alphabet,
            calibration=fitted.to_dict(),
            licence=weights.entry.licence,
        )
    print(arguments.out / "calibration.json")


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Those of a command's own options that stand on the command line."""
    return {name: getattr(arguments, name) for name in arguments.names if hasattr(arguments, name)}


def _calibrate_single(
    recognizer: Recognizer, decoder: CTCDecoder, precision: str, *, data: Sequence[Path], options: Mapping[str, Any]
) -> tuple[Calibration, dict[str, Any]]:
    """The calibration of single readings, and how well it holds."""
    from platereader._loading import load_detector
    from platereader.lab.training.trust import calibrate

    detector = load_detector(defaults.DETECTOR_WEIGHTS) if data else None
    plates = calibrate.calibration_plates(data, alphabet=recognizer.alphabet, detector=detector, **options)
    readings = calibrate.calibration_examples(recognizer, decoder, plates)
    fitted, figures = calibrate.calibrate(readings, precision=precision, decoder=defaults.decoder_name(decoder))
    right = sum(one.right for one in readings)
    print(f"{len(plates)} plates, {len(readings)} with a candidate, {right} right; on a third not fitted on: {figures}")
    let_through = {
        name: calibrate.policy_outcome(recognizer, decoder, plates, policy=policy)._asdict()
        for name, policy in _presets(fitted).items()
    }
    return fitted, {"figures": figures, "policies": _printed(let_through, what="RIGHT")}


def _presets(calibration: Calibration) -> dict[str, TrustPolicy]:
    presets = {"strict": TrustPolicy.strict(), "lenient": TrustPolicy.lenient()}
    return {name: replace(policy, calibration=calibration) for name, policy in presets.items()}


def _printed(let_through: Mapping[str, Mapping[str, Rate]], *, what: str) -> dict[str, Any]:
    """Print what each policy lets through, and return it in a form for JSON."""
    rows = [(name, *map(format_rate, rates.values())) for name, rates in let_through.items()]
    print(format_table(("POLICY", what, "READ", "WRONG OF READ"), rows))
    return {name: {field: rate.to_dict() for field, rate in rates.items()} for name, rates in let_through.items()}


def _calibrate_fusion(
    recognizer: Recognizer, decoder: CTCDecoder, single: Calibration, *, data: Sequence[Path], tracks: int
) -> tuple[Calibration, Mapping[str, Any] | None]:
    """The calibration with that of many frames, and how well it holds; as it is where there is nothing to fit it on."""
    from platereader._loading import load_detector
    from platereader.lab.datasets.photographs import load_photographs
    from platereader.lab.training.trust import fusion

    images = [image for folder in data for image in load_photographs(folder).images]
    detector = load_detector(defaults.DETECTOR_WEIGHTS) if images else None
    plates = fusion.fusion_plates(images, alphabet=recognizer.alphabet, detector=detector)
    if not plates or not tracks:
        print(f"fusion is not calibrated: {len(plates)} plates, {tracks} tracks")
        return single, None
    policy = _presets(single)["strict"]
    read = fusion.read_tracks(recognizer, decoder, plates, trust=policy, count=tracks)
    fitted, figures = fusion.fit_fusion(read, single=single, alphabet=recognizer.alphabet)
    print(f"{tracks} tracks of {len(plates)} plates; on a sixth that was not fitted on: {figures}")
    let_through = {
        name: fusion.fused_policy_outcome(read, trust=policy, alphabet=recognizer.alphabet)._asdict()
        for name, policy in _presets(fitted).items()
    }
    return fitted, {"figures": figures, "policies": _printed(let_through, what="TRACKS RIGHT")}
