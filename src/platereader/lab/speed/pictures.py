"""Pictures to time with: generated streets, the same for everyone."""

from __future__ import annotations

import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.crops import random_text
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.plates import RUSSIA


def generated_frames(count: int, *, rng: np.random.Generator) -> list[BgrImage]:
    """Streets of 1280 x 850 px, each with three cars that carry one-line plates of private cars."""
    private = RUSSIA.layout("standard")
    frames: list[BgrImage] = []
    for _ in range(count):
        texts = [random_text(private, rng=rng) for _ in range(3)]
        fronts = [render_plate(text, private, height_px=112, rng=rng) for text in texts]
        frames.append(generated_street(rng, size_px=(1280, 850), fronts=fronts).pixels)
    return frames
