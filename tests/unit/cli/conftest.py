"""What the tests of the commands share."""

from __future__ import annotations

import pytest
from command_line import Command

from fakes import patch_pipeline


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line over fakes, in English."""
    monkeypatch.setenv("LC_ALL", "C")
    made = Command(capsys, monkeypatch)
    made.over(patch_pipeline())
    return made
