from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from platereader.errors import WeightsCorruptError, WeightsNotFoundError
from platereader.runtimes._tensors import read_metadata, read_tensors, write_tensors


def test_round_trip_into_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "нейросеть и пробел" / "a.safetensors"
    write_tensors(path, {"a": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)}, metadata={"k": "v"})
    tensors = read_tensors(path)
    assert torch.equal(tensors["a"], torch.arange(6.0).reshape(2, 3).T)
    assert int(tensors["n"]) == 3
    assert read_metadata(path) == {"k": "v"}
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_file_without_metadata_has_none(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {"a": torch.zeros(1)})
    assert read_metadata(tmp_path / "a") == {}


@pytest.mark.parametrize("read", [read_tensors, read_metadata])
def test_missing_file(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(WeightsNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"not a tensor", None])
def test_damaged_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    write_tensors(path, {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(WeightsCorruptError, match="not a whole safetensors"):
        read_tensors(path)
