"""From what was seen to what is said: confidence, status and reason, by one policy object."""

from __future__ import annotations

from platereader.trust._calibration import Calibration
from platereader.trust._fused import FrameWeights, FusedCalibration
from platereader.trust._policy import TrustPolicy
from platereader.trust._signs import Signs, signs_of

__all__ = ["Calibration", "FrameWeights", "FusedCalibration", "Signs", "TrustPolicy", "signs_of"]
