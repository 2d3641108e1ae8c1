"""Tensors in safetensors files: read and written without running code, and never half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
from torch import Tensor

from platereader._files import write_bytes
from platereader.errors import WeightsCorruptError, WeightsNotFoundError

# Its stubs leave types open.
_SAFETENSORS = cast("Any", safetensors)
_TORCH = cast("Any", safetensors.torch)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by name.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not a safetensors file, or not a whole one.
    """
    _check_exists(path)
    try:
        return cast("dict[str, Tensor]", _TORCH.load_file(path))
    except safetensors.SafetensorError as error:
        raise _corrupt(path, error) from error


def read_metadata(path: Path) -> dict[str, str]:
    """The texts in the header of a file.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not a safetensors file, or not a whole one.
    """
    _check_exists(path)
    try:
        with _SAFETENSORS.safe_open(path, framework="pt") as file:
            return cast("dict[str, str]", file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise _corrupt(path, error) from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a file; the folder is made if missing.

    Raises:
        FileError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(
        path, _TORCH.save({name: tensor.contiguous() for name, tensor in tensors.items()}, dict(metadata or {}))
    )


def _check_exists(path: Path) -> None:
    """Raise if there is no such file."""
    if not path.is_file():
        raise WeightsNotFoundError(f"{path} does not exist: pass the path of a safetensors file.")


def _corrupt(path: Path, error: Exception) -> WeightsCorruptError:
    """The error for a damaged file."""
    return WeightsCorruptError(f"{path} is not a whole safetensors file ({error}): fetch or make it again.")
