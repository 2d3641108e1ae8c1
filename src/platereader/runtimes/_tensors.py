"""Tensors in safetensors files: read and written without running code, and never half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
from torch import Tensor

from platereader._files import read_bytes, write_bytes
from platereader.errors import FileError, WeightsCorruptError, WeightsNotFoundError

# Its stubs leave types open.
_TORCH = cast("Any", safetensors.torch)
# A checkpoint has the network, its average and the optimizer's state.
_MAX_BYTES = 1 << 32


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by name.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not a safetensors file, or not a whole one.
    """
    return tensors_of(_read(path), name=str(path))


def tensors_of(data: bytes, *, name: str) -> dict[str, Tensor]:
    """All tensors in the bytes of a file, by name; they are copies, which no change of the file reaches.

    Raises:
        WeightsCorruptError: it is not a safetensors file, or not a whole one.
    """
    try:
        return cast("dict[str, Tensor]", _TORCH.load(data))
    except safetensors.SafetensorError as error:
        raise WeightsCorruptError(
            f"{name} is not a whole safetensors file ({error}): fetch or make it again."
        ) from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a file; the folder is made if missing.

    Raises:
        FileError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(
        path, _TORCH.save({name: tensor.contiguous() for name, tensor in tensors.items()}, dict(metadata or {}))
    )


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, limit_bytes=_MAX_BYTES, what="the tensors")
    except FileError as error:
        raise WeightsNotFoundError(str(error)) from error
