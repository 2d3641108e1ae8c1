"""Whether the pictures of the stress suite are the frozen ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from platereader.lab.synthesis.stress.pictures import StressPicture

__all__ = ["fingerprint", "frozen_fingerprint"]

_FROZEN = Path(__file__).with_name("frozen.json")


def fingerprint(made: Iterable[StressPicture]) -> dict[str, str]:
    """sha256 of the pixels, places and texts of each part, by its name."""
    hashes: dict[str, Any] = {}
    for picture in made:
        digest = hashes.setdefault(picture.part.name, hashlib.sha256())
        digest.update(picture.frame.tobytes())
        place = picture.detection.to_dict()
        del place["truncated"]  # which no picture of the suite says
        digest.update(json.dumps([picture.text, picture.frame.shape, place]).encode())
    return {name: digest.hexdigest() for name, digest in hashes.items()}


def frozen_fingerprint() -> Mapping[str, str]:
    """The ``fingerprint`` of the suite as it was frozen."""
    frozen = json.loads(_FROZEN.read_text(encoding="utf-8"))
    return cast("dict[str, str]", frozen["sha256"])
