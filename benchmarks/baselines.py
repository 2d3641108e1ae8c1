"""Our pipeline beside the system it succeeds and beside fast-alpr's default networks, on one street picture.

``python -m benchmarks.baselines`` prints medians in ms with 95 % intervals and how many times faster ours
is: the whole frame, detection alone, a plate of the frame with all that belongs to it, a plate from crop to text in
calls of 1 and 8, and the reading network alone. Every candidate has a process of its own, and they are timed in turn.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import fast_alpr, our_pipeline, predecessor
from benchmarks.comparison import Candidate, UnavailableError, about, compare, medians, ratios, table
from platereader import Pipeline
from platereader._arrays import BgrImage
from platereader._files import write_json
from platereader.lab.metrics.json_safe import json_safe
from platereader.lab.speed.machine import this_machine
from platereader.lab.speed.pictures import street_picture

PREDECESSOR = "ANPR-System"
FAST_ALPR = "fast-alpr shapes"


def boxes_of(frame: BgrImage) -> list[tuple[int, int, int, int]]:
    """Where the plates are, in whole pixels, for the detectors that have not learned to find them."""
    height, width = frame.shape[:2]
    found = [detection.box.clipped(width, height) for detection in Pipeline.build().detector.detect([frame])[0]]
    return [(int(box.x1), int(box.y1), int(box.x2) + 1, int(box.y2) + 1) for box in found if box is not None]


def candidates(
    frame: BgrImage, *, baselines: Sequence[str], engines: Sequence[str], threads: int, models: Path
) -> list[Candidate]:
    """Those that were requested; the networks of fast-alpr are exported to ``models`` unless they are there."""
    boxes, found = boxes_of(frame), list[Candidate]()
    if not boxes:
        raise SystemExit("there is no plate in this picture: take one with two or three.")
    if "predecessor" in baselines:
        found.append(Candidate(PREDECESSOR, partial(predecessor.prepared, frame, boxes, threads=threads)))
    if "fast-alpr" in baselines:
        try:
            fast_alpr.export(models)
        except UnavailableError as error:
            print(f"{FAST_ALPR}: absent: {error}")
        else:
            prepare = partial(fast_alpr.prepared, frame, boxes, models=models, threads=threads)
            found.append(Candidate(FAST_ALPR, prepare))
    for engine, precision in dict.fromkeys(our_pipeline.chosen(engines)):
        prepare_ours = partial(our_pipeline.prepared, frame, engine=engine, precision=precision, threads=threads)
        found.append(Candidate(f"platereader {engine} {precision}", prepare_ours))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Our pipeline beside the baselines, interleaved.")
    parser.add_argument(
        "--baselines", nargs="+", choices=("predecessor", "fast-alpr"), default=("predecessor", "fast-alpr")
    )
    parser.add_argument("--engines", nargs="+", default=our_pipeline.ENGINES, help="torch, openvino:bf16, ..., all")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="a photograph with two or three plates")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--rounds", type=int, default=40, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    frame, rng = street_picture(options.picture), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as models:
        found = candidates(
            frame, baselines=options.baselines, engines=options.engines, threads=options.threads, models=Path(models)
        )
        comparison = compare(found, rounds=options.rounds)
    figures = medians(comparison, rng=rng)
    print(f"{frame.shape[1]} x {frame.shape[0]} px, {options.rounds} rounds, ms (95 % interval); of a plate where more")
    print("\n".join(about(comparison)))
    print(table(figures, head="MEDIAN MS"))
    faster = {
        baseline: ratios(comparison, against=baseline, rng=rng)
        for baseline in (PREDECESSOR, FAST_ALPR)
        if baseline in comparison.seconds
    }
    for baseline, rows in faster.items():
        print(table(rows, head=f"TIMES FASTER THAN {baseline}"))
    if options.json is not None:
        document = {
            "machine": this_machine(),
            "picture": list(frame.shape),
            "rounds": options.rounds,
            "facts": comparison.facts,
            "absent": comparison.absent,
            "median_ms": figures,
            "times_faster": faster,
        }
        write_json(options.json, json_safe(document))


if __name__ == "__main__":
    main()
