"""Made-up traffic for trackers: cars drive through a street in metres, a camera sees their plates in pixels.

Speeds, turns, stops, shakes of the camera and the detector's errors are drawn here and known to no tracker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import motmetrics
import numpy as np
from numpy.typing import NDArray

from platereader._geometry import Box, Quad
from platereader.protocols import PlateTracker
from platereader.results import Detection, TrackAssignment

Kind: TypeAlias = Literal["approach", "pass", "turn", "stop_and_go", "crossing", "occlusion", "shake", "dropped"]
KINDS: tuple[Kind, ...] = ("approach", "pass", "turn", "stop_and_go", "crossing", "occlusion", "shake", "dropped")

FOCAL_PX, WIDTH_PX, HEIGHT_PX = 1300.0, 1280, 720
PLATE_M = (0.52, 0.112)
CLOCK_S = 1 / 120
Path: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Metres at every tick of the clock: ``(T, 3)`` right, down, ahead of the camera; and ``(T,)`` heading in radians."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame: what the detector says, and which passage each detection shows (None: nothing is there)."""

    timestamp_s: float
    detections: tuple[Detection, ...]
    passages: tuple[int | None, ...]


def traffic(kind: Kind, *, fps: float, rng: np.random.Generator) -> list[Sighting]:
    """Six seconds of one to four cars."""
    cars = _cars(kind, rng)
    hidden = [_hidden_times(rng) if kind in {"occlusion", "crossing"} else (9.0, 9.0) for _ in cars]
    shakes = _shakes(rng) if kind == "shake" else np.zeros((720, 2))
    miss, jitter = rng.uniform(0.02, 0.12), rng.uniform(0.02, 0.08)
    sightings: list[Sighting] = []
    for time_s in _frame_times(fps, rng, dropped=0.3 if kind == "dropped" else 0.03):
        tick = min(int(time_s / CLOCK_S), 719)
        seen: list[tuple[int | None, Detection]] = []
        for passage, (points, heading) in enumerate(cars):
            corners = _projected(points[tick], heading[tick]) + shakes[tick]
            away = hidden[passage][0] <= time_s < hidden[passage][1]
            if _inside(corners) and not away and rng.random() >= miss:
                seen.append((passage, _detected(corners, jitter, rng)))
        if rng.random() < 0.06:
            seen.append((None, _imagined(rng)))
        order = rng.permutation(len(seen))
        sightings.append(Sighting(time_s, tuple(seen[i][1] for i in order), tuple(seen[i][0] for i in order)))
    return sightings


def idf1(make: Callable[[], PlateTracker], clips: Sequence[Sequence[Sighting]]) -> float:
    """That of ``motmetrics`` over all detections; a fresh tracker runs over every clip."""
    books: list[motmetrics.MOTAccumulator] = []
    for clip in clips:
        tracker, book = make(), motmetrics.MOTAccumulator()
        for number, sighting in enumerate(clip):
            _enter(book, number, sighting, tracker.update(sighting.detections, sighting.timestamp_s))
        books.append(book)
    names = [str(index) for index in range(len(books))]
    table = motmetrics.metrics.create().compute_many(books, metrics=["idf1"], names=names, generate_overall=True)
    return float(table.loc["OVERALL", "idf1"])


def whole_share(make: Callable[[], PlateTracker], clips: Sequence[Sequence[Sighting]]) -> float:
    """Share of passages that are one track, which is no other passage's."""
    whole: list[bool] = []
    for clip in clips:
        tracker = make()
        tracks: dict[int | None, set[int | None]] = {}
        for sighting in clip:
            assignment = tracker.update(sighting.detections, sighting.timestamp_s)
            for passage, track_id in zip(sighting.passages, assignment.track_ids, strict=True):
                tracks.setdefault(passage, set()).add(track_id)
        for passage, ids in tracks.items():
            others = set[int | None]().union(*(tracks[other] for other in tracks if other not in {passage, None}))
            if passage is not None:
                whole.append(len(ids) == 1 and not ids & others)
    return float(np.mean(whole))


def _enter(book: motmetrics.MOTAccumulator, number: int, sighting: Sighting, assignment: TrackAssignment) -> None:
    """Each detection may be matched with the passage that it shows and no other."""
    true = [passage for passage in sighting.passages if passage is not None]
    given = [
        (p, track_id)
        for p, track_id in zip(sighting.passages, assignment.track_ids, strict=True)
        if track_id is not None
    ]
    distance = np.array([[0.0 if passage == p else np.nan for p, _ in given] for passage in true])
    book.update(true, [track_id for _, track_id in given], distance.reshape(len(true), len(given)), frameid=number)


def _cars(kind: Kind, rng: np.random.Generator) -> list[Path]:
    if kind == "crossing":
        first = _drive("pass", rng, direction=1, ahead_m=rng.uniform(7, 9))
        return [first, _drive("pass", rng, direction=-1, ahead_m=rng.uniform(10, 13))]
    mix: tuple[Kind, ...] = ("approach", "pass", "turn", "stop_and_go")
    chosen: list[Kind] = [kind if kind in mix else mix[int(rng.integers(4))] for _ in range(int(rng.integers(1, 5)))]
    return [_drive(one, rng, direction=int(rng.choice([-1, 1])), ahead_m=rng.uniform(6, 12)) for one in chosen]


def _drive(kind: Kind, rng: np.random.Generator, *, direction: int, ahead_m: float) -> Path:
    """A car's plate over 720 ticks: its speed wanders, its heading follows the kind."""
    speed = rng.uniform(2, 9) if kind == "pass" else rng.uniform(3, 16)
    pace = speed * np.exp(0.25 * _wander(rng, 0.8))
    if kind == "stop_and_go":
        start, stop = np.sort(rng.uniform(0.5, 5, 2))
        ticks = np.arange(720) * CLOCK_S
        pace = pace * np.clip(np.maximum((start - ticks) / 0.7, (ticks - stop) / 1.2), 0, 1)
    heading = 0.03 * _wander(rng, 0.7)
    position = np.array([rng.uniform(-3, 3), rng.uniform(1.5, 4.5), rng.uniform(15, 32)])
    if kind == "pass":
        heading = heading + direction * np.pi / 2
        position = np.array([-direction * rng.uniform(2, 9), rng.uniform(0.4, 1.5), ahead_m])
    elif kind == "turn":
        heading = heading + direction * np.cumsum(np.full(720, rng.uniform(0.1, 0.5) * CLOCK_S))
    step = np.stack([pace * np.sin(heading), 0 * pace, -pace * np.cos(heading)], axis=1) * CLOCK_S
    points = position + np.cumsum(step, axis=0)
    # A car that crosses shows its plate to the camera all the same: at an angle, as at a junction.
    shown = heading - direction * np.pi / 3 if kind == "pass" else heading
    return points, shown


def _wander(rng: np.random.Generator, memory_s: float) -> NDArray[np.float64]:
    """``(720,)``: noise of unit variance that forgets within ``memory_s``."""
    keep = np.exp(-CLOCK_S / memory_s)
    noise = rng.normal(size=720) * np.sqrt(1 - keep**2)
    value, out = rng.normal(), np.empty(720)
    for tick in range(720):
        value = keep * value + noise[tick]
        out[tick] = value
    return out


def _shakes(rng: np.random.Generator) -> NDArray[np.float64]:
    """``(720, 2)`` pixels: wind, and a few blows against the mast that die out while it swings."""
    ticks = np.arange(720) * CLOCK_S
    shift = 4 * np.stack([_wander(rng, 0.1), _wander(rng, 0.1)], axis=1)
    for _ in range(int(rng.integers(2, 5))):
        since = ticks - rng.uniform(0.5, 5.5)
        swing = np.where(since > 0, np.exp(-since / 0.4) * np.cos(2 * np.pi * rng.uniform(1, 3) * since), 0)
        shift += rng.uniform(20, 90) * swing[:, None] * rng.normal(size=2)
    return shift


def _hidden_times(rng: np.random.Generator) -> tuple[float, float]:
    start = rng.uniform(0.5, 2.5)
    return start, start + rng.uniform(0.2, 1.0)


def _frame_times(fps: float, rng: np.random.Generator, *, dropped: float) -> list[float]:
    times = np.arange(0, 6, 1 / fps) + rng.uniform(-0.1, 0.1, len(np.arange(0, 6, 1 / fps))) / fps + 0.1
    return [float(time) for time in times if rng.random() >= dropped]


def _projected(point: NDArray[np.float64], heading: float) -> NDArray[np.float64]:
    """``(4, 2)`` pixels of a plate that faces where its car goes; nan behind the camera."""
    width, height = PLATE_M
    across = np.array([np.cos(heading), 0.0, np.sin(heading)])
    offsets = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    corners = np.array([point + a * width / 2 * across + b * height / 2 * np.array([0, 1, 0]) for a, b in offsets])
    depth = np.where(corners[:, 2] > 1.0, corners[:, 2], np.nan)
    pixels = FOCAL_PX * corners[:, :2] / depth[:, None]
    return np.asarray(pixels + np.array([WIDTH_PX / 2, HEIGHT_PX / 4]), dtype=np.float64)


def _inside(corners: NDArray[np.float64]) -> bool:
    if not np.isfinite(corners).all() or np.ptp(corners[:, 0]) < 12:
        return False
    return bool((corners >= 0).all() and (corners <= (WIDTH_PX, HEIGHT_PX)).all())


def _detected(corners: NDArray[np.float64], jitter: float, rng: np.random.Generator) -> Detection:
    """Corners off by ``jitter`` plate heights, the box by half as much again, now and then by a lot."""
    height = float(np.linalg.norm(corners[3] - corners[0]))
    off = jitter * height * (4 if rng.random() < 0.02 else 1)
    seen = corners + rng.normal(size=(4, 2)) * off
    x1, y1 = seen.min(axis=0) + 1.5 * off * rng.normal(size=2)
    x2, y2 = seen.max(axis=0) + 1.5 * off * rng.normal(size=2)
    score = float(np.clip(rng.normal(0.85, 0.1), 0.3, 0.99)) if rng.random() > 0.08 else float(rng.uniform(0.3, 0.5))
    return Detection(Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), score, Quad.from_points(seen))


def _imagined(rng: np.random.Generator) -> Detection:
    """A lamp, a grille, a sticker."""
    x, y, width = rng.uniform(0, WIDTH_PX - 150), rng.uniform(0, HEIGHT_PX - 40), rng.uniform(25, 150)
    box = Box(x, y, x + width, y + width / rng.uniform(2, 5))
    return Detection(box, float(rng.uniform(0.3, 0.7)), Quad.from_box(box))
