"""What a test may expect of this machine's processor."""

from __future__ import annotations

import pytest

from platereader.runtimes._processor import int8_sums_saturate


def skip_if_int8_saturates(precision: str, *, engine: str = "torch") -> None:
    """Skip a test that compares torch's int8 results on a processor where they are rough; ``auto`` never takes them."""
    if (engine, precision) == ("torch", "int8") and int8_sums_saturate():
        pytest.skip("without int8 instructions torch's sums of int8 products saturate, so that readings differ")
