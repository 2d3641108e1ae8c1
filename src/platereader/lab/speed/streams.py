"""What following plates costs: frames a second of streams with several settings, against reading everything always."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from platereader.errors import InvalidArgumentError
from platereader.lab.metrics.estimates import Estimate, estimate_errors
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.speed.turns import seconds_of
from platereader.lab.suites.video.report import SettingScores, format_settings
from platereader.lab.suites.video.run import SETTINGS
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.clips import clip, clip_names
from platereader.lab.synthesis.video.material import Material
from platereader.lab.tables import columns, report_text, show_estimate
from platereader.pipeline import Pipeline
from platereader.results import PartDescription
from platereader.video._stream import StreamSettings

PER_FRAME = "read everything, no stream"
"""Name of what streams are compared with: every plate of every frame is read, and nothing is followed."""


@dataclass(frozen=True, slots=True)
class StreamSpeed(JsonSafe):
    """How fast frames are followed with some settings, and how many times as fast as all plates of all frames are read.

    ``frame_ms`` is the median over rounds of the mean time of a frame; the interval is over rounds.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("frames_per_s",)

    name: str
    frame_ms: Estimate
    times_as_fast: float

    @property
    def frames_per_s(self) -> float:
        """Frames a second."""
        return 1e3 / self.frame_ms.value


@dataclass(frozen=True, slots=True)
class StreamSpeedReport(JsonSafe):
    """Speed of reading everything, then of each of the settings, and their accuracy from a replay of clips.

    A round has so many ``frames`` with so many ``plates`` in each on average. Without accuracy ``settings`` is empty.
    """

    speeds: tuple[StreamSpeed, ...]
    settings: tuple[SettingScores, ...]
    frames: int
    plates: float
    parts: tuple[PartDescription, ...]


def stream_speeds(
    pipeline: Pipeline,
    material: Material,
    *,
    rounds: int = 5,
    accuracy: Sequence[SettingScores] = (),
    on_round: Callable[[], object] = lambda: None,
) -> StreamSpeedReport:
    """Time streams on a clip of 1280x720 with two plates in view, all settings in turn in every round.

    ``accuracy`` of the same settings is to stand beside.

    Raises:
        InvalidArgumentError: no round.
    """
    if rounds < 1:
        raise InvalidArgumentError(f"rounds is {rounds}, allowed are whole numbers from 1.")
    frames = _two_plates(material)
    calls = {
        PER_FRAME: partial(_read_all, pipeline, frames),
        **{name: partial(_follow, pipeline, frames, settings) for name, settings in SETTINGS.items()},
    }
    _read_all(pipeline, frames[:3])
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(seconds_of(call))
        on_round()
    plates = sum(len(frame.plates) for frame in frames) / len(frames)
    return StreamSpeedReport(_speeds(seconds, len(frames)), tuple(accuracy), len(frames), plates, pipeline.describe())


def format_stream_speed(report: StreamSpeedReport) -> str:
    """Speeds, accuracy and what ran as text."""
    cells: Mapping[str, Callable[[StreamSpeed], str]] = {
        "1280x720": lambda one: one.name,
        "frames a second": lambda one: f"{one.frames_per_s:.1f}",
        "ms a frame, median": lambda one: f"{show_estimate(one.frame_ms, digits=1)}, n {one.frame_ms.n}",
        "times as fast": lambda one: f"{one.times_as_fast:.2f}",
    }
    head = f"{report.frames} frames with {report.plates:.1f} plates in view"
    return report_text(head, report.parts, columns(cells, report.speeds), format_settings(report.settings))


def _speeds(seconds: Mapping[str, Sequence[float]], frames: int) -> tuple[StreamSpeed, ...]:
    rng = np.random.default_rng(0)
    speeds: list[StreamSpeed] = []
    for name, some in seconds.items():
        rounds = [(str(number), 1e3 * one / frames) for number, one in enumerate(some)]
        frame_ms = estimate_errors(rounds, np.median, rng=rng)
        if frame_ms is not None:
            first = speeds[0].frame_ms.value if speeds else frame_ms.value
            speeds.append(StreamSpeed(name, frame_ms, first / frame_ms.value))
    return tuple(speeds)


def _two_plates(material: Material) -> list[VideoFrame]:
    """The frames of the first easy clip in which two plates are in view, without those before and after."""
    for name in clip_names():
        made = clip(name, material)
        if name.startswith("easy") and len(made.texts) == 2:
            frames = [frame for frame in made.frames() if sum(plate.visible for plate in frame.plates) == 2]
            if len(frames) >= 2:
                return frames
    raise InvalidArgumentError("no clip of the material shows two plates at once: more photographs are needed.")


def _read_all(pipeline: Pipeline, frames: Sequence[VideoFrame]) -> None:
    for frame in frames:
        pipeline.read(frame.pixels)


def _follow(pipeline: Pipeline, frames: Sequence[VideoFrame], settings: StreamSettings) -> None:
    stream = pipeline.stream(settings)
    for frame in frames:
        stream.update(frame.pixels, frame.timestamp_s)
    stream.finish()
