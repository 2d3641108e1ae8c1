"""Photographs to make sequences of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.synthesis.scenes.material import PlatePhotograph
from platereader.lab.synthesis.video.material import Material

CORNERS = Quad((400.0, 480.0), (520.0, 484.0), (520.0, 510.0), (400.0, 506.0))
RED = (20, 20, 230)


def photograph(path: Path) -> Path:
    """A grey wall of 1200 x 900 px with one red plate."""
    pixels = cv2.resize(np.random.default_rng(0).integers(90, 120, (9, 12, 3), np.uint8), (1200, 900))
    cv2.fillConvexPoly(pixels, np.rint(CORNERS.to_array()).astype(np.int32), RED)
    cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Six photographs of plates with different texts."""
    folder = tmp_path_factory.mktemp("video")
    places: list[PlatePhotograph] = []
    for number in range(6):
        plate = LabelledPlate(CORNERS.box, CORNERS, f"A12{number}BC77", "standard", "fitted")
        image = LabelledImage(photograph(folder / f"{number}.png"), 1200, 900, (plate,))
        places.append(PlatePhotograph(image, plate))
    return Material(tuple(places), tuple(places), {"0.png": (Box(900, 100, 1000, 130),)})
