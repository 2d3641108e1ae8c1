"""Fitting a confidence: which plates, which readings are right, and the calibration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fakes import PatchRecognizer
from platereader._arrays import LogProbs
from platereader.cli import main
from platereader.decoding._greedy import GreedyDecoder
from platereader.lab.training.recognizer.data import Sample
from platereader.lab.training.trust import calibrate as module
from platereader.lab.training.trust.calibrate import calibrate, calibration_examples, calibration_plates, policy_outcome
from platereader.plates import ILLEGIBLE, RUSSIAN
from platereader.registry import Registry, write_sidecar
from platereader.results import PlateImage
from platereader.testing import spelled
from platereader.trust import TrustPolicy
from small_networks import SMALL, write_small


def patch(blue: int, text: str) -> Sample:
    """A flat plate that ``PatchRecognizer`` reads by its blue value."""
    return Sample(PlateImage(np.full((20, 90, 3), blue, np.uint8)), text)


def test_plates_are_the_same_every_time_and_of_all_kinds() -> None:
    first, second = (calibration_plates(alphabet=RUSSIAN, count=300) for _ in range(2))
    assert [one.text for one in first] == [one.text for one in second]
    assert all(np.array_equal(a.plate.pixels, b.plate.pixels) for a, b in zip(first[:20], second[:20], strict=True))
    assert {one.plate.lines for one in first} == {1, 2}
    assert any(ILLEGIBLE in one.text for one in first)


def test_a_reading_is_right_when_the_whole_text_is() -> None:
    samples = [patch(50, "A123BC77"), patch(50, "A123BC78"), patch(100, "M555KE?"), patch(200, "")]
    readings = calibration_examples(PatchRecognizer(), GreedyDecoder(RUSSIAN), samples)
    assert [one.right for one in readings] == [True, False, False]  # nothing is said of the empty one
    assert all(one.signs.text_prob > 0.9 for one in readings)


def test_what_a_policy_lets_through_is_counted() -> None:
    samples = [patch(50, "A123BC77"), patch(50, "A123BC78"), patch(150, "B777OP98"), patch(200, "")]
    let_through = policy_outcome(PatchRecognizer(), GreedyDecoder(RUSSIAN), samples, policy=TrustPolicy.strict())
    assert [(one.count, one.n) for one in let_through] == [(2, 4), (3, 4), (1, 3)]
    doubtful = policy_outcome(
        PatchRecognizer(probability=0.9), GreedyDecoder(RUSSIAN), samples, policy=TrustPolicy.strict()
    )
    assert (doubtful.read.count, doubtful.wrong.n) == (0, 0)


@dataclass(frozen=True)
class _Unsure(PatchRecognizer):
    """Less sure of patches with more red in them."""

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        rows = [
            spelled("A123BC77", self.alphabet, steps=24, probability=0.999 - float(plate.pixels[0, 0, 2]) / 400)
            for plate in plates
        ]
        return np.stack(rows)


def test_a_fit_is_measured_on_readings_that_it_was_not_fitted_on() -> None:
    rng = np.random.default_rng(0)
    samples: list[Sample] = []
    for _ in range(2400):
        doubt = int(rng.integers(0, 100))
        pixels = np.zeros((8, 30, 3), np.uint8)
        pixels[..., 2] = doubt
        samples.append(Sample(PlateImage(pixels), "A123BC77" if rng.random() > doubt / 110 else "A123BC78"))
    readings = calibration_examples(_Unsure(), GreedyDecoder(RUSSIAN), samples)
    fitted, figures = calibrate(readings, precision="fp32", decoder="GreedyDecoder")
    assert (fitted.plates, fitted.precision, fitted.decoder) == (2400, "fp32", "GreedyDecoder")
    assert figures["calibration_error"] is not None
    assert figures["calibration_error"] < 0.09
    assert figures["auroc"] is not None
    assert figures["auroc"] > 0.75


def test_the_command_writes_into_the_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, _ = write_small(tmp_path)
    write_sidecar(weights, kind="recognizer", settings=SMALL, licence="MIT")
    samples = [patch(50, "A123BC77"), patch(50, "A123BC78")] * 20
    known = calibration_examples(PatchRecognizer(), GreedyDecoder(RUSSIAN), samples)
    monkeypatch.setattr(module, "calibration_examples", lambda *_: known)
    assert main(["train", "calibrate", str(weights), "--count", "5", "--out", str(tmp_path / "out")]) == 0
    assert "20 right" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "calibration.json").read_text(encoding="utf-8"))
    assert report["calibration"]["precision"] == "fp32"
    described = Registry.default().resolve(weights).entry
    assert (described.calibration, described.licence) == (report["calibration"], "MIT")
