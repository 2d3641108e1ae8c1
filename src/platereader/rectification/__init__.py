"""Straightening plates by their corners."""

from platereader.rectification._corners import CornerRectifier

__all__ = ["CornerRectifier"]
