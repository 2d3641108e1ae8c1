"""Which arithmetic trains fastest on this processor."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any, cast

import torch

__all__ = ["fast_arithmetic"]


@contextlib.contextmanager
def fast_arithmetic() -> Generator[None]:
    """bf16 autocast on a CPU that multiplies bf16 matrices (AMX): 3 to 6 times faster there, half as fast elsewhere."""
    # There is no public question for it in torch.
    has_amx = bool(cast("Any", torch.cpu)._is_amx_tile_supported())  # noqa: SLF001
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_amx):
        yield
