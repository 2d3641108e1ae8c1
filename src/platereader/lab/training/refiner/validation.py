"""How good a refiner is about plates of photographs that it is not trained on, measured while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from platereader._geometry import Box, iou
from platereader.detection._finder import Finder
from platereader.detection._refiner import Place, Refiner
from platereader.detection._refiner_network import RefinerNetwork, refiner_from_state
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics.rates import best_overlap, corner_error
from platereader.lab.training.finder.validation import Photographs
from platereader.media._images import read_image
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation


def averaged_refiner(tensors: Mapping[str, Tensor]) -> RefinerNetwork:
    """The refiner with the average of the weights, as it runs."""
    return fuse_normalisation(refiner_from_state(tensors, name="the average of the weights"))


def validate(tensors: Mapping[str, Tensor], photographs: Photographs, *, finder: Finder) -> dict[str, float | None]:
    """Measure a network with the given weights on what a finder proposes.

    Returns:
        plates: proposals that meet a labelled plate, one a plate; n of ``accepted`` and ``hull``.
        accepted: share of them that it calls plates.
        hull: median IoU of the hull of the corners and the labelled box.
        corner_error: median distance of the corners from the labelled ones, in per cent of the plate's width.
        false: share of the proposals on empty scenes that it calls plates.
    """
    refiner = Refiner(TorchRuntime(averaged_refiner(tensors)))
    pairs = [pair for image in photographs.images for pair in _refined(image, finder=finder, refiner=refiner)]
    false = [place for image in photographs.empty for _, place in _places(image, finder=finder, refiner=refiner)]
    hulls = [iou(place.corners.box, plate.box) for plate, place in pairs if plate.box is not None]
    errors = [corner_error(place.corners, plate.corners) for plate, place in pairs if plate.corners is not None]
    return {
        "plates": len(pairs),
        "accepted": _share([place for _, place in pairs]),
        "hull": float(np.median(hulls)) if hulls else None,
        "corner_error": float(np.median(errors)) if errors else None,
        "false": _share(false),
    }


def _refined(image: LabelledImage, *, finder: Finder, refiner: Refiner) -> list[tuple[LabelledPlate, Place]]:
    """Each well boxed plate of a picture that a proposal meets, with what the refiner says there."""
    found = _places(image, finder=finder, refiner=refiner)
    pairs: list[tuple[LabelledPlate, Place]] = []
    for plate in image.plates:
        if plate.box is None or plate.is_loose:
            continue
        best, overlap = best_overlap(plate.box, [box for box, _ in found])
        if overlap >= 0.4:
            pairs.append((plate, found[best][1]))
    return pairs


def _places(image: LabelledImage, *, finder: Finder, refiner: Refiner) -> list[tuple[Box, Place]]:
    """What a finder proposes in a picture, and what the refiner says of it."""
    frame = read_image(image.path)
    boxes = [proposal.box for proposal in finder.propose([frame])[0]]
    return list(zip(boxes, refiner.refine([frame], [boxes])[0], strict=True))


def _share(places: Sequence[Place]) -> float | None:
    """How many are called plates."""
    return sum(place.plate > 0 for place in places) / len(places) if places else None
