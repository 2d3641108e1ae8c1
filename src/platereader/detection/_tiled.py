"""Small plates in big frames: any detector, run on overlapping tiles as well as on the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import final

from platereader._arrays import BgrImage
from platereader._contracts import check_part, checked_refine, refines
from platereader._geometry import Box, hull, shared_area
from platereader.detection._region import RegionDetector
from platereader.detection._views import View, detect_views
from platereader.errors import InvalidArgumentError
from platereader.protocols import Detector
from platereader.results import Detection

MIN_TILE_PX = 64
"""Smallest side of a tile."""

MARGIN = 0.1
"""A box that comes nearer to a seam than this share of its longer side counts as cut off there."""

# Two boxes of different views are one plate where they share more than this of the smaller one.
_SAME_PLATE = 0.5
# The frame as a whole shows a plate that fits into the overlap more coarsely than a tile does.
_COARSE_FACTOR = 0.8
# Of two pieces of one plate, the larger is all of it when it covers this share of both together.
_WHOLE_SHARE = 0.9


@final
@dataclass(frozen=True, slots=True)
class TiledDetector:
    """Finds plates that are too small for ``inner`` once it has shrunk the frame to its input size.

    A frame larger than a tile is cut into overlapping tiles of equal size, and ``inner`` looks at each of them and,
    for plates too large for a tile, at the frame as a whole. Smaller frames go to ``inner`` as they are. The time
    grows with the number of tiles: 15 and the frame for 3840x2160 px with the defaults.

    Every plate of ``overlap_px / (1 + 2 * MARGIN)`` px or less lies wholly inside of some tile. What a seam cuts off
    is replaced by the detection of the whole plate; pieces of which no whole is found are joined to one detection,
    without corners. Detections of one view are never merged, since ``inner`` has already suppressed doubles. Scores are
    those of ``inner``.

    Attributes:
        inner: any detector. It is given views of the frames, at most 16 at once. A ``RegionDetector`` goes around
            this one, not inside, as its region is in pixels of the frame.
        tile_px: side of a tile in pixels of the frame, 64 or more. At one and a half times the input size of
            ``inner``, a plate 60 px wide is 40 px wide for the network.
        overlap_px: what neighbouring tiles share at least, in pixels of the frame, 0 to half of ``tile_px``. Choose
            it a fifth wider than the widest plate which is too small to be found without tiles.

    Raises:
        InvalidArgumentError: ``inner`` is no detector, or a size is out of range.
    """

    inner: Detector
    tile_px: int = 960
    overlap_px: int = 240

    def __post_init__(self) -> None:
        check_part(self.inner, kind="detector", name="inner")
        if isinstance(self.inner, RegionDetector):
            raise InvalidArgumentError(
                "inner is a RegionDetector, whose region is in pixels of the frame and not of a tile: put the region "
                "around the tiles, RegionDetector(TiledDetector(detector), region)."
            )
        if not _is_whole(self.tile_px) or self.tile_px < MIN_TILE_PX:
            raise InvalidArgumentError(f"tile_px is {self.tile_px!r}, allowed are {MIN_TILE_PX} px and more: try 960.")
        if not _is_whole(self.overlap_px) or not 0 <= self.overlap_px <= self.tile_px // 2:
            raise InvalidArgumentError(
                f"overlap_px is {self.overlap_px!r}, allowed are 0 to {self.tile_px // 2} px, half of tile_px: try "
                f"{self.tile_px // 4}."
            )

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first.

        Raises:
            ContractError: ``inner`` broke its contract.
        """
        views = [(index, view) for index, frame in enumerate(frames) for view in self._views(frame)]
        seen = detect_views(self.inner, [(frames[index], view) for index, view in views])
        found: list[list[_ViewDetection]] = [[] for _ in frames]
        for (index, view), detections in zip(views, seen, strict=True):
            whole = View.whole(frames[index])
            for detection in detections:
                cut = view.cuts(detection.box, frames[index], within=view, share=MARGIN)
                coarse = view == whole and self._fits_overlap(detection.box)
                found[index].append(_ViewDetection(detection, frozenset([view]), cut, coarse))
        return [_merged(candidates) for candidates in found]

    @property
    def can_refine(self) -> bool:
        """Whether ``inner`` can."""
        return refines(self.inner)

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        """The plates at places where they are expected, as ``inner`` sees them in the frame itself, without tiles.

        Raises:
            InvalidArgumentError: ``inner`` cannot refine.
            ContractError: ``inner`` broke its contract.
        """
        return checked_refine(self.inner, frame, boxes)

    def _fits_overlap(self, box: Box) -> bool:
        """Whether some tile shows all of a plate of this size, wherever it is."""
        return (1 + 2 * MARGIN) * max(box.width, box.height) <= self.overlap_px

    def _views(self, frame: BgrImage) -> list[View]:
        """The whole frame, and its tiles if it is larger than one, row by row."""
        height, width = frame.shape[:2]
        if max(height, width) <= self.tile_px:
            return [View.whole(frame)]
        right, below = min(self.tile_px, width), min(self.tile_px, height)
        lefts, tops = self._starts(width), self._starts(height)
        return [View.whole(frame), *(View(x, y, x + right, y + below) for y in tops for x in lefts)]

    def _starts(self, side_px: int) -> list[int]:
        """Where the tiles along a side start: as few as the overlap allows, evenly spread."""
        if side_px <= self.tile_px:
            return [0]
        gaps = -(-(side_px - self.tile_px) // (self.tile_px - self.overlap_px))
        return [index * (side_px - self.tile_px) // gaps for index in range(gaps + 1)]


def _is_whole(value: object) -> bool:
    """Whether it is a whole number, of Python or numpy, and no truth value."""
    return not isinstance(value, bool) and isinstance(value, Integral)


@dataclass(frozen=True, slots=True)
class _ViewDetection:
    """A detection in pixels of the frame, and the views that show it: several once pieces have been joined.

    It is ``cut`` where a seam may cut it off, and ``coarse`` where a tile shows all of it, too, and larger.
    """

    detection: Detection
    views: frozenset[View]
    cut: bool
    coarse: bool

    @property
    def weight(self) -> float:
        """The score, lowered for a coarse candidate."""
        return self.detection.score * (_COARSE_FACTOR if self.coarse else 1.0)

    def repeats(self, other: _ViewDetection) -> bool:
        """Whether this is a plate that another view shows as ``other``."""
        if self.views & other.views:
            return False
        mine, theirs = self.detection.box, other.detection.box
        # A piece may be larger than a false detection inside of it: it goes only where most of it is covered.
        smaller = mine.area if self.cut and not other.cut else min(mine.area, theirs.area)
        return shared_area(mine, theirs) > _SAME_PLATE * smaller


def _merged(candidates: Sequence[_ViewDetection]) -> list[Detection]:
    """One detection per plate, best first."""
    kept: list[_ViewDetection] = []
    for candidate in sorted(candidates, key=lambda item: (item.cut, -item.weight)):
        same = next((index for index, better in enumerate(kept) if candidate.repeats(better)), None)
        if same is None:
            kept.append(candidate)
        elif kept[same].cut and 2 * candidate.detection.score >= kept[same].detection.score:
            kept[same] = _joined(kept[same], candidate)
    return sorted((item.detection for item in kept), key=lambda item: -item.score)


def _joined(better: _ViewDetection, other: _ViewDetection) -> _ViewDetection:
    """Two pieces of one plate as one."""
    first, second = better.detection, other.detection
    box = hull(first.box, second.box)
    views = better.views | other.views
    for piece in (first, second):
        if piece.box.area >= _WHOLE_SHARE * box.area:
            return replace(better, detection=replace(piece, score=first.score), views=views)
    lines = first.lines if first.lines == second.lines else None
    return replace(better, detection=Detection(box, first.score, None, lines), views=views)
