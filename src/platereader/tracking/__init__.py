"""Following plates from frame to frame: which detection continues which track."""

from platereader.tracking.tracker import IouTracker

__all__ = ["IouTracker"]
