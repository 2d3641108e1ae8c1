"""The picture that all read: 1280 x 850 px with three plates, generated, or a photograph of yours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.crops import random_text
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.media._images import read_image
from platereader.plates import RUSSIA

SIZE_PX = (1280, 850)
_PLATES = 3
_PLATE_HEIGHT_PX = 112
_SEED = 5


def street_picture(path: Path | None = None, *, seed: int = _SEED) -> BgrImage:
    """The picture in a file, or a generated street with three one-line plates of private cars."""
    if path is not None:
        return read_image(path)
    rng = np.random.default_rng(seed)
    private = RUSSIA.layout("standard")
    fronts = [
        render_plate(random_text(private, rng=rng), private, height_px=_PLATE_HEIGHT_PX, rng=rng)
        for _ in range(_PLATES)
    ]
    return generated_street(rng, size_px=SIZE_PX, fronts=fronts).pixels
