"""Logistic regression with a weak ridge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from platereader.errors import InvalidArgumentError
from platereader.trust._logistic import fit_logistic, log_odds, probability


@pytest.mark.parametrize(("scale", "off"), [(1.0, 1.5), (0.05, 2.5)])  # small features have weights far from 0
def test_the_fit_is_where_the_penalised_likelihood_is_greatest(scale: float, off: float) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3)) * [1.0, 5.0, 0.2] * scale
    right = rng.random(400) < 1 / (1 + np.exp(-(0.5 + rows @ [2.0, -0.3, 4.0] / scale)))
    bias, weights = fit_logistic(rows.tolist(), right.tolist())
    error = 1 / (1 + np.exp(-(bias + rows @ weights))) - right
    assert error.sum() == pytest.approx(0, abs=1e-3)
    assert rows.T @ error + 1e-5 * len(rows) * np.array(weights) == pytest.approx(np.zeros(3), abs=5e-3)
    assert np.array(weights) * scale == pytest.approx((2.0, -0.3, 4.0), abs=off)
    assert (
        [round(one, 6) for one in (bias, *weights)] == [bias, *weights] != [round(one, 5) for one in (bias, *weights)]
    )


def test_the_ridge_keeps_weights_of_separable_data_small() -> None:
    bias, (weight,) = fit_logistic([[-2.0], [-1.0], [1.0], [2.0]], [False, False, True, True])
    assert 5 < weight < 20
    assert bias == pytest.approx(0, abs=1e-3)
    (_, (other,)) = fit_logistic([[-1.0], [1.0]] * 50, [False, True] * 50)
    assert 5 < other < 20


@pytest.mark.parametrize("right", [True, False])
def test_a_fit_needs_right_readings_and_wrong_ones(right: bool) -> None:
    with pytest.raises(InvalidArgumentError, match="needs right and wrong ones"):
        fit_logistic([[1.0], [2.0]], [right, right])


def test_probability_and_odds_are_inverse() -> None:
    assert probability(0.5, (2.0, -1.0), (1.0, 3.0)) == pytest.approx(1 / (1 + math.exp(0.5)))
    assert probability(log_odds(0.3), (), ()) == pytest.approx(0.3)
    assert [log_odds(share) for share in (0.0, 1e-9, 1 - 1e-9, 1.0)] == [-14.0, -14.0, 14.0, 14.0]
    extremes = [probability(odds, (), ()) for odds in (-1e6, -40.0, 40.0, 1e6)]
    assert extremes == pytest.approx([math.exp(-40), math.exp(-40), 1.0, 1.0], rel=1e-9, abs=0)


def test_a_feature_that_may_not_speak_against_weighs_nothing_where_it_would() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3))
    right = (rows @ [2.0, -1.0, 0.5] + rng.logistic(size=400) > 0).tolist()
    free = fit_logistic(rows.tolist(), right)[1]
    _, (first, second, third) = fit_logistic(rows.tolist(), right, never_against=(0, 1, 2))
    assert free[1] < -0.5
    assert second == 0.0
    assert (first, third) == fit_logistic(rows[:, [0, 2]].tolist(), right)[1]
    assert fit_logistic(rows.tolist(), right, never_against=(0, 2))[1] == free
