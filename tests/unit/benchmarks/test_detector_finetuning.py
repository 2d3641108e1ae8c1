from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.detector_finetuning import brazilian, write_folder
from platereader.lab.datasets import load_dataset


def test_the_folder_of_a_user_has_the_brazilian_pictures_wherever_the_set_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev" / "other").mkdir(parents=True)
    rows: list[str] = []
    for name in ("br_1.png", "br_2.png", "us_1.png"):
        cv2.imwrite(str(tmp_path / "dev" / "other" / name), np.zeros((40, 60, 3), np.uint8))
        rows.append(json.dumps({"file": name, "plates": [{"box": [5.0, 6.0, 35.0, 16.0], "text": "ABC1234"}]}))
    (tmp_path / "dev" / "other" / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    written = load_dataset(write_folder(brazilian(Path("dev")), Path("work", "data0")))
    assert {image.path.name for image in written.images} == {"br_1.png", "br_2.png"}
    assert [plate.text for image in written.images for plate in image.plates] == [None, None]
