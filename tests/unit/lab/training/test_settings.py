from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platereader.errors import InvalidArgumentError
from platereader.lab.training.detector.train import DetectorTraining
from platereader.lab.training.recognizer.train import RecognizerTraining
from platereader.lab.training.settings import check_unchanged


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 1.5},
        {"minutes": -1.0},
        {"minutes": float("nan")},
        {"steps": 1, "learning_rate": 0.0},
        {"steps": 1, "warmup_steps": 0},
        {"steps": 1, "workers": -1},
        {"steps": 1, "log_every_steps": 0},
    ],
)
def test_detector_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=list(wrong)[-1]):
        DetectorTraining(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"batch_size": 0}, {"real_share": 1.1}, {"real_share": -0.1}, {"workers": -1}, {"seed": -1}]
)
def test_recognizer_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
        RecognizerTraining(output=Path("out"), **wrong)


def test_only_named_settings_are_compared() -> None:
    check_unchanged({"seed": 1, "gone": 2}, {"seed": 1, "new": 3})
    with pytest.raises(InvalidArgumentError, match="seed is 2, but the checkpoint was made with 1"):
        check_unchanged({"seed": 1}, {"seed": 2})
