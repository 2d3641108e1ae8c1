"""Fine-tune a detector on labelled pictures of the user, and keep the new weights only if they find plates better.

Both of its networks learn. The pictures are mixed with what the detector was trained on, or where that is not at hand
with made-up plates, and the weights are averaged with those before, so that it does not forget the rest of the world.
Both are measured before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from torch import nn

from platereader._dependencies import check_installed
from platereader._loading import DetectorFiles, resolve_detector
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.datasets.photographs import without_cars_of
from platereader.lab.training.detector.combination import pair_settings
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
    MixedScenes,
    TuningPictures,
    drawn_street,
    load_tuning_pictures,
)
from platereader.lab.training.detector.material import LabelledSets, Photographs, detector_material, held_out, load_sets
from platereader.lab.training.detector.train import (
    FINDER_NAME,
    DetectorTraining,
    Trained,
    networks_of,
    train_networks,
    write_detector,
)
from platereader.lab.training.finder import averaged_finder
from platereader.lab.training.finetuning import FineTuned, check_output, refuse_worse, write_report
from platereader.lab.training.loop import TrainingLoop
from platereader.lab.training.refiner import averaged_refiner
from platereader.registry import Registry
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._torch import TorchRuntime

DEFAULTS: Final[Mapping[str, Any]] = {"learning_rate": 3e-4, "warmup_steps": 20}
"""Settings of ``DetectorTraining`` that suit fine-tuning."""

MINUTES = 10.0
"""Length of a fine-tuning that nothing else is said about: with all measuring less than 20 minutes on two cores."""

STREETS = 40
"""Drawn streets to compare on where no older pictures are given."""

TUNING_SHARE = 0.5
"""Share of the user's pictures among the scenes of a batch."""

KEPT_SHARE = 0.5
"""Share of the weights before in the new ones. Their average keeps most of what either knows: what is new to the user's
pictures is learnt, and the rest of the world is not forgotten (Wortsman et al., arXiv 2109.01903)."""

MARGIN_POINTS = 1.0
"""Points of AP50-95 that older pictures, or drawn streets, may lose."""

NetworkT = TypeVar("NetworkT", bound=nn.Module)

_SEED = 2**42
_HELD_OUT, _OLDER, _STREETS = "your pictures, held out", "older pictures", "drawn streets"
_ON_TORCH = RuntimeOptions("torch", "fp32")


def fine_tune_detector(
    data: Path,
    *,
    output: Path,
    training: DetectorTraining,
    start: DetectorFiles,
    older: Sequence[Path] = (),
    even_if_worse: bool = False,
) -> FineTuned[DetectorComparison]:
    """Train weights further, on the user's pictures among others, or go on with a run that was stopped.

    Plates that the labels of the pictures leave out do no harm: in a picture with plates, what the network believes to
    be a plate teaches nothing.

    Args:
        data: labelled set of the user; a fifth of it, and at least 8 pictures with a plate, is held out.
        output: folder for the weights, their sidecars and cards, ``finetuning.json``, logs and checkpoints.
        training: how long and how, see ``DEFAULTS``.
        start: weights to begin with; their settings are handed on.
        older: what is trained on besides, as ``train_detector`` takes it; without it plates are made up.
        even_if_worse: write the weights even if they find less.

    Raises:
        AccuracyError: AP50-95 of the user's held-out pictures fell, or that of older ones, or of drawn streets, beyond
            margin and chance: only the checkpoints and the report are written.
        DatasetError: a labelled set cannot be used, or ``data`` has fewer than 20 usable pictures with a plate.
        InvalidArgumentError: the output folder holds other weights, or the run was begun with other settings or data.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    check_output(output, start=start.finder.sha256, checkpoints=output / "finder")
    tuning = load_tuning_pictures(data)
    old = PlateDetector.from_weights(*start, options=_ON_TORCH)
    sets = load_sets(*older)
    trained = _train(tuning, sets, output=output, training=training, start=start, older=older)
    new = replace(old, finder=trained.finder, refiner=trained.refiner)
    comparisons = tuple(_comparisons(old, new, mine=tuning.held_out, sets=sets, output=output))
    result = FineTuned[DetectorComparison].of(
        *trained.loops, start=start.finder, tuning=tuning, comparisons=comparisons
    )
    if not even_if_worse:
        refuse_worse(result, output=output, checkpoints=output, data=data)
    pair = pair_settings(old)
    return _write_weights(result, trained.loops, pair=pair, start=start, data=[data, *older], output=output)


def _train(
    tuning: TuningPictures,
    sets: LabelledSets,
    *,
    output: Path,
    training: DetectorTraining,
    start: DetectorFiles,
    older: Sequence[Path],
) -> Trained:
    """Train both networks on the user's pictures among older or made-up ones."""
    if any(sets.images.values()):
        images = {name: tuple(without_cars_of(tuning.held_out, some)) for name, some in sets.images.items()}
        rest = TileMaker(detector_material(LabelledSets(images, sets.skipped))).scene
    else:
        rest = MadeUpScenes(tuning.train).scene
    origin = {
        "start": start.finder.sha256,
        "refiner": start.refiner.sha256,
        "data": tuning.fingerprint,
        "older": " ".join(path.name for path in older),
    }
    finder, refiner = networks_of(start)
    with_plates = tuple(image for image in tuning.held_out if image.plates)
    without = tuple(image for image in tuning.held_out if not image.plates)
    trained = train_networks(
        (half_frozen(finder), half_frozen(refiner)),
        draw=MixedScenes(tuning.train, rest=rest, share=TUNING_SHARE).scene,
        photographs=Photographs(with_plates, without),
        output=output,
        training=training,
        origin=origin,
        settings=start.finder.settings.get("finder", {}),
    )
    return _averaged(trained, start=start)


def _averaged(trained: Trained, *, start: DetectorFiles) -> Trained:
    """The networks between those of ``start`` and what they have become."""
    for loop, before in zip(trained.loops, networks_of(start), strict=True):
        for name, tensor in before.state_dict().items():
            if tensor.is_floating_point():
                loop.ema.tensors[name].lerp_(tensor, KEPT_SHARE)
    finding, refining = trained.loops
    finder = replace(trained.finder, runtime=TorchRuntime(averaged_finder(finding.ema.tensors)))
    refiner = replace(trained.refiner, runtime=TorchRuntime(averaged_refiner(refining.ema.tensors)))
    return Trained(finder, refiner, trained.loops)


def _comparisons(
    old: PlateDetector, new: PlateDetector, *, mine: Sequence[LabelledImage], sets: LabelledSets, output: Path
) -> Iterator[DetectorComparison]:
    """What both find on the user's pictures and on others, and on the former what weights of an earlier run find."""
    pictures = PictureSet.of_files(_HELD_OUT, mine)
    known = held_out(sets)
    others = PictureSet.of_files(_OLDER, known.images + known.empty) if known.images else street_set()
    now = score_detector(new, pictures)
    yield compare_scores(_HELD_OUT, score_detector(old, pictures), now, margin_points=0.0)
    was = score_detector(old, others)
    yield compare_scores(others.name, was, score_detector(new, others), margin_points=MARGIN_POINTS)
    if (output / FINDER_NAME).exists():
        files = resolve_detector(output / FINDER_NAME, registry=Registry.default())
        earlier = score_detector(PlateDetector.from_weights(*files, options=_ON_TORCH), pictures)
        yield compare_scores(f"{_HELD_OUT}, last time", earlier, now, margin_points=0.0)


def _write_weights(
    result: FineTuned[DetectorComparison],
    loops: tuple[TrainingLoop, TrainingLoop],
    *,
    pair: Mapping[str, Any],
    start: DetectorFiles,
    data: Sequence[Path],
    output: Path,
) -> FineTuned[DetectorComparison]:
    """Write the weights and the report."""
    figures = [(f"{name}, {figure}", now) for one in result.comparisons for name, figure, _, now in table(one)]
    settings = {"finder": start.finder.settings.get("finder", {}), "pair": pair}
    weights = write_detector(output, loops, settings=settings, start=start, data=data, figures=figures)
    result = replace(result, weights=weights)
    write_report(result, output=output)
    return result


def half_frozen(network: NetworkT) -> NetworkT:
    """The network, ready to be fine-tuned: first layers fixed, and all normalisation by the statistics that it has.

    Few pictures of one camera would replace the statistics of the world by their own.
    """
    network.train()
    network.get_submodule("stem").requires_grad_(requires_grad=False)  # sees edges and colours
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return network


def street_set() -> PictureSet:
    """Always the same drawn streets: what the rest of the world looks like where there are no pictures of it."""
    streets = [drawn_street(np.random.default_rng((_SEED, index))) for index in range(STREETS)]
    images: list[LabelledImage] = []
    for index, street in enumerate(streets):
        height, width = street.pixels.shape[:2]
        plates = tuple(LabelledPlate(plate.box, corners=plate.corners) for plate in street.plates)
        images.append(LabelledImage(Path(f"street {index}"), width, height, plates))
    return PictureSet(_STREETS, tuple(images), lambda index: streets[index].pixels)
