"""Calibration error, AUROC and risk-coverage on cases that can be worked out by hand."""

import numpy as np
import pytest

from platereader.lab.metrics.reliability import auroc, calibration_error, reliability_bins, risk_coverage


def test_bins_hold_the_same_number() -> None:
    bins = reliability_bins([0.1, 0.9, 0.2, 0.8], [False, True, True, True], bins=2)
    assert [(one.n, one.right) for one in bins] == [(2, 0.5), (2, 1.0)]
    assert [one.confidence for one in bins] == pytest.approx([0.15, 0.85])


def test_calibration_error_is_the_mean_gap() -> None:
    assert calibration_error([0.5, 0.5], [True, False], bins=1) == 0.0
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5, bins=1) == pytest.approx(0.4)
    assert calibration_error([], []) is None


def test_a_calibrated_confidence_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.random(20_000)
    right = rng.random(20_000) < confidences
    error = calibration_error(confidences.tolist(), right.tolist())
    overconfident = calibration_error(np.sqrt(confidences).tolist(), right.tolist())
    assert error is not None
    assert overconfident is not None
    assert error < 0.02
    assert overconfident > 0.1


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        ([0.1, 0.2, 0.3, 0.4], [False, False, True, True], 1.0),
        ([0.1, 0.2, 0.3, 0.4], [True, True, False, False], 0.0),
        ([0.5, 0.5, 0.5], [True, False, True], 0.5),
        ([0.1, 0.3, 0.2, 0.4], [False, False, True, True], 0.75),
        ([0.1, 0.2], [True, True], None),
    ],
)
def test_auroc(confidences: list[float], right: list[bool], expected: float | None) -> None:
    assert auroc(confidences, right) == (None if expected is None else pytest.approx(expected))


def test_risk_grows_as_doubtful_readings_are_returned() -> None:
    curve = risk_coverage([0.9, 0.8, 0.7, 0.7], [True, False, True, False])
    assert curve.tolist() == [[0.25, 0.0], [0.5, 0.5], [1.0, 0.5]]  # equal confidences come together
    assert len(risk_coverage([], [])) == 0
