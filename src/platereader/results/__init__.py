"""What the parts and the pipeline return: frozen, slotted, JSON-safe through ``to_dict``.

What cannot be right is refused when a result is made, and numpy numbers, which JSON does not know, become plain ones.
"""

from platereader.results._evidence import (
    Candidate,
    Character,
    Detection,
    Lines,
    PartDescription,
    PlateEvidence,
    PlateImage,
    TrackAssignment,
)
from platereader.results._fused import FusedSigns, FusedText
from platereader.results._plates import PlateReading, Sighting, StreamUpdate, TrackedPlate
from platereader.results._tables import json_schema, to_rows
from platereader.results._verdict import HasVerdict, Reason, Status, Verdict

__all__ = [
    "Candidate",
    "Character",
    "Detection",
    "FusedSigns",
    "FusedText",
    "HasVerdict",
    "Lines",
    "PartDescription",
    "PlateEvidence",
    "PlateImage",
    "PlateReading",
    "Reason",
    "Sighting",
    "Status",
    "StreamUpdate",
    "TrackAssignment",
    "TrackedPlate",
    "Verdict",
    "json_schema",
    "to_rows",
]
