"""Find, straighten, read and follow vehicle licence plates, Russian ones first: on an ordinary CPU, offline.

Start with ``Pipeline.build()``; the contracts between the parts are in ``platereader.protocols``.
"""

from platereader.errors import (
    AccuracyError,
    CaptureError,
    ContractError,
    DatasetError,
    EngineError,
    InvalidArgumentError,
    InvalidGeometryError,
    InvalidImageError,
    MediaFileError,
    MissingDependencyError,
    PlateReaderError,
    TimestampError,
    UnknownNameError,
    UntrustedPickleError,
    WeightsCorruptError,
    WeightsError,
    WeightsFetchError,
    WeightsNotFoundError,
)
from platereader.geometry import Box, Quad
from platereader.pipeline import Pipeline
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier
from platereader.registry import Registry
from platereader.results import (
    Candidate,
    Character,
    Detection,
    PartDescription,
    PlateEvidence,
    PlateImage,
    PlateReading,
    StreamUpdate,
    TrackAssignment,
    TrackedPlate,
)
from platereader.stream import PlateStream
from platereader.trust import TrustPolicy

__version__ = "0.1.0"

__all__ = [
    "AccuracyError",
    "Box",
    "CTCDecoder",
    "Candidate",
    "CaptureError",
    "Character",
    "ContractError",
    "DatasetError",
    "Detection",
    "Detector",
    "EngineError",
    "InvalidArgumentError",
    "InvalidGeometryError",
    "InvalidImageError",
    "MediaFileError",
    "MissingDependencyError",
    "PartDescription",
    "Pipeline",
    "PlateEvidence",
    "PlateImage",
    "PlateReaderError",
    "PlateReading",
    "PlateStream",
    "PlateTracker",
    "Quad",
    "Recognizer",
    "Rectifier",
    "Registry",
    "StreamUpdate",
    "TimestampError",
    "TrackAssignment",
    "TrackedPlate",
    "TrustPolicy",
    "UnknownNameError",
    "UntrustedPickleError",
    "WeightsCorruptError",
    "WeightsError",
    "WeightsFetchError",
    "WeightsNotFoundError",
]
