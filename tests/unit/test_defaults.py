"""Which precision each part gets, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch

from fakes import PatchDetector, PatchRecognizer
from platereader import _defaults as defaults
from platereader import _loading as loading
from platereader._defaults import DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS, decoder_name, default_decoder
from platereader._loading import DETECTOR_SPECS, RECOGNIZER_SPECS, load_detector
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder
from platereader.detection import PlateDetector
from platereader.errors import EngineError
from platereader.pipeline import Pipeline
from platereader.plates import (
    BELARUS,
    KAZAKHSTAN,
    LATIN_36,
    RUSSIA,
    RUSSIAN,
    TRANSNISTRIA,
    UKRAINE,
    PlateGrammar,
    PlateScheme,
    Schemes,
)
from platereader.plates._defaults import default_grammar
from platereader.registry import Registry, WeightFile, WeightPrecision, write_sidecar
from platereader.results import PartDescription
from platereader.runtimes import RuntimeOptions
from platereader.runtimes import _selection as selection
from platereader.runtimes import _torch_int8 as torch_int8
from platereader.trust import Calibration, TrustPolicy
from platereader.trust._calibration import FEATURES
from small_networks import SMALL, write_small

NAMES = (DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS)
PRECISIONS: tuple[WeightPrecision, ...] = ("fp32", "int8")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A small reader in fp32 and in int8."""
    folder = tmp_path_factory.mktemp("models")
    entries = [
        replace(write_sidecar(path, kind="recognizer", settings=SMALL), model=RECOGNIZER_WEIGHTS)
        for path in write_small(folder)
    ]
    return Registry(tuple(entries), (folder,), folder / "cache")


def recognizer(registry: Registry, precision: str) -> PartDescription:
    """What a pipeline says of its recognizer."""
    pipeline = Pipeline.build(detector=PatchDetector(), precision=precision, registry=registry)
    return next(part for part in pipeline.describe() if part.part == "recognizer")


def with_calibration(registry: Registry) -> Registry:
    """The same reader, with a calibration of its fp32 weights for the default decoder."""
    name = decoder_name(default_decoder(RUSSIAN))
    fitted = Calibration(1.0, (0.0,) * len(FEATURES), 10, "fp32", name)
    first = registry.entries[0]
    entry = replace(first, calibration=fitted.to_dict())
    return Registry((entry,), registry.folders, registry.cache)


def on_a_machine_with(
    monkeypatch: pytest.MonkeyPatch, *, instructions: tuple[str, ...] = (), engines: tuple[str, ...] = ("torch",)
) -> None:
    for module in (loading, selection):
        monkeypatch.setattr(module, "cpu_features", lambda: instructions)
        monkeypatch.setattr(module, "installed_engines", lambda: engines)


def said(part: PartDescription) -> Sequence[str | None]:
    return part.weights, part.precision, part.note


def test_auto_takes_int8_where_it_is_faster(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine_with(monkeypatch)
    assert said(recognizer(registry, "auto")) == (RECOGNIZER_WEIGHTS, "fp32", "fastest installed")
    on_a_machine_with(monkeypatch, instructions=("avx2", "amx_int8"))
    part = recognizer(registry, "auto")
    assert said(part) == (RECOGNIZER_WEIGHTS, "int8", "fastest installed, CPU has amx_int8")
    assert part.sha256 == registry.entries[1].sha256


def test_auto_takes_fp32_without_int8_weights(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine_with(monkeypatch, instructions=("amx_int8",))
    less = Registry(registry.entries[:1], registry.folders, registry.cache)
    assert said(recognizer(less, "auto")) == (RECOGNIZER_WEIGHTS, "fp32", "fastest installed")
    with pytest.raises(EngineError, match=r"no recognizer runs with engine 'auto' and.*train quantize"):
        recognizer(less, "int8")


def test_auto_goes_on_when_an_engine_refuses(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine_with(monkeypatch, instructions=("amx_int8",))
    monkeypatch.setattr(torch_int8, "_operators", object)
    part = recognizer(registry, "auto")
    assert (part.weights, part.precision) == (RECOGNIZER_WEIGHTS, "fp32")
    assert "cannot compute in int8" in str(part.note)
    with pytest.raises(EngineError, match="cannot compute in int8"):
        recognizer(registry, "int8")


def test_what_is_named_is_taken(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine_with(monkeypatch)
    for precision in ("int8", "fp32", "bf16"):
        assert said(recognizer(registry, precision)) == (RECOGNIZER_WEIGHTS, precision, "as requested")


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_exported_weights_go_with_their_engines(engine: str) -> None:
    for precision in PRECISIONS:
        parts = Pipeline.build(engine=engine, precision=precision).describe()[:2]
        assert [part.weights for part in parts] == [DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS]
        files = [Registry.default().resolve(name, precision=precision, file_format="onnx") for name in NAMES]
        assert [part.sha256 for part in parts] == [file.sha256 for file in files]
        assert [(part.engine, part.precision) for part in parts] == [(engine, precision)] * 2
        refiner = Registry.default().resolve("plate-refiner", precision=precision, file_format="onnx")
        notes = [f"with plate-refiner {refiner.sha256[:12]}; as requested", "as requested"]
        assert [part.note for part in parts] == notes


def test_auto_decides_for_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine_with(monkeypatch, instructions=("avx512_vnni", "avx512_bf16"), engines=("onnx", "torch"))
    for specs, chosen in zip((DETECTOR_SPECS, RECOGNIZER_SPECS), Pipeline.build().describe()[:2], strict=True):
        first = next(spec for spec in specs if spec.engine != "openvino")
        assert (chosen.engine, chosen.precision) == (first.engine, first.precision)


def test_a_float_detector_stays_fp32_and_says_so() -> None:
    weights: WeightFile = Registry.default().resolve(DETECTOR_WEIGHTS, file_format="safetensors")
    why = "there are no int8 weights of this detector for this engine"
    for precision, runs, note in (("int8", "fp32", why), ("bf16", "bf16", "as requested")):
        detector = load_detector(weights, options=RuntimeOptions(precision=precision))
        assert isinstance(detector, PlateDetector)
        assert (detector.finder.runtime.precision, detector.finder.note) == (runs, note)
    shipped = Registry.default()
    known = tuple(entry for entry in shipped.entries if entry.file != "plate-finder-int8.safetensors")
    without = replace(shipped, entries=known)
    parts = Pipeline.build(engine="torch", precision="int8", registry=without).describe()[:2]
    assert [part.precision for part in parts] == ["fp32", "int8"]
    assert str(parts[0].note).endswith(why)


def test_a_device_that_is_not_there_is_an_engine_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineError, match=r"device is 'cuda', which torch .* cannot use here"):
        Pipeline.build(device="cuda")


def trust_of(pipeline: Pipeline) -> TrustPolicy:
    assert isinstance(pipeline.trust, TrustPolicy)
    return pipeline.trust


def test_confidence_is_calibrated_for_exactly_the_parts_it_was_fitted_for(registry: Registry) -> None:
    fitted = with_calibration(registry)
    detector = PatchDetector()
    policy = TrustPolicy(min_confidence=0.5)
    whole = Pipeline.build(detector=detector, precision="fp32", registry=fitted, trust=policy)
    assert trust_of(whole).calibration is not None
    assert trust_of(whole).min_confidence == 0.5
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
    assert {name: trust_of(pipeline).calibration for name, pipeline in others.items()} == dict.fromkeys(others)


def test_an_equal_decoder_of_ones_own_keeps_the_calibration(registry: Registry) -> None:
    own = BeamDecoder(RUSSIAN, grammar=default_grammar())
    pipeline = Pipeline.build(
        detector=PatchDetector(), precision="fp32", registry=with_calibration(registry), decoder=own
    )
    assert trust_of(pipeline).calibration is not None


def test_a_grammar_of_other_countries_has_another_name() -> None:
    russian = default_decoder(RUSSIAN)
    transnistrian = default_decoder(RUSSIAN, Schemes((TRANSNISTRIA,)))
    both = default_decoder(RUSSIAN, Schemes((RUSSIA, TRANSNISTRIA)))
    assert len({decoder_name(one) for one in (russian, transnistrian, both)}) == 3
    assert decoder_name(russian) == decoder_name(default_decoder(RUSSIAN, Schemes((RUSSIA,))))


def test_a_calibration_holds_for_fewer_of_its_countries_and_for_no_others() -> None:
    alphabet = replace(LATIN_36, marks=("RU", "KZ", "BY"))

    def decoder(*schemes: PlateScheme) -> BeamDecoder:
        return BeamDecoder(alphabet, grammar=PlateGrammar.build(Schemes(schemes), alphabet=alphabet))

    fitted = Calibration(1.0, (0.0,) * len(FEATURES), 10, "fp32", decoder_name(decoder(RUSSIA, KAZAKHSTAN, BELARUS)))

    @dataclass(frozen=True)
    class Calibrated(PatchRecognizer):
        @property
        def calibration(self) -> dict[str, object]:
            return fitted.to_dict()

    def holds_for(one: BeamDecoder) -> bool:
        return defaults.calibrated(TrustPolicy(), Calibrated(), decoder=one).calibration == fitted

    def holds(*schemes: PlateScheme) -> bool:
        return holds_for(decoder(*schemes))

    own = replace(RUSSIA, formats=RUSSIA.formats[:3])
    assert holds(RUSSIA, KAZAKHSTAN, BELARUS)
    assert holds(RUSSIA)
    assert holds(BELARUS, RUSSIA)
    assert not holds(RUSSIA, UKRAINE)
    assert not holds(own)  # another scheme of the same country
    assert not holds_for(replace(decoder(RUSSIA), no_format_nats=3.0))
