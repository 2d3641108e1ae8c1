"""How fast networks run here: all of them in turn in one process, so that what else the machine does hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np
import torch

from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.metrics.rates import Z_95
from platereader.lab.speed.turns import interleaved, torch_threads
from platereader.lab.tables import aligned, show_interval
from platereader.recognition._network import ConvCtc, int8_recognizer
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig
from platereader.registry import WeightFile
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._int8_tensors import Scale, adding_layers, convolutions, quantized
from platereader.runtimes._processor import cpu_features, processor_name
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

Candidates: TypeAlias = Mapping[str, Callable[[int], Callable[[], object]]]
"""By name: from a batch size to the call that is timed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one of ``n`` calls takes, of so many pictures and with so many threads of torch.

    The interval of the median, ``low_ms`` to ``high_ms``, is that of 95 % by order statistics.
    """

    name: str
    batch: int
    threads: int
    n: int
    median_ms: float
    low_ms: float
    high_ms: float

    def show(self, *, digits: int) -> str:
        """The median with its interval."""
        return show_interval(self.median_ms, self.low_ms, self.high_ms, digits=digits)


@dataclass(frozen=True, slots=True)
class SpeedReport(JsonSafe):
    """Timings, batch sizes within thread counts, the candidates in their order; and what they were taken on.

    ``weights`` are sha256 by name, empty for random ones; ``flags`` instructions that matter here.
    """

    timings: tuple[Timing, ...]
    weights: Mapping[str, str] = field(default_factory=dict[str, str])
    processor: str = field(default_factory=processor_name)
    flags: tuple[str, ...] = field(default_factory=cpu_features)
    torch: str = str(torch.__version__)


def benchmark(
    candidates: Candidates, *, batches: Sequence[int] = (1, 8, 32), threads: Sequence[int] = (1, 2), rounds: int = 50
) -> tuple[Timing, ...]:
    """Time every candidate with every batch size and thread count; torch's thread count is put back afterwards."""
    timings: list[Timing] = []
    for count in threads:
        with torch_threads(count):
            for batch in batches:
                calls = {name: prepared(batch) for name, prepared in candidates.items()}
                for name, seconds in interleaved(calls, rounds=rounds).items():
                    timings.append(_timing(seconds, name=name, batch=batch, threads=count))
    return tuple(timings)


def recognizer_candidates(
    recognizers: Mapping[str, Runtime], *, size_px: tuple[int, int], rng: np.random.Generator
) -> Candidates:
    """The networks alone, on random pictures: preparing a plate takes the same for all of them."""

    def prepared(runtime: Runtime, batch: int) -> Callable[[], object]:
        return partial(runtime.run, rng.standard_normal((batch, 3, *size_px), np.float32))

    return {name: partial(prepared, runtime) for name, runtime in recognizers.items()}


def shipped_recognizers(fp32: WeightFile, int8: WeightFile) -> dict[str, Runtime]:
    """Trained networks on torch: ``int8``, ``fp32`` and ``bf16``.

    Raises:
        WeightsCorruptError: weights of another network.
        EngineError: torch cannot compute in int8 here, or a file holds the other precision.
    """
    return {
        precision: CtcRecognizer.from_weights(weights, options=RuntimeOptions(precision=precision)).runtime
        for precision, weights in (("int8", int8), ("fp32", fp32), ("bf16", fp32))
    }


def random_recognizers(config: ConvCtcConfig | None = None) -> dict[str, Runtime]:
    """The same with untrained weights, which are as fast."""
    with torch.random.fork_rng(devices=[]):
        first, second = (fuse_normalisation(ConvCtc(config).eval()) for _ in range(2))
    inputs, sums = (dict.fromkeys(names, Scale(0.05)) for names in (convolutions(first), adding_layers(first)))
    tensors = quantized(first, inputs, sums)
    return {
        "int8": int8_recognizer(tensors, config=first.config),
        "fp32": TorchRuntime(first),
        "bf16": TorchRuntime(second, precision="bf16"),
    }


def format_speed(report: SpeedReport) -> str:
    """A text table: one row for each batch size and thread count, medians and how many times the first is faster."""
    names = list(dict.fromkeys(timing.name for timing in report.timings))
    groups: dict[tuple[int, int], dict[str, Timing]] = {}
    for timing in report.timings:
        groups.setdefault((timing.threads, timing.batch), {})[timing.name] = timing
    rows = [("threads", "batch", "n", *(f"{name} ms" for name in names), *(f"{name}/{names[0]}" for name in names[1:]))]
    for (threads, batch), row in groups.items():
        spans = [row[name].show(digits=2) for name in names]
        ratios = [f"{row[name].median_ms / row[names[0]].median_ms:.2f}" for name in names[1:]]
        rows.append((str(threads), str(batch), str(row[names[0]].n), *spans, *ratios))
    head = f"{report.processor}, {' '.join(report.flags) or 'no flags known'}, torch {report.torch}"
    hashes = [f"weights {name} sha256 {sha256}" for name, sha256 in report.weights.items()] or ["random weights"]
    return "\n".join([head, *hashes, *aligned(rows)])


def _timing(seconds: Sequence[float], *, name: str, batch: int, threads: int) -> Timing:
    ordered = 1e3 * np.sort(np.asarray(seconds))
    n = len(ordered)
    reach = Z_95 * n**0.5 / 2
    low, high = ordered[max(int(n / 2 - reach), 0)], ordered[min(int(n / 2 + reach), n - 1)]
    return Timing(name, batch, threads, n, float(np.median(ordered)), float(low), float(high))
