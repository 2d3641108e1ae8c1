"""``platereader benchmark``: how fast a network runs here, and what more time buys."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from platereader.cli.exits import EXIT_OK
from platereader.cli.parts import resolve_weights
from platereader.cli.progress import Progress

EXAMPLES = """examples:
  platereader benchmark recognizer                       int8, fp32 and bf16, the shipped weights
  platereader benchmark recognizer --random-weights      the same without weights, as fast
  platereader benchmark recognizer --threads 1 --batches 1 16 --json speed.json
  platereader benchmark detector dev/russian             accuracy and speed by the size of the network's input
  platereader benchmark detector dev/russian --sizes 320 640 --plots plots

Times are medians of interleaved calls with 95 % intervals: of the recognizer's network alone, in milliseconds a batch;
of the whole detector, in milliseconds a frame. DATA is a labelled set, as for platereader evaluate.
exit status: 0 done, 2 wrong options, 3 weights are missing or altered.
"""

_SIZES = (320, 384, 448, 512, 576, 640, 736, 832, 960)


def add_benchmark_command(parser: argparse.ArgumentParser) -> None:
    """Describe ``platereader benchmark recognizer`` and ``platereader benchmark detector``."""
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    _add_detector(
        networks.add_parser(
            "detector", help="the finder", description="Accuracy and speed by the network's input size."
        )
    )
    recognizer = networks.add_parser("recognizer", help="the reader", description="Time the reader.")
    weights = recognizer.add_argument_group("weights")
    weights.add_argument("--fp32", default="plate-recognizer", metavar="WEIGHTS", help="name or file, also for bf16")
    weights.add_argument("--int8", default="plate-recognizer-int8", metavar="WEIGHTS", help="name or file")
    weights.add_argument("--random-weights", action="store_true", help="time untrained networks of the default shape")
    recognizer.add_argument("--batches", type=_count, nargs="+", default=(1, 8, 32), metavar="N", help="plates a call")
    recognizer.add_argument("--threads", type=_count, nargs="+", default=(1, 2), metavar="N", help="torch's threads")
    recognizer.add_argument("--rounds", type=_count, default=50, metavar="N", help="calls of each (default: 50)")
    recognizer.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    recognizer.set_defaults(run=run_recognizer)


def _add_detector(detector: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader benchmark detector``."""
    detector.add_argument("data", type=Path, metavar="DATA", help="labelled set")
    detector.add_argument("--detector", default="plate-detector", metavar="WEIGHTS", help="name or file")
    detector.add_argument("--precision", default="fp32", choices=("fp32", "bf16"), help="default: fp32")
    detector.add_argument("--sizes", type=_count, nargs="+", default=_SIZES, metavar="PX", help="multiples of 32")
    detector.add_argument("--rounds", type=_count, default=50, metavar="N", help="timed frames of each (default: 50)")
    detector.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    detector.add_argument("--plots", type=Path, metavar="DIR", help="draw accuracy against time")
    detector.set_defaults(run=run_detector)


def run_detector(arguments: argparse.Namespace) -> int:
    """Measure the detector at several input sizes and print a table."""
    from platereader import defaults
    from platereader.datasets import load_dataset
    from platereader.evaluation.input_size import InputSizeReport, evaluate_input_sizes, format_input_sizes
    from platereader.evaluation.plots import draw_input_sizes
    from platereader.evaluation.plotting import check_plotting
    from platereader.registry import Registry

    if arguments.plots is not None:
        check_plotting()
    images = load_dataset(arguments.data).images
    weights = resolve_weights(arguments.detector, kind="detector", registry=Registry.default())
    detector, part = defaults.load_detector(weights, precision=arguments.precision)
    with Progress(len(images), unit="picture") as progress:
        scores = evaluate_input_sizes(
            detector, images, sizes=arguments.sizes, rounds=arguments.rounds, on_picture=progress.advance
        )
    report = InputSizeReport("/".join(arguments.data.resolve().parts[-2:]), len(images), scores, part)
    print(format_input_sizes(report))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    if arguments.plots is not None:
        draw_input_sizes(report, arguments.plots)
    return EXIT_OK


def run_recognizer(arguments: argparse.Namespace) -> int:
    """Time the reader and print a table."""
    import numpy as np

    from platereader.evaluation import benchmark
    from platereader.recognition.recognizer import shape_from_settings
    from platereader.registry import Registry

    files = (
        {}
        if arguments.random_weights
        else {
            precision: resolve_weights(name, kind="recognizer", registry=Registry.default())
            for precision, name in (("fp32", arguments.fp32), ("int8", arguments.int8))
        }
    )
    config = shape_from_settings(files["fp32"].settings if files else {})[1]
    networks = benchmark.shipped_recognizers(**files) if files else benchmark.random_recognizers(config)
    candidates = benchmark.recognizer_candidates(
        networks, size_px=(config.height_px, config.width_px), rng=np.random.default_rng(0)
    )
    timings = benchmark.benchmark(
        candidates, batches=arguments.batches, threads=arguments.threads, rounds=arguments.rounds
    )
    report = benchmark.SpeedReport(timings, {file.name: file.sha256 for file in files.values()})
    print(benchmark.format_speed(report))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    return EXIT_OK


def _count(word: str) -> int:
    """A whole number from 1 up."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number
