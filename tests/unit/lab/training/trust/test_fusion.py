"""Fitting fusion."""

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import judged
from platereader import Candidate, PlateEvidence, PlateImage, PlateReading
from platereader import _ctc as ctc
from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.training.trust.fusion import (
    ReadTrack,
    fit_frame_weights,
    fit_fusion,
    fused_examples,
    fused_policy_outcome,
    fusion_plates,
)
from platereader.plates import LATIN_36, RUSSIAN
from platereader.testing import spelled
from platereader.trust import Calibration, TrustPolicy
from platereader.trust._calibration import FEATURES
from platereader.trust._fused import FRAME_SIGNS, FUSED_FEATURES

SHARP = PlateImage(np.tile(np.array([0, 0, 255, 255], np.uint8)[None, :, None], (8, 10, 3)))
SOFT = PlateImage(np.tile(np.linspace(0, 255, 40).astype(np.uint8)[None, :, None], (8, 1, 3)))
SINGLE = Calibration(0.0, (0.3,) * len(FEATURES), 1, "fp32", "none")
RIGHT, WRONG = "A123BC77", "A128BC77"


def reading(text: str, rival: str, plate: PlateImage, probability: float) -> PlateReading:
    mixed = 0.8 * np.exp(spelled(text, RUSSIAN, probability=probability)) + 0.2 * np.exp(spelled(rival, RUSSIAN))
    log_probs = np.log(mixed).astype(np.float32)
    candidates = tuple(Candidate(one, ctc.log_prob(log_probs, RUSSIAN.encode(one)), None) for one in (text, rival))
    return judged(PlateEvidence(None, plate, log_probs, candidates))


def tracks(count: int) -> list[ReadTrack]:
    """Sharp frames are right nine times out of ten, soft ones four times, and all are equally sure."""
    rng = np.random.default_rng(0)
    made: list[ReadTrack] = []
    for _ in range(count):
        readings: list[PlateReading] = []
        for _ in range(int(rng.integers(1, 7))):
            plate, skill = (SHARP, 0.9) if rng.random() < 0.4 else (SOFT, 0.4)
            pair = (RIGHT, WRONG) if rng.random() < skill else (WRONG, RIGHT)
            readings.append(reading(*pair, plate, float(rng.uniform(0.93, 0.99))))
        made.append(ReadTrack(readings, RIGHT, 0.5))
    return made


def test_frames_that_are_right_more_often_get_more_weight() -> None:
    fitted = fit_frame_weights(tracks(60), alphabet=RUSSIAN)
    by_name = dict(zip(FRAME_SIGNS, fitted.signs, strict=True))
    assert by_name["sharpness"] > 0.1
    assert fitted.dependence < 0.2  # as far as these frames go, each errs on its own


def test_frames_that_all_err_alike_are_found_to_depend_on_each_other() -> None:
    rng = np.random.default_rng(0)
    alike: list[ReadTrack] = []
    for number in range(40):
        pair = (WRONG, RIGHT) if number % 5 == 0 else (RIGHT, WRONG)
        alike.append(ReadTrack([reading(*pair, SHARP, 0.97)] * int(rng.integers(1, 13)), RIGHT, 0.5))
    assert 0.7 < fit_frame_weights(alike, alphabet=RUSSIAN).dependence <= 0.8


def test_confidence_is_fitted_on_top_and_measured_on_other_tracks() -> None:
    known = tracks(240)
    fitted, figures = fit_fusion(known, single=SINGLE, alphabet=RUSSIAN)
    assert fitted.fusion is not None
    assert (fitted.fusion.tracks, len(fitted.fusion.weights)) == (240, len(FUSED_FEATURES))
    assert (fitted.bias, fitted.weights, fitted.precision) == (SINGLE.bias, SINGLE.weights, "fp32")
    assert figures["calibration_error"] is not None
    assert figures["calibration_error"] < 0.15
    assert figures["auroc"] is not None
    assert figures["auroc"] > 0.7
    texts = fused_examples(known, trust=TrustPolicy(calibration=fitted), alphabet=RUSSIAN)
    expected = np.mean([fitted.fusion.confidence(one) for one in texts.signs])
    assert expected == pytest.approx(np.mean(texts.right), abs=0.05)


def test_what_a_policy_lets_through_is_counted_by_track() -> None:
    sure = [reading(RIGHT, WRONG, SHARP, 0.999)] * 4
    misled = [reading(WRONG, RIGHT, SHARP, 0.999)] * 4
    some = [ReadTrack(sure, RIGHT, 0.1), ReadTrack(misled, RIGHT, 0.1), ReadTrack(sure[:1], RIGHT, 0.1)]
    counted = fused_policy_outcome(some, trust=TrustPolicy(min_confidence=0.85), alphabet=RUSSIAN)
    assert (counted.right.count, counted.right.n) == (2, 3)
    assert (counted.read.count, counted.wrong.count, counted.wrong.n) == (2, 1, 2)


def test_only_every_other_picture_of_the_calibration_fifth_is_fitted_on(tmp_path: Path) -> None:
    box = Box(20, 20, 120, 42)
    images: list[LabelledImage] = []
    for number in range(60):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), np.full((60, 140, 3), 100, np.uint8))
        label = LabelledPlate(box=box, text=RIGHT, corners=Quad.from_box(box))
        images.append(LabelledImage(path, 140, 60, (label,)))
    chosen = fusion_plates(images, alphabet=RUSSIAN)
    abroad = [replace(image, country="KZ") for image in images]
    assert fusion_plates(abroad, alphabet=RUSSIAN) == []
    assert len(fusion_plates(abroad, alphabet=replace(LATIN_36, marks=("KZ",)))) == len(chosen)
    last = [int(hashlib.sha1(one.name.encode()).hexdigest(), 16) % 10 for one in chosen]  # noqa: S324
    assert 1 <= len(last) < 20
    assert set(last) == {0}
