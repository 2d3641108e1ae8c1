"""What a tracker says of one frame."""

from __future__ import annotations

from dataclasses import dataclass

from platereader._geometry import Box


@dataclass(frozen=True, slots=True)
class TrackAssignment:
    """What a tracker says of one frame.

    Attributes:
        track_ids: one per detection, in their order; None = not confirmed yet.
        coasting: tracks without a detection in this frame, with their predicted box.
        ended: tracks that will not come back.
    """

    track_ids: tuple[int | None, ...]
    coasting: tuple[tuple[int, Box], ...] = ()
    ended: tuple[int, ...] = ()
