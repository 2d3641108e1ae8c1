"""What each step of fusion is worth, on tracks of plates that it was not fitted on, and how long it takes.

``python -m benchmarks.fusion_ablation data/train/russian data/train/more`` prints exact match by level, with
95 % Wilson intervals, and by how much fusion is better than votes, track by track, with intervals over plates drawn
anew. The plates are those of ``sha1(file name) % 10 == 5``, with the shipped reader that runs fastest here.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from platereader import _defaults as defaults
from platereader._loading import load_recognizer
from platereader.cli.tables import format_table
from platereader.lab.datasets.labels import name_hash
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.metrics.estimates import estimate_errors
from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.video.voting import best_single_frame, character_vote, whole_string_majority
from platereader.lab.training.recognizer.data import held_out_plates
from platereader.lab.training.trust.fusion import ReadTrack, read_tracks
from platereader.plates import LATIN_36
from platereader.plates._defaults import default_schemes
from platereader.results import PlateReading, Verdict
from platereader.trust import FrameWeights, FusedCalibration, TrustPolicy
from platereader.trust._fused import FRAME_SIGNS
from platereader.video._fusion import FusedEvidence, evidence

LEVELS = {"easy": (0.0, 1 / 3), "middle": (1 / 3, 2 / 3), "hard": (2 / 3, 1.0)}
ROUNDS = evidence.COMBINING_ROUNDS
SCHEMES = default_schemes(LATIN_36)
SHIPPED = "+ grammar, after fusion (shipped)"
Answer = Callable[[Sequence[PlateReading]], str | None]
VOTES: dict[str, Answer] = {
    "best single frame": best_single_frame,
    "whole-string majority, 3 of 15": whole_string_majority,
    "character vote": character_vote,
}


def read(folders: Sequence[Path], *, count: int) -> tuple[list[ReadTrack], TrustPolicy]:
    """The tracks and the policy that read them."""
    recognizer = load_recognizer(defaults.RECOGNIZER_WEIGHTS)
    decoder = defaults.default_decoder(recognizer.alphabet)
    policy = defaults.calibrated(TrustPolicy(), recognizer, decoder=decoder)
    images = [image for folder in folders for image in load_photographs(folder).images]
    images = [one for one in images if name_hash(one.path) % 10 == 5]
    plates = [one for one in held_out_plates(images, alphabet=LATIN_36) if set(one.text) <= set(LATIN_36.characters)]
    return read_tracks(recognizer, decoder, plates, trust=policy, count=count, seed=5), policy


def fused(policy: TrustPolicy, frames: FrameWeights, *, combined: bool = True) -> Answer:
    """Fusion with other weights, and without the texts that no frame proposes."""
    single = policy.calibration
    assert single is not None
    assert single.fusion is not None
    fusion: FusedCalibration = replace(single.fusion, frames=frames)
    trust = replace(policy, calibration=replace(single, fusion=fusion))

    def answer(readings: Sequence[PlateReading]) -> str | None:
        evidence.COMBINING_ROUNDS = ROUNDS if combined else 0
        gathered = FusedEvidence(trust, alphabet=LATIN_36, schemes=SCHEMES)
        for index, reading in enumerate(readings):
            gathered.add(reading, index)
        return gathered.fused.text

    return answer


def grammar_first(answer: Answer) -> Answer:
    """The same with the grammar before fusion: each frame has nothing but legal candidates, or none."""

    def legal(reading: PlateReading) -> PlateReading:
        kept = tuple(one for one in reading.candidates if SCHEMES.fit(one.text, lines=reading.lines).legal)
        verdict = Verdict(None, reading.confidence, "unreadable")
        if kept:
            verdict = replace(reading.verdict, candidates=kept)
        return PlateReading(verdict, replace(reading.evidence, candidates=kept))

    return lambda readings: answer([legal(one) for one in readings])


def answers(policy: TrustPolicy) -> dict[str, Answer]:
    """Every way to make one text of many readings, in the order of the table."""
    assert policy.fusion is not None
    full = policy.fusion.frames
    free = replace(full, no_format_nats=0.0, unknown_region_nats=0.0)
    summed = replace(free, bias=0.0, signs=(0.0,) * len(FRAME_SIGNS), floor_nats=200.0, dependence=0.0)
    weighed = replace(summed, bias=full.bias, signs=full.signs)
    return {
        **VOTES,
        "sum of log probabilities": fused(policy, summed, combined=False),
        "+ weights by legibility": fused(policy, weighed, combined=False),
        "+ bounded influence": fused(policy, free, combined=False),
        "+ combined texts": fused(policy, free),
        SHIPPED: fused(policy, full),
        "grammar before fusion instead": grammar_first(fused(policy, free)),
        "shipped, all frames alike": fused(policy, replace(full, bias=0.0, signs=(0.0,) * len(FRAME_SIGNS))),
    }


def rate(rate: Rate) -> str:
    """Per cent and interval."""
    low, high = rate.interval
    return f"{100 * (rate.value or 0):.1f} ({100 * low:.1f}-{100 * high:.1f})"


def settled(tracks: Sequence[ReadTrack], policy: TrustPolicy) -> str:
    """What becomes of the tracks frame by frame: when they settle, and how often wrongly."""
    settled, wrong, waits = 0, 0, list[float]()
    for track in tracks:
        gathered = FusedEvidence(policy, alphabet=LATIN_36, schemes=SCHEMES)
        right, sure = list[bool](), list[bool]()
        for index, reading in enumerate(track.readings):
            gathered.add(reading, index)
            right.append(gathered.fused.text == track.text)
            sure.append(gathered.fused.agreeing >= 3 and gathered.fused.status == "read")
        settled += any(sure)
        wrong += any(sure) and not right[sure.index(True)]
        if right[-1]:
            right_from = max((index + 1 for index, one in enumerate(right) if not one), default=0)
            waits.append(max(1, sure.index(True) - right_from + 1) if any(sure) else math.inf)
    wait = "-"
    if waits:
        wait = f"median {statistics.median(waits):g} frames after the text of {len(waits)} is right for good"
    return f"settled {rate(Rate(settled, len(tracks)))} %, {wait}, wrong {rate(Rate(wrong, settled))} %"


def gain(tracks: Sequence[ReadTrack], better: Answer, other: Answer) -> str:
    """By how many points of per cent one way is better than another, track by track."""
    points = [
        (one.text, 100.0 * ((better(one.readings) == one.text) - (other(one.readings) == one.text))) for one in tracks
    ]
    estimate = estimate_errors(points, np.mean, rng=np.random.default_rng(0))
    return "-" if estimate is None else f"{estimate.value:+.1f} ({estimate.low:+.1f} to {estimate.high:+.1f})"


def speed(tracks: Sequence[ReadTrack], policy: TrustPolicy) -> str:
    """Milliseconds that one more reading takes, its fused text included."""
    times_ms: list[float] = []
    for track in tracks[::5]:
        gathered = FusedEvidence(policy, alphabet=LATIN_36, schemes=SCHEMES)
        for index, reading in enumerate(track.readings[:24]):
            start = time.perf_counter()
            gathered.add(reading, index)
            _ = gathered.fused
            times_ms.append(1e3 * (time.perf_counter() - start))
    median_ms, mean_ms = statistics.median(times_ms), statistics.fmean(times_ms)
    return f"{median_ms:.2f} ms in the median, {mean_ms:.2f} mean, n={len(times_ms)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--tracks", type=int, default=900)
    arguments = parser.parse_args()
    tracks, policy = read(arguments.data, count=arguments.tracks)
    by_level = {name: [one for one in tracks if low <= one.severity < high] for name, (low, high) in LEVELS.items()}
    for name, some in by_level.items():
        frames = Rate.of(reading.text == track.text for track in some for reading in track.readings)
        print(f"{name}: {len(some)} tracks, single frames right {rate(frames)} % of {frames.n}")
        print(f"  {settled(some, policy)}")
    ways = answers(policy)
    rows = [
        (name, *(rate(Rate.of(answer(one.readings) == one.text for one in some)) for some in by_level.values()))
        for name, answer in ways.items()
    ]
    print(format_table(("ANSWER", *by_level), rows))
    gains = [(name, *(gain(some, ways[SHIPPED], ways[name]) for some in by_level.values())) for name in VOTES]
    print(format_table(("SHIPPED LESS", *by_level), gains))
    evidence.COMBINING_ROUNDS = ROUNDS
    print(f"one more reading: {speed(tracks, policy)}")


if __name__ == "__main__":
    main()
