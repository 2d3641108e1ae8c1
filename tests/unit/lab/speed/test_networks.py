from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import torch

from platereader.lab.speed.networks import (
    SpeedReport,
    Timing,
    benchmark,
    format_speed,
    random_recognizers,
    recognizer_candidates,
)
from platereader.recognition._shape import ConvCtcConfig
from small_networks import SMALL


def test_every_size_and_thread_count_is_timed_and_threads_are_put_back() -> None:
    before, seen = torch.get_num_threads(), set[tuple[int, int]]()

    def prepared(batch: int) -> Callable[[], object]:
        return lambda: seen.add((torch.get_num_threads(), batch))

    timings = benchmark({"one": prepared}, batches=(1, 4), threads=(1, 2), rounds=5)
    assert [(timing.threads, timing.batch, timing.n) for timing in timings] == [
        (1, 1, 5),
        (1, 4, 5),
        (2, 1, 5),
        (2, 4, 5),
    ]
    assert seen == {(1, 1), (1, 4), (2, 1), (2, 4)}
    assert all(timing.low_ms <= timing.median_ms <= timing.high_ms for timing in timings)
    assert torch.get_num_threads() == before


def test_untrained_readers_run_in_every_precision() -> None:
    state = torch.random.get_rng_state()
    networks = random_recognizers(ConvCtcConfig.from_settings(SMALL))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert {name: runtime.precision for name, runtime in networks.items()} == {p: p for p in ("int8", "fp32", "bf16")}
    candidates = recognizer_candidates(networks, size_px=(16, 64), rng=np.random.default_rng(0))
    assert [timing.name for timing in benchmark(candidates, batches=(2,), threads=(1,), rounds=2)] == [*networks]


def test_the_table_names_what_it_was_measured_on() -> None:
    timings = tuple(Timing(name, 8, 1, 50, ms, ms - 1, ms + 1) for name, ms in (("int8", 2.0), ("fp32", 7.0)))
    report = SpeedReport(timings, {"plate-recognizer": "ab12"}, "a processor", ("avx2",), "2.0")
    text = format_speed(report)
    assert all(word in text for word in ("a processor, avx2, torch 2.0", "sha256 ab12", "2.00 (1.00-3.00)", "3.50"))
    assert "random weights" in format_speed(SpeedReport(timings))
    assert json.loads(json.dumps(report.to_dict()))["timings"][1]["median_ms"] == 7.0
