"""How well tracks keep their plates, by the measures of multiple object tracking, as ``motmetrics`` computes them.

IDF1: Ristani et al., "Performance measures and a data set for multi-target, multi-camera tracking", ECCV Workshops
2016.
MOTA and id switches: Bernardin and Stiefelhagen, "The CLEAR MOT metrics", EURASIP JIVP 2008.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from platereader._geometry import iou_matrix
from platereader.lab.metrics.rates import box_rows
from platereader.lab.suites.labelled.outcomes import MIN_FOUND_IOU
from platereader.lab.suites.video.outcomes import Frame

_MIN_VISIBLE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """Scores of the tracks of some clips together.

    ``idf1`` is the share of boxes with the right identity; ``mota`` one less the misses, false boxes and switches for
    each true box, which can be below 0. ``switches`` counts the times that a plate went over to another track,
    ``fragments`` those that it was lost and found again, ``boxes`` plates of which at least half can be seen.
    """

    idf1: float
    mota: float
    switches: int
    fragments: int
    boxes: int


def score_identity(clips: Sequence[Sequence[Frame]]) -> IdentityScores | None:
    """Score the tracks of the frames of some clips; None without a true box.

    A box is right from IoU 0.3 on. Tracks count in the frames in which they are seen. A plate of which less than half
    can be seen need not be found, and a track on it is not counted. Needs motmetrics.
    """
    library = importlib.import_module("motmetrics")
    plates = (plate for frames in clips for frame in frames for plate in frame.recorded.plates)
    if not any(plate.shown >= _MIN_VISIBLE_SHARE for plate in plates):
        return None
    accumulators = [_accumulated(library.MOTAccumulator(auto_id=False), frames) for frames in clips]
    names = ["idf1", "mota", "num_switches", "num_fragmentations", "num_objects"]
    summary = library.metrics.create().compute_many(
        accumulators, metrics=names, names=[str(number) for number in range(len(clips))], generate_overall=True
    )
    idf1, mota, switches, fragments, boxes = (summary.loc["OVERALL", name] for name in names)
    return IdentityScores(float(idf1), float(mota), int(switches), int(fragments), int(boxes))


def _accumulated(accumulator: Any, frames: Sequence[Frame]) -> Any:
    for number, frame in enumerate(frames):
        true = [plate for plate in frame.recorded.plates if plate.shown >= _MIN_VISIBLE_SHARE]
        hidden = {plate.passage for plate in frame.recorded.plates if plate.shown < _MIN_VISIBLE_SHARE}
        on_hidden = {track for track, plate in frame.passage_of.items() if plate.passage in hidden}
        tracks = [one for one in frame.tracks if one.passage_id not in on_hidden]
        overlap = iou_matrix(box_rows(plate.box for plate in true), box_rows(one.box for one in tracks))
        distance = np.where(overlap >= MIN_FOUND_IOU, 1 - overlap, np.nan)  # nan: may not be matched
        accumulator.update(
            [plate.passage for plate in true], [one.passage_id for one in tracks], distance, frameid=number
        )
    return accumulator
