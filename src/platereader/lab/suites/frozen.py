"""Suites of frozen pictures: the hashes of the parts are in ``frozen.json`` of each, and a report says what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

from platereader._arrays import BgrImage
from platereader.lab.metrics.json_safe import fields_of, json_safe
from platereader.results import PartDescription

_Reading = TypeVar("_Reading")


@dataclass(frozen=True, slots=True)
class FrozenReport(Generic[_Reading]):
    """All readings of one run over a suite, and the parts that ran.

    Pictures of those parts of the suite that are ``changed`` differ from the frozen ones. ``to_dict``, in its version
    ``SCHEMA``, begins with what the methods ``FIGURES`` return.
    """

    SCHEMA: ClassVar[int]
    FIGURES: ClassVar[tuple[str, ...]]

    readings: tuple[_Reading, ...]
    changed: tuple[str, ...]
    parts: tuple[PartDescription, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        figures = {name: json_safe(getattr(self, name)()) for name in self.FIGURES}
        return {"schema": self.SCHEMA, **figures, **fields_of(self)}


def fingerprint(pictures: Iterable[tuple[BgrImage, object]]) -> str:
    """sha256 of the pixels of some pictures and of what is on each of them, which must be JSON-safe."""
    digest = hashlib.sha256()
    for pixels, facts in pictures:
        digest.update(pixels.tobytes())
        digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def frozen_fingerprints(suite: str) -> Mapping[str, str]:
    """The ``fingerprint`` of each part of a suite, named as its folder, by its name, as the suite was frozen."""
    frozen = json.loads((Path(__file__).parent / suite / "frozen.json").read_text(encoding="utf-8"))
    return cast("dict[str, str]", frozen["sha256"])


def changed_parts(suite: str, made: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of a suite whose fingerprints, by their names, are not the frozen ones."""
    frozen = frozen_fingerprints(suite)
    return tuple(name for name, digest in made.items() if frozen.get(name) != digest)


def frozen_note(changed: tuple[str, ...], *, parts: str = "parts") -> str:
    """A line of a table about the names of the parts that differ."""
    if not changed:
        return "its pictures are the frozen ones"
    return f"NOT the frozen pictures in {len(changed)} {parts} ({', '.join(changed[:4])}, ...)"
