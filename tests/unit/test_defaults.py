"""Which precision each part gets, and what is said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import PatchDetector, PatchRecognizer
from platereader.decoding.beam import BeamDecoder
from platereader.decoding.greedy import GreedyDecoder
from platereader.defaults import (
    INT8_RECOGNIZER_WEIGHTS,
    RECOGNIZER_WEIGHTS,
    decoder_name,
    default_decoder,
    load_detector,
)
from platereader.errors import EngineError
from platereader.pipeline import Pipeline
from platereader.plates.alphabet import RUSSIAN
from platereader.plates.formats import russian_grammar
from platereader.registry import Registry, WeightEntry, WeightFile
from platereader.results import PartDescription
from platereader.runtimes import torch_int8
from platereader.trust import Calibration, TrustPolicy
from platereader.trust.calibration import FEATURES
from small_networks import SMALL, write_small


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A small reader in fp32 and in int8."""
    folder = tmp_path_factory.mktemp("models")
    entries = [
        WeightEntry(name, path.name, "recognizer", digest(path), path.stat().st_size, "AGPL-3.0-or-later", None, SMALL)
        for name, path in zip((RECOGNIZER_WEIGHTS, INT8_RECOGNIZER_WEIGHTS), write_small(folder), strict=True)
    ]
    return Registry(tuple(entries), (folder,), folder / "cache")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recognizer(registry: Registry, precision: str) -> PartDescription:
    """What a pipeline says of its recognizer."""
    pipeline = Pipeline.build(detector=PatchDetector(), precision=precision, registry=registry)
    return next(part for part in pipeline.describe() if part.part == "recognizer")


def with_calibration(registry: Registry) -> Registry:
    """The same reader, with a calibration of its fp32 weights for the default decoder."""
    name = decoder_name(default_decoder(RUSSIAN))
    fitted = Calibration(1.0, (0.0,) * len(FEATURES), 10, "fp32", name)
    first = registry.entries[0]
    entry = replace(first, settings={**first.settings, "calibration": fitted.to_dict()})
    return Registry((entry,), registry.folders, registry.cache)


def on_a_processor_with(instructions: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_int8, "fast_int8_instructions", lambda: instructions)


def said(part: PartDescription) -> Sequence[str | None]:
    return part.weights, part.precision, part.note


def test_auto_takes_int8_where_it_is_faster(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_processor_with("AMX", monkeypatch)
    part = recognizer(registry, "auto")
    assert said(part) == (INT8_RECOGNIZER_WEIGHTS, "int8", "this CPU has AMX")
    assert part.sha256 == registry.entry(INT8_RECOGNIZER_WEIGHTS).sha256


def test_auto_takes_fp32_elsewhere(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_processor_with(None, monkeypatch)
    assert said(recognizer(registry, "auto")) == (RECOGNIZER_WEIGHTS, "fp32", "this CPU has no instructions for int8")


def test_auto_takes_fp32_without_int8_weights(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_processor_with("AMX", monkeypatch)
    less = Registry(registry.entries[:1], registry.folders, registry.cache)
    assert said(recognizer(less, "auto")) == (RECOGNIZER_WEIGHTS, "fp32", "there are no int8 weights")
    with pytest.raises(EngineError, match=r"no weights are called 'plate-recognizer-int8'.*train quantize"):
        recognizer(less, "int8")


def test_auto_takes_fp32_when_torch_has_no_int8(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_processor_with("AMX", monkeypatch)
    monkeypatch.setattr(torch_int8, "_operators", object)
    assert said(recognizer(registry, "auto")) == (RECOGNIZER_WEIGHTS, "fp32", "this torch cannot compute in int8")
    with pytest.raises(EngineError, match="cannot compute in int8"):
        recognizer(registry, "int8")


def test_what_is_asked_for_is_taken(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_processor_with(None, monkeypatch)
    assert said(recognizer(registry, "int8")) == (INT8_RECOGNIZER_WEIGHTS, "int8", "asked for")
    for precision in ("fp32", "bf16"):
        assert said(recognizer(registry, precision)) == (RECOGNIZER_WEIGHTS, precision, "asked for")


def test_the_detector_stays_fp32_and_says_so(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    registry = Registry.default()
    weights: WeightFile = registry.resolve("plate-detector")
    for precision in ("auto", "int8"):
        part = load_detector(weights, precision=precision)[1]
        assert said(part) == ("plate-detector", "fp32", "the detector has no int8 weights")
    assert said(load_detector(weights, precision="bf16")[1]) == ("plate-detector", "bf16", "asked for")


def test_confidence_is_calibrated_for_exactly_the_parts_it_was_fitted_for(registry: Registry) -> None:
    fitted = with_calibration(registry)
    detector = PatchDetector()
    policy = TrustPolicy(min_confidence=0.5)
    whole = Pipeline.build(detector=detector, precision="fp32", registry=fitted, trust=policy)
    assert whole.trust.calibration is not None
    assert whole.trust.min_confidence == 0.5
    others = {
        "no calibration with the weights": Pipeline.build(detector=detector, precision="fp32", registry=registry),
        "another precision": Pipeline.build(detector=detector, precision="bf16", registry=fitted),
        "another width": Pipeline.build(
            detector=detector, precision="fp32", registry=fitted, decoder=BeamDecoder(RUSSIAN, width=2)
        ),
        "another decoder": Pipeline.build(
            detector=detector, precision="fp32", registry=fitted, decoder=GreedyDecoder(RUSSIAN)
        ),
        "another recognizer": Pipeline.build(detector=detector, recognizer=PatchRecognizer(), registry=fitted),
    }
    assert {name: pipeline.trust.calibration for name, pipeline in others.items()} == dict.fromkeys(others)


def test_an_equal_decoder_of_ones_own_keeps_the_calibration(registry: Registry) -> None:
    own = BeamDecoder(RUSSIAN, grammar=russian_grammar())
    pipeline = Pipeline.build(
        detector=PatchDetector(), precision="fp32", registry=with_calibration(registry), decoder=own
    )
    assert pipeline.trust.calibration is not None
