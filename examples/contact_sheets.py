"""Draw the contact sheets of the documentation: ``python examples/contact_sheets.py docs/images``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from platereader import BgrImage
from platereader.lab.synthesis.crops import plate_sample
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.plates import RUSSIA


def sheet(pictures: Sequence[BgrImage], *, columns: int, size_px: tuple[int, int]) -> BgrImage:
    """The pictures in rows, each shrunk to fit into its cell of ``size_px`` (width, height)."""
    width, height = size_px
    rows = -(-len(pictures) // columns)
    canvas = np.full((rows * height, columns * width, 3), 96, np.uint8)
    for index, picture in enumerate(pictures):
        scale = min((width - 8) / picture.shape[1], (height - 8) / picture.shape[0])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top = index // columns * height + (height - small.shape[0]) // 2
        left = index % columns * width + (width - small.shape[1]) // 2
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def fronts(rng: np.random.Generator) -> list[BgrImage]:
    """One clean plate of each type."""
    heights = {1: 112, 2: 170}
    return [
        render_plate(
            RUSSIA.sample_text(layout.plate_format, rng=rng), layout, height_px=heights[layout.line_count], rng=rng
        ).pixels
        for layout in RUSSIA.layouts
    ]


def streets(rng: np.random.Generator, count: int) -> list[BgrImage]:
    """Streets drawn from nothing, with three standard plates each."""
    scenes: list[BgrImage] = []
    for _ in range(count):
        fronts = [
            render_plate(RUSSIA.sample_text(RUSSIA.formats[0], rng=rng), RUSSIA.layouts[0], height_px=112, rng=rng)
            for _ in range(3)
        ]
        scenes.append(generated_street(rng, fronts=fronts).pixels)
    return scenes


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    folder = Path(arguments[0])
    rng = np.random.default_rng(0)
    crops = [plate_sample(rng, backgrounds=[]).pixels for _ in range(72)]
    sheets = {
        "fronts": sheet(fronts(rng), columns=5, size_px=(220, 120)),
        "crops": sheet(crops, columns=8, size_px=(160, 64)),
        "streets": sheet(streets(rng, 4), columns=2, size_px=(560, 315)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in sheets.items():
        cv2.imwrite(str(folder / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main(sys.argv[1:])
