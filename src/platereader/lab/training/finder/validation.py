"""How good a finder is on labelled photographs that it is not trained on, measured while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from platereader.detection._finder import Finder, Proposal
from platereader.detection._finder_network import FinderNetwork, finder_from_state
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.labels import is_held_out
from platereader.lab.metrics.rates import match, recall
from platereader.lab.suites.labelled.run import picture_boxes
from platereader.lab.training.detector.material import LabelledSets
from platereader.media._images import read_image
from platereader.results import Detection
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

_SETS = ("russian", "streets", "more", "neighbours")
_GENEROUS, _SURE = 0.05, 0.3


@dataclass(frozen=True, slots=True)
class Photographs:
    """What a validation looks at: labelled photographs, and scenes without plates."""

    images: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


def held_out(sets: LabelledSets) -> Photographs:
    """The photographs and the empty scenes in colour that no training sees."""
    images = [
        image
        for name in _SETS
        for image in sets.of(name)
        if is_held_out(image.path) and any(plate.box is not None for plate in image.plates)
    ]
    without = sets.of("negatives-colour") or sets.of("negatives")
    empty = [image for image in without if is_held_out(image.path)]
    return Photographs(tuple(images), tuple(empty))


def averaged_finder(tensors: Mapping[str, Tensor]) -> FinderNetwork:
    """The finder with the average of the weights, as it runs."""
    return fuse_normalisation(finder_from_state(tensors, name="the average of the weights"))


def validate(tensors: Mapping[str, Tensor], photographs: Photographs) -> dict[str, float | None]:
    """Measure a network with the given weights.

    Returns:
        plates: plates with a good box, n of the recalls.
        recall: share of plates that a proposal of score 0.05 or more meets by IoU 0.5.
        sure_recall: the same from score 0.3 on.
        close_recall: share of plates that a proposal of score 0.05 or more meets by IoU 0.75.
        proposals: proposals a photograph.
        false_alarms: proposals of score 0.3 or more an empty scene.
    """
    finder = Finder(TorchRuntime(averaged_finder(tensors)), min_score=_GENEROUS)
    found = [finder.propose([read_image(image.path)])[0] for image in photographs.images]
    false = [finder.propose([read_image(image.path)])[0] for image in photographs.empty]
    sure = [[proposal for proposal in row if proposal.score >= _SURE] for row in found]
    alarms = sum(proposal.score >= _SURE for row in false for proposal in row)
    return {
        "plates": sum(len(picture_boxes(image, ()).labelled) for image in photographs.images),
        "recall": _recall(photographs.images, found, min_iou=0.5),
        "sure_recall": _recall(photographs.images, sure, min_iou=0.5),
        "close_recall": _recall(photographs.images, found, min_iou=0.75),
        "proposals": sum(map(len, found)) / len(found) if found else None,
        "false_alarms": alarms / len(false) if false else None,
    }


def _recall(images: Sequence[LabelledImage], found: Sequence[Sequence[Proposal]], *, min_iou: float) -> float | None:
    pictures = [
        picture_boxes(image, [Detection(*proposal) for proposal in row])
        for image, row in zip(images, found, strict=True)
    ]
    return recall([match(picture, min_iou=min_iou) for picture in pictures]).value
