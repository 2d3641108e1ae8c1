"""A small copy of the AUTO.RIA layout: crops of plates that fill their pictures, with the text beside them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from platereader.lab.synthesis.render import render_plate
from platereader.plates import RUSSIA

_STANDARD = RUSSIA.layout("standard")


def text_of(index: int) -> str:
    """What picture number ``index`` says."""
    return RUSSIA.sample_text(_STANDARD.plate_format, rng=np.random.default_rng(index))


def write_ria(folder: Path, count: int) -> Path:
    """``img/TEXT_NUMBER.png`` with ``ann/TEXT_NUMBER.json``; every fifth file name has a wrong text."""
    for name in ("img", "ann"):
        (folder / name).mkdir()
    for index in range(count):
        text = text_of(index)
        name = f"{text_of(index + 1000) if index % 5 == 0 else text}_{index}"
        pixels = render_plate(text, _STANDARD, height_px=32, rng=np.random.default_rng(index)).pixels
        cv2.imwrite(str(folder / "img" / f"{name}.png"), pixels)
        (folder / "ann" / f"{name}.json").write_text(json.dumps({"description": text, "name": name}), encoding="utf-8")
    return folder
