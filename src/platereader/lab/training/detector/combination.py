"""How the scores and boxes of finder and refiner become one, fitted on photographs that neither was trained on.

The score is a logistic regression on the logits of both, over what the finder proposes: so it is a probability, as far
as the photographs are like what comes later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from platereader._geometry import Box, iou
from platereader.detection._finder import Proposal
from platereader.detection._plate_detector import PlateDetector, ScoreWeights, combined_box
from platereader.detection._refiner import Place
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.labels import name_hash
from platereader.lab.metrics.rates import best_overlap
from platereader.lab.training.detector.material import Photographs
from platereader.lab.training.refiner import places_in
from platereader.trust._logistic import fit_logistic

_SAME, _OTHER = 0.5, 0.15
# Somewhat below one half: a missed plate costs more than a false find, which the reader refuses.
_MIN_CHANCE = 0.3
# Of either kind of places so many at least.
_LEAST = 5


class _Judged(NamedTuple):
    """A proposal, what the refiner says of it, and whether it is a plate."""

    proposal: Proposal
    place: Place
    plate: Box | None


def fitted_on(photographs: Photographs) -> Photographs:
    """The half of the photographs that a pair is fitted on, by the sha1 of the file name; figures may leave it out."""
    images = tuple(image for image in photographs.images if name_hash(image.path) % 2)
    return Photographs(images, tuple(image for image in photographs.empty if name_hash(image.path) % 2))


def fit_pair(detector: PlateDetector, photographs: Photographs) -> PlateDetector:
    """Fit how scores and boxes combine, on ``fitted_on(photographs)``, that neither network was trained on.

    The detector stays as it is where they show too few plates, or too little else that the finder proposes.
    """
    half = fitted_on(photographs)
    judged = [one for image in half.images + half.empty for one in _judged(image, detector)]
    is_plate = [one.plate is not None for one in judged]
    if min(is_plate.count(True), is_plate.count(False)) < _LEAST:
        return detector
    bias, (first, second) = fit_logistic([ScoreWeights.evidence(one.proposal, one.place) for one in judged], is_plate)
    weights = ScoreWeights(first, second, bias)
    return PlateDetector(detector.finder, detector.refiner, weights, _best_share(judged), min_score=_MIN_CHANCE)


def pair_settings(detector: PlateDetector) -> dict[str, Any]:
    """How finder and refiner combine, as it stands among the settings of the finder's weights."""
    return {
        "score_weights": {name: round(value, 4) for name, value in detector.score_weights._asdict().items()},
        "refined_share": detector.refined_share,
        "min_score": detector.min_score,
        "max_iou": detector.max_iou,
    }


def _judged(image: LabelledImage, detector: PlateDetector) -> Iterator[_Judged]:
    """The proposals in a picture of which it is known whether they are plates; of one plate the best one counts."""
    good, complete = image.good_boxes, image.shows_all
    unsure = [*image.ignored, *(plate.box for plate in image.plates if plate.box is not None and plate.is_loose)]
    met: set[int] = set()
    for proposal, place in places_in(image, finder=detector.finder, refiner=detector.refiner):
        best, overlap = best_overlap(proposal.box, good)
        if overlap >= _SAME:
            if best not in met:
                yield _Judged(proposal, place, good[best])
            met.add(best)
        elif complete and overlap <= _OTHER and not any(iou(proposal.box, one) for one in unsure):
            yield _Judged(proposal, place, None)


def _best_share(judged: Sequence[_Judged]) -> float:
    """The share of the refined box with the greatest mean IoU."""

    def mean_iou(share: float) -> float:
        pairs = ((one.plate, combined_box(one.proposal.box, one.place.corners, share=share)) for one in judged)
        return float(np.mean([iou(box, plate) for plate, box in pairs if plate is not None]))

    return max((0.0, 0.25, 0.5, 0.75, 1.0), key=mean_iou)
