"""What was measured is taken on the same machine with the same engines and weights, and a bad file is no choice."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platereader.runtimes import _kept as kept
from platereader.runtimes._kept import Fastest, keep, kept_spec
from platereader.runtimes._selection import RuntimeSpec, measurable_specs

INT8, FP32 = RuntimeSpec("onnx", "int8", ("avx512_vnni",)), RuntimeSpec("onnx", "fp32")
BF16 = RuntimeSpec("openvino", "bf16", explicit_only=True)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that says that int8 is the fastest on a machine of our own."""
    monkeypatch.setattr(kept, "processor_name", lambda: "Abacus 8")
    monkeypatch.setattr(kept, "cpu_features", lambda: ("beads",))
    monkeypatch.setattr(kept, "engine_versions", lambda: {"onnx": "1.2"})
    kept._warn.cache_clear()
    file = tmp_path / "cache" / "fastest.json"
    keep(file, {"detector": Fastest("onnx", "int8", ("b", "a"))})
    return file


def kept_in(path: Path, *, weights: tuple[str, ...] = ("a", "b"), kind: str = "detector") -> RuntimeSpec | None:
    return kept_spec(path, kind, weights=weights, allowed=measurable_specs([FP32, BF16, INT8]))


def test_what_was_kept_is_taken_without_regard_to_instructions(path: Path) -> None:
    assert kept_in(path) == INT8
    assert kept_in(path.with_name("none.json")) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("processor_name", "Abacus 9"), ("cpu_features", ("beads", "wire")), ("engine_versions", {"onnx": "1.3"})],
)
def test_another_machine_or_engine_has_no_choice(
    path: Path, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, name, lambda: value)
    assert kept_in(path) is None


def test_other_weights_have_no_choice(path: Path) -> None:
    assert kept_in(path, weights=("a", "c")) is None
    assert kept_in(path, weights=("a",)) is None


def changed(path: Path, **network: Any) -> str:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["networks"]["detector"] |= network
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[1, 2]",
        "{}",
        "[" * 60_000,
        " " * 70_000,
        "\0\xff",
        {"engine": "steam"},
        {"engine": ["onnx"]},
        {"engine": "openvino", "precision": "bf16"},
        {"weights": 7},
    ],
)
def test_a_damaged_or_foreign_file_is_ignored_with_one_warning(path: Path, text: str | dict[str, Any]) -> None:
    path.write_text(text if isinstance(text, str) else changed(path, **text), encoding="latin-1")
    with pytest.warns(RuntimeWarning, match=r"fastest\.json is ignored.*--choose.*--forget") as caught:
        found = kept_in(path), kept_in(path)
    assert found == (None, None)
    assert len(caught) == 1


def test_in_a_home_that_may_not_be_entered_there_is_no_choice(path: Path, lock: Callable[[Path], None]) -> None:
    lock(path.parent)
    assert kept_in(path) is None


def test_a_folder_of_that_name_is_no_choice(path: Path) -> None:
    path.unlink()
    path.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kept_in(path) is None


def test_what_auto_never_takes_is_not_measured() -> None:
    specs = [RuntimeSpec("torch", "bf16", explicit_only=True), INT8, RuntimeSpec("torch", "fp32")]
    assert measurable_specs(specs) == specs[1:]
