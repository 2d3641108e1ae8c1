"""The picture that all read: 1280 x 850 px with three plates, generated, or a photograph of yours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.speed.pictures import generated_frames
from platereader.media._images import read_image

SIZE_PX = (1280, 850)


def street_picture(path: Path | None = None) -> BgrImage:
    """The picture in a file, or the first one of ``platereader benchmark frame``."""
    return generated_frames(1, rng=np.random.default_rng(0))[0] if path is None else read_image(path)
