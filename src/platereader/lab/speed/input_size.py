"""The detector's input size: what a larger one finds more, and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, Protocol, cast

import numpy as np
import torch

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader.detection._thresholds import with_min_score
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import LabelledImage
from platereader.lab.metrics.estimates import Estimate, estimate_precision
from platereader.lab.metrics.json_safe import fields_of
from platereader.lab.metrics.rates import COCO_IOUS, PictureBoxes, Rate, match, recall
from platereader.lab.speed.machine import Machine, this_machine
from platereader.lab.speed.networks import Timing, benchmark
from platereader.lab.suites.labelled.run import LOW_SCORE, picture_boxes
from platereader.lab.tables import aligned, described, show_estimate, show_rate
from platereader.media._images import read_image
from platereader.results import Detection, PartDescription

_TIMED_FRAMES = 10


class SizableDetector(Protocol):
    """A detector whose input size can be chosen, such as ``PlateDetector``."""

    @property
    def min_score(self) -> float:
        """Lowest score of a plate that is reported, 0 to 1."""
        ...

    def with_input_size(self, input_size: int) -> SizableDetector:
        """The same detector with inputs of so many pixels on the longer side."""
        ...

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class SizeScores:
    """What one input size gives.

    Attributes:
        input_size: longest side of the network's input, pixels.
        ap50: average precision at IoU 0.5; None without labelled plates.
        ap50_95: mean over the IoU thresholds 0.50, 0.55, ... 0.95.
        recall30: found at IoU 0.3 at the detector's own ``min_score``.
        recall50: likewise at IoU 0.5.
        timing: one frame at a time, preparing the input included.
    """

    input_size: int
    ap50: Estimate | None
    ap50_95: Estimate | None
    recall30: Rate
    recall50: Rate
    timing: Timing


@dataclasses.dataclass(frozen=True, slots=True)
class InputSizeReport:
    """The accuracy and speed of several input sizes.

    Attributes:
        dataset: name of the set.
        pictures: pictures in it.
        sizes: smallest first.
        part: what ran.
        machine: what it was timed on.
    """

    dataset: str
    pictures: int
    sizes: tuple[SizeScores, ...]
    part: PartDescription
    machine: Machine = dataclasses.field(default_factory=this_machine)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return fields_of(self)


def evaluate_input_sizes(
    detector: object,
    images: Sequence[LabelledImage],
    *,
    sizes: Sequence[int],
    rounds: int = 20,
    on_picture: Callable[[], object] = lambda: None,
) -> tuple[SizeScores, ...]:
    """Run a detector with several input sizes over labelled pictures, then time them in turn on the same frames.

    Args:
        detector: a ``SizableDetector``.
        images: whole pictures; one or more.
        sizes: multiples of 32 px.
        rounds: timed calls of each size, with torch's thread count as it is.
        on_picture: called after each picture, for a progress bar.

    Raises:
        InvalidArgumentError: the detector's input size cannot be set, or a size is not allowed.
        MediaFileError: a picture cannot be decoded.
    """
    if not hasattr(detector, "with_input_size"):
        raise InvalidArgumentError(
            f"detector is a {type(detector).__name__}, whose input size cannot be set: pass a PlateDetector."
        )
    known = cast("SizableDetector", detector)
    sized = {size: known.with_input_size(size) for size in sorted(set(sizes))}
    low_threshold = {size: with_min_score(one, LOW_SCORE) or one for size, one in sized.items()}
    found: dict[int, list[PictureBoxes]] = {size: [] for size in low_threshold}
    timed: list[BgrImage] = []
    every = max(1, len(images) // _TIMED_FRAMES)
    for number, image in enumerate(images):
        frame = read_image(image.path)
        if number % every == 0 and len(timed) < _TIMED_FRAMES:
            timed.append(frame)
        for size, one in low_threshold.items():
            found[size].append(picture_boxes(image, checked_detect(one, [frame])[0]))
        on_picture()
    timings = _times(sized, timed, rounds=rounds)
    return tuple(_scores(size, boxes, usual=known.min_score, timing=timings[size]) for size, boxes in found.items())


def _times(detectors: Mapping[int, SizableDetector], frames: Sequence[BgrImage], *, rounds: int) -> dict[int, Timing]:
    """One frame a call, every size in turn on the same frame."""

    def candidate(detector: SizableDetector) -> Callable[[int], Callable[[], object]]:
        def prepared(batch: int) -> Callable[[], object]:
            del batch
            rest = cycle(frames)
            return lambda: checked_detect(detector, [next(rest)])

        return prepared

    candidates = {str(size): candidate(detector) for size, detector in detectors.items()}
    timings = benchmark(candidates, batches=(1,), threads=(torch.get_num_threads(),), rounds=rounds)
    return {int(timing.name): timing for timing in timings}


def _scores(size: int, boxes: Sequence[PictureBoxes], *, usual: float, timing: Timing) -> SizeScores:
    """Average precision over all scores; recall at the score that users get."""
    rng = np.random.default_rng(0)
    by_iou = {value: [match(one, min_iou=value) for one in boxes] for value in COCO_IOUS}
    sure = [_from_score(one, usual) for one in boxes]
    return SizeScores(
        input_size=size,
        ap50=estimate_precision([by_iou[0.5]], rng=rng),
        ap50_95=estimate_precision([by_iou[value] for value in COCO_IOUS], rng=rng),
        recall30=recall([match(one, min_iou=0.3) for one in sure]),
        recall50=recall([match(one, min_iou=0.5) for one in sure]),
        timing=timing,
    )


def _from_score(boxes: PictureBoxes, score: float) -> PictureBoxes:
    """Only the detections from that score on, as the detector would report them: no worse one removes a better one."""
    sure = boxes.scores >= score
    return dataclasses.replace(boxes, found=boxes.found[sure], scores=boxes.scores[sure])


def format_input_sizes(report: InputSizeReport) -> str:
    """A text table: one row for each size, with 95 % intervals."""
    rows = [("input, px", "AP50", "AP50-95", "found, IoU 0.3", "found, IoU 0.5", "ms a frame")]
    for one in report.sizes:
        time = one.timing
        span = f"{time.median_ms:.1f} ({time.low_ms:.1f}-{time.high_ms:.1f})"
        rates = (show_rate(one.recall30), show_rate(one.recall50))
        rows.append((str(one.input_size), show_estimate(one.ap50), show_estimate(one.ap50_95), *rates, span))
    threads = report.sizes[0].timing.threads if report.sizes else 0
    n = report.sizes[0].timing.n if report.sizes else 0
    head = f"{report.dataset}: {report.pictures} pictures; median of {n} calls of one frame, {threads} threads"
    return "\n".join([head, described(report.part), *report.machine.lines(), "", *aligned(rows)])
