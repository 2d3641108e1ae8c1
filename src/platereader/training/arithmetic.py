"""Which arithmetic trains fastest on this processor."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import cast

import torch

__all__ = ["fast_arithmetic"]


@contextlib.contextmanager
def fast_arithmetic() -> Generator[None]:
    """bf16 autocast on a CPU that multiplies bf16 matrices (AMX): 3 to 6 times faster there, half as fast elsewhere."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_has_amx()):
        yield


def _has_amx() -> bool:
    """There is no public question for it, so a torch without the private one counts as no."""
    ask = cast("Callable[[], bool] | None", getattr(torch.cpu, "_is_amx_tile_supported", None))
    return ask is not None and bool(ask())
