"""How exactly plates are placed, and what is found in large frames, close up and as recorders show it.

``python -m benchmarks.detector_scenes DATA`` prints four parts.

``rendered``: the pictures of the scenes suite whose plates are rendered into held-out photographs at 40 to 200 px, so
that box and corners are exact. Only the plate counts; what is found elsewhere does not, since other cars have plates.

``4k``: frames of 3840 x 2160 px that show eight held-out photographs, each shrunk until its plate is 60 px wide, on a
held-out scene without a plate. They are looked at whole, without tiles.

``close up``: pictures cut out of held-out photographs about their plate, which takes up 30 to 95 % of the width, at
1280 and 4000 px.

``recorder``: photographs of which every other row is kept, as in pictures of 704 x 288 px, and photographs whose car
moved by 6 to 14 px between the two fields of an interlaced frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from platereader import Box, Pipeline
from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._files import write_json
from platereader._geometry import iou
from platereader.detection._thresholds import with_min_score
from platereader.lab.datasets import LabelledImage, load_dataset
from platereader.lab.datasets.labels import is_held_out
from platereader.lab.metrics.estimates import Estimate, estimate_errors, estimate_precision, ninetieth
from platereader.lab.metrics.json_safe import json_safe
from platereader.lab.metrics.rates import COCO_IOUS, PictureBoxes, Rate, best_overlap, box_rows, match
from platereader.lab.suites.labelled.outcomes import corner_error_at
from platereader.lab.suites.labelled.run import LOW_SCORE
from platereader.lab.synthesis.scenes.material import load_material
from platereader.lab.synthesis.scenes.pictures import PARTS, pictures
from platereader.lab.tables import described, show_estimate, show_rate
from platereader.media._images import read_image
from platereader.runtimes import RuntimeOptions

FRAME_PX, PLATE_PX, FRAMES = (3840, 2160), 60.0, 40
COLUMNS, ROWS = 4, 2
CLOSE_PX, CLOSE_SHARES, CLOSE_ASPECT = (1280, 4000), (0.3, 0.5, 0.7, 0.85, 0.95), 1.5


def rendered(pipeline: Pipeline, data: Path) -> dict[str, Estimate | Rate | None]:
    """AP50-95, corner errors and the share that is found, over plates with exact places."""
    material = load_material(data)
    low = with_min_score(pipeline.detector, LOW_SCORE)
    boxes: list[PictureBoxes] = []
    errors: list[tuple[str, float]] = []
    found: list[bool] = []
    parts = [part for part in PARTS if part.axis == "width" and part.unit not in {"16-24 px", "24-40 px"}]
    for picture in (picture for part in parts for picture in pictures(material, part)):
        detections = checked_detect(low or pipeline.detector, [picture.frame])[0]
        near = [one for one in detections if iou(one.box, picture.box) > 0]
        scores = np.array([one.score for one in near], np.float64)
        boxes.append(PictureBoxes(box_rows(one.box for one in near), scores, box_rows([picture.box]), box_rows([])))
        sure = checked_detect(pipeline.detector, [picture.frame])[0]
        best, overlap = best_overlap(picture.box, [one.box for one in sure])
        found.append(overlap >= 0.5)
        error = corner_error_at(overlap, sure[best].corners if sure else None, picture.corners)
        if error is not None:
            errors.append((f"{picture.file} {len(boxes)}", error))
    rng = np.random.default_rng(0)
    matches = [[match(one, min_iou=limit) for one in boxes] for limit in COCO_IOUS]
    return {
        "AP50-95": estimate_precision(matches, rng=rng),
        "corner error, median %": estimate_errors(errors, np.median, rng=rng),
        "corner error, 90 %": estimate_errors(errors, ninetieth, rng=rng),
        "found": Rate.of(found),
    }


def large_frames(data: Path, *, rng: np.random.Generator) -> Iterator[tuple[BgrImage, list[tuple[Box, str]]]]:
    """Frames with the places and texts of the eight plates in each."""
    photographs = [image for image in load_dataset(data / "dev" / "russian").images if _is_usable(image)]
    scenes = [one for one in load_dataset(data / "train" / "negatives-colour").images if is_held_out(one.path)]
    for _ in range(FRAMES):
        background = read_image(scenes[int(rng.integers(len(scenes)))].path)
        frame = cast("BgrImage", cv2.resize(background, FRAME_PX, interpolation=cv2.INTER_CUBIC))
        chosen = rng.permutation(len(photographs))[: COLUMNS * ROWS]
        yield frame, [_place(frame, photographs[index], cell, rng) for cell, index in enumerate(chosen.tolist())]


def _is_usable(image: LabelledImage) -> bool:
    """Whether its one plate is at least as wide as it is to be, and the rest of it small enough then."""
    plate = image.plates[0] if len(image.plates) == 1 and not image.ignored else None
    if plate is None or plate.box is None or not plate.text or plate.box.width < PLATE_PX:
        return False
    scale = PLATE_PX / plate.box.width
    return (image.width or 0) * scale < FRAME_PX[0] / COLUMNS and (image.height or 0) * scale < FRAME_PX[1] / ROWS


def _place(frame: BgrImage, image: LabelledImage, cell: int, rng: np.random.Generator) -> tuple[Box, str]:
    """Put a photograph somewhere into its cell of the frame."""
    plate = image.plates[0]
    assert plate.box is not None
    assert plate.text is not None
    photograph = read_image(image.path)
    scale = PLATE_PX / plate.box.width
    small = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    cell_width, cell_height = FRAME_PX[0] // COLUMNS, FRAME_PX[1] // ROWS
    left = cell % COLUMNS * cell_width + int(rng.integers(cell_width - width + 1))
    top = cell // COLUMNS * cell_height + int(rng.integers(cell_height - height + 1))
    frame[top : top + height, left : left + width] = small
    x, y = width / photograph.shape[1], height / photograph.shape[0]
    box = plate.box
    return Box(left + x * box.x1, top + y * box.y1, left + x * box.x2, top + y * box.y2), plate.text


def close_ups(data: Path, *, width: int, share: float) -> Iterator[tuple[BgrImage, list[tuple[Box, str]]]]:
    """Pictures so wide with one plate that takes up this share of the width, as far as the photograph reaches."""
    for frame, box, text in _photographs(data):
        size = np.minimum(box.width / share * np.array([1.0, 1 / CLOSE_ASPECT]), frame.shape[1::-1])
        middle = np.array([box.x1 + box.x2, box.y1 + box.y2]) / 2
        left, top = np.clip(middle - size / 2, 0, frame.shape[1::-1] - size).astype(int).tolist()
        right, bottom = left + int(size[0]), top + int(size[1])
        scale = width / (right - left)
        picture = cv2.resize(frame[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        moved = box.moved(-left, -top).to_tuple()
        yield cast("BgrImage", picture), [(Box(*(scale * side for side in moved)), text)]


def flat(data: Path) -> Iterator[tuple[BgrImage, list[tuple[Box, str]]]]:
    """Photographs of which every other row is left."""
    for frame, box, text in _photographs(data):
        yield np.ascontiguousarray(frame[::2]), [(Box(box.x1, box.y1 / 2, box.x2, box.y2 / 2), text)]


def interlaced(data: Path, *, rng: np.random.Generator) -> Iterator[tuple[BgrImage, list[tuple[Box, str]]]]:
    """Photographs whose odd rows show what is around the plate some pixels farther."""
    for frame, box, text in _photographs(data):
        around = box.padded(1.5 * box.width, 1.0 * box.width).clipped(frame.shape[1], frame.shape[0])
        assert around is not None
        left, top, right, bottom = (int(side) for side in around.to_tuple())
        moved, part = np.roll(frame, int(rng.integers(6, 15)), axis=1), (slice(top | 1, bottom, 2), slice(left, right))
        frame[part] = moved[part]
        yield frame, [(box, text)]


def _photographs(data: Path) -> Iterator[tuple[BgrImage, Box, str]]:
    """Photographs with the place and the text of their first plate."""
    for image in load_dataset(data / "dev" / "russian").images:
        plate = image.plates[0]
        if plate.box is not None and plate.text:
            yield read_image(image.path), plate.box, plate.text


def seen(pipeline: Pipeline, labelled: Iterable[tuple[BgrImage, list[tuple[Box, str]]]]) -> dict[str, Rate]:
    """The share of the plates in pictures that is found, and that is read rightly, whatever the status."""
    found: list[bool] = []
    read: list[bool] = []
    for frame, plates in labelled:
        readings = pipeline.read(frame)
        for box, text in plates:
            near = [(iou(one.detection.box, box), one.text) for one in readings if one.detection is not None]
            overlap, said = max(near, key=lambda one: one[0], default=(0.0, None))
            found.append(overlap >= 0.5)
            read.append(overlap >= 0.5 and said == text)
    return {"found": Rate.of(found), "read": Rate.of(read)}


def main() -> None:
    parser = argparse.ArgumentParser(description="How exactly plates are placed, and what is found in large frames.")
    parser.add_argument("data", type=Path, help="folder with dev and train")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    pipeline = Pipeline.build(runtime=RuntimeOptions(options.engine, options.precision))
    for part in pipeline.describe()[:4]:
        print(described(part))
    figures: dict[str, Mapping[str, Estimate | Rate | None]] = {
        "rendered": rendered(pipeline, options.data),
        "4k": seen(pipeline, large_frames(options.data, rng=np.random.default_rng(0))),
    }
    for width, share in product(CLOSE_PX, CLOSE_SHARES):
        labelled = close_ups(options.data, width=width, share=share)
        figures[f"close up, {share:.0%} of {width} px"] = seen(pipeline, labelled)
    figures["recorder, every other row"] = seen(pipeline, flat(options.data))
    figures["recorder, interlaced"] = seen(pipeline, interlaced(options.data, rng=np.random.default_rng(0)))
    for suite, values in figures.items():
        for name, value in values.items():
            print(f"{suite}: {name}: {shown(value)}")
    if options.json is not None:
        rows = ((f"{suite}, {name}", value) for suite, values in figures.items() for name, value in values.items())
        write_json(options.json, json_safe(dict(rows)))


def shown(value: Estimate | Rate | None) -> str:
    if isinstance(value, Rate):
        return show_rate(value)
    return f"{show_estimate(value)}, n {value.n}" if value else "-"


if __name__ == "__main__":
    main()
