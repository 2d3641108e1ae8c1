"""Straightening plates: by learned corners, or from a box alone with classical image processing."""

from platereader.rectification._contour import ContourRectifier
from platereader.rectification._corners import CornerRectifier

__all__ = ["ContourRectifier", "CornerRectifier"]
