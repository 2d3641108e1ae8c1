"""What the tests of the commands share."""

from __future__ import annotations

import pytest
from command_line import Command

from fakes import patch_pipeline


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, in English."""
    monkeypatch.setenv("LC_ALL", "C")
    return Command(capsys, monkeypatch)


@pytest.fixture
def command(run: Command) -> Command:
    """The command line over fakes."""
    run.over(patch_pipeline())
    return run
