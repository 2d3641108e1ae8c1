"""``platereader evaluate``: accuracy on a labelled set."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from platereader._dependencies import check_installed
from platereader._files import InputFiles
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.parser import rate_factor, refused
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.tables import print_message, print_report, progress_bar
from platereader.errors import InvalidArgumentError
from platereader.pipeline import Pipeline

if TYPE_CHECKING:
    from platereader.lab.datasets import Dataset

EXAMPLES = """examples:
  platereader evaluate dev/russian --json report.json  scores with counts and intervals
  platereader evaluate dev/russian --failures wrong/   every failure as a picture
  platereader evaluate data --stress --plots plots/    plates made worse step by step
  platereader evaluate train/streets --held-out        only the pictures that no training sees
  platereader evaluate train/negatives --held-out-negatives    false alarms without a plate

DATA has labels.jsonl, AUTO.RIA OCR, Pascal VOC or YOLO labels, or pictures named by their text. The
suites are made of data/dev and the calibration fifth of data/train.
exit status: 0 every label was used, 1 some labels or pictures had to be skipped, 2 wrong options,
3 no usable data.
"""


def add_evaluate_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader evaluate``."""
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="labelled set")
    add("--json", type=Path, metavar="FILE", help="write the whole report to this file, too")
    help_failures = "write a picture of every failure; only without a suite, or --video"
    add("--failures", type=Path, metavar="DIR", help=help_failures)
    add("--plots", type=Path, metavar="DIR", help="draw the plots of the report; only without a suite, or --stress")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--held-out", action="store_true", help="only the pictures that no training on the set sees")
    parts.add_argument(
        "--held-out-negatives", action="store_true", help="only the 300 pictures without plates that no training sees"
    )
    suites = parser.add_argument_group("suites")
    one_suite = suites.add_mutually_exclusive_group()
    for name, (meaning, _) in _SUITES.items():
        one_suite.add_argument(f"--{name}", action="store_true", help=meaning)
    help_clips = "with --video: only the first N clips of each level; 0: only the kinds and the videos"
    suites.add_argument("--clips", type=int, metavar="N", help=help_clips)
    help_h264 = "with --video: every clip through libx264 at this constant rate factor, 0 to 51, and no videos"
    suites.add_argument("--h264", type=rate_factor, metavar="CRF", help=help_h264)
    add_part_options(parser)
    parser.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Measure the pipeline and print the table."""
    for option, value in (("--clips", arguments.clips), ("--h264", arguments.h264)):
        if value is not None and not arguments.video:
            raise InvalidArgumentError(f"{option} is for the clips of a suite: add --video.")
    report = arguments.json
    if report is not None and report in InputFiles(arguments.data.rglob("*")) and not _is_report(report):
        raise refused("--json", report, "which is one of the files of DATA: name another file.")
    for name, (_, run_suite) in _SUITES.items():
        if getattr(arguments, name):
            run_suite(arguments)
            return EXIT_OK
    return _run_labelled(arguments)


def _run_labelled(arguments: argparse.Namespace) -> int:
    from platereader.lab.datasets import load_dataset
    from platereader.lab.datasets.labels import is_held_out
    from platereader.lab.suites.labelled.plots import draw_detection
    from platereader.lab.suites.labelled.report import format_table
    from platereader.lab.suites.labelled.run import evaluate

    if arguments.plots is not None:
        check_installed("matplotlib")
    dataset = load_dataset(arguments.data)
    if arguments.held_out:
        dataset = replace(dataset, images=tuple(image for image in dataset.images if is_held_out(image.path)))
    if arguments.held_out_negatives:
        dataset = _without_trained_negatives(dataset)
    given = {"name": "/".join(arguments.data.resolve().parts[-2:]), "failures": arguments.failures}
    size = len(dataset.images)
    report = _measured(arguments, evaluate, dataset, steps=size, shown=format_table, unit="picture", **given)
    if arguments.plots is not None and report.detection is not None:
        draw_detection(report.detection, arguments.plots)
    for row in report.skipped:
        print_message(f"skipped {row}")
    return EXIT_FAILED_INPUTS if report.skipped else EXIT_OK


def _measured(
    arguments: argparse.Namespace,
    evaluate: Callable[..., Any],
    material: object,
    *,
    steps: int,
    shown: Callable[[Any], str],
    unit: str = "step",
    **given: object,
) -> Any:
    """Evaluate the pipeline on some material with a progress bar, print the table and write the JSON."""
    pipeline = build_pipeline(arguments)
    with progress_bar(steps, unit=unit) as progress:
        report = evaluate(pipeline, material, on_picture=progress.update, **given)
    print_report(shown(report), report, arguments.json)
    return report


def _run_stress(arguments: argparse.Namespace) -> None:
    from platereader.lab.datasets import load_dataset
    from platereader.lab.suites.stress.plots import draw_stress
    from platereader.lab.suites.stress.report import format_stress
    from platereader.lab.suites.stress.run import evaluate_stress, run_size
    from platereader.lab.synthesis.stress.material import load_material

    if arguments.plots is not None:
        check_installed("matplotlib")
    material = load_material(arguments.data)
    abroad = arguments.data / "dev" / "other"
    foreign = load_dataset(abroad).images if abroad.is_dir() else ()
    steps = run_size(material, foreign)
    report = _measured(arguments, evaluate_stress, material, steps=steps, shown=format_stress, foreign=foreign)
    if arguments.plots is not None:
        draw_stress(report, arguments.plots)


def _run_scenes(arguments: argparse.Namespace) -> None:
    from platereader.lab.suites.scenes.suite import evaluate_scenes, format_scenes, run_size
    from platereader.lab.synthesis.scenes.material import load_material

    material = load_material(arguments.data)
    _measured(arguments, evaluate_scenes, material, steps=run_size(material), shown=format_scenes)


def _run_ends(arguments: argparse.Namespace) -> None:
    from platereader.lab.suites.ends.suite import evaluate_ends, format_ends, run_size
    from platereader.lab.synthesis.ends.material import load_material

    plates = load_material(arguments.data)
    _measured(arguments, evaluate_ends, plates, steps=run_size(plates), shown=format_ends)


def _run_countries(arguments: argparse.Namespace) -> None:
    from platereader.lab.suites.countries import evaluate_countries, format_countries, run_size
    from platereader.lab.synthesis.stress.material import load_material

    scenes = load_material(arguments.data).scenes
    _measured(arguments, evaluate_countries, scenes, steps=run_size(), shown=format_countries)


def _run_video(arguments: argparse.Namespace) -> None:
    from platereader.lab.suites.video.real_videos import load_videos
    from platereader.lab.suites.video.report import VideoReport, format_video
    from platereader.lab.suites.video.run import evaluate_video, run_size
    from platereader.lab.suites.video.strips import draw_failures
    from platereader.lab.synthesis.video.clips import CLIPS, clip_names
    from platereader.lab.synthesis.video.identity_kinds import IDENTITY_KINDS
    from platereader.lab.synthesis.video.material import load_material

    check_installed("motmetrics")
    material = load_material(arguments.data)
    names = [] if arguments.clips == 0 else clip_names(per_level=CLIPS if arguments.clips is None else arguments.clips)
    kinds = () if arguments.clips else IDENTITY_KINDS
    whole = not arguments.clips and arguments.h264 is None
    videos = load_videos(arguments.data / "dev" / "video") if whole else ()

    def evaluate(pipeline: Pipeline, _: object, *, on_picture: Callable[[], object]) -> VideoReport:
        return evaluate_video(
            pipeline, material, videos=videos, names=names, kinds=kinds, crf=arguments.h264, on_step=on_picture
        )

    report = _measured(arguments, evaluate, material, steps=run_size(names, videos, kinds), shown=format_video)
    if arguments.failures is not None:
        with progress_bar(len({one.clip for one in report.failures}), unit="clip") as progress:
            draw_failures(report.failures, material, arguments.failures, on_clip=progress.update)


_SUITES: dict[str, tuple[str, Callable[[argparse.Namespace], None]]] = {
    "stress": ("plates made worse, one thing at a time and many at once", _run_stress),
    "scenes": ("small, rolled, tilted and dash-cam plates that have to be found first", _run_scenes),
    "ends": ("plates with an end hidden, which must not be read as a shorter text", _run_ends),
    "countries": ("drawn plates of every country, lettering and scenery", _run_countries),
    "video": ("plates that move, and the videos in DATA/dev/video", _run_video),
}


def _without_trained_negatives(dataset: Dataset) -> Dataset:
    """The set without the empty pictures that a detector may have been trained on."""
    from platereader.lab.datasets.photographs import held_out_negatives

    kept = {image.path for image in held_out_negatives([image for image in dataset.images if not image.plates])}
    images = tuple(image for image in dataset.images if image.plates or image.path in kept)
    return replace(dataset, images=images)


def _is_report(path: Path) -> bool:
    """Whether a file is the report of an earlier run."""
    try:
        report: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(report, dict) and {"schema", "parts"} <= set(cast("dict[str, Any]", report))
