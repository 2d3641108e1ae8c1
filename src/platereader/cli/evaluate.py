"""``platereader evaluate``: accuracy on a labelled set."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from platereader._files import InputFiles, write_json
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.progress import Progress
from platereader.errors import InvalidArgumentError

if TYPE_CHECKING:
    from platereader.lab.datasets import Dataset

EXAMPLES = """examples:
  platereader evaluate dev/russian                     scores with counts and intervals, as a table
  platereader evaluate dev/russian --json report.json  the same as JSON, every plate with its reading
  platereader evaluate dev/russian --failures wrong/   every failure as a picture, and contact sheets
  platereader evaluate data --stress --plots plots/    the stress suite, made of data/dev and the calibration fifth of
                                                       data/train: accuracy by severity, and how far to trust it
  platereader evaluate data --scenes                   the scenes suite, made of the same: small, rolled, tilted and
                                                       dash-cam plates that have to be found first
  platereader evaluate data --ends                     the suite of ends, made of the same: plates of which one end is
                                                       hidden or outside, and must not be read as a shorter text
  platereader evaluate data --countries                drawn plates of every country, texts that two countries share,
                                                       plates of others, lettering and scenery
  platereader evaluate data --video                    the video suite, made of the same: plates that move, and the
                                                       videos in data/dev/video
  platereader evaluate train/streets --held-out        only the pictures that no training on data/train sees
  platereader evaluate train/negatives --held-out-negatives    false alarms on 300 pictures without a plate

DATA is a folder with labels.jsonl, AUTO.RIA OCR, Pascal VOC or YOLO labels, or pictures named by their text.
exit status: 0 every label was used, 1 some labels or pictures had to be skipped, 2 wrong options, 3 no usable data.
"""


def add_evaluate_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader evaluate``."""
    parser.add_argument("data", type=Path, metavar="DATA", help="labelled set")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to this file, too")
    parser.add_argument(
        "--failures",
        type=Path,
        metavar="DIR",
        help="write a picture of every failure; not with --stress, --scenes, --ends, --countries",
    )
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw the plots of the report; only without a suite, or with --stress"
    )
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument(
        "--held-out", action="store_true", help="take only the pictures of a training set that no training sees"
    )
    parts.add_argument(
        "--held-out-negatives",
        action="store_true",
        help="of the pictures without plates take only the 300 that are kept to measure false alarms",
    )
    suites = parser.add_mutually_exclusive_group()
    suites.add_argument("--stress", action="store_true", help="run the stress suite that is made from DATA instead")
    suites.add_argument("--scenes", action="store_true", help="run the scenes suite that is made from DATA instead")
    suites.add_argument(
        "--ends", action="store_true", help="run the suite of hidden ends that is made from DATA instead"
    )
    suites.add_argument(
        "--countries", action="store_true", help="read drawn plates of every country, and what is no plate, instead"
    )
    suites.add_argument("--video", action="store_true", help="run the video suite that is made from DATA instead")
    parser.add_argument(
        "--clips", type=int, metavar="N", help="with --video: only the first N clips of each level, and no videos"
    )
    add_part_options(parser)
    parser.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Measure the pipeline and print the table."""
    report = arguments.json
    if report is not None and report in InputFiles(arguments.data.rglob("*")) and not _is_report(report):
        raise InvalidArgumentError(f"--json is {str(report)!r}, which is one of the files of DATA: name another file.")
    for name, run_suite in _SUITES.items():
        if getattr(arguments, name):
            return run_suite(arguments)
    return _run_labelled(arguments)


def _run_labelled(arguments: argparse.Namespace) -> int:
    """Measure the pipeline on a labelled set, and say what was skipped."""
    from platereader._dependencies import check_installed
    from platereader.lab.datasets import load_dataset
    from platereader.lab.datasets.labels import is_held_out
    from platereader.lab.suites.labelled.plots import draw_detection
    from platereader.lab.suites.labelled.run import evaluate
    from platereader.lab.suites.labelled.table import format_table

    if arguments.plots is not None:
        check_installed("matplotlib")
    dataset = load_dataset(arguments.data)
    if arguments.held_out:
        dataset = replace(dataset, images=tuple(image for image in dataset.images if is_held_out(image.path)))
    if arguments.held_out_negatives:
        dataset = _without_trained_negatives(dataset)
    pipeline = build_pipeline(arguments)
    with Progress(len(dataset.images), unit="picture") as progress:
        report = evaluate(
            pipeline,
            dataset,
            name="/".join(arguments.data.resolve().parts[-2:]),
            failures=arguments.failures,
            on_picture=progress.advance,
        )
    print(format_table(report))
    _write_json(arguments.json, report.to_dict())
    if arguments.plots is not None and report.detection is not None:
        draw_detection(report.detection, arguments.plots)
    for row in report.skipped:
        print(f"platereader: skipped {row}", file=sys.stderr)
    return EXIT_FAILED_INPUTS if report.skipped else EXIT_OK


def _run_stress(arguments: argparse.Namespace) -> int:
    """Run the stress suite, print its table and draw its plots."""
    from platereader._dependencies import check_installed
    from platereader.lab.datasets import load_dataset
    from platereader.lab.suites.stress.plots import draw_stress
    from platereader.lab.suites.stress.run import evaluate_stress, run_size
    from platereader.lab.suites.stress.table import format_stress
    from platereader.lab.synthesis.stress.material import load_material

    if arguments.plots is not None:
        check_installed("matplotlib")
    material = load_material(arguments.data)
    abroad = arguments.data / "dev" / "other"
    foreign = load_dataset(abroad).images if abroad.is_dir() else ()
    pipeline = build_pipeline(arguments)
    with Progress(run_size(material, foreign), unit="picture") as progress:
        report = evaluate_stress(pipeline, material, foreign=foreign, on_picture=progress.advance)
    print(format_stress(report))
    _write_json(arguments.json, report.to_dict())
    if arguments.plots is not None:
        draw_stress(report, arguments.plots)
    return EXIT_OK


def _run_scenes(arguments: argparse.Namespace) -> int:
    """Run the scenes suite and print its table."""
    from platereader.lab.suites.scenes.run import evaluate_scenes, run_size
    from platereader.lab.suites.scenes.table import format_scenes
    from platereader.lab.synthesis.scenes.material import load_material

    material = load_material(arguments.data)
    pipeline = build_pipeline(arguments)
    with Progress(run_size(material), unit="picture") as progress:
        report = evaluate_scenes(pipeline, material, on_picture=progress.advance)
    print(format_scenes(report))
    _write_json(arguments.json, report.to_dict())
    return EXIT_OK


def _run_ends(arguments: argparse.Namespace) -> int:
    """Run the suite of hidden ends and print its table."""
    from platereader.lab.suites.ends.run import evaluate_ends, run_size
    from platereader.lab.suites.ends.table import format_ends
    from platereader.lab.synthesis.ends.material import load_material

    plates = load_material(arguments.data)
    pipeline = build_pipeline(arguments)
    with Progress(run_size(plates), unit="picture") as progress:
        report = evaluate_ends(pipeline, plates, on_picture=progress.advance)
    print(format_ends(report))
    _write_json(arguments.json, report.to_dict())
    return EXIT_OK


def _run_countries(arguments: argparse.Namespace) -> int:
    """Run the suite of countries and print its table."""
    from platereader.lab.suites.countries.run import evaluate_countries, run_size
    from platereader.lab.suites.countries.table import format_countries
    from platereader.lab.synthesis.stress.material import load_material

    backgrounds = load_material(arguments.data).scenes
    pipeline = build_pipeline(arguments)
    with Progress(run_size(), unit="picture") as progress:
        report = evaluate_countries(pipeline, backgrounds, on_picture=progress.advance)
    print(format_countries(report))
    _write_json(arguments.json, report.to_dict())
    return EXIT_OK


def _run_video(arguments: argparse.Namespace) -> int:
    """Run the video suite, print its table and draw its failures."""
    from platereader._dependencies import check_installed
    from platereader.lab.suites.video.real_videos import load_videos
    from platereader.lab.suites.video.run import evaluate_video, run_size
    from platereader.lab.suites.video.strips import draw_failures
    from platereader.lab.suites.video.table import format_video
    from platereader.lab.synthesis.video.clips import CLIPS, clip_names
    from platereader.lab.synthesis.video.material import load_material

    check_installed("motmetrics")
    material = load_material(arguments.data)
    names = clip_names(per_level=CLIPS if arguments.clips is None else arguments.clips)
    videos = load_videos(arguments.data / "dev" / "video") if arguments.clips is None else ()
    pipeline = build_pipeline(arguments)
    with Progress(run_size(names, videos), unit="step") as progress:
        report = evaluate_video(pipeline, material, videos=videos, names=names, on_step=progress.advance)
    print(format_video(report))
    _write_json(arguments.json, report.to_dict())
    if arguments.failures is not None:
        with Progress(len({one.clip for one in report.failures}), unit="clip") as progress:
            draw_failures(report.failures, material, arguments.failures, on_clip=progress.advance)
    return EXIT_OK


_SUITES = {
    "stress": _run_stress,
    "scenes": _run_scenes,
    "ends": _run_ends,
    "countries": _run_countries,
    "video": _run_video,
}


def _without_trained_negatives(dataset: Dataset) -> Dataset:
    """The set without the empty pictures that a detector may have been trained on."""
    from platereader.lab.datasets.photographs import held_out_negatives

    kept = {image.path for image in held_out_negatives([image for image in dataset.images if not image.plates])}
    images = tuple(image for image in dataset.images if image.plates or image.path in kept)
    return replace(dataset, images=images)


def _write_json(path: Path | None, report: dict[str, Any]) -> None:
    if path is not None:
        write_json(path, report)


def _is_report(path: Path) -> bool:
    """Whether a file is the report of an earlier run."""
    try:
        report: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(report, dict) and {"schema", "parts"} <= set(cast("dict[str, Any]", report))
