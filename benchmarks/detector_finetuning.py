"""What fine-tuning is worth on cameras that a detector never saw: five folds over the Brazilian part of ``dev/other``.

Development pictures are never trained on, with this one exception: it shows what fifty to a hundred pictures of a
user's own bring, and its weights are thrown away. The 114 pictures are split by the sha1 of their names. Four fifths
are the user's folder, of which ``fine_tune_detector`` holds out another fifth for its own judgement; the last fifth is
only looked at. No older pictures are given, as to a user who has the package alone. ``dev/russian`` is looked at before
and after each fold, to see what was forgotten.

``python -m benchmarks.detector_finetuning --minutes 4`` prints a table, and writes the figures of all folds with
intervals as JSON with ``--json``. A fold that was done is not done again when ``--keep`` names a folder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from platereader._files import write_json, write_text
from platereader._loading import DetectorFiles, load_detector, resolve_detector
from platereader.cli.tables import format_table
from platereader.detection import PlateDetector
from platereader.errors import AccuracyError
from platereader.lab.datasets import LabelledImage, load_dataset
from platereader.lab.datasets.labels import name_hash
from platereader.lab.suites.labelled.run import LOW_SCORE
from platereader.lab.training.detector.comparison import compare_scores, score_detections, table
from platereader.lab.training.detector.finetune import DEFAULTS, fine_tune_detector
from platereader.lab.training.detector.train import DetectorTraining
from platereader.lab.training.finetuning import REPORT_NAME
from platereader.media._images import read_image
from platereader.registry import Registry
from platereader.results import Detection
from platereader.runtimes import RuntimeOptions

FOLDS = 5
ON_TORCH = RuntimeOptions("torch", "fp32")


@dataclass(frozen=True)
class Fold:
    """What both weights find on one fold and on the Russian pictures."""

    images: Sequence[LabelledImage]
    before: Sequence[Sequence[Detection]]
    after: Sequence[Sequence[Detection]]
    russian: Sequence[Sequence[Detection]]
    report: dict[str, Any]


def brazilian(dev: Path) -> list[LabelledImage]:
    """The Brazilian pictures, in the order of the sha1 of their names."""
    images = [image for image in load_dataset(dev / "other").images if not image.path.name.startswith("us_")]
    return sorted(images, key=lambda image: name_hash(image.path))


def write_folder(images: Sequence[LabelledImage], folder: Path) -> Path:
    """The pictures as a user would have them: links beside a table of boxes, without texts."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[str] = []
    for image in images:
        link = folder / image.path.name
        if not link.exists():
            link.symlink_to(image.path.resolve())
        plates = [{"box": plate.box.to_tuple()} for plate in image.plates if plate.box is not None]
        rows.append(json.dumps({"file": image.path.name, "plates": plates}))
    write_text(folder / "labels.jsonl", "\n".join(rows))
    return folder


def detections_of(detector: PlateDetector, images: Sequence[LabelledImage]) -> list[list[Detection]]:
    """What is found on each picture, down to the lowest scores."""
    low_threshold = replace(detector, min_score=LOW_SCORE)
    return [low_threshold.detect([read_image(image.path)])[0] for image in images]


def run_fold(
    number: int,
    images: Sequence[LabelledImage],
    russian: Sequence[LabelledImage],
    *,
    start: DetectorFiles,
    minutes: float,
    work: Path,
) -> Fold:
    """Fine-tune on all other folds, also where the command would refuse the weights, and evaluate both on this one."""
    fold, others = images[number::FOLDS], [image for at, image in enumerate(images) if at % FOLDS != number]
    out = work / f"out{number}"
    training = DetectorTraining(**DEFAULTS, minutes=minutes, seed=number)
    data = write_folder(others, work / f"data{number}")
    try:
        done = fine_tune_detector(data, output=out, training=training, start=start)
    except AccuracyError as error:
        print(f"fold {number} would be refused: {error}")
        done = fine_tune_detector(data, output=out, training=training, start=start, even_if_worse=True)
    assert done.weights is not None
    new = load_detector(done.weights, options=ON_TORCH)
    assert isinstance(new, PlateDetector)
    report = json.loads((out / REPORT_NAME).read_text(encoding="utf-8"))
    old = PlateDetector.from_weights(*start, options=ON_TORCH)
    return Fold(fold, detections_of(old, fold), detections_of(new, fold), detections_of(new, russian), report)


def main() -> None:
    parser = argparse.ArgumentParser(description="Five folds of fine-tuning on Brazilian pictures.")
    parser.add_argument("--dev", type=Path, default=Path("../shared/data/dev"), help="folder of the dev sets")
    parser.add_argument("--from", dest="start", default="plate-detector", help="weights to begin with")
    parser.add_argument("--minutes", type=float, default=4.0, help="of each fold")
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(1, FOLDS + 1), help="the first so many")
    parser.add_argument("--keep", type=Path, help="folder for all runs, to go on where it was stopped")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    images, russian = brazilian(options.dev), load_dataset(options.dev / "russian").images
    start = resolve_detector(options.start, registry=Registry.default(), file_format="safetensors", precision="fp32")
    detector = PlateDetector.from_weights(*start, options=ON_TORCH)
    with tempfile.TemporaryDirectory() as scratch:
        work = options.keep or Path(scratch)
        folds = [
            run_fold(number, images, russian, start=start, minutes=options.minutes, work=work)
            for number in range(options.folds)
        ]
    held_out = [image for fold in folds for image in fold.images]
    score = partial(score_detections, min_score=detector.min_score)
    was = score(held_out, [one for fold in folds for one in fold.before])
    now = score(held_out, [one for fold in folds for one in fold.after])
    comparisons = [compare_scores(f"Brazilian, {options.folds} folds", was, now, margin_points=0.0)]
    before = score(russian, detections_of(detector, russian))
    for number, fold in enumerate(folds):
        after = score(russian, fold.russian)
        comparisons.append(compare_scores(f"Russian, fold {number}", before, after, margin_points=1.0))
    head = ("PICTURES", "FIGURE", "BEFORE", "AFTER")
    print(format_table(head, [row for one in comparisons for row in table(one)]))
    for one in comparisons:
        print(one.describe())
    if options.json is not None:
        figures = {
            "start_sha256": start.finder.sha256,
            "start_refiner_sha256": start.refiner.sha256,
            "minutes": options.minutes,
            "comparisons": [one.to_dict() for one in comparisons],
            "folds": [fold.report for fold in folds],
        }
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
