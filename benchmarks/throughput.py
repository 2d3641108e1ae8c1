"""Pictures a second of ``read_batch`` over batch sizes, and over worker processes and their threads.

``python -m benchmarks.throughput --workers 1 2 --threads 1 2 --batches 1 4 8 --rounds 15 --json throughput.json``

All settings take turns in every round, so that other load on the machine affects all of them alike. Each worker holds
one pipeline and the decoded pictures; each call of a setting reads the same number of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from platereader import Pipeline
from platereader._arrays import BgrImage
from platereader._files import write_json
from platereader.lab.speed.networks import SpeedReport
from platereader.lab.speed.turns import interleaved, seconds_of
from platereader.lab.tables import columns
from platereader.media._images import IMAGE_SUFFIXES, read_image

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "pictures"


@dataclass(frozen=True, slots=True)
class Setting:
    """Processes, threads in each, and pictures that are read together."""

    workers: int
    threads: int
    batch: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a setting reaches: median over ``n`` rounds, and the quartiles, in pictures a second."""

    setting: Setting
    n: int
    median_per_s: float
    lower_quartile_per_s: float
    upper_quartile_per_s: float


@dataclass(frozen=True, slots=True)
class Source:
    """What is read, and with which networks."""

    folder: Path
    engine: str
    precision: str

    def paths(self) -> list[Path]:
        """The picture files."""
        return sorted(path for path in self.folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


@cache
def loaded(source: Source) -> tuple[Pipeline, list[BgrImage]]:
    """The pipeline and the pictures of this process."""
    pipeline = Pipeline.build(engine=source.engine, precision=source.precision)
    return pipeline, [read_image(path) for path in source.paths()]


def start(threads: int, source: Source) -> None:
    """Prepare a worker process."""
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    loaded(source)


def read(indices: Sequence[int], source: Source) -> int:
    """Read some of the pictures, again from the first after the last; gives the number of plates."""
    pipeline, frames = loaded(source)
    return sum(map(len, pipeline.read_batch([frames[index % len(frames)] for index in indices])))


def peak_rss_mb(_: int) -> float:
    """The most memory that this process has had."""
    time.sleep(0.2)  # so that each worker answers one of these
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_all(pool: ProcessPoolExecutor, setting: Setting, *, pictures: int, source: Source) -> int:
    """What is timed: all pictures through the pool, in batches."""
    starts = range(0, pictures, setting.batch)
    batches = [range(first, min(first + setting.batch, pictures)) for first in starts]
    return sum(pool.map(partial(read, source=source), batches))


def measured(settings: Sequence[Setting], *, source: Source, rounds: int) -> tuple[list[Throughput], dict[str, float]]:
    """The throughput of each setting, and the largest memory of a worker for each number of threads."""
    pictures = max(setting.workers for setting in settings) * max(setting.batch for setting in settings)
    with ExitStack() as stack:
        shapes = sorted({(setting.workers, setting.threads) for setting in settings})
        pools = {
            (workers, threads): stack.enter_context(
                ProcessPoolExecutor(workers, get_context("spawn"), initializer=start, initargs=(threads, source))
            )
            for workers, threads in shapes
        }
        calls: dict[str, Callable[[], object]] = {
            str(setting): partial(
                read_all, pools[setting.workers, setting.threads], setting, pictures=pictures, source=source
            )
            for setting in settings
        }
        if len({call() for call in calls.values()}) > 1:
            raise RuntimeError("the settings do not find the same number of plates: a timing of them says nothing")
        seconds = interleaved(calls, rounds=rounds)
        peaks = {
            f"{workers} x {threads}": max(pool.map(peak_rss_mb, range(workers)))
            for (workers, threads), pool in pools.items()
        }
    return [throughput(setting, pictures / np.asarray(seconds[str(setting)])) for setting in settings], peaks


def throughput(setting: Setting, per_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Throughput:
    """The figures of some rounds."""
    lower, middle, upper = (float(value) for value in np.quantile(per_s, (0.25, 0.5, 0.75)))
    return Throughput(setting, len(per_s), middle, lower, upper)


def decoding_ms(source: Source) -> float:
    """Median time to decode a picture file, milliseconds, which comes on top of the reading."""
    return median(1e3 * seconds_of(partial(read_image, path)) for path in source.paths() * 3)


def described(source: Source) -> dict[str, Any]:
    """The machine and the networks."""
    machine = SpeedReport(())
    parts = [part.to_dict() for part in loaded(source)[0].describe() if part.engine is not None]
    return {
        "processor": machine.processor,
        "flags": machine.flags,
        "cores": os.cpu_count() or 1,
        "torch": machine.torch,
        "parts": parts,
        "decoding_ms": decoding_ms(source),
    }


def table(results: Sequence[Throughput], peaks: Mapping[str, float]) -> str:
    """One row for each setting."""
    cells: dict[str, Callable[[Throughput], str]] = {
        "workers": lambda one: str(one.setting.workers),
        "threads": lambda one: str(one.setting.threads),
        "batch": lambda one: str(one.setting.batch),
        "n": lambda one: str(one.n),
        "pictures/s": lambda one: f"{one.median_per_s:.2f}",
        "quartiles": lambda one: f"{one.lower_quartile_per_s:.2f}-{one.upper_quartile_per_s:.2f}",
        "x first": lambda one: f"{one.median_per_s / results[0].median_per_s:.2f}",
        "peak RSS MB a worker": lambda one: f"{peaks[f'{one.setting.workers} x {one.setting.threads}']:.0f}",
    }
    return "\n".join(columns(cells, results))


def main() -> None:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description="Pictures a second over batch sizes, processes and threads.")
    parser.add_argument("folder", nargs="?", type=Path, default=EXAMPLES, help="pictures; by default the examples")
    parser.add_argument("--workers", type=int, nargs="+", default=sorted({1, cores}), metavar="N")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores}), metavar="N")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8], metavar="N")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()

    settings = [Setting(*one) for one in product(arguments.workers, arguments.threads, arguments.batches)]
    source = Source(arguments.folder, arguments.engine, arguments.precision)
    results, peaks = measured(settings, source=source, rounds=arguments.rounds)
    basis = described(source)
    print(f"{basis['processor']}, {basis['cores']} cores, torch {basis['torch']}")
    print(", ".join(f"{part['part']} {part['engine']} {part['precision']}" for part in basis["parts"]))
    print(f"decoding a file comes on top: {basis['decoding_ms']:.1f} ms a picture")
    print(table(results, peaks))
    if arguments.json is not None:
        report = {**basis, "peak_rss_mb": peaks, "throughput": [asdict(result) for result in results]}
        write_json(arguments.json, report)


if __name__ == "__main__":
    main()
