"""``platereader info``: what is installed and what would run."""

from __future__ import annotations

import argparse
import os
import platform

import platereader
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.tables import format_table
from platereader.registry import Registry

EXAMPLES = """examples:
  platereader info
  platereader info --precision bf16     what would run with these options
  platereader info --engine onnx        the same with one engine
  platereader info --country RU,KZ      whether the weights can spell the plates of these countries

The last column says why a network runs with its engine and in its precision.
Put the output into a bug report: it names versions, folders and hashes, and no picture.
exit status: 0 the pipeline can be built, 2 wrong options, 3 weights are missing or altered.
"""

_PACKAGES = (
    "numpy", "opencv-python-headless", "pillow", "av", "lap", "onnxruntime", "openvino", "torch", "safetensors",
    "ultralytics-opencv-headless",
)  # fmt: skip


def add_info_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader info``."""
    add_part_options(parser)
    parser.set_defaults(run=run_info)


def run_info(arguments: argparse.Namespace) -> None:
    """Print versions, places and parts."""
    from platereader.lab.speed.machine import version_of
    from platereader.runtimes._processor import cpu_features, usable_cores
    from platereader.runtimes._selection import installed_engines

    rows = [
        ("platereader", platereader.__version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        ("processor", f"{platform.machine()}, {os.cpu_count()} logical cores, {usable_cores()} usable"),
        ("instructions", " ".join(cpu_features()) or "none that matter"),
        ("engines", " ".join(installed_engines()) or "none"),
        *((name, version_of(name) or "not installed") for name in _PACKAGES),
    ]
    print(format_table(("", ""), rows).lstrip())
    rows = [("weights from", str(folder)) for folder in Registry.default().folders]
    print(format_table(("", ""), rows).lstrip("\n"))
    pipeline = build_pipeline(arguments)
    parts = [
        (
            part.part,
            part.implementation,
            part.weights or "-",
            (part.sha256 or "-")[:16],
            " ".join(str(word) for word in (part.engine, part.precision) if word) or "-",
            "-" if part.threads is None else str(part.threads),
            part.note or "-",
        )
        for part in pipeline.describe()
    ]
    countries = " ".join(scheme.country for scheme in pipeline.schemes) or "none"
    print(format_table(("", ""), [("countries", countries)]).lstrip("\n"))
    print(format_table(("PART", "CLASS", "WEIGHTS", "SHA256", "ENGINE", "THREADS", "WHY"), parts))
