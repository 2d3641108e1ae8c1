"""Comparing whole pipelines: turns, stages, statistics, who takes part, and how it is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_detector import FakeFinderNetwork, FakeRefinerNetwork

from fakes import PatchDetector, PatchRecognizer, frame_with, patch_pipeline
from platereader import Box, Detection, Pipeline, PlateImage
from platereader._arrays import BgrImage, LogProbs
from platereader.cli import main
from platereader.detection import Finder, PlateDetector, Refiner
from platereader.errors import EngineError, InvalidArgumentError
from platereader.lab.metrics.estimates import Estimate, estimate_ratio
from platereader.lab.speed.machine import this_machine
from platereader.lab.speed.pictures import generated_frames
from platereader.lab.speed.pipelines import Setting, settings_of, time_frames
from platereader.lab.speed.plots import draw_frame_report
from platereader.lab.speed.report import (
    OUTSIDE,
    Absent,
    FrameReport,
    Run,
    Start,
    Turn,
    format_frame_report,
    stage_times,
)
from platereader.lab.speed.stages import STAGES, Stopwatch, watched
from platereader.lab.speed.turns import interleaved, take_turns, torch_threads
from platereader.plates import RUSSIAN, Alphabet
from platereader.results import PartDescription
from platereader.runtimes import Runtime

FRAME = frame_with({50: Box(20, 30, 100, 50), 100: Box(200, 150, 290, 175)})


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds


@dataclass(frozen=True)
class SlowRuntime:
    """A network that takes 3 s."""

    clock: Clock
    engine: str = "torch"
    precision: str = "fp32"
    threads: int = 1

    def run(self, batch: object) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ...]:
        """Nothing."""
        self.clock.wait(3)
        return ()


@dataclass(frozen=True)
class SlowDetector:
    """Finds patches, in 1 s before and 2 s behind its network."""

    runtime: Runtime
    clock: Clock
    input_size: int = 640
    description: PartDescription | None = None

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The patches."""
        self.clock.wait(1)
        self.runtime.run(np.zeros((1, 3, 32, 32), np.float32))
        self.clock.wait(2)
        return PatchDetector().detect(frames)


@dataclass(frozen=True)
class SlowReader:
    """Reads patches, in 4 s before and 5 s behind its network."""

    runtime: Runtime
    clock: Clock
    alphabet: Alphabet = RUSSIAN

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """As the other fake."""
        self.clock.wait(4)
        self.runtime.run(np.zeros((1, 1, 8, 8), np.float32))
        self.clock.wait(5)
        return PatchRecognizer().recognize(plates)


def build(*, engine: str, precision: str, threads: int | None) -> Pipeline:
    """Fakes that say what they were asked for."""
    if engine == "onnx":
        raise EngineError("onnx is not installed")
    chosen = ("openvino", "int8") if engine == "auto" else (engine, "fp32" if precision == "auto" else precision)
    part = PartDescription("detector", "SlowDetector", "finder", "ab12", *chosen, threads or 7)
    return Pipeline(replace(patch_pipeline().parts, detector=SizedDetector(description=part)))


@dataclass(frozen=True)
class SizedDetector:
    """Finds patches."""

    input_size: int = 640
    description: PartDescription | None = None

    def with_input_size(self, input_size: int) -> SizedDetector:
        """The same with another size."""
        return replace(self, input_size=input_size)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The patches."""
        return PatchDetector().detect(frames)


def turn(*frames_ms: float, batch_ms: float = 10.0) -> Turn:
    """A turn whose frames spend all their time in the detector's network, but 1 ms a plate stage."""
    rows = [{**dict.fromkeys(STAGES, 0.0), "detector network": (ms - 1) / 1e3, "decode": 1e-3} for ms in frames_ms]
    return Turn(tuple(rows), batch_ms / 1e3)


def report() -> FrameReport:
    """Two runs, a fresh process and one who is absent."""
    turns = [turn(20.0, 22.0), turn(24.0, 26.0)]
    frame, stages = stage_times(turns, plates=2.0)
    part = PartDescription("detector", "PlateDetector", "finder", "ab12", "torch", "fp32", 2, "asked for")
    slow = Run("torch fp32, 2 threads", "torch", "fp32", 2, 640, (part,), 2.0, frame, stages, 100.0, None)
    fast = replace(slow, name="openvino bf16, 2 threads", times_as_fast=Estimate(3.5, 3.25, 3.75, 2))
    steps = {"python": 0.1, "imports": 0.2, "picture": 0.1, "build": 0.3, "first reading": 0.1}
    start = Start("torch fp32", Estimate(0.8, 0.7, 0.9, 3), steps, 301.0, 402.0, 10)
    absent = (Absent("onnx fp32, 2 threads", "onnx is not installed"),)
    return FrameReport(this_machine(), (("a.jpg", 320, 240),), 2, "torch fp32", (slow, fast), (start,), absent)


def test_everyone_has_one_turn_a_round_and_the_order_changes() -> None:
    order: list[str] = []

    def named(name: str) -> str:
        order.append(name)
        return name

    results = take_turns({name: partial(named, name) for name in "abc"}, rounds=30, rng=np.random.default_rng(0))
    rounds = ["".join(order[first : first + 3]) for first in range(0, len(order), 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len(set(rounds)) == 6  # every order comes
    assert results == {name: [name] * 30 for name in "abc"}


def test_interleaved_times_the_calls_but_not_the_warm_up() -> None:
    calls: list[float] = []

    def call() -> None:
        calls.append(time.perf_counter())
        time.sleep(0.002)

    seconds = interleaved({"one": call}, rounds=4)
    assert len(seconds["one"]) == 4 < len(calls)
    assert min(seconds["one"]) >= 0.002


def test_threads_of_torch_are_put_back() -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    def fail() -> None:
        with torch_threads(before + 1):
            seen.append(torch.get_num_threads())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (seen, torch.get_num_threads()) == ([before + 1], before)


def test_every_second_of_a_frame_belongs_to_one_stage() -> None:
    clock = Clock()
    plain = patch_pipeline()
    reader = SlowReader(SlowRuntime(clock), clock)
    parts = replace(plain.parts, detector=SlowDetector(SlowRuntime(clock), clock), recognizer=reader)
    stopwatch = Stopwatch(clock)
    timed = watched(Pipeline(parts), stopwatch)
    clock.wait(100)
    stopwatch.start()
    readings = timed.read(FRAME)
    clock.wait(0.5)
    assert stopwatch.stop() == {
        "letterbox": 1,
        "detector network": 3,
        "suppress": 2,
        "rectify": 0,
        "prepare": 4 + 5,
        "recognizer network": 3,
        "decode": 0,
        "trust": 0,
        "rest": 0.5,
    }
    assert [reading.text for reading in readings] == [reading.text for reading in plain.read(FRAME)]


def test_both_networks_of_the_detector_are_its_network() -> None:
    clock = Clock()

    class Slow:
        """A network that takes its time."""

        engine, precision, threads = "fake", "fp32", 1

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def run(self, batch: Any) -> Any:
            clock.wait(3)
            return self.inner.run(batch)

    corners = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]], np.float32)
    networks = FakeFinderNetwork({Box(20, 20, 80, 40): 0.9}), FakeRefinerNetwork(corners, [(3.0, -1.0, -1.0)])
    finder, refiner = (Slow(network) for network in networks)
    detector = PlateDetector(Finder(finder), Refiner(refiner))
    stopwatch = Stopwatch(clock)
    timed = watched(Pipeline(replace(patch_pipeline().parts, detector=detector)), stopwatch)
    stopwatch.start()
    assert len(timed.detector.detect([FRAME])[0]) == 1
    assert stopwatch.stop()["detector network"] == 6


def test_parts_without_a_runtime_and_the_others_have_stages_too() -> None:
    stopwatch = Stopwatch()
    timed = watched(patch_pipeline(), stopwatch)
    stopwatch.start()
    timed.read(FRAME)
    stages = stopwatch.stop()
    assert [name for name, seconds in stages.items() if not seconds] == ["letterbox", "suppress", "prepare"]


def test_a_part_that_fails_is_heard() -> None:
    class Broken:
        def detect(self, frames: object) -> list[list[Detection]]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        watched(Pipeline(replace(patch_pipeline().parts, detector=Broken())), Stopwatch()).read(FRAME)


def test_medians_percentiles_and_rates() -> None:
    turns = [turn(*(float(ms) for ms in range(first, first + 50))) for first in (1, 51)]
    frame, stages = stage_times(turns, plates=3.0)
    assert frame.unit == "frames"
    assert frame.median_ms == pytest.approx(50.5)
    assert frame.p95_ms == pytest.approx(95.05)
    assert frame.per_s == pytest.approx(1e3 / 50.5)
    by_name = {stage.name: stage for stage in stages}
    assert by_name[OUTSIDE].median_ms == pytest.approx(1.0)
    assert by_name["decode"].per_s == pytest.approx(3000.0)
    assert (by_name["decode"].unit, by_name["rectify"].per_s) == ("plates", None)


def test_how_many_times_as_fast_with_its_interval() -> None:
    even = [turn(30.0 + noise).mean_s for noise in (0.0, 3.0, 6.0)]
    third = [turn(10.0 + noise / 3).mean_s for noise in (0.0, 3.0, 6.0)]
    exact = estimate_ratio(even, third, rng=np.random.default_rng(0))
    # Rounds are drawn in pairs: what slows both alike leaves no doubt.
    assert [exact.value, exact.low, exact.high, exact.n] == pytest.approx([3.0, 3.0, 3.0, 3])
    vague = estimate_ratio([turn(ms).mean_s for ms in (30.0, 60.0, 30.0)], third, rng=np.random.default_rng(0))
    assert vague.low < vague.value < vague.high


def test_settings_are_all_pairs_with_the_reference_first_and_auto_last() -> None:
    settings = settings_of(engines=("auto", "onnx", "torch"), precisions=("auto", "fp32"), threads=(1, 2))
    assert [one.combination for one in settings[:5]] == ["torch fp32", "onnx fp32", "onnx auto", "torch auto", "auto"]
    assert [one.threads for one in settings] == [1] * 5 + [2] * 5
    assert settings_of(engines=("onnx",), precisions=("fp32",), threads=(1,))[0].combination == "torch fp32"


def test_who_takes_part_and_why_others_do_not() -> None:
    settings = [
        Setting("torch", "fp32", 1),
        Setting("openvino", "int8", 2, 320),
        Setting("onnx", "bf16", 1),
        Setting("onnx", "fp32", 1),
        Setting("auto", "auto", 2, 320),
        Setting("openvino", "int8", 1),
    ]
    ticks: list[None] = []
    runs, absent = time_frames(
        [FRAME, FRAME],
        settings,
        rounds=3,
        rng=np.random.default_rng(0),
        build=build,
        on_turn=lambda: ticks.append(None),
    )
    assert [run.name for run in runs] == [settings[0].name, settings[1].name, settings[5].name]
    assert [(run.threads, run.input_size, run.parts[0].threads) for run in runs] == [
        (1, 640, 1),
        (2, 320, 2),
        (1, 640, 1),
    ]
    assert [one.reason for one in absent] == [
        "onnx offers int8, fp32, not bf16",
        "onnx is not installed",
        "is the same as openvino int8, 2 threads, 320 px",
    ]
    assert all(run.plates == 2 and run.frame.median_ms > 0 and run.batch_frames_per_s > 0 for run in runs)
    # The reference, one that has none of its threads and size, one that has.
    assert [run.times_as_fast and run.times_as_fast.n for run in runs] == [None, None, 3]
    assert len(ticks) >= 3 * 3


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="0 pictures"):
        time_frames([], [], rounds=1, rng=np.random.default_rng(0))


def test_the_table_says_all_and_what_it_was_measured_on() -> None:
    text = format_frame_report(report())
    for words in (
        "a.jpg 320x240",
        "x as fast as torch fp32 (95 %)",
        "3.50 (3.25-3.75)",
        "0.80 (0.70-0.90)",
        "detector network",
        OUTSIDE,
        "absent: onnx fp32, 2 threads: onnx is not installed",
        "weights finder sha256 ab12",
        "detector torch fp32, 2 threads, finder",
        this_machine().processor,
        f"torch {torch.__version__.partition('+')[0]}",
        "301",
        "402",
    ):
        assert words in text
    assert "fresh process" not in format_frame_report(replace(report(), starts=()))


def test_the_report_survives_json() -> None:
    data = json.loads(json.dumps(report().to_dict()))
    assert set(data) == {"machine", "pictures", "rounds", "reference", "runs", "starts", "absent", "weights"}
    assert data["weights"] == {"finder": "ab12"}
    assert data["runs"][1]["times_as_fast"] == {"value": 3.5, "low": 3.25, "high": 3.75, "n": 2}
    assert [stage["name"] for stage in data["runs"][0]["stages"]] == [*STAGES, OUTSIDE]
    assert data["starts"][0]["rss_mib"] == 301.0
    assert {"processor", "instructions", "usable_cores", "packages", "load"} <= set(data["machine"])


@pytest.mark.parametrize("with_starts", [True, False])
def test_the_plot_has_content(tmp_path: Path, with_starts: bool) -> None:
    from platereader.media._images import read_image

    drawn = report() if with_starts else replace(report(), starts=())
    picture = read_image(draw_frame_report(drawn, tmp_path / "deep" / "speed.png"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_generated_frames_have_plates_and_stay_the_same() -> None:
    first, again = (generated_frames(1, rng=np.random.default_rng(0))[0] for _ in range(2))
    assert first.shape == (850, 1280, 3)
    assert np.array_equal(first, again)
    assert first.std() > 20


def test_the_command_prints_draws_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "a.png"), FRAME)
    monkeypatch.setattr("platereader.lab.speed.pipelines.time_frames", partial(time_frames, build=build))
    monkeypatch.setattr("platereader.lab.speed.cold_start.start_fresh", lambda *_, reads: "not here")
    words = ["benchmark", "frame", str(photos), "--engines", "openvino", "onnx", "--precisions", "fp32"]
    files = ["--json", str(tmp_path / "speed.json"), "--plot", str(tmp_path / "speed.png")]
    assert main([*words, "--threads", "1", "2", "--rounds", "2", "--starts", "1", *files]) == 0
    out = capsys.readouterr().out
    assert "1 pictures (a.png 320x240), 2 rounds" in out
    data = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert [run["name"] for run in data["runs"]] == [
        f"{engine} fp32, {threads}" for threads in ("1 thread", "2 threads") for engine in ("torch", "openvino")
    ]
    assert [one["reason"] for one in data["absent"]] == ["onnx is not installed"] * 2 + ["not here"] * 2
    assert (tmp_path / "speed.png").stat().st_size > 5000
