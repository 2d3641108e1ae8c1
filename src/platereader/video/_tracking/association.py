"""Which detection continues which track: the assignment that is likeliest as a whole.

A pair is worth how much likelier it is that the plate moved there than that a new one appeared there. Likelihoods, not
distances: a track known to a pixel is not robbed by one that was lost long ago and may be anywhere. They also gate,
without a threshold for each of distance, size and aspect.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from platereader.video._tracking.motion import FloatArray, Motion

Pairs: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of tracks and, in the same order, of detections; each at most once."""

_NEW_PLATE: Final = 19.0
"""-2 log density of a new plate: anywhere among some thousand square sides of picture, of any size and aspect."""

_MISSED_COST: Final = 10.0
"""-2 log probability, a second, that a plate is still in view while it is not found: 0.2 s on average."""

_SAME_SHAPE: Final = 8.0
_MAX_SHIFTS: Final = 64
_SHIFT_PX: Final = 150.0
_MIN_AGREEMENT: Final = 3.0
_TIE_BREAK: Final = 1e-9
"""Worth of order: of pairs that are worth the same, an earlier track takes an earlier detection."""


def common_shift(motion: Motion, measurements: FloatArray) -> FloatArray | None:
    """How far the whole picture jumped, as when the camera is hit: what several tracks agree on.

    Every pair of like size and shape proposes its own shift; the best is taken if other tracks fit clearly better too.
    One track alone cannot tell a shake of the camera from its own.

    Returns:
        float64 ``(2,)`` in pixels; None where tracks do not agree on any.
    """
    if min(len(motion.mean), len(measurements)) < 2:
        return None
    error, variance = motion.errors(measurements)
    alike = (error[..., 2:] ** 2 / variance[..., 2:]).sum(axis=-1) < _SAME_SHAPE
    proposed = (error[..., :2] * motion.sides[:, None])[alike][:_MAX_SHIFTS]
    shifts = np.concatenate([np.zeros((1, 2)), proposed])
    shifted = np.repeat(error[None], len(shifts), axis=0)
    shifted[..., :2] -= shifts[:, None, None] / motion.sides[:, None]
    likelihood = _worth(shifted, variance).max(axis=-1) - (shifts**2).sum(axis=-1, keepdims=True) / _SHIFT_PX**2
    better = likelihood - likelihood[0]
    agreement = better.sum(axis=-1) - better.max(axis=-1)
    best = int(agreement.argmax())
    return shifts[best] if agreement[best] > _MIN_AGREEMENT else None


def assign(motion: Motion, measurements: FloatArray, *, missed_s: FloatArray) -> Pairs:
    """Pairs by motion; what is left over is tried again with allowance for a jump.

    A plate that was not found in the frame before has probably left, and one that left does not jump: the longer a
    track was not seen, the better a detection must fit it. Tracks that jumped are loosened.

    Args:
        motion: N tracks, moved on to the time of the frame.
        measurements: float64 ``(M, 4)``, see ``measured``.
        missed_s: float64 ``(N,)``: seconds since the plate was first missed; 0 if it was seen in the frame before.
    """
    tracks, detections = _likeliest(motion, measurements, missed_s)
    may_jump, unclaimed = missed_s == 0.0, np.ones(len(measurements), np.bool_)
    may_jump[tracks] = unclaimed[detections] = False
    free_tracks, free_detections = np.flatnonzero(may_jump), np.flatnonzero(unclaimed)
    if not (free_tracks.size and free_detections.size):
        return tracks, detections
    loose = motion.of(free_tracks)
    loose.allow_shake(np.arange(len(free_tracks)))
    jumped, seen = _likeliest(loose, measurements[free_detections], missed_s[free_tracks])
    motion.allow_shake(free_tracks[jumped])
    return np.append(tracks, free_tracks[jumped]), np.append(detections, free_detections[seen])


def best_pairs(worth: FloatArray) -> Pairs:
    """The assignment of greatest worth, ``(N, M)`` of tracks and detections; pairs that are worth nothing are none."""
    if worth.size == 0:  # lap corrupts memory then
        return np.empty(0, np.intp), np.empty(0, np.intp)
    import lap

    rows, columns = (np.arange(length, dtype=np.float64)[::-1] + 1 for length in worth.shape)
    earlier = rows[:, None] * columns
    _, of_track, _ = cast(Any, lap).lapjv(-worth - _TIE_BREAK * earlier, extend_cost=True)
    tracks = np.flatnonzero(of_track >= 0)
    detections = of_track[tracks].astype(np.intp)
    fits = worth[tracks, detections] > 0
    return tracks[fits], detections[fits]


def _likeliest(motion: Motion, measurements: FloatArray, missed_s: FloatArray) -> Pairs:
    worth = _worth(*motion.errors(measurements)) - _MISSED_COST * missed_s[:, None]
    return best_pairs(np.maximum(worth, 0.0))


def _worth(error: FloatArray, variance: FloatArray) -> FloatArray:
    """float64 ``(..., N, M)``: twice the log likelihood ratio of "it moved here" to "a new plate", at least 0."""
    surprise = (error**2 / variance).sum(axis=-1) + np.log(2 * np.pi * variance).sum(axis=-1)
    return np.asarray(np.maximum(_NEW_PLATE - surprise, 0.0), dtype=np.float64)
