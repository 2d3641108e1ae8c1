"""Endless batches of random samples, made in the training loop or in processes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

BatchT = TypeVar("BatchT")
BatchT_co = TypeVar("BatchT_co", covariant=True)


class BatchMaker(Protocol[BatchT_co]):
    """What makes batches; it is carried into each worker process."""

    def batch(self, *, progress: float, rng: np.random.Generator) -> BatchT_co:
        """One batch, when so much of the training is done (0 to 1)."""
        ...


def batches(maker: BatchMaker[BatchT], *, progress: Tensor, seed: int, workers: int) -> Iterator[BatchT]:
    """Batches without end, made in this process or in ``workers``, each of which has its own random numbers.

    ``progress`` is float32 ``(1,)`` in shared memory, set by the training loop: share of the training that is done.
    """
    stream = _Stream(maker, progress=progress, seed=seed)
    if workers == 0:
        yield from stream
        return
    loader: DataLoader[BatchT] = DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context="spawn", prefetch_factor=4
    )
    yield from loader


class _Stream(IterableDataset[BatchT]):
    """The batches of one process."""

    def __init__(self, maker: BatchMaker[BatchT], *, progress: Tensor, seed: int) -> None:
        self._maker, self._progress, self._seed = maker, progress, seed

    def __iter__(self) -> Iterator[BatchT]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self._seed, 0 if worker is None else worker.id))
        if worker is not None:
            cv2.setNumThreads(1)
        while True:
            yield self._maker.batch(progress=float(self._progress[0]), rng=rng)
