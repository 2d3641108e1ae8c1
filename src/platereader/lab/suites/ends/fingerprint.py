"""Whether the pictures of the suite ``ends`` are the frozen ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from platereader.lab.synthesis.ends.pictures import EndPicture

__all__ = ["FROZEN_PICTURES", "fingerprint", "frozen_fingerprint"]

FROZEN_PICTURES = 6
"""Pictures of each variant, from its first on, whose fingerprint is frozen."""

_FROZEN = Path(__file__).with_name("frozen.json")


def fingerprint(made: Sequence[EndPicture]) -> str:
    """sha256 of the pixels, places and texts of some pictures."""
    digest = hashlib.sha256()
    for picture in made:
        for frame, detection in zip(picture.frames, picture.detections, strict=True):
            place = [round(value, 2) for value in detection.box.to_tuple()]
            digest.update(frame.tobytes())
            digest.update(json.dumps([picture.plate.view.text, frame.shape, place]).encode())
    return digest.hexdigest()


def frozen_fingerprint() -> Mapping[str, str]:
    """The ``fingerprint`` of the first ``FROZEN_PICTURES`` of each variant, by its name, as the suite was frozen."""
    frozen = json.loads(_FROZEN.read_text(encoding="utf-8"))
    return cast("dict[str, str]", frozen["sha256"])
