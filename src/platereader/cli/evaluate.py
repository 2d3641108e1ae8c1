"""``platereader evaluate``: accuracy on a labelled set."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.progress import Progress

EXAMPLES = """examples:
  platereader evaluate dev/russian                     scores with counts and intervals, as a table
  platereader evaluate dev/russian --json report.json  the same as JSON, every plate with its reading
  platereader evaluate dev/russian --failures wrong/   every failure as a picture, and contact sheets

DATA is a folder with labels.jsonl, AUTO.RIA OCR, Pascal VOC or YOLO labels, or pictures named by their text.
exit status: 0 every label was used, 1 some labels or pictures had to be skipped, 2 wrong options, 3 no usable data.
"""


def add_evaluate_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader evaluate``."""
    parser.add_argument("data", type=Path, metavar="DATA", help="labelled set")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to this file, too")
    parser.add_argument("--failures", type=Path, metavar="DIR", help="write a picture of every failure")
    add_part_options(parser)
    parser.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Measure the pipeline, print the table and say what was skipped."""
    from platereader.datasets import load_dataset
    from platereader.evaluation.evaluate import evaluate
    from platereader.evaluation.table import format_table

    dataset = load_dataset(arguments.data)
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
    if arguments.json is not None:
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=2)
        arguments.json.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    for row in report.skipped:
        print(f"platereader: skipped {row}", file=sys.stderr)
    return EXIT_FAILED_INPUTS if report.skipped else EXIT_OK
