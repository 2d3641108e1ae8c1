"""``platereader evaluate``: what it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from platereader.cli import main


def test_the_report_takes_the_place_of_nothing_that_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, report = tmp_path / "set" / "ann" / "1.json", tmp_path / "report.json"
    labels.parent.mkdir(parents=True)
    (tmp_path / "set" / "img").mkdir()
    Image.fromarray(np.zeros((20, 90, 3), np.uint8)).save(tmp_path / "set" / "img" / "1.png")
    labels.write_text('{"description": "A123BC77"}', encoding="utf-8")
    report.hardlink_to(labels)
    for place in (labels, report):
        assert main(["evaluate", str(tmp_path / "set"), "--json", str(place)]) == 2
        assert "one of the files of DATA: name another" in capsys.readouterr().err
    assert labels.read_text(encoding="utf-8") == '{"description": "A123BC77"}'
