"""What a frame costs by what is in it: an empty one, one with three plates, one of 3840 x 2160 px, one with 30 plates.

``python -m benchmarks.frame_contents`` reads generated streets in turn and prints the median of each in milliseconds,
beside the time of 1280 x 850 px with three plates, and the time of a plate.
"""

from __future__ import annotations

import argparse

import numpy as np

from platereader import BgrImage, Pipeline
from platereader.lab.speed.turns import interleaved
from platereader.lab.synthesis.crops import random_text
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.lab.tables import aligned
from platereader.plates import RUSSIA

USUAL = "1280 x 850, 3 plates"


def street(size_px: tuple[int, int], plates: int, *, rng: np.random.Generator) -> BgrImage:
    """A street of that width and height with so many one-line plates, up to three."""
    private = RUSSIA.layout("standard")
    fronts = [render_plate(random_text(private, rng=rng), private, height_px=112, rng=rng) for _ in range(plates)]
    return generated_street(rng, size_px=size_px, fronts=fronts).pixels


def streets(across: int, down: int, plates: int, *, rng: np.random.Generator) -> BgrImage:
    """Streets side by side and below each other that make up 3840 x 2160 px, each with so many plates."""
    size = (3840 // across, 2160 // down)
    return np.vstack([np.hstack([street(size, plates, rng=rng) for _ in range(across)]) for _ in range(down)])


def main() -> None:
    parser = argparse.ArgumentParser(description="What a frame costs by what is in it.")
    parser.add_argument("--engine", default="auto", help="auto, openvino, onnx, torch")
    parser.add_argument("--precision", default="auto", help="auto, int8, fp32, bf16")
    parser.add_argument("--threads", type=int, default=None, help="default: the cores it may use")
    parser.add_argument("--rounds", type=int, default=40, help="times that each frame is read")
    given = parser.parse_args()

    pipeline = Pipeline.build(engine=given.engine, precision=given.precision, threads=given.threads)
    rng = np.random.default_rng(0)
    frames = {
        USUAL: street((1280, 850), 3, rng=rng),
        "1280 x 850, empty": street((1280, 850), 0, rng=rng),
        "3840 x 2160, 6 plates": streets(3, 2, 1, rng=rng),
        "3840 x 2160, 30 plates": streets(5, 3, 2, rng=rng),
    }
    found = {name: len(pipeline.read(frame)) for name, frame in frames.items()}
    calls = {name: lambda frame=frame: pipeline.read(frame) for name, frame in frames.items()}
    milliseconds = {
        name: 1e3 * float(np.median(times)) for name, times in interleaved(calls, rounds=given.rounds).items()
    }
    rows = [("FRAME", "FOUND", "MS", "TIMES THE USUAL", "MS A PLATE")]
    for name, ms in milliseconds.items():
        each = f"{ms / found[name]:.2f}" if found[name] else "-"
        rows.append((name, str(found[name]), f"{ms:.1f}", f"{ms / milliseconds[USUAL]:.2f}", each))
    print("\n".join(aligned(rows)))
    for part in pipeline.describe():
        print(part)


if __name__ == "__main__":
    main()
