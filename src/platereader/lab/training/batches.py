"""Batches by their number, made in the training loop or in processes of low priority beside it."""

from __future__ import annotations

import os
from typing import TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset

from platereader.lab.training.loop import TrainingLoop

BatchT = TypeVar("BatchT")


def numbered(batches: Dataset[BatchT], *, loop: TrainingLoop) -> DataLoader[BatchT]:
    """Batches from the next step on, in order: number ``i`` is for step ``i``, however often a run is interrupted."""
    workers = loop.settings.workers
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(loop.step, loop.settings.steps or 2**40),
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_lower_priority,
    )


def _lower_priority(worker: int) -> None:
    """Let the network go first, and keep OpenCV from starting a thread for every core in every worker."""
    del worker
    cv2.setNumThreads(0)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(5)
