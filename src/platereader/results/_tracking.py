"""What a tracker says of one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from platereader._geometry import Box
from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check


@dataclass(frozen=True, slots=True)
class TrackAssignment:
    """What a tracker says of one frame.

    Attributes:
        track_ids: one per detection, in their order; None = not confirmed yet.
        ended: tracks that will not come back. A tracker that names none lets its streams wait for every plate.
        coasting: tracks without a detection in this frame, with their predicted box.

    Raises:
        InvalidArgumentError: a field is something else, an id is given twice, or to a detection although it has ended.
    """

    track_ids: tuple[int | None, ...]
    _: KW_ONLY
    ended: tuple[int, ...]
    coasting: tuple[tuple[int, Box], ...] = ()

    def __post_init__(self) -> None:
        check.items(self.track_ids, object, name="track_ids")
        check.items(self.ended, object, name="ended")
        check.items(self.coasting, tuple, name="coasting")
        check.set_fields(
            self,
            track_ids=tuple(None if one is None else _track_id(one, name="track_ids") for one in self.track_ids),
            ended=tuple(_track_id(one, name="ended") for one in self.ended),
            coasting=tuple(map(_predicted, self.coasting)),
        )
        ids = [track_id for track_id in self.track_ids if track_id is not None]
        if len(set(ids)) != len(ids) or set(ids) & set(self.ended):
            raise InvalidArgumentError(
                f"track_ids are {self.track_ids} with {self.ended} ended: an id belongs to one detection of a frame, "
                "and not to a track that has ended."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        coasting = [[track_id, list(box.to_tuple())] for track_id, box in self.coasting]
        return {"track_ids": list(self.track_ids), "ended": list(self.ended), "coasting": coasting}

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> TrackAssignment:
        """Inverse of ``to_dict``."""
        coasting = tuple((track_id, Box(*box)) for track_id, box in data["coasting"])
        return cls(tuple(data["track_ids"]), ended=tuple(data["ended"]), coasting=coasting)


def _track_id(value: object, *, name: str) -> int:
    return check.whole(value, name=name, least=None)


def _predicted(pair: tuple[object, ...]) -> tuple[int, Box]:
    if len(pair) != 2 or not isinstance(pair[1], Box):
        raise InvalidArgumentError(f"coasting has {pair!r}, expected are pairs of an id and a Box.")
    return _track_id(pair[0], name="coasting"), pair[1]
