from __future__ import annotations

from pathlib import Path

import pytest
import torch

from platereader.errors import WeightsCorruptError
from platereader.registry._contents import contents_of
from platereader.runtimes._tensors import tensors_of, write_tensors


def test_round_trip_into_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "нейросеть и пробел" / "a.safetensors"
    write_tensors(path, {"a": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)}, metadata={"k": "v"})
    tensors = tensors_of(path.read_bytes(), name="a")
    assert torch.equal(tensors["a"], torch.arange(6.0).reshape(2, 3).T)
    assert int(tensors["n"]) == 3
    assert contents_of(path.read_bytes(), name="a").metadata == {"k": "v"}
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("content", [b"", b"not a tensor", None])
def test_damaged_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    write_tensors(path, {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(WeightsCorruptError, match="not a whole safetensors"):
        tensors_of(path.read_bytes(), name="a")
