"""What the processor is said to have, and how many cores a process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from platereader.runtimes import _processor as processor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "processor : 0\nflags\t\t: fpu avx2 fma avx512f avx512_vnni sse4_1\n",
            ("avx2", "fma", "avx512f", "avx512_vnni"),
        ),
        ("Features\t: fp asimd asimddp bf16\n", ("asimddp", "bf16")),
        ("model name : avx2\n", ()),
    ],
)
def test_linux_tells_its_instructions(
    text: str, expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(processor, "_CPUINFO", path)
    assert processor.cpu_features() == expected


def test_opencv_tells_the_same_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = set(processor.cpu_features())
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "absent")
    assert set(processor.cpu_features()) == here & {"avx2", "fma", "avx512f", "avx512_vnni", "asimddp"}


def test_a_process_uses_the_cores_it_is_bound_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert processor.usable_cores() == 1


def test_siblings_of_one_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        (tmp_path / str(number)).write_text(siblings, encoding="ascii")
    monkeypatch.setattr(processor, "_SIBLINGS", str(tmp_path / "{}"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert processor.usable_cores() == 2
    monkeypatch.setattr(processor, "_SIBLINGS", str(tmp_path / "absent{}"))
    assert processor.usable_cores() == 4
