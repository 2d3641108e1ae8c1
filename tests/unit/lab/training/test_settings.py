from __future__ import annotations

from typing import Any

import pytest

from platereader.errors import InvalidArgumentError
from platereader.lab.training.recognizer.train import RecognizerTraining
from platereader.lab.training.settings import TrainingSettings, check_unchanged


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 1.5},
        {"minutes": -1.0},
        {"minutes": float("nan")},
        {"steps": 1, "learning_rate": 0.0},
        {"steps": 1, "warmup_steps": -1},
        {"steps": 1, "workers": -1},
        {"steps": 1, "log_every_steps": 0},
        {"steps": 1, "seed": 2**64},  # torch takes none so large
    ],
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=list(wrong)[-1]):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"real_share": 1.1}, {"real_share": -0.1}])
def test_recognizer_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        RecognizerTraining(steps=1, **wrong)


def test_only_named_settings_are_compared() -> None:
    check_unchanged({"seed": 1, "gone": 2}, {"seed": 1, "new": 3})
    with pytest.raises(InvalidArgumentError, match="seed is 2, but the checkpoint was made with 1"):
        check_unchanged({"seed": 1}, {"seed": 2})


def test_length_is_given() -> None:
    with pytest.raises(InvalidArgumentError, match="minutes, steps or both"):
        TrainingSettings()


def test_rate_rises_then_falls_to_its_share() -> None:
    for share in (0.0, 0.01):
        training = TrainingSettings(steps=1000, warmup_steps=100, final_rate_share=share)
        rates = [training.rate(step=step, progress=training.progress(step=step, elapsed_s=0)) for step in range(1001)]
        assert rates[0] < rates[50] < rates[99]
        assert rates[100] > rates[500] > rates[999] > rates[1000]
        assert rates[1000] == pytest.approx(share * training.learning_rate, abs=1e-12)
        assert max(rates) <= training.learning_rate


def test_what_comes_first_ends_the_training() -> None:
    training = TrainingSettings(minutes=10, steps=100)
    assert training.progress(step=5, elapsed_s=300) == pytest.approx(0.5)
    assert training.progress(step=80, elapsed_s=300) == pytest.approx(0.8)
    assert training.progress(step=5, elapsed_s=1e6) == 1.0


def test_length_and_intervals_may_change_on_resuming() -> None:
    one = TrainingSettings(steps=1, workers=0, save_every_s=1.0, validate_every_s=1.0, log_every_steps=1)
    assert one.fixed() == TrainingSettings(minutes=3.0).fixed()
    assert one.fixed() != TrainingSettings(steps=1, final_rate_share=0.1).fixed()
