"""Our pipeline beside the system it succeeds and beside fast-alpr's default networks, on one street picture.

``python -m benchmarks.rivals`` prints medians in ms with 95 % intervals and how many times faster ours
is: the whole frame, detection alone, a plate of the frame with all that belongs to it, a plate from crop to text in
calls of 1 and 8, and the reading network alone. Every contestant has a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import fast_alpr, platereader_side, predecessor, report
from benchmarks.contest import Contestant, NotOfferedError, hold
from benchmarks.street_picture import street_picture
from platereader import Pipeline
from platereader._arrays import BgrImage

PREDECESSOR = "ANPR-System"
FAST_ALPR = "fast-alpr shapes"


def boxes_of(frame: BgrImage) -> list[tuple[int, int, int, int]]:
    """Where the plates are, in whole pixels, for the detectors that have not learned to find them."""
    height, width = frame.shape[:2]
    found = [detection.box.clipped(width, height) for detection in Pipeline.build().detector.detect([frame])[0]]
    return [(int(box.x1), int(box.y1), int(box.x2) + 1, int(box.y2) + 1) for box in found if box is not None]


def contestants(
    frame: BgrImage, *, rivals: Sequence[str], engines: Sequence[str], threads: int, models: Path
) -> list[Contestant]:
    """Those that were asked for; the networks of fast-alpr are exported to ``models`` unless they are there."""
    boxes, found = boxes_of(frame), list[Contestant]()
    if not boxes:
        raise SystemExit("there is no plate in this picture: take one with two or three.")
    if "predecessor" in rivals:
        found.append(Contestant(PREDECESSOR, partial(predecessor.prepared, frame, boxes, threads=threads)))
    if "fast-alpr" in rivals:
        try:
            fast_alpr.export(models)
        except NotOfferedError as error:
            print(f"{FAST_ALPR}: absent: {error}")
        else:
            prepare = partial(fast_alpr.prepared, frame, boxes, models=models, threads=threads)
            found.append(Contestant(FAST_ALPR, prepare))
    for name, (engine, precision) in platereader_side.labelled(platereader_side.chosen(engines)).items():
        prepare_ours = partial(platereader_side.prepared, frame, engine=engine, precision=precision, threads=threads)
        found.append(Contestant(f"platereader {name}", prepare_ours))
    return found


def main() -> None:
    """Hold the contest and print the tables."""
    parser = argparse.ArgumentParser(description="Our pipeline beside its rivals, interleaved.")
    parser.add_argument(
        "--rivals", nargs="+", choices=("predecessor", "fast-alpr"), default=("predecessor", "fast-alpr")
    )
    parser.add_argument("--engines", nargs="+", default=platereader_side.ENGINES, help="torch, openvino:bf16, ..., all")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="a photograph with two or three plates")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--rounds", type=int, default=40, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    frame, rng = street_picture(options.picture), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as models:
        contest = hold(
            contestants(
                frame,
                rivals=options.rivals,
                engines=options.engines,
                threads=options.threads,
                models=Path(models),
            ),
            rounds=options.rounds,
        )
    figures = report.medians(contest, rng=rng)
    print(f"{frame.shape[1]} x {frame.shape[0]} px, {options.rounds} rounds, ms (95 % interval); of a plate where more")
    print("\n".join(report.about(contest)))
    print(report.table(figures, head="MEDIAN MS"))
    faster = {
        rival: report.ratios(contest, against=rival, rng=rng)
        for rival in (PREDECESSOR, FAST_ALPR)
        if rival in contest.seconds
    }
    for rival, rows in faster.items():
        print(report.table(rows, head=f"TIMES FASTER THAN {rival}"))
    report.write(
        options.json,
        {
            "machine": report.machine(),
            "picture": list(frame.shape),
            "rounds": options.rounds,
            "facts": contest.facts,
            "absent": contest.absent,
            "median_ms": report.to_json(figures),
            "times_faster": {rival: report.to_json(rows) for rival, rows in faster.items()},
        },
    )


if __name__ == "__main__":
    main()
