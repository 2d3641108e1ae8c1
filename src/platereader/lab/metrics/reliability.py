"""How far a confidence can be relied on: calibration error, separation of right from wrong, risk against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """``n`` readings of neighbouring confidence: the mean of it, and the share that is right."""

    confidence: float
    right: float
    n: int


def reliability_bins(confidences: Sequence[float], right: Sequence[bool], *, bins: int = 15) -> list[ReliabilityBin]:
    """Readings in order of confidence, in up to ``bins`` groups of equal size."""
    values, truth = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    order = np.argsort(values, kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group)]
    return [ReliabilityBin(float(values[group].mean()), float(truth[group].mean()), len(group)) for group in groups]


def calibration_error(confidences: Sequence[float], right: Sequence[bool], *, bins: int = 15) -> float | None:
    """Expected calibration error over bins of equal mass (Nguyen and O'Connor, EMNLP 2015); None of nothing."""
    groups = reliability_bins(confidences, right, bins=bins)
    total = sum(group.n for group in groups)
    return sum(group.n * abs(group.confidence - group.right) for group in groups) / total if total else None


def auroc(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """Probability that a right reading has a higher confidence than a wrong one, ties half; None without both kinds."""
    values, truth = np.asarray(confidences, np.float64), np.asarray(right, np.bool_)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # mean rank of ties, from 1
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> NDArray[np.float64]:
    """Share returned and share wrong among them, when only the most confident readings are returned.

    Returned is float64 ``(K, 2)``: coverage and risk, one row for each distinct confidence, coverage growing.
    """
    values, truth = np.asarray(confidences, np.float64), np.asarray(right, np.bool_)
    order = np.argsort(-values, kind="stable")
    returned = np.arange(1, len(order) + 1)
    rows = np.stack([returned / max(len(order), 1), np.cumsum(~truth[order]) / returned], axis=1)
    last_of_ties = np.append(np.diff(values[order]) != 0, True)[: len(order)]
    return np.asarray(rows[last_of_ties], dtype=np.float64)
