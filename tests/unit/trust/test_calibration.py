"""A confidence that holds: fitting it, using it, and carrying it with the weights."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fakes import judged
from platereader import Candidate, InvalidArgumentError, PlateEvidence, PlateImage, TrustPolicy
from platereader.lab.metrics.reliability import auroc, calibration_error
from platereader.plates import RUSSIAN
from platereader.testing import spelled
from platereader.trust import Calibration, Signs
from platereader.trust._calibration import FEATURES, features_of

CLEAR = Signs(
    text_prob=0.99,
    lead_nats=8.0,
    weakest=0.99,
    edge_illegible=0.0,
    inner_illegible=0.0,
    legal=True,
    region_known=True,
)


def test_features_are_log_odds_and_logarithms_of_what_is_legible() -> None:
    signs = replace(CLEAR, text_prob=0.5, weakest=0.9, edge_illegible=0.2, inner_illegible=1.0, legal=False)
    features = dict(zip(FEATURES, features_of(signs), strict=True))
    assert features["text"] == pytest.approx(0.0)
    assert features["weakest"] == pytest.approx(np.log(9))
    assert features["edge"] == pytest.approx(np.log(0.8))
    assert features["inner"] == pytest.approx(np.log(1e-6))
    assert (features["lead"], features["legal"], features["region"]) == (8.0, 0.0, 1.0)


def overconfident(rng: np.random.Generator, count: int) -> tuple[list[Signs], list[bool]]:
    """Readings that are right in 3 of 10 cases although each says 9 of 10, and clear ones that are right."""
    signs, right = [], []
    for _ in range(count):
        if rng.random() < 0.5:
            signs.append(replace(CLEAR, text_prob=0.9, lead_nats=float(rng.normal(2, 0.5)), edge_illegible=0.3))
            right.append(bool(rng.random() < 0.3))
        else:
            signs.append(replace(CLEAR, lead_nats=float(rng.normal(9, 1))))
            right.append(bool(rng.random() < 0.99))
    return signs, right


def test_a_fit_makes_confidence_hold_on_fresh_readings() -> None:
    rng = np.random.default_rng(0)
    fitted = Calibration.fit(*overconfident(rng, 3000), precision="fp32", decoder="any")
    signs, right = overconfident(rng, 3000)
    confidences = [fitted.confidence(one) for one in signs]
    before, after = calibration_error([one.text_prob for one in signs], right), calibration_error(confidences, right)
    assert before is not None
    assert after is not None
    assert before > 0.2
    assert after < 0.04
    separation = auroc(confidences, right)
    assert separation is not None
    assert separation > 0.85


def test_one_kind_of_readings_is_not_enough() -> None:
    with pytest.raises(InvalidArgumentError, match="right and wrong"):
        Calibration.fit([CLEAR] * 5, [True] * 5, precision="fp32", decoder="any")


def test_it_travels_as_json() -> None:
    fitted = Calibration.fit(*overconfident(np.random.default_rng(1), 400), precision="fp32", decoder="any")
    assert Calibration.from_dict(fitted.to_dict()) == fitted
    with pytest.raises(InvalidArgumentError, match="calibrate again"):
        Calibration.from_dict({"bias": 0.0, "weights": {"text": 1.0}, "plates": 1})
    with pytest.raises(InvalidArgumentError, match="finite"):
        Calibration(float("nan"), (0.0,) * len(FEATURES), 1, precision="fp32", decoder="any")


def test_a_policy_with_a_calibration_reports_its_confidence() -> None:
    weights = dict.fromkeys(FEATURES, 0.0)
    calibration = Calibration.from_dict(
        {"bias": 1.0, "weights": weights, "plates": 10, "precision": "fp32", "decoder": "any"}
    )
    row = spelled("A123BC77", RUSSIAN, probability=0.9999)
    evidence = PlateEvidence(
        None, PlateImage(np.zeros((8, 40, 3), np.uint8)), row, (Candidate("A123BC77", -0.01, None),)
    )
    reading = judged(evidence, TrustPolicy(calibration=calibration))
    assert reading.calibrated
    assert reading.confidence == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert reading.reason == "low_confidence"
    assert not judged(evidence).calibrated


@pytest.mark.parametrize("wrong", [{"bias": None}, {"weights": 5}, {"fusion": {}}, {"plates": "many"}])
def test_a_damaged_calibration_is_refused(wrong: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "bias": 0.0,
        "weights": dict.fromkeys(FEATURES, 1.0),
        "plates": 1,
        "precision": "fp32",
        "decoder": "x",
    }
    assert Calibration.from_dict(whole).plates == 1
    with pytest.raises(InvalidArgumentError, match=r"[Cc]alibration"):
        Calibration.from_dict({**whole, **wrong})
    del whole["decoder"]
    with pytest.raises(InvalidArgumentError, match="it lacks 'decoder'"):
        Calibration.from_dict(whole)


def test_separable_readings_give_finite_weights() -> None:
    signs = [CLEAR] * 20 + [replace(CLEAR, text_prob=0.01, lead_nats=0.1, weakest=0.1)] * 20
    fitted = Calibration.fit(signs, [True] * 20 + [False] * 20, precision="fp32", decoder="any")
    assert np.isfinite([fitted.bias, *fitted.weights]).all()
    assert fitted.confidence(signs[0]) > 0.9
    assert fitted.confidence(signs[-1]) < 0.1
