"""Everything with state or time: streams, passages, tracking, fusion."""

from platereader.video._fusion import FusedEvidence, FusedReading
from platereader.video._stream import PlateStream, StreamSettings
from platereader.video._tracking.tracker import MotionTracker

__all__ = ["FusedEvidence", "FusedReading", "MotionTracker", "PlateStream", "StreamSettings"]
