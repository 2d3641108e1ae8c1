"""Following plates from frame to frame: which detection continues which track."""

from platereader.video._tracking.tracker import MotionTracker

__all__ = ["MotionTracker"]
