"""How well one frame shows a plate, in a few numbers: of its size, of its picture, and of its own reading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.results import Detection, Lines, PlateReading
from platereader.results._evidence import plate_sides
from platereader.trust._logistic import log_odds
from platereader.trust._signs import illegible_shares

_WIDTH_PX = (12.0, 300.0)
_TWO_LINE_WIDTH = 1.0 / 0.6
_MIN_SHARPNESS = 0.02
_MAX_ILLEGIBLE = 0.98
_MAX_ODDS = 9.0
_MAX_AGREEING_ODDS = 6.0

_ANOTHER_WAY: Final = np.array([0.12, 0.2, 0.2, 0.2, 0.2, 1.5])
"""By how much two frames differ in each sign if they show the plate in another way."""

_LEAST_NEW: Final = 0.2
"""How much of a frame is new that shows the plate as a surer one does: its noise."""


def agreement(frames: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The mean of the log odds of frames that read the same text, by their signs, and the sum of those above 0.

    The surest frame counts in full, each further one as far as its signs differ from those of all surer ones: frames
    that show a plate in one and the same way have the same blind spot.
    """
    if not frames:
        return -_MAX_AGREEING_ODDS, 0.0
    signs = np.array(sorted(frames, key=lambda one: tuple(reversed(one)), reverse=True))
    odds = np.clip(signs[:, -1], -_MAX_AGREEING_ODDS, _MAX_AGREEING_ODDS)
    distances = (((signs[:, None] - signs) / _ANOTHER_WAY) ** 2).sum(axis=-1)  # (F, F)
    surer = np.tri(len(signs), k=-1, dtype=np.bool_)
    new = np.maximum(_LEAST_NEW, -np.expm1(-np.where(surer, distances, np.inf).min(axis=1)))
    return float(odds.mean()), float(new @ np.maximum(odds, 0.0))


def frame_signs(reading: PlateReading) -> tuple[float, ...]:
    """What ``FrameWeights`` weighs, in the order of ``platereader.trust._fused.FRAME_SIGNS``; 0 for what is not known.

    Two things are not among them. The detector's score means something else with every detector; and how obliquely the
    plate is seen adds nothing to the rest (``docs/explanation/fusion.md``).
    """
    evidence = reading.evidence
    sharpness, contrast = _picture(evidence.plate.pixels)
    edge, inner = illegible_shares(evidence.log_probs)
    return (
        _size(evidence.detection, evidence.plate.lines),
        sharpness,
        contrast,
        *(math.log1p(-min(share, _MAX_ILLEGIBLE)) for share in (edge, inner)),
        max(-_MAX_ODDS, min(_MAX_ODDS, log_odds(reading.confidence))),
    )


def _size(detection: Detection | None, lines: Lines) -> float:
    """Logarithm of the plate's width in the frame in units of 100 px; of two lines as if they stood side by side."""
    if detection is None:
        return 0.0
    full_px = plate_sides(detection)[0] * (1.0 if lines == 1 else _TWO_LINE_WIDTH)
    return math.log(min(max(full_px, _WIDTH_PX[0]), _WIDTH_PX[1]) / 100.0)


def _picture(pixels: BgrImage) -> tuple[float, float]:
    """Sharpness: how much of the picture's contrast its steepest edges span from one pixel to the next; and contrast.

    Both are logarithms, of the picture at half its size, where noise and compression count less.
    """
    rows, columns = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    if rows < 2 or columns < 4:
        return math.log(_MIN_SHARPNESS), 0.0
    green: NDArray[np.float32] = pixels[:rows, :columns, 1].astype(np.float32)
    half = (green[::2, ::2] + green[1::2, ::2] + green[::2, 1::2] + green[1::2, 1::2]) / np.float32(4)
    dark, bright = _quantile(half, 0.05), _quantile(half, 0.95)
    spread = max(1.0, bright - dark)
    steepest = _quantile(np.abs(np.diff(half, axis=1)), 0.95)
    return math.log(max(_MIN_SHARPNESS, steepest / spread)), math.log(spread / 100.0)


def _quantile(values: NDArray[np.float32], share: float) -> float:
    """The value that this share of all, less than 1, is below of; ten times faster than ``np.quantile``."""
    index = int(share * values.size)
    return float(np.partition(values, index, axis=None)[index])
