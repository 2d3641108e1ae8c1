"""What the text of many frames is worth."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from platereader import InvalidArgumentError
from platereader.plates import DEFAULT_SCHEMES
from platereader.results import Candidate, Character, FusedSigns, FusedText
from platereader.trust import Calibration, FrameWeights, FusedCalibration, TrustPolicy
from platereader.trust._calibration import FEATURES
from platereader.trust._fused import FRAME_SIGNS, FUSED_FEATURES, UNFITTED, fused_features

START = FusedCalibration(UNFITTED, 0.0, (0.0,) * len(FUSED_FEATURES), tracks=7)


def signs(lead_nats: float, *, agreement_nats: float = 5.0) -> FusedSigns:
    return FusedSigns(0.9, lead_nats, 4, 2.0, agreement_nats, 0.0, -0.1, legal=True, region_known=True)


def test_features_line_up_with_their_names() -> None:
    by_name = dict(zip(FUSED_FEATURES, fused_features(signs(3.0)), strict=True))
    assert by_name.pop("agreement") == pytest.approx(np.log(6))
    assert by_name == {"lead": 3.0, "typical": 2.0, "edge": 0.0, "inner": -0.1, "legal": 1.0, "region": 1.0}
    assert fused_features(signs(3.0, agreement_nats=-2.0))[FUSED_FEATURES.index("agreement")] == 0.0


def test_without_a_fit_every_frame_weighs_one() -> None:
    signs = [1.0, -2.0, 3.0, -0.1, -0.2, 5.0]
    assert FrameWeights(0.0, (0.0,) * 6, 6.0, 0.7, no_format_nats=5.0, unknown_region_nats=1.0) == UNFITTED
    assert UNFITTED.weight(signs) == 1.0
    assert replace(UNFITTED, bias=0.5, signs=(1, 2, 3, 4, 5, 0.1)).weight(signs) == pytest.approx(np.exp(5.6))
    extremes = [replace(UNFITTED, bias=bias).weight(signs) for bias in (-1e4, 1e4)]
    assert extremes == pytest.approx([np.exp(-20.0), np.exp(20.0)])


def test_fit_gives_probabilities_that_hold() -> None:
    rng = np.random.default_rng(1)
    leads = rng.uniform(-1.0, 4.0, 6000)
    seen = [signs(float(lead), agreement_nats=float(rng.random())) for lead in leads]
    chances = 1 / (1 + np.exp(0.5 - leads))
    fitted = START.fitted(seen, [bool(rng.random() < chance) for chance in chances])
    for low in (-1.0, 1.0, 3.0):
        some = (leads >= low) & (leads < low + 1.0)
        given = [fitted.confidence(one) for one, chosen in zip(seen, some, strict=True) if chosen]
        assert np.mean(given) == pytest.approx(float(chances[some].mean()), abs=0.03)
    assert (fitted.frames, fitted.tracks) == (UNFITTED, 7)


@pytest.mark.parametrize("speaks_for", [True, False])
def test_agreement_only_speaks_for_a_text(speaks_for: bool) -> None:
    rng = np.random.default_rng(2)
    agreements = rng.uniform(0.0, 20.0, 2000)
    seen = [signs(0.0, agreement_nats=float(nats)) for nats in agreements]
    fitted = START.fitted(seen, [bool(nats > 20 * rng.random()) is speaks_for for nats in agreements])
    weight = dict(zip(FUSED_FEATURES, fitted.weights, strict=True))["agreement"]
    assert weight > 0.1 if speaks_for else weight == 0.0


def test_travels_as_json_within_the_calibration() -> None:
    frames = FrameWeights(-0.5, tuple(map(float, range(len(FRAME_SIGNS)))), floor_nats=4.0, dependence=0.6)
    fusion = FusedCalibration(frames, 0.5, tuple(map(float, range(len(FUSED_FEATURES)))), 100)
    single = Calibration(0.1, (1.0,) * len(FEATURES), 50, "int8", "none")
    whole = Calibration(0.1, (1.0,) * len(FEATURES), 50, "int8", "none", fusion)
    assert Calibration.from_dict(whole.to_dict()) == whole
    assert Calibration.from_dict(single.to_dict()) == single
    assert "fusion" not in single.to_dict()


@pytest.mark.parametrize("fitted", [True, False])
def test_a_fused_verdict_is_calibrated_where_its_fusion_was_fitted(fitted: bool) -> None:
    calibration = Calibration(0.1, (1.0,) * len(FEATURES), 50, "fp32", "none", START if fitted else None)
    text = "A123BC77"
    characters = tuple(Character(char, 0.99) for char in text)
    fused = FusedText((Candidate(text, -0.1, None),), characters, 1, signs(5.0), 0.0, 0.0, None)
    verdict = TrustPolicy(calibration=calibration).judge_fused(fused, schemes=DEFAULT_SCHEMES)
    assert (verdict.calibrated, verdict.confidence) == (fitted, 0.5 if fitted else 0.9)


def test_each_character_is_as_sure_as_the_whole_text_at_least() -> None:
    text = "A123BC77"
    characters = tuple(Character(char, 0.73 if index == 6 else 1.0) for index, char in enumerate(text))
    for share, expected in ((0.99, ("read", text, 0.99)), (0.8, ("uncertain", "A123BC?7", 0.8))):
        sure = replace(signs(9.0), share=share)
        fused = FusedText((Candidate(text, -0.1, None),), characters, 1, sure, 0.0, 0.0, None)
        verdict = TrustPolicy().judge_fused(fused, schemes=DEFAULT_SCHEMES)
        assert (verdict.status, verdict.masked_text, verdict.characters[6].confidence) == expected


def test_what_is_no_calibration_is_refused() -> None:
    for kind in (FusedCalibration, FrameWeights):
        with pytest.raises(InvalidArgumentError, match="it lacks"):
            kind.from_dict({})


def test_a_weight_that_is_not_known_is_refused() -> None:
    data = START.to_dict()
    data["weights"] = {**data["weights"], "new": 1.0}
    with pytest.raises(InvalidArgumentError, match="calibrate again"):
        FusedCalibration.from_dict(data)


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: -0.1} for name in ("floor_nats", "dependence", "no_format_nats", "unknown_region_nats")),
        *({"dependence": 1.1}, {"signs": (1.0,)}, {"bias": float("nan")}),
    ],
)
def test_weights_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    good: dict[str, object] = {"bias": 0.0, "signs": (0.0,) * len(FRAME_SIGNS), "floor_nats": 5.0, "dependence": 0.5}
    with pytest.raises(InvalidArgumentError):
        FrameWeights(**{**good, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"weights": (1.0,)}, {"weights": (np.inf,) * 7}, {"bias": np.nan}])
def test_a_calibration_has_one_finite_weight_for_each_feature(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="give one finite number for each"):
        replace(START, **wrong)


@pytest.mark.parametrize("dependence", [0.0, 1.0])
def test_frames_may_be_independent_or_all_the_same(dependence: float) -> None:
    weights = FrameWeights(0.0, (0.0,) * len(FRAME_SIGNS), 0.0, dependence, no_format_nats=0.0, unknown_region_nats=0.0)
    assert FrameWeights.from_dict(weights.to_dict()) == weights


def test_texts_of_no_type_or_of_unknown_region_are_penalised_by_their_lines() -> None:
    assert UNFITTED.penalty(DEFAULT_SCHEMES.fit("A123BC77", lines=1)) == 0.0
    assert UNFITTED.penalty(DEFAULT_SCHEMES.fit("A123BC00", lines=1)) == UNFITTED.no_format_nats
    assert UNFITTED.penalty(DEFAULT_SCHEMES.fit("A123BC100", lines=1)) == UNFITTED.unknown_region_nats
    assert UNFITTED.penalty(DEFAULT_SCHEMES.fit("1234AB77", lines=2)) == 0.0
