"""The detector's input size: what a larger one finds more, and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import cast

import numpy as np
import torch

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._thresholds import with_min_score
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import LabelledImage
from platereader.lab.metrics.estimates import Estimate, estimate_precision
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.metrics.rates import COCO_IOUS, PictureBoxes, Rate, match, recall
from platereader.lab.speed.machine import Machine, this_machine
from platereader.lab.speed.networks import Timing, benchmark
from platereader.lab.suites.labelled.run import LOW_SCORE, picture_boxes
from platereader.lab.tables import columns, described, show_estimate, show_rate
from platereader.media._images import read_image
from platereader.results import PartDescription

_TIMED_FRAMES = 10


@dataclasses.dataclass(frozen=True, slots=True)
class SizeScores:
    """What one input size gives, pixels of the longest side.

    Average precision is None without labelled plates. Recalls, at IoU 0.3 and 0.5, are at the detector's own
    ``min_score``. ``timing`` is of one frame at a time, preparing the input included.
    """

    input_size: int
    ap50: Estimate | None
    ap50_95: Estimate | None
    recall30: Rate
    recall50: Rate
    timing: Timing


@dataclasses.dataclass(frozen=True, slots=True)
class InputSizeReport(JsonSafe):
    """The accuracy and speed of several input sizes, smallest first, the part that ran and the machine."""

    dataset: str
    pictures: int
    sizes: tuple[SizeScores, ...]
    part: PartDescription
    machine: Machine = dataclasses.field(default_factory=this_machine)


def evaluate_input_sizes(
    detector: object,
    images: Sequence[LabelledImage],
    *,
    sizes: Sequence[int],
    rounds: int = 20,
    on_picture: Callable[[], object] = lambda: None,
) -> tuple[SizeScores, ...]:
    """Run a detector with several input sizes over labelled pictures, then time them in turn on the same frames.

    ``images`` are one or more whole pictures, ``sizes`` multiples of 32 px. Of each size ``rounds`` calls are timed,
    with torch's thread count as it is.

    Raises:
        InvalidArgumentError: the detector's input size cannot be set, or a size is not allowed.
        MediaFileError: a picture cannot be decoded.
    """
    if not hasattr(detector, "with_input_size"):
        raise InvalidArgumentError(
            f"detector is a {type(detector).__name__}, whose input size cannot be set: pass a PlateDetector."
        )
    known = cast("PlateDetector", detector)
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


def _times(detectors: Mapping[int, PlateDetector], frames: Sequence[BgrImage], *, rounds: int) -> dict[int, Timing]:
    """One frame a call, every size in turn on the same frame."""

    def prepared(detector: PlateDetector, _batch: int) -> Callable[[], object]:
        rest = cycle(frames)
        return lambda: checked_detect(detector, [next(rest)])

    candidates = {str(size): partial(prepared, detector) for size, detector in detectors.items()}
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
    cells: Mapping[str, Callable[[SizeScores], str]] = {
        "input, px": lambda one: str(one.input_size),
        "AP50": lambda one: show_estimate(one.ap50),
        "AP50-95": lambda one: show_estimate(one.ap50_95),
        "found, IoU 0.3": lambda one: show_rate(one.recall30),
        "found, IoU 0.5": lambda one: show_rate(one.recall50),
        "ms a frame": lambda one: one.timing.show(digits=1),
    }
    n, threads = next(((one.timing.n, one.timing.threads) for one in report.sizes), (0, 0))
    head = f"{report.dataset}: {report.pictures} pictures; median of {n} calls of one frame, {threads} threads"
    return "\n".join([head, described(report.part), *report.machine.lines(), "", *columns(cells, report.sizes)])
