"""Whether the clips of the video suite are the frozen ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from platereader.lab.synthesis.video.clip import VideoFrame

__all__ = ["fingerprint", "fingerprint_frames", "frozen_fingerprints"]

_FROZEN = Path(__file__).with_name("frozen.json")


def fingerprint_frames(count: int) -> tuple[int, int, int]:
    """Numbers of the frames that a fingerprint is of: the first, the middle and the last one."""
    return 0, count // 2, count - 1


def fingerprint(frames: Sequence[VideoFrame]) -> str:
    """Start of the sha256 of the pixels and plates of some frames of a clip.

    Args:
        frames: those of ``fingerprint_frames``.
    """
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.pixels.tobytes())
        plates = [(one.passage, one.text, [round(value, 1) for value in one.box.to_tuple()]) for one in frame.plates]
        digest.update(json.dumps([round(frame.timestamp_s, 4), plates]).encode())
    return digest.hexdigest()[:16]


def frozen_fingerprints() -> Mapping[str, str]:
    """The ``fingerprint`` of each clip by its name, as the suite was frozen."""
    frozen: dict[str, dict[str, str]] = json.loads(_FROZEN.read_text(encoding="utf-8"))
    return frozen["sha256"]
