"""``platereader benchmark``: how fast pipelines and networks run here, and what more time buys."""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from platereader._arrays import BgrImage
from platereader._dependencies import check_installed
from platereader._files import make_folder
from platereader._parts import description_of
from platereader.cli.language import add_language_option, language_of
from platereader.cli.parser import positive, thread_count
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.saving import write_picture
from platereader.cli.sources import read_pictures
from platereader.cli.tables import format_table, print_report, printable, progress_bar
from platereader.cli.weights import recognizer_weights
from platereader.errors import InvalidArgumentError
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._options import ENGINES

EXAMPLES = """examples:
  platereader benchmark --choose              measure which engine is the fastest here, for engine auto
  platereader benchmark --choose --forget     forget that again
  platereader benchmark frame                 whole frames: every engine, precision, start and memory
  platereader benchmark frame photos --threads 1 2 --json speed.json --plot speed.png
  platereader benchmark frame --engines torch openvino --precisions auto --sizes 480 640 --starts 0
  platereader benchmark recognizer --threads 1 --batches 1 16 --json speed.json
  platereader benchmark recognizer --random-weights      without weights, as fast
  platereader benchmark detector dev/russian --sizes 320 640 --plots plots
  platereader benchmark stream data           streams by how much work they do, and what that costs

Times are medians of interleaved calls, in milliseconds: of whole frames and their stages; of a batch
of the recognizer's network alone; of a frame of the whole detector. Only ratios within one run mean
something. DATA is a labelled set, of stream as for evaluate --video; PICTURE is a file or a folder.
exit status: 0 done, 2 wrong options or pictures, 3 weights, a data set or a package are missing.
"""

_SIZES = (320, 448, 576, 704, 832, 960)
_CHOICE_FRAMES = 4
_CHOICE_ROUNDS = 10


def add_benchmark_command(parser: argparse.ArgumentParser) -> None:
    """Describe what ``platereader benchmark`` can time."""
    networks = parser.add_subparsers(dest="network", metavar="WHAT")
    parser.add_argument("--choose", action="store_true", help="measure what auto takes here, one to three minutes")
    parser.add_argument("--forget", action="store_true", help="with --choose: forget what was measured")
    add_language_option(parser)
    parser.set_defaults(run=partial(_run, parser))
    for name, summary, add_options, measure in _NETWORKS:
        network = networks.add_parser(name, help=summary)
        add_options(network)
        network.set_defaults(measure=measure)


def _add_frame_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Time whole frames by engine, precision, threads, input size."
    add, engines = parser.add_argument, ("auto", *ENGINES)
    help_engines = "auto, openvino, onnx, torch (default: all that are installed)"
    add("pictures", type=Path, nargs="*", metavar="PICTURE", help="default: two generated streets")
    add("--engines", nargs="+", default=engines, choices=engines, metavar="ENGINE", help=help_engines)
    add(
        "--precisions",
        nargs="+",
        default=("fp32", "bf16", "int8", "auto"),
        choices=("auto", "fp32", "bf16", "int8"),
        metavar="PRECISION",
        help="auto, int8, fp32, bf16 (default: all)",
    )
    add("--threads", type=thread_count, nargs="+", metavar="N", help="default: the cores it may use")
    add("--sizes", type=positive, nargs="+", metavar="PX", help="default: the detector's own input size")
    add("--rounds", type=positive, default=30, metavar="N", help="turns of each (default: 30)")
    add("--starts", type=int, default=5, metavar="N", help="fresh processes of each (default: 5)")
    add("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    add("--plot", type=Path, metavar="FILE", help="draw stages, start and memory")


def _add_detector_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Accuracy and speed by the network's input size."
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="labelled set")
    add("--detector", default="plate-detector", metavar="WEIGHTS", help="name or file")
    add("--precision", default="fp32", choices=("fp32", "bf16"), help="default: fp32")
    add("--sizes", type=positive, nargs="+", default=_SIZES, metavar="PX", help="multiples of 32")
    add("--rounds", type=positive, default=50, metavar="N", help="timed frames of each (default: 50)")
    add("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    add("--plots", type=Path, metavar="DIR", help="draw accuracy against time")


def _add_stream_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Time streams by how much work they do."
    add, help_clips = parser.add_argument, "clips of each level for the accuracy (default: 10)"
    add("data", type=Path, metavar="DATA", help="folder that the video suite is made from")
    add("--rounds", type=positive, default=5, metavar="N", help="timed runs of each (default: 5)")
    add("--clips", type=positive, default=10, metavar="N", help=help_clips)
    add("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    add_part_options(parser)


def _add_recognizer_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Time the recognizer's network."
    add, weights = parser.add_argument, parser.add_argument_group("weights")
    weights.add_argument("--fp32", default="plate-recognizer", metavar="WEIGHTS", help="name or file, also for bf16")
    weights.add_argument("--int8", default="plate-recognizer", metavar="WEIGHTS", help="name or file")
    weights.add_argument("--random-weights", action="store_true", help="time untrained networks of the default shape")
    add("--batches", type=positive, nargs="+", default=(1, 8, 32), metavar="N", help="plates a call")
    add("--threads", type=thread_count, nargs="+", default=(1, 2), metavar="N", help="torch's threads")
    add("--rounds", type=positive, default=50, metavar="N", help="calls of each (default: 50)")
    add("--json", type=Path, metavar="FILE", help="write the report to this file, too")


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Measure what was named, or choose."""
    if arguments.choose == (arguments.network is not None) or (arguments.forget and not arguments.choose):
        parser.error("name one thing to time, or give --choose, alone or with --forget")
    (_choose if arguments.choose else arguments.measure)(arguments)


def _choose(arguments: argparse.Namespace) -> None:
    """Measure which engine and precision is the fastest and keep that for ``auto``, or forget what was kept."""
    from platereader.lab.speed import choice
    from platereader.lab.speed.pictures import generated_frames
    from platereader.registry._registry import cache_folder
    from platereader.runtimes._kept import CACHE_ADVICE, FILE_NAME

    say, path = language_of(arguments), cache_folder() / FILE_NAME
    if arguments.forget:
        kept = path.is_file()
        if kept:
            path.unlink()
        print(say("forgotten: {path}" if kept else "nothing was kept in {path}").format(path=printable(str(path))))
        return
    make_folder(path.parent, advice=CACHE_ADVICE)
    rng, settings = np.random.default_rng(0), choice.candidates()
    with progress_bar(choice.turn_count(settings, rounds=_CHOICE_ROUNDS), unit="turn") as progress:
        frames = generated_frames(_CHOICE_FRAMES, rng=rng)
        found = choice.choose(frames, rounds=_CHOICE_ROUNDS, rng=rng, settings=settings, on_turn=progress.update)
    found.keep(path)
    rows = [(run.engine, run.precision, f"{run.frame.median_ms:.1f}") for run in found.runs]
    print(format_table([say(head) for head in ("ENGINE", "PRECISION", "MS A FRAME")], rows))
    for one in found.absent:
        print(say("left out: {name}: {reason}").format(name=one.name, reason=printable(one.reason)))
    print(printable(say(f"engine auto takes {rows[0][0]} {rows[0][1]} from now on; kept in {path}")))


def _time_frame(arguments: argparse.Namespace) -> None:
    """Time whole pipelines and print tables."""
    from platereader.lab.speed import pipelines
    from platereader.lab.speed.cold_start import cold_starts
    from platereader.lab.speed.machine import this_machine
    from platereader.lab.speed.plots import draw_frame_report
    from platereader.lab.speed.report import FrameReport, format_frame_report

    if arguments.plot is not None:
        check_installed("matplotlib")
    if arguments.starts < 0:
        raise InvalidArgumentError(f"--starts is {arguments.starts}, allowed are whole numbers from 0.")
    machine, rng, rounds = this_machine(), np.random.default_rng(0), arguments.rounds
    frames = _frames(arguments.pictures)
    settings = pipelines.settings_of(
        engines=arguments.engines,
        precisions=arguments.precisions,
        threads=arguments.threads or (machine.usable_cores,),
        sizes=arguments.sizes or (None,),
    )
    with tempfile.TemporaryDirectory() as folder, progress_bar(0, unit="turn") as progress:
        runs, absent = pipelines.time_frames(
            list(frames.values()), settings, rounds=rounds, rng=rng, on_turn=progress.update
        )
        combinations = list(dict.fromkeys((run.engine, run.precision) for run in runs)) if arguments.starts else []
        picture = Path(folder) / "picture.png"
        write_picture(picture, next(iter(frames.values())))
        starts, missed = cold_starts(picture, combinations, rounds=arguments.starts, rng=rng, on_turn=progress.update)
    sizes = tuple((name, frame.shape[1], frame.shape[0]) for name, frame in frames.items())
    report = FrameReport(machine, sizes, rounds, " ".join(pipelines.REFERENCE), runs, starts, (*absent, *missed))
    print_report(format_frame_report(report), report, arguments.json)
    if arguments.plot is not None:
        draw_frame_report(report, arguments.plot)


def _frames(pictures: list[Path]) -> dict[str, BgrImage]:
    """The pictures by name, or generated ones."""
    from platereader.lab.speed.pictures import generated_frames

    if pictures:
        return read_pictures(pictures, option="PICTURE")
    generated = generated_frames(2, rng=np.random.default_rng(0))
    return {f"generated {number}": frame for number, frame in enumerate(generated, start=1)}


def _time_detector(arguments: argparse.Namespace) -> None:
    """Measure the detector at several input sizes and print a table."""
    from platereader._loading import load_detector
    from platereader.lab.datasets import load_dataset
    from platereader.lab.speed.input_size import InputSizeReport, evaluate_input_sizes, format_input_sizes
    from platereader.lab.speed.plots import draw_input_sizes

    if arguments.plots is not None:
        check_installed("matplotlib")
    images = load_dataset(arguments.data).images
    detector = load_detector(arguments.detector, options=RuntimeOptions(precision=arguments.precision))
    with progress_bar(len(images), unit="picture") as progress:
        scores = evaluate_input_sizes(
            detector, images, sizes=arguments.sizes, rounds=arguments.rounds, on_picture=progress.update
        )
    part = description_of(detector, part="detector")
    report = InputSizeReport("/".join(arguments.data.resolve().parts[-2:]), len(images), scores, part)
    print_report(format_input_sizes(report), report, arguments.json)
    if arguments.plots is not None:
        draw_input_sizes(report, arguments.plots)


def _time_stream(arguments: argparse.Namespace) -> None:
    """Time streams with several settings, measure what these cost, and print both."""
    from platereader.lab.speed.streams import format_stream_speed, stream_speeds
    from platereader.lab.suites.video.run import evaluate_video
    from platereader.lab.synthesis.video.clips import clip_names
    from platereader.lab.synthesis.video.material import load_material

    material, rounds = load_material(arguments.data), arguments.rounds
    pipeline = build_pipeline(arguments)
    names = clip_names(per_level=arguments.clips)
    with progress_bar(rounds + len(names), unit="step") as progress:
        accuracy = evaluate_video(pipeline, material, names=names, on_step=progress.update).settings()
        report = stream_speeds(pipeline, material, rounds=rounds, accuracy=accuracy, on_round=progress.update)
    print_report(format_stream_speed(report), report, arguments.json)


def _time_recognizer(arguments: argparse.Namespace) -> None:
    """Time the recognizer and print a table."""
    from platereader.lab.speed import networks as benchmark
    from platereader.recognition._shape import ConvCtcConfig, shape_of

    files = {
        precision: recognizer_weights(name, file_format="safetensors", precision=precision)
        for precision, name in (("fp32", arguments.fp32), ("int8", arguments.int8))
        if not arguments.random_weights
    }
    entry = files["fp32"].entry if files else None
    config = ConvCtcConfig() if entry is None else shape_of(entry.settings, alphabet=entry.alphabet)[1]
    networks = benchmark.shipped_recognizers(**files) if files else benchmark.random_recognizers(config)
    candidates = benchmark.recognizer_candidates(networks, size_px=config.size_px, rng=np.random.default_rng(0))
    timings = benchmark.benchmark(
        candidates, batches=arguments.batches, threads=arguments.threads, rounds=arguments.rounds
    )
    report = benchmark.SpeedReport(timings, {file.path.stem: file.sha256 for file in files.values()})
    print_report(benchmark.format_speed(report), report, arguments.json)


_NETWORKS = (
    ("frame", "whole pipelines", _add_frame_options, _time_frame),
    ("detector", "the plate detector", _add_detector_options, _time_detector),
    ("stream", "streams", _add_stream_options, _time_stream),
    ("recognizer", "the recognizer", _add_recognizer_options, _time_recognizer),
)
