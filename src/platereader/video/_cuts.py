"""Whether a frame goes on from the one before, or shows another view: a cut, another camera, a picture of its own."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage

CUT_CORRELATION: Final = 0.7
"""Frames that correlate less show two views. 99 of 100 pairs of street photographs do; frames in a row correlate more
from five a second on, also those of a camera in a hand or in a car."""

_LEAST_CONTRAST: Final = 4.0
"""Standard deviation, in grey levels, of a view that can be told from another; less is night, fog or a covered lens."""

_SAMPLED, _TINY = (64, 36), (32, 18)
"""Width and height: of the pixels that are looked at, and of what is compared."""


class Cuts:
    """Compares frames with those before, as tiny grey pictures: light that changes all of them changes nothing.

    0.03 ms a frame; the size of the frames may change.
    """

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.float32], float] | None = None

    def is_cut(self, frame: BgrImage) -> bool:
        """Whether this frame, the next one, has little in common with the one before."""
        now, before = _view(frame), self._before
        self._before = now
        if before is None or min(now[1], before[1]) < _LEAST_CONTRAST:
            return False
        covariance = float(now[0] @ before[0]) / now[0].size
        return covariance < CUT_CORRELATION * now[1] * before[1]


def _view(frame: BgrImage) -> tuple[NDArray[np.float32], float]:
    """The grey levels of a tiny picture of a frame less their mean, float32 ``(576,)``, and their deviation."""
    import cv2

    sampled = cv2.cvtColor(cv2.resize(frame, _SAMPLED, interpolation=cv2.INTER_NEAREST), cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(sampled, _TINY, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    levels = np.asarray(grey - grey.mean(), dtype=np.float32)
    return levels, float(np.sqrt(levels @ levels / levels.size))
