"""A small picture whose colours say which way up it is, as a file of any kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from platereader._arrays import BgrImage


def gradient(width: int = 40, height: int = 20) -> BgrImage:
    """A BGR picture whose left half is red."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 2] = 255
    return picture


def save(path: Path, *, width: int = 40, height: int = 20, orientation: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(gradient(width, height)[:, :, ::-1].copy())
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path
