"""The predecessor's two networks and ours, trained side by side: ``python -m benchmarks.predecessor_training DATA``.

DATA is a folder with ``train`` and ``dev``, as ``platereader evaluate`` takes them. The readers get one set of crops in
the predecessor's layout: made-up Russian plates of one line, and labelled ones of ``train/russian``, straightened. The
detectors get one set of street pictures with YOLO labels. Nothing that is held out is among either. Each network is
trained by its own program from random weights, the predecessor's by ultralytics and ``examples/anpr_system``, for the
same minutes and on one thread, while the other of its kind is trained beside it. Both are scored on ``dev/russian``,
the detectors on the held-out pictures of ``train/streets``, too, and timed in turn on one thread.

Needs the extras ``train`` and ``ultralytics``, and two free cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from examples.anpr_system.anpr import ALPHABET, CrnnRecognizer, load_crnn
from platereader import PlateImage
from platereader._loading import load_detector, load_recognizer
from platereader.cli.tables import format_table
from platereader.decoding import GreedyDecoder
from platereader.detection import UltralyticsDetector
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._thresholds import with_min_score
from platereader.lab.datasets import LabelledImage, is_calibration
from platereader.lab.datasets.photographs import load_photographs, trainable
from platereader.lab.datasets.plates import cut_plates
from platereader.lab.metrics.rates import Rate
from platereader.lab.speed.pictures import street_picture
from platereader.lab.speed.turns import interleaved
from platereader.lab.suites.labelled.run import LOW_SCORE
from platereader.lab.synthesis.crops import plate_sample
from platereader.lab.tables import show_percent, show_rate
from platereader.lab.training.detector.comparison import DetectorScores, score_detections
from platereader.media._images import image_size, read_image
from platereader.protocols import Detector, Recognizer
from platereader.rectification._layout import rectify_quad
from platereader.runtimes import RuntimeOptions

STREETS = ("russian", "streets", "more", "other", "negatives-colour")
YOLO = """
import sys
from ultralytics import YOLO
YOLO("yolov8n.yaml").train(
    data=sys.argv[1], project=sys.argv[2], name="run", time=float(sys.argv[3]), epochs=1000, imgsz=640, seed=0,
    device="cpu", workers=0, val=False, plots=False, verbose=False,
)
"""
OURS = RuntimeOptions(engine="torch", precision="fp32")


def write_crops(folder: Path, data: Path, *, count: int) -> None:
    """``train`` and ``val`` of the readers: pictures in ``img``, their texts in ``ann``."""
    rng = np.random.default_rng(0)
    images = load_photographs(data / "train" / "russian").images
    real = {
        "train": cut_plates(trainable(images)),
        "val": cut_plates([image for image in images if is_calibration(image.path)]),
    }
    for name, plates in real.items():
        for kind in ("img", "ann"):
            (folder / name / kind).mkdir(parents=True)
        crops = [(rectify_quad(one.pixels, one.quad), one.text) for one in plates if one.lines == 1]
        drawn = (plate_sample(rng) for _ in range(count if name == "train" else 0))
        made_up = ((one.plate, one.text) for one in drawn if one.lines == 1)
        known = ((plate, text) for plate, text in chain(crops, made_up) if set(text) <= set(ALPHABET.characters))
        for number, (plate, text) in enumerate(known):
            cv2.imwrite(str(folder / name / "img" / f"{number}.png"), plate.pixels)
            (folder / name / "ann" / f"{number}.json").write_text(json.dumps({"description": text}), encoding="utf-8")


def write_streets(folder: Path, data: Path) -> None:
    """Pictures and labels of the detectors, with the description that ultralytics wants."""
    for part in ("train", "val"):
        (folder / part).mkdir(parents=True)
    for name in STREETS:
        for image in trainable(load_photographs(data / "train" / name).images):
            if image.complete is False or image.ignored or any(plate.bounds is None for plate in image.plates):
                continue
            picture = folder / "train" / f"{name}-{image.path.name}"
            shutil.copy(image.path, picture)
            picture.with_suffix(".txt").write_text("\n".join(yolo_rows(image)), encoding="utf-8")
    # It wants pictures to validate with, and looks at them after the last minute, too: one takes no time.
    for file in (picture, picture.with_suffix(".txt")):
        shutil.copy(file, folder / "val" / file.name)
    text = f"path: {folder.resolve()}\ntrain: train\nval: val\nnames:\n  0: plate\n"
    (folder / "plates.yaml").write_text(text, encoding="utf-8")


def yolo_rows(image: LabelledImage) -> Iterable[str]:
    """Class, centre and size of every plate, in parts of the picture."""
    width, height = image_size(image.path)
    for plate in image.plates:
        box = None if plate.bounds is None else plate.bounds.clipped(width, height)
        if box is not None:
            (x, y), size = box.center, (box.width, box.height)
            yield f"0 {x / width:.6f} {y / height:.6f} {size[0] / width:.6f} {size[1] / height:.6f}"


def train_both(commands: Sequence[Sequence[str | Path]]) -> None:
    """Run two trainings at once, each on one thread; raises CalledProcessError if one fails."""
    one_thread = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "YOLO_OFFLINE": "true",
        "YOLO_CONFIG_DIR": tempfile.gettempdir(),
    }
    running = [subprocess.Popen([sys.executable, *map(str, command)], env=one_thread) for command in commands]
    for process in running:
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, process.args)


def train(folder: Path, *, minutes: float) -> None:
    """All four networks, on the sets in ``folder``."""
    crops, streets, limit = folder / "crops", folder / "streets", ["--minutes", str(minutes), "--workers", "0"]
    theirs = ["-m", "examples.anpr_system.train_reader", str(crops), "--epochs", "1000", "--minutes", str(minutes)]
    ours = ["-m", "platereader", "train"]
    train_both(
        (
            [*theirs, "--out", folder / "crnn.pth"],
            [*ours, "recognizer", crops / "train", "--real-share", "1", "--out", folder / "reader", *limit],
        )
    )
    train_both(
        (
            ["-c", YOLO, streets / "plates.yaml", folder / "yolo", str(minutes / 60)],
            [*ours, "detector", streets / "train", "--out", folder / "detector", *limit],
        )
    )


def read_right(recognizer: Recognizer, plates: Sequence[tuple[PlateImage, str]]) -> Rate:
    """Plates of which the most probable path spells the whole text; marks and ends of plates are no characters."""
    log_probs, size = recognizer.recognize([plate for plate, _ in plates]), recognizer.alphabet.size
    log_probs[..., 0] = np.logaddexp(log_probs[..., 0], np.logaddexp.reduce(log_probs[..., size:], axis=2))
    found = GreedyDecoder(recognizer.alphabet).decode(np.ascontiguousarray(log_probs[..., :size]))
    texts = [candidates[0].text if candidates else "" for candidates in found]
    return Rate(sum(text == told for text, (_, told) in zip(texts, plates, strict=True)), len(plates))


def found_on(images: Sequence[LabelledImage], detector: Detector, *, min_score: float) -> DetectorScores:
    """How well a detector finds what is labelled."""
    unsure = with_min_score(detector, LOW_SCORE) or detector
    found = [unsure.detect([read_image(image.path)])[0] for image in images]
    return score_detections(images, found, min_score=min_score)


def interleaved_ms(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median time of each call, made in turn."""
    return {name: 1e3 * median(seconds) for name, seconds in interleaved(calls, rounds=40).items()}


def report(folder: Path, data: Path) -> str:
    """Both tables."""
    import torch

    theirs = UltralyticsDetector(folder / "yolo" / "run" / "weights" / "last.pt", trust_pickle=True)
    ours = load_detector(folder / "detector" / "plate_finder.safetensors", options=OURS)
    assert isinstance(ours, PlateDetector)
    detectors: dict[str, tuple[Detector, float]] = {
        "predecessor": (theirs, theirs.min_score),
        "ours": (ours, ours.min_score),
    }
    readers: dict[str, Recognizer] = {
        "predecessor": CrnnRecognizer(load_crnn(folder / "crnn.pth")),
        "ours": load_recognizer(folder / "reader" / "recognizer.safetensors", options=OURS),
    }
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    russian = load_photographs(data / "dev" / "russian").images
    streets = [one for one in load_photographs(data / "train" / "streets").images if is_calibration(one.path)]
    plates = [(rectify_quad(one.pixels, one.quad, one.lines), one.text) for one in cut_plates(russian)]
    frame, plate = street_picture(), plates[0][0]
    frame_ms = interleaved_ms({name: partial(one.detect, [frame]) for name, (one, _) in detectors.items()})
    plate_ms = interleaved_ms({name: partial(one.recognize, [plate]) for name, one in readers.items()})
    read = [(name, show_rate(read_right(one, plates)), f"{plate_ms[name]:.1f}") for name, one in readers.items()]
    found = [
        (name, where, found_on(images, detector, min_score=min_score))
        for where, images in (("dev/russian", russian), ("train/streets, held out", streets))
        for name, (detector, min_score) in detectors.items()
    ]
    seen = [
        (name, where, show_rate(one.recall), *(show_percent(each, digits=1) for each in (one.ap50, one.ap50_95)))
        for name, where, one in found
    ]
    return "\n\n".join(
        (
            format_table(("reader", "dev/russian, place given: whole text right", "ms a plate"), read),
            format_table(
                ("detector", "pictures", "found, IoU 0.5", "AP50, %", "AP50-95, %", "ms a frame"),
                [(*row, f"{frame_ms[row[0]]:.1f}") for row in seen],
            ),
        )
    )


def main() -> None:
    """Make the sets, train, and print the tables; what is in FOLDER already is not made again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the sets and the weights")
    parser.add_argument("--minutes", type=float, default=20.0, help="of each training")
    parser.add_argument("--plates", type=int, default=12_000, help="made-up plates of the readers")
    given = parser.parse_args()
    if not (given.out / "crops").exists():
        write_crops(given.out / "crops", given.data, count=given.plates)
    if not (given.out / "streets").exists():
        write_streets(given.out / "streets", given.data)
    if not (given.out / "detector" / "plate_finder.safetensors").exists():
        train(given.out, minutes=given.minutes)
    print(report(given.out, given.data))


if __name__ == "__main__":
    main()
