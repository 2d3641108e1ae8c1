"""How much memory frames of many sizes take: an engine that keeps something for each input shape must stop growing.

``python -m benchmarks.memory_by_size`` reads a generated street at 500 sizes with each engine in a process of its own,
and prints the resident memory as it goes. It ends with status 1 where that grew by 30 MB or more after the first 1000
frames. ``--sizes 200 --largest 7680`` takes other sizes, up to 8K. ``--csv benchmarks/memory.csv`` keeps the curve of
each engine for ``python -m benchmarks.memory_chart``. ``--pipelines 200`` builds and drops so many pipelines instead,
each of which reads one frame; then threads and open files must not grow either.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.memory_curves import WARM_UP, Curve, conditions_of, is_point, keep
from benchmarks.stream_memory import resident_mb
from platereader import Pipeline
from platereader.lab.speed.pictures import street_picture

ALLOWED_MB: Final = 30.0
WARM_PIPELINES: Final = 10
PRINTED: Final = (1, 50, 100, WARM_UP)


def frame_sizes(count: int, *, largest_px: int) -> list[tuple[int, int]]:
    """Widths and heights in pixels; those that are smaller than the network's input are the input's size then."""
    rng = np.random.default_rng(0)
    return [(int(width), int(height)) for width, height in rng.integers(64, largest_px, (count, 2))]


def measured(pipeline: Pipeline, frames: int, *, sizes: list[tuple[int, int]], largest_px: int) -> Curve:
    """Read that many frames, print the memory, and return it as a curve."""
    conditions = conditions_of(pipeline, "sizes", frames=frames, sizes=len(sizes), largest_px=largest_px)
    curve, street = Curve(conditions), street_picture()
    order = np.random.default_rng(1).integers(len(sizes), size=frames)
    for number, size in enumerate(order, start=1):
        pipeline.read(cv2.resize(street, sizes[size], interpolation=cv2.INTER_AREA).astype(np.uint8))
        if is_point(number, frames=frames):
            curve.points.append((number, resident_mb()))
        if number in PRINTED or number % max(WARM_UP, frames // 10) == 0:
            print(
                f"{conditions.engine} {conditions.precision}, frame {number}: {resident_mb():.1f} MB",
                flush=True,
            )
    return curve


def left_mb(pipelines: int, *, engine: str, precision: str, threads: int | None) -> float:
    """Build and drop that many pipelines, and return by how much the memory grew after the first ten.

    Raises:
        AssertionError: threads or open files were left.
    """
    street, warm_mb = street_picture(), 0.0
    warm: tuple[int, ...] = ()
    open_now: tuple[int, ...] = ()
    for number in range(1, pipelines + 1):
        Pipeline.build(engine=engine, precision=precision, threads=threads).read(street)
        gc.collect()
        open_now = tuple(sum(1 for _ in Path("/proc/self", kind).iterdir()) for kind in ("task", "fd"))
        if number == WARM_PIPELINES:
            warm_mb, warm = resident_mb(), open_now
        if number == WARM_PIPELINES or number % max(1, pipelines // 10) == 0:
            print(f"{engine}, pipeline {number}: {resident_mb():.1f} MB, threads and files {open_now}", flush=True)
    assert all(now <= before for now, before in zip(open_now, warm, strict=False)), (
        f"threads and files: {warm} grew to {open_now}"
    )
    return resident_mb() - warm_mb


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", default=["onnx", "openvino", "torch"])
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--sizes", type=int, default=500, help="so many sizes")
    parser.add_argument("--largest", type=int, default=800, help="longest side of a frame in pixels")
    parser.add_argument("--pipelines", type=int, default=0, help="build and drop so many, in the place of frames")
    parser.add_argument("--threads", type=int, help="of each network; not with torch")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="keep the curve there, such as benchmarks/memory.csv")
    options = parser.parse_args()
    if len(options.engines) > 1:
        command = [sys.executable, "-m", "benchmarks.memory_by_size", *sys.argv[1:]]
        return max(
            subprocess.run([*command, "--engines", engine], check=False).returncode for engine in options.engines
        )
    (engine,) = options.engines
    chosen: Any = {"engine": engine, "precision": options.precision, "threads": options.threads}
    if options.pipelines:
        grown, what = left_mb(options.pipelines, **chosen), f"{options.pipelines} pipelines"
    else:
        sizes = frame_sizes(options.sizes, largest_px=options.largest)
        what = f"{options.frames} frames of {options.sizes} sizes up to {options.largest} px"
        curve = measured(Pipeline.build(**chosen), options.frames, sizes=sizes, largest_px=options.largest)
        grown = curve.grown_mb()
        if options.csv is not None:
            keep(options.csv, curve)
    print(f"{engine} {options.precision}: {what}, grown by {grown:.1f} MB")
    return int(grown >= ALLOWED_MB)


if __name__ == "__main__":
    sys.exit(main())
