"""From names, paths, files and parts to a pipeline that says what it runs and has the calibration of its weights."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import PatchDetector, PatchRecognizer
from platereader import (
    EngineError,
    InvalidArgumentError,
    PartDescription,
    Pipeline,
    Registry,
    RuntimeOptions,
    TrustPolicy,
    UnknownNameError,
    UntrustedPickleError,
    WeightsCorruptError,
)
from platereader._defaults import DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS, decoder_name, default_decoder
from platereader._loading import resolve_detector
from platereader.detection import PlateDetector, RegionDetector, TiledDetector
from platereader.plates import RUSSIAN
from platereader.recognition import CtcRecognizer
from platereader.registry import write_sidecar
from platereader.trust import Calibration
from platereader.trust._calibration import FEATURES
from small_networks import SMALL, plates, write_small

ONNX = RuntimeOptions("onnx", "fp32")
CALIBRATION = Calibration(1.0, (0.0,) * len(FEATURES), 10, "fp32", decoder_name(default_decoder(RUSSIAN)))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small reader of one's own with its sidecar."""
    path, _ = write_small(tmp_path_factory.mktemp("own"))
    write_sidecar(path, kind="recognizer", settings=SMALL, calibration=CALIBRATION.to_dict())
    return path


def test_names_paths_files_and_parts_are_the_same_pipeline() -> None:
    files = [Registry.default().resolve(name) for name in (DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS)]
    pair = resolve_detector(DETECTOR_WEIGHTS, registry=Registry.default())
    parts = PlateDetector.from_weights(*pair, options=ONNX), CtcRecognizer.from_weights(files[1], options=ONNX)
    given: list[tuple[Any, Any]] = [
        (None, None),
        (DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS),
        (files[0].path, str(files[1].path)),
        (files[0], files[1]),
        parts,
    ]
    built = [Pipeline.build(detector=detector, recognizer=reader, runtime=ONNX) for detector, reader in given]
    described = [[replace(part, note=None) for part in pipeline.describe()] for pipeline in built]
    assert described == [described[0]] * len(given)
    assert described[0][0].sha256 == files[0].sha256
    expected = files[0].settings["pair"]["min_score"]
    assert [getattr(pipeline.detector, "min_score", None) for pipeline in built] == [expected] * len(given)
    for pipeline in built:
        assert isinstance(pipeline.trust, TrustPolicy)
        assert pipeline.trust.calibration == Calibration.from_dict(files[1].entry.calibration or {})


def test_a_calibration_comes_with_the_part_in_its_precision_only(reader: Path) -> None:
    for given in (reader, CtcRecognizer.from_weights(Registry.default().resolve(reader))):
        trust = Pipeline.build(detector=PatchDetector(), recognizer=given).trust
        assert isinstance(trust, TrustPolicy)
        assert trust.calibration == CALIBRATION
    assert (
        CtcRecognizer.from_weights(
            Registry.default().resolve(reader), options=RuntimeOptions(precision="bf16")
        ).calibration
        is None
    )
    assert CtcRecognizer.from_file(reader, settings=SMALL).calibration is None  # its sidecar is not looked at


def test_a_description_comes_with_the_part_also_inside_of_others() -> None:
    detector = Pipeline.build(recognizer=PatchRecognizer(), runtime=ONNX).detector
    wrapped = RegionDetector(TiledDetector(detector), [(0, 0), (100, 0), (100, 100)])
    plain, inside = (
        Pipeline.build(detector=given, recognizer=PatchRecognizer()).describe()[0] for given in (detector, wrapped)
    )
    assert (plain.weights, plain.engine, plain.precision) == (DETECTOR_WEIGHTS, "onnx", "fp32")
    assert re.fullmatch("with plate-refiner [0-9a-f]{12}; as requested", plain.note or "")
    assert inside == replace(plain, implementation="RegionDetector(TiledDetector(PlateDetector))")


def test_a_part_of_ones_own_may_describe_and_calibrate_itself() -> None:
    @dataclass(frozen=True)
    class Own(PatchRecognizer):
        calibration: Any = None

        @property
        def description(self) -> PartDescription:
            """What it is."""
            return PartDescription("?", "?", weights="mine", engine="abacus")

    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=Own(calibration=CALIBRATION.to_dict()))
    part = pipeline.describe()[1]
    assert (part.part, part.implementation, part.weights, part.engine) == ("recognizer", "Own", "mine", "abacus")
    assert isinstance(pipeline.trust, TrustPolicy)
    assert pipeline.trust.calibration == CALIBRATION


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"detector": "yolo"}, UnknownNameError, "no weights are called 'yolo', known are plate-detector, plate-ref"),
        ({"detector": "plate-detectr"}, UnknownNameError, "Did you mean 'plate-detector'"),
        ({"detector": RECOGNIZER_WEIGHTS}, InvalidArgumentError, "which are weights of a recognizer"),
        ({"recognizer": "plate-finder.onnx"}, InvalidArgumentError, "which are weights of a detector"),
        ({"detector": "plates.pt"}, UntrustedPickleError, r"may run any code.*UltralyticsDetector\(path, trust_pickle"),
        ({"recognizer": "reader.pt"}, UntrustedPickleError, "may run any code .*: export it to ONNX\\.$"),
        ({"detector": ""}, UnknownNameError, "no weights are called ''"),
        ({"detector": 5}, InvalidArgumentError, "detector is"),
        ({"recognizer": PatchDetector()}, InvalidArgumentError, "recognizer is"),
    ],
)
def test_what_is_no_detector_or_recognizer_is_refused_when_built(
    parts: dict[str, Any], error: type[Exception], says: str
) -> None:
    fakes: dict[str, Any] = {"detector": PatchDetector(), "recognizer": PatchRecognizer()}
    with pytest.raises(error, match=says):
        Pipeline.build(**{**fakes, **parts})


def test_shortcuts_stand_in_the_place_of_the_options(reader: Path) -> None:
    def built(**options: Any) -> PartDescription:
        return Pipeline.build(detector=PatchDetector(), recognizer="plate-recognizer", **options).describe()[1]

    part = built(runtime=RuntimeOptions("torch", "fp32"), engine="onnx", threads=1)
    assert (part.engine, part.precision, part.threads) == ("onnx", "fp32", 1)
    with pytest.raises(EngineError, match="'onnx' does not offer precision 'bf16'"):
        built(runtime=RuntimeOptions(precision="bf16"), engine="onnx")
    with pytest.raises(EngineError, match="no recognizer runs with engine 'onnx'"):
        Pipeline.build(detector=PatchDetector(), recognizer=reader, engine="onnx")


def test_an_alphabet_of_ones_own_comes_with_the_weights(reader: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(reader.read_bytes())
    characters = RUSSIAN.characters[::-1]
    write_sidecar(path, kind="recognizer", settings=SMALL, alphabet=characters)
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=path)
    assert pipeline.recognizer.alphabet.characters == pipeline.decoder.alphabet.characters == characters
    assert np.isfinite(pipeline.recognizer.recognize(plates(1))).any()
    write_sidecar(path, kind="recognizer", settings=SMALL, alphabet=characters[1:])
    with pytest.raises(WeightsCorruptError, match="does not hold a plate recognizer's weights"):
        Pipeline.build(detector=PatchDetector(), recognizer=path)
