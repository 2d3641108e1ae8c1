"""From what was seen to what is said: confidence, status and reason, by one policy object."""

from __future__ import annotations

from platereader.trust.calibration import Calibration
from platereader.trust.fused import FrameWeights, FusedCalibration, FusedSigns
from platereader.trust.policy import TrustPolicy
from platereader.trust.signs import Signs, signs_of

__all__ = ["Calibration", "FrameWeights", "FusedCalibration", "FusedSigns", "Signs", "TrustPolicy", "signs_of"]
