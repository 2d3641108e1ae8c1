"""The bar on a terminal."""

from __future__ import annotations

import os
import sys

import pytest

from platereader.cli.tables import progress_bar


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_that_does_not_say_its_size_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = os.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress_bar(2, unit="picture") as progress:
            progress.update()
        shown = os.read(leader, 10_000)
    os.close(leader)
    assert b"0/2" in shown


def test_nothing_is_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(2, unit="picture") as progress:
        progress.update()
    assert capsys.readouterr().err == ""
