"""How much memory a real stream takes over many frames: it must not grow after it has warmed up.

``python -m benchmarks.stream_memory --frames 20000`` follows made-up cars through made-up streets with the shipped
weights, and prints the resident memory as it goes. It ends with status 1 where that grew by 10 MB or more.
``--csv benchmarks/memory.csv`` keeps the curve; ``--engine`` and ``--precision`` choose whose it is.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.memory_curves import Curve, conditions_of, is_point, keep
from platereader import Pipeline
from platereader._arrays import BgrImage
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.plates import RUSSIA

FPS = 10
ALLOWED_MB = 10.0
WARM_UP = 0.2
EVERY = 20


def resident_mb() -> float:
    """Resident memory of this process, megabytes; Linux only."""
    with pathlib.Path("/proc/self/status").open(encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1e3


def streets(count: int) -> Iterator[BgrImage]:
    """A street that is seen for two seconds while the camera pans, then another one."""
    rng = np.random.default_rng(0)
    scene = np.empty((0, 0, 3), np.uint8)
    for number in range(count):
        if number % EVERY == 0:
            kinds = [RUSSIA.layouts[int(rng.integers(len(RUSSIA.layouts)))] for _ in range(2)]
            fronts = [
                render_plate(RUSSIA.sample_text(kind.plate_format, rng=rng), kind, height_px=64, rng=rng)
                for kind in kinds
            ]
            scene = generated_street(rng, fronts=fronts).pixels
        yield np.ascontiguousarray(np.roll(scene, 4 * (number % EVERY), axis=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--engine")
    parser.add_argument("--precision")
    parser.add_argument("--csv", type=pathlib.Path, metavar="FILE", help="keep the curve there")
    options = parser.parse_args()
    frames = options.frames
    pipeline = Pipeline.build(engine=options.engine, precision=options.precision)
    curve = Curve(conditions_of(pipeline, "stream", frames=frames, sizes=1, largest_px=1280))
    stream = pipeline.stream()
    warm_mb, seen = 0.0, 0
    for number, frame in enumerate(streets(frames)):
        seen += len(stream.update(frame, number / FPS).finished)
        if number == int(WARM_UP * frames):
            warm_mb = resident_mb()
        if is_point(number + 1, frames=frames):
            curve.points.append((number + 1, resident_mb()))
        if number % max(1, frames // 10) == 0:
            print(f"frame {number}: {resident_mb():.1f} MB, {seen} passages finished", flush=True)
    grown = resident_mb() - warm_mb
    if options.csv is not None:
        keep(options.csv, curve)
    print(f"{frames} frames, {seen} passages: grown by {grown:.1f} MB after the first {WARM_UP:.0%}")
    return int(grown >= ALLOWED_MB)


if __name__ == "__main__":
    sys.exit(main())
