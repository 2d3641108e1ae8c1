"""The fastest of those that read the same, kept where ``auto`` finds it, and forgotten again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, Detection, Pipeline
from platereader._arrays import BgrImage
from platereader._loading import DETECTOR_SPECS, load_recognizer
from platereader.cli import main
from platereader.errors import EngineError
from platereader.lab.speed import choice
from platereader.lab.speed.choice import Choice, choose
from platereader.lab.speed.pipelines import Setting, time_frames
from platereader.lab.speed.report import Absent, Run
from platereader.results import PartDescription
from platereader.runtimes import RuntimeOptions

FRAMES = [frame_with({50: Box(20, 30, 100, 50), 100: Box(200, 150, 290, 175)})]
SETTINGS = [Setting("onnx", "fp32", 1), Setting("openvino", "fp32", 1), Setting("onnx", "int8", 1)]


@dataclass(frozen=True)
class Blinking:
    """Finds patches, or all but the first."""

    description: PartDescription
    blind: bool = False
    input_size: int = 640

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The patches."""
        return [found[1:] if self.blind else found for found in PatchDetector().detect(frames)]


def build(*, engine: str, precision: str, threads: int | None) -> Pipeline:
    """Int8 misses a plate, and torch is not there."""
    if engine == "torch":
        raise EngineError("torch is not there")
    part = PartDescription("detector", "Blinking", "plate-detector", "ab", engine, precision, threads)
    return Pipeline(replace(patch_pipeline().parts, detector=Blinking(part, blind=precision == "int8")))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the machine does, OpenVINO takes 1 ms and ONNX Runtime 4."""

    def timed(*args: Any, **options: Any) -> tuple[tuple[Run, ...], tuple[Absent, ...]]:
        runs, absent = time_frames(*args, **options)
        frames = {"onnx": 4.0, "openvino": 1.0}
        return tuple(replace(one, frame=replace(one.frame, median_ms=frames[one.engine])) for one in runs), absent

    monkeypatch.setattr(choice, "time_frames", timed)


def chosen(settings: Sequence[Setting] = SETTINGS) -> Choice:
    return choose(FRAMES, rounds=1, rng=np.random.default_rng(0), settings=settings, build=build)


def test_the_fastest_comes_first_and_who_reads_otherwise_is_left_out() -> None:
    found = chosen([*SETTINGS, Setting("torch", "fp32", 1)])
    assert [(run.engine, run.precision) for run in found.runs] == [("openvino", "fp32"), ("onnx", "fp32")]
    assert [one.reason for one in found.absent] == ["it reads other texts", "torch is not there"]


def test_each_turn_is_counted_and_those_of_settings_that_are_left_out() -> None:
    settings, turns = [*SETTINGS, Setting("torch", "fp32", 1)], iter(range(1000))
    choose(FRAMES, rounds=2, rng=np.random.default_rng(0), settings=settings, build=build, on_turn=turns.__next__)
    assert next(turns) == choice.turn_count(settings, rounds=2)


def test_nothing_to_choose_from_is_said() -> None:
    with pytest.raises(EngineError, match="nothing can be measured: torch is not there"):
        chosen([Setting("torch", "fp32", 1)])


def test_candidates_are_installed_and_fp32_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "installed_engines", lambda: ("onnx",))
    assert [one.combination for one in choice.candidates()] == ["onnx fp32", "onnx int8"]
    assert any(spec.engine == "torch" for spec in DETECTOR_SPECS)


def test_the_recognizer_has_bf16_only_when_that_is_named() -> None:
    pytest.importorskip("openvino")
    recognizer = choice.default_reader("openvino", "bf16", threads=1)
    assert recognizer.runtime.precision in {"fp32", "int8"}
    assert choice.default_reader("onnx", "fp32", threads=1).runtime.precision == "fp32"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a cache of our own, and quick measurements for the command."""
    for module in ("platereader._loading", "platereader.registry._registry"):
        monkeypatch.setattr(f"{module}.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("platereader._loading.FILE_NAME", "fastest.json")
    monkeypatch.setenv("LC_ALL", "C")
    return tmp_path / "cache" / "fastest.json"


def reader(**options: object) -> tuple[str | None, ...]:
    part = load_recognizer("plate-recognizer", options=RuntimeOptions(**options)).description  # type: ignore[arg-type]
    return part.engine, part.precision, part.note


def test_auto_takes_what_was_chosen_and_says_so(cache: Path) -> None:
    part = PartDescription("recognizer", "CtcRecognizer", "plate-recognizer", "ab", "onnx", "int8", 1)
    run = chosen(SETTINGS[:1]).runs[0]
    Choice((replace(run, parts=(run.parts[0], part)),), ()).keep(cache)
    assert reader() == ("onnx", "int8", "measured as the fastest here")
    assert reader(precision="int8") == ("onnx", "int8", "measured as the fastest here")
    assert reader(precision="fp32", engine="onnx") == ("onnx", "fp32", "as requested")
    assert reader(precision="fp32")[1:] == ("fp32", "as requested")
    cache.unlink()
    assert "measured" not in str(reader())


def test_the_command_keeps_shows_and_forgets(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [PartDescription("recognizer", "CtcRecognizer", "plate-recognizer", "ab", "openvino", "fp32", 1)]
    found = chosen()
    runs = tuple(replace(run, parts=(run.parts[0], *parts)) for run in found.runs)
    monkeypatch.setattr(choice, "choose", lambda *_, **__: replace(found, runs=runs))
    monkeypatch.setattr("platereader.lab.speed.pictures.generated_frames", lambda *_, **__: FRAMES)
    assert main(["benchmark", "--choose"]) == 0
    out = capsys.readouterr().out
    assert f"engine auto takes openvino fp32 from now on; kept in {cache}" in out
    assert "left out: onnx int8, 1 thread: it reads other texts" in out
    assert cache.is_file()
    for lang, told in (("en", "forgotten"), ("en", "nothing was kept in"), ("ru", "сохранённого выбора нет")):
        assert main(["benchmark", "--choose", "--forget", "--lang", lang]) == 0
        assert told in capsys.readouterr().out
    assert not cache.exists()


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr("platereader.registry._registry.cache_folder", lambda: tmp_path / "taken" / "cache")
    monkeypatch.setattr(choice, "choose", lambda *_, **__: pytest.fail("something was measured"))
    assert main(["benchmark", "--choose"]) == 3
    assert "cannot make the folder" in capsys.readouterr().err


def test_only_a_file_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.registry._registry.cache_folder", lambda: tmp_path)
    (tmp_path / "fastest.json").mkdir()
    assert main(["benchmark", "--choose", "--forget"]) == 0
    assert (tmp_path / "fastest.json").is_dir()


@pytest.mark.parametrize("words", [[], ["--forget"], ["--choose", "frame"], ["--forget", "frame"]])
def test_one_thing_is_measured_at_a_time(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["benchmark", *words])
    assert caught.value.code == 2
    assert "name one thing to time, or give --choose" in capsys.readouterr().err
