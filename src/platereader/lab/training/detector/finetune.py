"""Fine-tune the detector on labelled pictures of one's own, and keep the new weights only if they find plates better.

Own pictures are mixed with what the detector was trained on, or where that is not at hand with made-up plates, so that
it does not forget the rest of the world. Both are measured before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import nn

from platereader._dependencies import check_installed
from platereader._files import write_json
from platereader.detection._network import PlateNetwork, fuse_normalisation, network_from_file, network_from_state
from platereader.detection._plate_detector import PlateDetector
from platereader.errors import AccuracyError
from platereader.lab.datasets import LabelledImage, LabelledPlate, SkippedRow
from platereader.lab.training.checkpoint import check_output
from platereader.lab.training.detector.background import FILE_NAME, with_background
from platereader.lab.training.detector.comparison import (
    DetectorComparison,
    Trial,
    compare_findings,
    described,
    findings,
)
from platereader.lab.training.detector.data import TileMaker
from platereader.lab.training.detector.finetune_data import (
    MadeUpScenes,
    OwnPictures,
    OwnTiles,
    drawn_street,
    load_own_pictures,
)
from platereader.lab.training.detector.material import LabelledSets, completed, detector_material, load_sets
from platereader.lab.training.detector.train import (
    CHECKPOINT_NAME,
    WEIGHTS_NAME,
    DetectorRun,
    DetectorTraining,
    export_detector,
)
from platereader.lab.training.detector.validation import ValidationSlice, validate, validation_slice
from platereader.registry import WeightFile, write_sidecar
from platereader.runtimes._torch import TorchRuntime

__all__ = [
    "DEFAULTS",
    "MINUTES",
    "REPORT",
    "FineTunedDetector",
    "fine_tune_detector",
    "half_frozen",
    "street_trial",
]

DEFAULTS: Final[Mapping[str, Any]] = {"learning_rate": 3e-4, "warmup_steps": 20}
"""Settings of ``DetectorTraining`` that suit fine-tuning."""

MINUTES = 8.0
"""Length of a fine-tuning that nothing else is said about: with all measuring less than 20 minutes on two cores."""

REPORT = "finetuning.json"
STREETS = 40
"""Drawn streets to compare on where no older pictures are given."""

OWN_SHARE = 0.5
"""Share of own pictures among the scenes of a batch."""

MARGIN_POINTS = 1.0
"""Points of AP50-95 that older pictures, or drawn streets, may lose."""

_SEED = 2**42
_OWN, _OLDER, _STREETS = "your pictures, held out", "older pictures", "drawn streets"


@dataclass(frozen=True, slots=True)
class FineTunedDetector:
    """What came of it.

    Attributes:
        start: sha256 of the weights that it began with.
        train: own pictures that were trained on.
        held_out: own pictures that were kept apart.
        skipped: own labels that could not be used.
        steps: optimizer steps.
        minutes: time they took.
        comparisons: what is found before and after.
        weights: the new weights; None when they were not written.
    """

    start: str
    train: int
    held_out: int
    skipped: tuple[SkippedRow, ...]
    steps: int
    minutes: float
    comparisons: tuple[DetectorComparison, ...]
    weights: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "start_sha256": self.start,
            "pictures": {"train": self.train, "held_out": self.held_out, "skipped": list(map(str, self.skipped))},
            "steps": self.steps,
            "minutes": round(self.minutes, 2),
            "comparisons": [one.to_dict() for one in self.comparisons],
            "weights": None if self.weights is None else self.weights.name,
        }


def fine_tune_detector(
    training: DetectorTraining,
    *,
    start: WeightFile,
    data: Path,
    out: Path,
    older: Sequence[Path] = (),
    even_if_worse: bool = False,
) -> FineTunedDetector:
    """Train weights further, on pictures of one's own among others, or go on with a run that was stopped.

    Plates that the labels of the own pictures leave out are looked for first, see ``lab.training.detector.background``.

    Args:
        training: how long and how, see ``DEFAULTS``.
        start: weights to begin with; their settings are handed on.
        data: own labelled set; a fifth of it, and at least 8 pictures with a plate, is held out.
        out: folder for the weights, their sidecar, ``finetuning.json``, log and checkpoint.
        older: what is trained on besides, as ``train_detector`` takes it; without it plates are made up.
        even_if_worse: write the weights even if they find less.

    Returns:
        The figures, and the file of the weights.

    Raises:
        AccuracyError: AP50-95 of the own held-out pictures fell, or that of older ones, or of drawn streets, beyond
            margin and chance: only the checkpoint and the report are written.
        DatasetError: a labelled set cannot be used, or the own one has fewer than 20 usable pictures with a plate.
        InvalidArgumentError: the output folder holds other weights, or the run was begun with other settings or data.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    check_output(out, start=start.sha256, checkpoint=CHECKPOINT_NAME)
    own = load_own_pictures(data)
    origin = {"start": start.sha256, "data": own.fingerprint, "older": " ".join(path.name for path in older)}
    run = DetectorRun(out, training, network=half_frozen(network_from_file(start.path)), origin=origin)
    sets = _merged([load_sets(path) for path in older])
    comparisons = tuple(_trained(run, own, sets=sets, start=start, out=out))
    pictures = (len(own.train), len(own.held_out), own.skipped)
    result = FineTunedDetector(start.sha256, *pictures, run.journal.step, run.journal.elapsed_s / 60, comparisons)
    if not even_if_worse:
        _refuse_worse(result, out, data)
    weights = export_detector(out)
    write_sidecar(weights, kind="detector", settings=start.settings, licence=start.entry.licence)
    result = replace(result, weights=weights)
    _write_report(result, out)
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


def street_trial() -> Trial:
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
    return Trial(_STREETS, tuple(images), lambda index: streets[index].pixels)


def _trained(
    run: DetectorRun, own: OwnPictures, *, sets: LabelledSets, start: WeightFile, out: Path
) -> Iterator[DetectorComparison]:
    """Train to the end; what is found on each trial before and after, and after an earlier end if there was one."""
    known = validation_slice(sets)
    older = Trial.of_files(_OLDER, (*known.images, *known.empty)) if known.images else street_trial()
    trials = Trial.of_files(_OWN, own.held_out), older
    old = PlateDetector.from_file(start.path, settings=start.settings)
    before = [findings(old, trial) for trial in trials]
    slice_ = ValidationSlice(
        tuple(image for image in own.held_out if image.plates),
        tuple(image for image in own.held_out if not image.plates),
    )
    run.fit(_batches(own, sets=sets, out=out), measure=lambda tensors: asdict(validate(tensors, slice_)))
    network = fuse_normalisation(network_from_state(run.ema.tensors, name="the average of the weights"))
    new = replace(old, runtime=TorchRuntime(network))
    after = [findings(new, trial) for trial in trials]
    for trial, was, now, margin in zip(trials, before, after, (0.0, MARGIN_POINTS), strict=True):
        yield compare_findings(trial.name, was, now, margin_points=margin)
    there = out / WEIGHTS_NAME
    if there.exists():
        earlier = findings(PlateDetector.from_file(there, settings=start.settings), trials[0])
        yield compare_findings(f"{_OWN}, last time", earlier, after[0], margin_points=0.0)


def _batches(own: OwnPictures, *, sets: LabelledSets, out: Path) -> OwnTiles:
    """Own pictures among older ones, or among made-up plates, all with the plates that their labels leave out."""
    finds = out / FILE_NAME
    searched = with_background([image for image in own.train if image.plates], keep=finds)
    complete = (*searched, *(image for image in own.train if not image.plates))
    if not any(sets.images.values()):
        return OwnTiles(complete, rest=MadeUpScenes(complete).scene, share=OWN_SHARE)
    material = detector_material(completed(_without(sets, own.held_out), keep=finds))
    return OwnTiles(complete, rest=TileMaker(material).scene, share=OWN_SHARE)


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


def _refuse_worse(result: FineTunedDetector, out: Path, data: Path) -> None:
    """Leave the report and raise AccuracyError, if the new weights are worse."""
    worse = [f"{one.name} {described(one)}" for one in result.comparisons if one.is_worse]
    if worse:
        _write_report(result, out)
        raise AccuracyError(
            f"the new weights find plates less well and were not written: {'; '.join(worse)}. They are in "
            f"{out / CHECKPOINT_NAME}. Look for wrong or missing boxes in {data}, or try more pictures, older labelled "
            "sets beside them or a lower learning_rate, with a new folder for the output; even_if_worse "
            "(--even-if-worse) writes these as they are."
        )


def _write_report(result: FineTunedDetector, out: Path) -> None:
    write_json(out / REPORT, result.to_dict())
