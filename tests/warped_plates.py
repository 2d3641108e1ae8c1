"""Pictures of plates for these tests: a light field with a dark rim and lettering, warped into a street-grey frame."""

from __future__ import annotations

import math

import cv2
import numpy as np

from platereader import Quad
from platereader._arrays import BgrImage

ONE_LINE = (520, 112)
TWO_LINES = (290, 170)


def flat_plate(size: tuple[int, int] = ONE_LINE, *, dark: bool = False) -> BgrImage:
    """An upright plate of that width and height, uint8 BGR."""
    width, height = size
    ground, ink = (40, 235) if dark else (235, 30)
    plate = np.full((height, width, 3), ground, np.uint8)
    cv2.rectangle(plate, (6, 6), (width - 7, height - 7), (ink, ink, ink), 3)
    lines = ["A123BC77"] if size == ONE_LINE else ["A123", "BC77"]
    for row, text in enumerate(lines):
        base = int(height * (row + 0.76) / len(lines))
        scale = 2.6 if size == ONE_LINE else 2.0
        cv2.putText(plate, text, (30, base), cv2.FONT_HERSHEY_DUPLEX, scale, (ink, ink, ink), 6, cv2.LINE_AA)
    return plate


def tilted(center: tuple[float, float], *, width: float, aspect: float, angle_deg: float, turn: float = 0.0) -> Quad:
    """A quad rotated by an angle; ``turn`` shortens its right edge by that share, as seen from the side."""
    height = width / aspect
    corners = [
        (-width / 2, -height / 2),
        (width / 2, -height / 2 * (1 - turn)),
        (width / 2, height / 2 * (1 - turn)),
        (-width / 2, height / 2),
    ]
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return Quad.from_points([(center[0] + x * cos - y * sin, center[1] + x * sin + y * cos) for x, y in corners])


def street(plate: BgrImage, quad: Quad, *, size: tuple[int, int] = (640, 480), rng: np.random.Generator) -> BgrImage:
    """A frame of blurred noise around 110 with the plate warped onto the quad."""
    width, height = size
    noise = rng.normal(110, 60, (height // 8, width // 8, 3)).clip(0, 255).astype(np.float32)
    frame = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC).clip(40, 170).astype(np.uint8)
    rows, columns = plate.shape[:2]
    source = np.asarray([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(source, quad.to_array() - np.float32(0.5))
    shrink = max(round(columns / max(quad.width, 1)), 1)
    soft = cv2.blur(plate, (shrink, shrink))
    warped = cv2.warpPerspective(soft, matrix, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((rows, columns), 255, np.uint8), matrix, size) > 127
    frame[mask] = warped[mask]
    return frame
