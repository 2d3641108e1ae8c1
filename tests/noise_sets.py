"""Labelled photographs of noise."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

CORNERS = [[100, 100], [220, 104], [219, 130], [99, 126]]
"""Of the plates with corners."""


def write_noise_sets(root: Path) -> Path:
    """Four small sets, as those of the training data."""
    plate: dict[str, object] = {
        "text": "A123BC77",
        "plate_type": "standard",
        "box_quality": "fitted",
        "corners": CORNERS,
    }
    loose: dict[str, object] = {"box": [10, 10, 60, 30], "box_quality": "loose"}
    write_noise_set(root / "russian", "gr_", [{**plate, "box": [99, 100, 220, 130]}])
    write_noise_set(root / "more", "kz_", [{**plate, "box": [99, 100, 220, 130]}, loose])
    write_noise_set(root / "other", "rl_", [{"box": [40, 40, 140, 70]}])
    write_noise_set(root / "negatives", "oa_", [])
    return root


def write_noise_set(folder: Path, prefix: str, plates: list[dict[str, object]]) -> None:
    """Twelve pictures of 320x200 px with the same plates, numbered where they have a text."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows: list[str] = []
    for index in range(12):
        name = f"images/{prefix}{index}.jpg"
        cv2.imwrite(str(folder / name), rng.integers(0, 256, (200, 320, 3), dtype=np.uint8))
        numbered = [{**plate, "text": f"A{index:03d}BC77"} if "text" in plate else plate for plate in plates]
        rows.append(json.dumps({"file": name, "width": 320, "height": 200, "plates": numbered}))
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
