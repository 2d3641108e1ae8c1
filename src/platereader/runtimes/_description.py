"""What a part that runs a network says of itself."""

from __future__ import annotations

from platereader.results import PartDescription
from platereader.runtimes import Runtime


def network_description(
    network: object, runtime: Runtime, *, part: str, weights: str | None, sha256: str | None, note: str | None
) -> PartDescription:
    """Class, weights and how they run."""
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
