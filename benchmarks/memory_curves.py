"""Resident memory over frames, kept as curves in ``benchmarks/memory.csv``.

``benchmarks.memory_by_size`` and ``benchmarks.stream_memory`` write a curve each with ``--csv benchmarks/memory.csv``,
where it takes the place of an earlier one of the same kind, engine and precision. ``benchmarks.memory_chart`` draws
them.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import Final

from platereader import Pipeline
from platereader._files import write_text
from platereader.runtimes._processor import processor_name

CURVES: Final = Path(__file__).resolve().parent / "memory.csv"
WARM_UP: Final = 1000
"""Frames after which the memory must stay."""

POINTS: Final = 50
"""How many points a curve has, beside the first ones."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a curve was taken: ``sizes`` of frames up to ``largest_px``, or a stream, which has one."""

    kind: str
    engine: str
    precision: str
    threads: int
    frames: int
    sizes: int
    largest_px: int
    weights: str
    processor: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Of two curves with the same one the later stays."""
        return self.kind, self.engine, self.precision


@dataclass(slots=True)
class Curve:
    """Megabytes after so many frames."""

    conditions: Conditions
    points: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])

    def grown_mb(self) -> float:
        """From the first point after the warm-up to the last."""
        warm = next((mb for frame, mb in self.points if frame >= WARM_UP), self.points[-1][1])
        return self.points[-1][1] - warm


_HEADER: Final = (*(one.name for one in fields(Conditions)), "frame", "resident_mb")


def conditions_of(pipeline: Pipeline, kind: str, *, frames: int, sizes: int, largest_px: int) -> Conditions:
    """Those of a run over a pipeline: what its networks run with, whatever was asked for."""
    parts = [part for part in pipeline.describe() if part.sha256 is not None]
    weights = [f"{part.weights} {part.sha256[:12]}" for part in parts if part.sha256 is not None]
    weights += [found[1] for part in parts if (found := re.search(r"with (\S+ [0-9a-f]{12})", part.note or ""))]
    engines = "/".join(sorted({str(part.engine) for part in parts}))
    precisions = "/".join(sorted({str(part.precision) for part in parts}))
    threads = max(part.threads or 0 for part in parts)
    return Conditions(
        kind, engines, precisions, threads, frames, sizes, largest_px, ", ".join(weights), processor_name()
    )


def is_point(number: int, *, frames: int) -> bool:
    """Whether the memory after that frame is part of the curve of a run: denser at its start."""
    return number in {1, 20, 50, 100, 200, 500, WARM_UP, frames} or number % max(1, frames // POINTS) == 0


def kept_curves(path: Path) -> list[Curve]:
    """The curves of a file; none where it is not there."""
    curves: dict[Conditions, Curve] = {}
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8") if path.exists() else ""))
    for row in rows:
        conditions = Conditions(
            kind=row["kind"],
            engine=row["engine"],
            precision=row["precision"],
            threads=int(row["threads"]),
            frames=int(row["frames"]),
            sizes=int(row["sizes"]),
            largest_px=int(row["largest_px"]),
            weights=row["weights"],
            processor=row["processor"],
        )
        curve = curves.setdefault(conditions, Curve(conditions))
        curve.points.append((int(row["frame"]), float(row["resident_mb"])))
    return list(curves.values())


def keep(path: Path, curve: Curve) -> None:
    """Add a curve to a file, in the place of an earlier one with its key."""
    others = [one for one in kept_curves(path) if one.conditions.key != curve.conditions.key]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for one in sorted([*others, curve], key=lambda each: each.conditions.key):
        writer.writerows((*astuple(one.conditions), frame, f"{mb:.1f}") for frame, mb in one.points)
    write_text(path, text.getvalue())
