"""What a test may expect of this machine's processor."""

from __future__ import annotations

import pytest

from platereader.runtimes._processor import INT8_INSTRUCTIONS, cpu_features


def skip_if_int8_saturates(precision: str) -> None:
    """Skip a test that compares int8 results, on a processor where they are rough; ``auto`` never takes int8 there."""
    if precision == "int8" and not set(INT8_INSTRUCTIONS) & set(cpu_features()):
        pytest.skip("without int8 instructions sums of int8 products saturate, so that readings differ")
