from pathlib import Path
from typing import Any

import pytest
from noise_sets import write_noise_sets

from platereader.lab.training import loop
from platereader.lab.training.recognizer import train


@pytest.fixture(scope="module")
def noise_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small labelled sets of noise."""
    return write_noise_sets(tmp_path_factory.mktemp("photographs"))


@pytest.fixture
def drawn() -> None:
    """Lets trainings draw their pictures, which takes most of the time of a short one."""


@pytest.fixture(autouse=True)
def _undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the pictures of a training out, but for tests with the fixture ``drawn``."""

    def draw(values: Any, path: Path, **options: Any) -> None:
        del values, path, options

    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(loop, "draw_curves", draw)
        monkeypatch.setattr(train, "draw_confusion", draw)
