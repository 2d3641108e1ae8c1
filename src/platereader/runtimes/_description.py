"""What a part that runs a network says of itself."""

from __future__ import annotations

from platereader.results import PartDescription
from platereader.runtimes import Runtime

__all__ = ["network_description"]


def network_description(
    network: object, runtime: Runtime, *, part: str, weights: str | None, sha256: str | None, note: str | None
) -> PartDescription:
    """Class, weights and how they run.

    Args:
        network: the part.
        runtime: that runs it.
        part: what it is in a pipeline.
        weights: their name; None where it is not known.
        sha256: of their file.
        note: why they run so.
    """
    return PartDescription(
        part,
        type(network).__name__,
        weights=weights,
        sha256=sha256,
        engine=runtime.engine,
        precision=runtime.precision,
        threads=runtime.threads,
        note=note,
    )
