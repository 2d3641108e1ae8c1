"""Fine-tune the detector on labelled pictures of the user, and keep the new weights only if they find plates better.

The pictures are mixed with what the detector was trained on, or where that is not at hand with made-up plates, so that
it does not forget the rest of the world. Both are measured before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import nn

from platereader._dependencies import check_installed
from platereader.detection._network import PlateNetwork, network_from_state
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.training.detector.background import FILE_NAME, with_background
from platereader.lab.training.detector.comparison import (
    DetectorComparison,
    PictureSet,
    compare_scores,
    score_detector,
    table,
)
from platereader.lab.training.detector.data import TileMaker
from platereader.lab.training.detector.finetune_data import (
    MadeUpScenes,
    MixedTiles,
    TuningPictures,
    drawn_street,
    load_tuning_pictures,
)
from platereader.lab.training.detector.material import LabelledSets, completed, detector_material, load_sets
from platereader.lab.training.detector.train import (
    WEIGHTS_NAME,
    DetectorRun,
    DetectorTraining,
    write_detector_weights,
)
from platereader.lab.training.detector.validation import ValidationSlice, validate, validation_slice
from platereader.lab.training.finetuning import FineTuned, check_output, refuse_worse, write_report
from platereader.registry import WeightFile
from platereader.runtimes._tensors import tensors_of
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

__all__ = [
    "DEFAULTS",
    "MINUTES",
    "fine_tune_detector",
    "half_frozen",
    "street_set",
]

DEFAULTS: Final[Mapping[str, Any]] = {"learning_rate": 3e-4, "warmup_steps": 20}
"""Settings of ``DetectorTraining`` that suit fine-tuning."""

MINUTES = 8.0
"""Length of a fine-tuning that nothing else is said about: with all measuring less than 20 minutes on two cores."""

STREETS = 40
"""Drawn streets to compare on where no older pictures are given."""

TUNING_SHARE = 0.5
"""Share of the user's pictures among the scenes of a batch."""

MARGIN_POINTS = 1.0
"""Points of AP50-95 that older pictures, or drawn streets, may lose."""

_SEED = 2**42
_HELD_OUT, _OLDER, _STREETS = "your pictures, held out", "older pictures", "drawn streets"


def fine_tune_detector(
    data: Path,
    *,
    output: Path,
    training: DetectorTraining,
    start: WeightFile,
    older: Sequence[Path] = (),
    even_if_worse: bool = False,
) -> FineTuned[DetectorComparison]:
    """Train weights further, on the user's pictures among others, or go on with a run that was stopped.

    Plates that the labels of the pictures leave out are looked for first, see ``lab.training.detector.background``.

    Args:
        data: labelled set of the user; a fifth of it, and at least 8 pictures with a plate, is held out.
        output: folder for the weights, their sidecar and card, ``finetuning.json``, log and checkpoint.
        training: how long and how, see ``DEFAULTS``.
        start: weights to begin with; their settings are handed on.
        older: what is trained on besides, as ``train_detector`` takes it; without it plates are made up.
        even_if_worse: write the weights even if they find less.

    Returns:
        The figures, and the file of the weights.

    Raises:
        AccuracyError: AP50-95 of the user's held-out pictures fell, or that of older ones, or of drawn streets, beyond
            margin and chance: only the checkpoint and the report are written.
        DatasetError: a labelled set cannot be used, or ``data`` has fewer than 20 usable pictures with a plate.
        InvalidArgumentError: the output folder holds other weights, or the run was begun with other settings or data.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    check_output(output, start=start.sha256)
    tuning = load_tuning_pictures(data)
    origin = {"start": start.sha256, "data": tuning.fingerprint, "older": " ".join(path.name for path in older)}
    name = str(start.path)
    network = half_frozen(network_from_state(tensors_of(start.data, name=name), name=name))
    run = DetectorRun(network, output=output, training=training, origin=origin)
    sets = _merged([load_sets(path) for path in older])
    comparisons = tuple(_train(run, tuning, sets=sets, start=start))
    result = FineTuned[DetectorComparison].of(run.loop, start=start, tuning=tuning, comparisons=comparisons)
    if not even_if_worse:
        refuse_worse(result, output=output, data=data)
    figures = [(f"{name}, {figure}", after) for one in result.comparisons for name, figure, _, after in table(one)]
    weights = write_detector_weights(output, start=start, data=[data, *older], figures=figures)
    result = replace(result, weights=weights)
    write_report(result, output=output)
    return result


def half_frozen(network: PlateNetwork) -> PlateNetwork:
    """The network, ready to be fine-tuned: first layers fixed, and all normalisation by the statistics that it has.

    Few pictures of one camera would replace the statistics of the world by their own.
    """
    network.train()
    for layers in (network.stem, network.stages[0]):  # they see edges and colours
        layers.requires_grad_(requires_grad=False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return network


def street_set() -> PictureSet:
    """Always the same drawn streets: what the rest of the world looks like where there are no pictures of it."""
    streets = [drawn_street(np.random.default_rng((_SEED, index))) for index in range(STREETS)]
    images = [
        LabelledImage(
            Path(f"street {index}"),
            street.pixels.shape[1],
            street.pixels.shape[0],
            tuple(LabelledPlate(plate.box, corners=plate.corners) for plate in street.plates),
        )
        for index, street in enumerate(streets)
    ]
    return PictureSet(_STREETS, tuple(images), lambda index: streets[index].pixels)


def _train(
    run: DetectorRun, tuning: TuningPictures, *, sets: LabelledSets, start: WeightFile
) -> Iterator[DetectorComparison]:
    """Train to the end; what is found on each set before and after, and by the weights of an earlier end if any."""
    output, known = run.loop.output, validation_slice(sets)
    older = PictureSet.of_files(_OLDER, (*known.images, *known.empty)) if known.images else street_set()
    compared = PictureSet.of_files(_HELD_OUT, tuning.held_out), older
    old = PlateDetector.from_weights(start)
    before = [score_detector(old, pictures) for pictures in compared]
    slice_ = ValidationSlice(
        tuple(image for image in tuning.held_out if image.plates),
        tuple(image for image in tuning.held_out if not image.plates),
    )
    run.fit(_batches(tuning, sets=sets, output=output), validate=lambda tensors: asdict(validate(tensors, slice_)))
    network = fuse_normalisation(network_from_state(run.loop.ema.tensors, name="the average of the weights"))
    new = replace(old, runtime=TorchRuntime(network))
    after = [score_detector(new, pictures) for pictures in compared]
    for pictures, was, now, margin in zip(compared, before, after, (0.0, MARGIN_POINTS), strict=True):
        yield compare_scores(pictures.name, was, now, margin_points=margin)
    earlier_weights = output / WEIGHTS_NAME
    if earlier_weights.exists():
        earlier = score_detector(PlateDetector.from_file(earlier_weights, settings=start.settings), compared[0])
        yield compare_scores(f"{_HELD_OUT}, last time", earlier, after[0], margin_points=0.0)


def _batches(tuning: TuningPictures, *, sets: LabelledSets, output: Path) -> MixedTiles:
    """The user's pictures among older or made-up ones, all with the plates that their labels leave out."""
    cache = output / FILE_NAME
    searched = with_background([image for image in tuning.train if image.plates], cache=cache)
    complete = (*searched, *(image for image in tuning.train if not image.plates))
    if not any(sets.images.values()):
        return MixedTiles(complete, rest=MadeUpScenes(complete).scene, share=TUNING_SHARE)
    material = detector_material(completed(_without(sets, tuning.held_out), cache=cache))
    return MixedTiles(complete, rest=TileMaker(material).scene, share=TUNING_SHARE)


def _merged(found: Sequence[LabelledSets]) -> LabelledSets:
    """Several folders as one."""
    names = dict.fromkeys(name for sets in found for name in sets.images)
    images = {name: tuple(image for sets in found for image in sets.images.get(name, ())) for name in names}
    return LabelledSets(
        {"russian": (), "more": (), "other": (), "negatives": (), **images}, sum(s.skipped for s in found)
    )


def _without(sets: LabelledSets, held_out: Sequence[LabelledImage]) -> LabelledSets:
    """The sets without the cars of held-out pictures, told by the text of their plates."""
    kept = {plate.text for image in held_out for plate in image.plates if plate.text}
    images = {
        name: tuple(image for image in some if not any(plate.text in kept for plate in image.plates))
        for name, some in sets.images.items()
    }
    return LabelledSets(images, sets.skipped)
