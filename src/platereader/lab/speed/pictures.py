"""Pictures to time with: generated streets, the same for everyone."""

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
"""Width and height of the streets."""


def generated_frames(count: int, *, rng: np.random.Generator) -> list[BgrImage]:
    """Streets of 1280 x 850 px, each with three cars that carry one-line plates of private cars."""
    private = RUSSIA.layout("standard")
    frames: list[BgrImage] = []
    for _ in range(count):
        texts = [random_text(private, rng=rng) for _ in range(3)]
        fronts = [render_plate(text, private, height_px=112, rng=rng) for text in texts]
        frames.append(generated_street(rng, size_px=SIZE_PX, fronts=fronts).pixels)
    return frames


def street_picture(path: Path | None = None) -> BgrImage:
    """The picture in a file, or the first one of ``platereader benchmark frame``."""
    return generated_frames(1, rng=np.random.default_rng(0))[0] if path is None else read_image(path)
