"""The default detector: a finder proposes places on the whole frame, a refiner looks at each in the frame's pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, NamedTuple, final

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad, hull, iou, is_finite, shared_area
from platereader._interlaced import is_combed_somewhere, one_field
from platereader.detection._finder import Finder, Proposal
from platereader.detection._nms import drop_parts, suppress
from platereader.detection._refiner import Place, Refiner
from platereader.errors import InvalidArgumentError
from platereader.registry import WeightFile
from platereader.results import Detection, Lines, PartDescription
from platereader.results import _checks as check
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._loaded import network_description

_MIN_SIDE_PX = 1.0
# Corners of a plate that is partly outside may lie outside of its box, but not by more than this times its size.
_CORNER_REACH = 1.0
_INSIDE = 0.8
# What a finder would say of a place that nobody asked it about: then the refiner's score decides.
_UNKNOWN = 0.5
# The refiner is no more often right where its logit is greater than this: what looks like a plate to it and is none
# looks very much like one.
_SUREST = 4.0
# A plate that is wider than this in its input the finder sees piece by piece, and proposes some of the pieces; in a
# small picture of the frame it sees it whole.
_LARGE_PX, _OVERVIEW_PX, _ANY_SHRINK = 256, 256, 1e6
# The small picture costs next to nothing where the input is so many times as long.
_CHEAP = 4
# A piece is what has more than this of its area inside of a large plate.
_PIECE = 0.5
# Two finds side by side may be halves of a plate of such an aspect, where their heights and places differ by no more
# than this; it is one where the refiner is surer of it than of either half, and sees its corners about where they end.
_WHOLE_ASPECTS, _LIKE_HEIGHTS, _GAP, _OVERLAP, _SAME_WHOLE = (2.6, 5.6), 0.7, 0.3, 0.35, 0.6
# So narrow, or so wide by its height, a picture may be a plate and little else; what is wider is a strip of something.
_CROP_PX, _CROP_ASPECT, _STRIP_ASPECT = 480, 2.4, 12.0


class ScoreWeights(NamedTuple):
    """How the scores of the two networks become one: weights of a logistic regression on ``evidence``.

    Attributes:
        finder: weight of the finder's logit.
        refiner: weight of the refiner's logit.
        bias: added to the sum.
    """

    finder: float = 0.5
    refiner: float = 0.5
    bias: float = 0.0

    def score(self, proposal: Proposal, place: Place) -> float:
        """How likely a place is a plate, 0 to 1."""
        first, second = self.evidence(proposal, place)
        logit = self.finder * first + self.refiner * second + self.bias
        return probability(logit)

    @staticmethod
    def evidence(proposal: Proposal, place: Place) -> tuple[float, float]:
        """The logits of finder and refiner, the latter up to where it means more."""
        found = min(max(proposal.score, 1e-6), 1 - 1e-6)
        return math.log(found / (1 - found)), min(place.plate, _SUREST)


def probability(logit: float) -> float:
    """The logistic function, also of numbers that would overflow."""
    return 1 / (1 + math.exp(min(-logit, 60.0)))


EQUAL_WEIGHTS: Final = ScoreWeights()
"""Of networks whose scores nobody has fitted."""


@final
@dataclass(frozen=True, slots=True)
class PlateDetector:
    """Finds plates with their corners.

    The finder looks at the shrunk frame and proposes places generously; the refiner looks at each of them at full
    resolution. Frames may differ in size; the result for a frame does not depend on the others.

    Attributes:
        finder: proposes places.
        refiner: says what a place shows and where its corners are.
        score_weights: of the two scores.
        refined_share: how far the reported box follows the hull of the corners (1) or the proposal (0).
        min_score: lowest score of a plate that is reported, 0 to 1.
        max_iou: greatest IoU of two plates that are both reported, 0 to 1.

    Raises:
        InvalidArgumentError: a setting is out of range.
    """

    finder: Finder
    refiner: Refiner
    score_weights: ScoreWeights = EQUAL_WEIGHTS
    refined_share: float = 0.5
    min_score: float = 0.3
    max_iou: float = 0.5

    def __post_init__(self) -> None:
        check.fields(self, **dict.fromkeys(("min_score", "max_iou", "refined_share"), check.probability))
        if not all(map(is_finite, self.score_weights)):
            raise InvalidArgumentError(f"score_weights is {self.score_weights!r}, allowed are finite numbers.")

    @classmethod
    def from_weights(
        cls, finder: WeightFile, refiner: WeightFile, *, options: RuntimeOptions | None = None
    ) -> PlateDetector:
        """Load the checked weights of both networks; what is ``auto`` in the options of both follows from the files.

        They are of the kinds ``detector``, whose settings are those of the pair, and ``refiner``.

        Raises:
            WeightsCorruptError: the weights of another network.
            EngineError: the options and a file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: a setting is unknown or out of range.
        """
        return cls.of(Finder.from_weights(finder, options=options), Refiner.from_weights(refiner, options=options))

    @classmethod
    def of(cls, finder: Finder, refiner: Refiner) -> PlateDetector:
        """A pair with the settings that the finder's weights come with.

        Raises:
            InvalidArgumentError: a setting is unknown or out of range.
        """
        given: Any = {} if finder.weights is None else finder.weights.settings.get("pair", {})
        try:
            settings = dict(given)
            weights = ScoreWeights(**settings.pop("score_weights", {}))
            return cls(finder, refiner, weights, **settings)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"settings.pair is {given!r}, allowed are numbers for refined_share, min_score and max_iou, and "
                "score_weights with numbers for finder, refiner and bias."
            ) from error

    @property
    def input_size(self) -> int:
        """Longest side of the finder's input in pixels; larger for very large frames."""
        return self.finder.input_size

    def input_scale(self, width: int, height: int) -> float:
        """By how much the finder shrinks a frame of ``width`` x ``height`` px: pixels of its input a pixel."""
        return self.finder.input_scale(width, height)

    def with_input_size(self, input_size: int) -> PlateDetector:
        """The same detector, whose finder looks at pictures of another longest side, also of very large frames.

        Raises:
            InvalidArgumentError: it is no multiple of 32 pixels.
        """
        sized = replace(self.finder, input_size=input_size)
        shrink = self.finder.largest_shrink * self.finder.input_size / input_size
        return replace(self, finder=replace(sized, largest_shrink=shrink))

    @property
    def description(self) -> PartDescription:
        """What it is and how it runs; the note says with which refiner."""
        weights, refiner = self.finder.weights, self.refiner.weights
        second = None if refiner is None else f"with {refiner.model} {refiner.sha256[:12]}"
        first_runs, second_runs = ((one.runtime.engine, one.runtime.precision) for one in (self.finder, self.refiner))
        if second is not None and first_runs != second_runs:
            second += f" on {' '.join(second_runs)}"
        note = "; ".join(text for text in (second, self.finder.note) if text) or None
        return network_description(self, self.finder.runtime, part="detector", weights=weights, note=note)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first.

        An interlaced frame, whose fields differ, is searched once more as one field, and a frame that may show a plate
        close up as a small picture. Finds side by side that are halves of a plate, such as the lit and the shaded one,
        become that plate. A small or long picture in which the finder shows nothing is looked at as a plate that fills
        it.
        """
        proposals = self.finder.propose(frames)
        found = self._refined(frames, proposals)
        self._add_combed(frames, found)
        self._add_large(frames, proposals, found)
        self._join_halves(frames, found)
        crops = [index for index, frame in enumerate(frames) if not found[index] and _may_be_crop(frame)]
        again = self._refined([frames[index] for index in crops], [[_whole(frames[index])] for index in crops])
        for index, row in zip(crops, again, strict=True):
            found[index] = row
        return found

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        """As ``RefiningDetector`` says it: the plates where they are expected, best first; the finder does not look."""
        (found,) = self._refined([frame], [[Proposal(box, _UNKNOWN) for box in boxes]])
        return found

    def _add_large(
        self, frames: Sequence[BgrImage], proposals: Sequence[Sequence[Proposal]], found: list[list[Detection]]
    ) -> None:
        """Put plates that are too large for the finder's input in the places of their pieces.

        They are looked for where it proposes something so large, or nothing at all, and where that costs next to
        nothing beside the first search.
        """
        large_px = [_LARGE_PX / self.input_scale(frame.shape[1], frame.shape[0]) for frame in frames]
        asked = [
            index
            for index, (frame, row) in enumerate(zip(frames, proposals, strict=True))
            if not row
            or max(frame.shape) > _CHEAP * large_px[index]
            or any(one.box.width > large_px[index] for one in row)
        ]
        shown = [frames[index] for index in asked]
        overview = replace(self.finder, input_size=_OVERVIEW_PX, largest_shrink=_ANY_SHRINK)
        for index, seen in zip(asked, self._refined(shown, overview.propose(shown)), strict=True):
            large = [plate for plate in seen if plate.box.width > large_px[index]]
            others = [plate for plate in found[index] if not any(_is_piece(plate, one) for one in large)]
            found[index] = sorted(large + others, key=lambda plate: -plate.score)

    def _add_combed(self, frames: Sequence[BgrImage], found: list[list[Detection]]) -> None:
        """Add what one field alone shows of the frames whose fields differ."""
        combed = [index for index, frame in enumerate(frames) if is_combed_somewhere(frame)]
        fields = [one_field(frames[index]) for index in combed]
        for index, plates in zip(combed, self._refined(fields, self.finder.propose(fields)), strict=True):
            found[index] = self._apart(found[index] + plates)

    def _join_halves(self, frames: Sequence[BgrImage], found: list[list[Detection]]) -> None:
        """Put plates in the places of their halves."""
        pairs = [[pair for pair in combinations(row, 2) if _may_be_halves(*pair)] for row in found]
        boxes = [
            [box for left, right in row for box in (hull(left.box, right.box), left.box, right.box)] for row in pairs
        ]
        for index, places in enumerate(self.refiner.refine(frames, boxes) if any(pairs) else ()):
            for pair, whole, *halves in zip(pairs[index], *(places[part::3] for part in range(3)), strict=True):
                around = hull(pair[0].box, pair[1].box)
                surest = whole.plate > max(half.plate for half in halves)
                if surest and whole.two_lines <= 0 and iou(around, whole.corners.box) > _SAME_WHOLE:
                    joined = self._detections(frames[index], [Proposal(around, _UNKNOWN)], [whole])
                    others = [plate for plate in found[index] if plate not in pair]
                    found[index] = self._apart(others + joined) if joined else found[index]

    def _refined(self, frames: Sequence[BgrImage], proposals: Sequence[Sequence[Proposal]]) -> list[list[Detection]]:
        """The plates of each frame among what is proposed there, best first."""
        places = self.refiner.refine(frames, [[proposal.box for proposal in row] for row in proposals])
        return [self._detections(*row) for row in zip(frames, proposals, places, strict=True)]

    def _detections(self, frame: BgrImage, proposals: Sequence[Proposal], places: Sequence[Place]) -> list[Detection]:
        """The plates of one frame: each one once, and what lies outside of the frame dropped."""
        height, width = frame.shape[:2]
        plates: list[Detection] = []
        for proposal, place in zip(proposals, places, strict=True):
            score = self.score_weights.score(proposal, place)
            if score < self.min_score:
                continue
            box = combined_box(proposal.box, place.corners, share=self.refined_share).clipped(width, height)
            if box is None or min(box.width, box.height) < _MIN_SIDE_PX:
                continue
            lines: Lines = 2 if place.two_lines > 0 else 1
            plates.append(Detection(box, score, _held(place.corners, box), lines, truncated=place.cut > 0))
        return self._apart(plates)

    def _apart(self, plates: Sequence[Detection]) -> list[Detection]:
        """Each plate once, best first."""
        plates = sorted(plates, key=lambda plate: -plate.score)
        bounds = [plate.box.to_tuple() for plate in plates]
        apart = suppress(bounds, max_iou=self.max_iou)
        # A part is such as the lit half of a plate across a shadow.
        whole = drop_parts([bounds[index] for index in apart], max_share=_INSIDE)
        return [plates[apart[index]] for index in whole]


def _is_piece(plate: Detection, large: Detection) -> bool:
    """Whether a plate is a part of a large one, or the same."""
    return shared_area(plate.box, large.box) > _PIECE * plate.box.area


def _may_be_halves(one: Detection, other: Detection) -> bool:
    """Whether two finds lie side by side as the halves of a plate of one line do."""
    left, right = sorted((one.box, other.box), key=lambda box: box.x1)
    around, heights = hull(left, right), sorted((left.height, right.height))
    if 2 in (one.lines, other.lines) or heights[0] < _LIKE_HEIGHTS * heights[1]:
        return False
    gap, apart_y = right.x1 - left.x2, abs(left.center[1] - right.center[1])
    beside = -_OVERLAP * min(left.width, right.width) < gap < _GAP * heights[0] and apart_y < heights[0] / 2
    return beside and _WHOLE_ASPECTS[0] < around.width / around.height < _WHOLE_ASPECTS[1]


def _may_be_crop(frame: BgrImage) -> bool:
    """Whether a picture has the size or the shape of one that shows a plate and little else."""
    height, width = int(frame.shape[0]), int(frame.shape[1])
    may_be_crop = width <= _CROP_PX or width >= _CROP_ASPECT * height
    return may_be_crop and width <= _STRIP_ASPECT * height


def _whole(frame: BgrImage) -> Proposal:
    """All of a picture."""
    height, width = frame.shape[:2]
    return Proposal(Box(0.0, 0.0, float(width), float(height)), _UNKNOWN)


def combined_box(proposed: Box, corners: Quad, *, share: float) -> Box:
    """The box between a proposal and the hull of the corners, each of its sides by ``share`` nearer to the hull."""
    sides = zip(proposed.to_tuple(), corners.box.to_tuple(), strict=True)
    return Box(*((1 - share) * one + share * other for one, other in sides))


def _held(corners: Quad, box: Box) -> Quad:
    """Corners kept within reach of their box."""
    reach = box.padded(_CORNER_REACH * box.width, _CORNER_REACH * box.height)
    if all(reach.x1 <= x <= reach.x2 and reach.y1 <= y <= reach.y2 for x, y in corners.points):
        return corners
    return Quad(*((min(max(x, reach.x1), reach.x2), min(max(y, reach.y1), reach.y2)) for x, y in corners.points))
