"""Tensors in safetensors files: read and written without running code, and never half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
from torch import Tensor

from platereader._files import write_bytes
from platereader.errors import WeightsCorruptError

# Its stubs leave types open.
_TORCH = cast("Any", safetensors.torch)


def tensors_of(data: bytes, *, name: str) -> dict[str, Tensor]:
    """All tensors in the bytes of a file, by name; they are copies, which no change of the file reaches."""
    try:
        return cast("dict[str, Tensor]", _TORCH.load(data))
    except safetensors.SafetensorError as error:
        raise WeightsCorruptError(
            f"{name} is not a whole safetensors file ({error}): fetch or make it again."
        ) from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors by name; the folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(
        path, _TORCH.save({name: tensor.contiguous() for name, tensor in tensors.items()}, dict(metadata or {}))
    )
