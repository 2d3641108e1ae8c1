"""How much memory frames of many sizes take: an engine that keeps something for each input shape must stop growing.

``python -m benchmarks.memory_by_size`` reads a generated street at 200 sizes with each engine in a process of its own,
and prints the resident memory as it goes. It ends with status 1 where that grew by 30 MB or more after the first 200
frames.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Final

import cv2
import numpy as np

from benchmarks.stream_memory import resident_mb
from benchmarks.street_picture import street_picture
from platereader import Pipeline

ALLOWED_MB: Final = 30.0
SIZES: Final = 200
WARM_UP: Final = 200
PRINTED: Final = (1, 50, 100, WARM_UP)


def frame_sizes(count: int = SIZES) -> list[tuple[int, int]]:
    """Widths and heights in pixels: most are smaller than the network's input, which then has their size."""
    rng = np.random.default_rng(0)
    return [(int(width), int(height)) for width, height in rng.integers(64, 800, (count, 2))]


def grown_mb(frames: int, *, engine: str, precision: str, threads: int | None) -> float:
    """Read that many frames, print the memory, and return by how much it grew after the first 200."""
    pipeline = Pipeline.build(engine=engine, precision=precision, threads=threads)
    street, sizes, warm_mb = street_picture(), frame_sizes(), 0.0
    order = np.random.default_rng(1).integers(SIZES, size=frames)
    for number, size in enumerate(order, start=1):
        pipeline.read(cv2.resize(street, sizes[size], interpolation=cv2.INTER_AREA).astype(np.uint8))
        if number == WARM_UP:
            warm_mb = resident_mb()
        if number in PRINTED or number % max(WARM_UP, frames // 10) == 0:
            print(f"{engine} {precision}, frame {number}: {resident_mb():.1f} MB", flush=True)
    return resident_mb() - warm_mb


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", default=["onnx", "openvino", "torch"])
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--threads", type=int, help="of each network; not with torch")
    options = parser.parse_args()
    if len(options.engines) > 1:
        command = [sys.executable, "-m", "benchmarks.memory_by_size", *sys.argv[1:]]
        return max(
            subprocess.run([*command, "--engines", engine], check=False).returncode for engine in options.engines
        )
    (engine,) = options.engines
    grown = grown_mb(options.frames, engine=engine, precision=options.precision, threads=options.threads)
    print(f"{engine} {options.precision}: {options.frames} frames of {SIZES} sizes, grown by {grown:.1f} MB")
    return int(grown >= ALLOWED_MB)


if __name__ == "__main__":
    sys.exit(main())
